import { isDenied } from '../common/permissions.js'
import { isNode } from '../common/runtime.js'
import { ConfigError, PermissionError, ProtocolError } from '../errors/index.js'
import type { CompressionType } from './codec.js'

/**
 * Loads the package behind a codec, synchronously, so that a missing one is an error of the constructor that
 * asked for it and never of a send. The codec's own module requires it by a literal name, for bundlers.
 */
export function loadCodecPackage<T>(name: string, type: CompressionType, load: () => unknown): T {
  try {
    return load() as T
  } catch (cause) {
    if (isDenied(cause)) {
      throw new PermissionError(
        `compression.type=${type} needs the package ${name}, which is native code: run with ` +
          `${isNode ? '--allow-addons --allow-fs-read' : '--allow-read --allow-ffi --allow-env'} for it`,
        { cause },
      )
    }
    throw new ConfigError(
      `compression.type=${type} needs the package ${name}, which cannot be loaded here (${reason(cause)}); ` +
        `install it with \`npm install ${name}\` or choose another compression.type`,
      'compression.type',
      { cause },
    )
  }
}

/** A `Buffer` over the same bytes: the native packages' synchronous calls are typed for Buffers only. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

let scratch: Buffer = Buffer.alloc(0)

/** Memory that all codecs write into, each until the next asks for it. It grows to what was asked at most. */
export function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes)
  return scratch
}

/** The error of every decoder for bytes that are not what the codec's format allows. */
export function corrupt(type: CompressionType, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`The ${type} compressed records cannot be read: ${what}`, { cause })
}

/** The error of every decoder whose output would be over what the caller allows. */
export function overLimit(type: CompressionType, limitBytes: number): ProtocolError {
  return new ProtocolError(`The ${type} compressed records are more than ${limitBytes} bytes uncompressed`)
}

/** The first line of an error's message. */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0] ?? ''
}
