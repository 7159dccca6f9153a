import { ProtocolError } from '../errors/index.js'
import type { CompressionType } from './codec.js'

/** A `Buffer` over the same bytes, for its readers of numbers. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

let scratch: Buffer = Buffer.alloc(0)

/** Memory that all codecs write into, each until the next asks for it. It grows to what was asked at most. */
export function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes)
  return scratch
}

/** Most of them that are kept: as many as there are threads in the runtime's pool by default. */
const KEPT_OUTPUTS = 4

/**
 * Memory that threads compress into. Those that are given back are used again: a new large buffer for each
 * batch would have the collector go through the whole heap.
 */
export class KeptOutputs {
  private readonly kept: Buffer[] = []

  take(bytes: number): Buffer {
    const output = this.kept.pop()
    return output !== undefined && output.length >= bytes ? output : Buffer.allocUnsafeSlow(bytes)
  }

  /** Of a view of it, the whole comes back. */
  give({ buffer }: Uint8Array): void {
    if (this.kept.length < KEPT_OUTPUTS) this.kept.push(Buffer.from(buffer as ArrayBuffer))
  }
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
