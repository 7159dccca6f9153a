import type * as zlib from 'node:zlib'
import { builtins } from '../common/builtins.js'
import { ConfigError } from '../errors/index.js'
import type { Codec } from './codec.js'
import { asBuffer, corrupt, loadCodecPackage, overLimit, reason, scratchOf } from './support.js'

/**
 * Above this an input is compressed on a worker thread where the runtime has one for zstd. That costs twice
 * the CPU of the kept context of `zstd-napi`, which holds the event loop for its time: 330 µs for 128 KiB at
 * the default level, about three times that at 6, and ever more above.
 */
function syncLimitBytes(level: number): number {
  if (level <= 3) return 128 * 1024
  return level <= 6 ? 32 * 1024 : 4 * 1024
}

/** Output of one call when streaming through `zstd-napi`. */
const STREAM_BYTES = 128 * 1024

/** zstd of `node:zlib`: Node 22.15 and later, Bun, Deno. */
type RuntimeZstd = Pick<typeof zlib, 'zstdCompress' | 'zstdCompressSync' | 'zstdDecompressSync'>

/**
 * The low-level entry of `zstd-napi`: the only one whose output can be bounded, or written into memory of
 * ours. The other allocates as much as the input for each call.
 */
interface ZstdBinding {
  CParameter: { compressionLevel: number }
  ResetDirective: { sessionOnly: number }
  compressBound(inputBytes: number): number
  CCtx: new () => {
    setParameter(parameter: number, value: number): void
    compress2(output: Uint8Array, input: Uint8Array): number
  }
  DCtx: new () => {
    reset(directive: number): void
    decompressStream(
      output: Uint8Array,
      input: Uint8Array,
    ): [hint: number, produced: number, consumed: number]
  }
}

interface Backends {
  runtime: RuntimeZstd | null
  package: ZstdBinding | null
}

/**
 * zstd, one frame per batch. `level` is -131072 to 22. Two implementations serve it: `zstd-napi`, an optional
 * dependency that keeps its context between calls but knows no threads, and the runtime's `node:zlib`.
 */
export function createZstdCodec(level: number, backends: Backends = findBackends()): Codec {
  let decompress: Codec['decompress'] | undefined
  return {
    name: 'zstd',
    id: 4,
    compress: createCompress(level, backends),
    decompress(input, limitBytes) {
      decompress ??= backends.package ? createPackageDecompress(backends.package) : decompressInRuntime
      return decompress(input, limitBytes)
    },
  }
}

function findBackends(): Backends {
  const { zlib } = builtins
  const runtime = 'zstdCompress' in zlib ? zlib : null
  try {
    return { runtime, package: loadCodecPackage<ZstdBinding>('zstd-napi/binding.js', 'zstd') }
  } catch (error) {
    if (runtime) return { runtime, package: null }
    throw new ConfigError(
      `${(error as Error).message}; it is compiled when installed (a C++ compiler and permission to run ` +
        'install scripts are needed). Node 22.15 and later, Bun and Deno need no package for zstd',
      'compression.type',
      { cause: (error as Error).cause },
    )
  }
}

function createCompress(level: number, { runtime, package: napi }: Backends): Codec['compress'] {
  const compressNow = napi && createPackageCompress(level, napi)
  const limitBytes = syncLimitBytes(level)
  return input => {
    if (compressNow && (input.byteLength <= limitBytes || !runtime)) return compressNow(input)
    const { zstdCompress, zstdCompressSync } = runtime as RuntimeZstd
    // The known size keeps the new context of each call as small as the input allows.
    const options: zlib.ZstdOptions & { pledgedSrcSize: number } = {
      params: { [builtins.zlib.constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: input.byteLength,
    }
    if (input.byteLength <= limitBytes) return zstdCompressSync(input, options)
    options.chunkSize = input.byteLength >> 1
    return new Promise((resolve, reject) => {
      zstdCompress(input, options, (error, output) => (error ? reject(error) : resolve(output)))
    })
  }
}

function createPackageCompress(level: number, napi: ZstdBinding): (input: Uint8Array) => Uint8Array {
  const context = new napi.CCtx()
  context.setParameter(napi.CParameter.compressionLevel, level)
  return input => {
    const output = scratchOf(napi.compressBound(input.byteLength))
    return output.subarray(0, context.compress2(output, input))
  }
}

function decompressInRuntime(input: Uint8Array, limitBytes: number): Uint8Array {
  checkFrames(input)
  let output: Uint8Array
  try {
    output = builtins.zlib.zstdDecompressSync(input, { maxOutputLength: Math.max(1, limitBytes) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw overLimit('zstd', limitBytes)
    throw corrupt('zstd', reason(error), error)
  }
  if (output.byteLength > limitBytes) throw overLimit('zstd', limitBytes)
  return output
}

function createPackageDecompress({ DCtx, ResetDirective }: ZstdBinding): Codec['decompress'] {
  const context = new DCtx()
  const scratch = Buffer.allocUnsafeSlow(STREAM_BYTES)
  return (input, limitBytes) => {
    checkFrames(input)
    // An error may have left the context within a frame.
    context.reset(ResetDirective.sessionOnly)
    const chunks: Buffer[] = []
    let outputBytes = 0
    let rest = input
    for (;;) {
      let produced: number
      let consumed: number
      try {
        ;[, produced, consumed] = context.decompressStream(scratch, rest)
      } catch (error) {
        throw corrupt('zstd', reason(error), error)
      }
      outputBytes += produced
      if (outputBytes > limitBytes) throw overLimit('zstd', limitBytes)
      chunks.push(Buffer.from(scratch.subarray(0, produced)))
      rest = rest.subarray(consumed)
      // A scratch buffer that was not filled means that all the input given so far has been flushed.
      if (rest.length === 0 && produced < STREAM_BYTES) {
        return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, outputBytes)
      }
    }
  }
}

/**
 * Walks the frames without decoding them, because Bun, Deno and a streaming decoder take a truncated frame
 * for a short one. Integers little-endian:
 *
 *   frame     = magic uint32 = 0xFD2FB528, descriptor, [window], [dictionary id], [content size], block*,
 *               [checksum uint32]
 *   block     = uint24: last (bit 0), type (bits 2–1: raw, run of a byte, compressed), size (the rest); data
 *   skippable = magic uint32 = 0x184D2A50 to 5F, size uint32, data
 */
function checkFrames(input: Uint8Array): void {
  const bytes = asBuffer(input)
  let position = 0
  do {
    if (bytes.length - position < 8) throw corrupt('zstd', 'it ends within a frame header')
    const magic = bytes.readUInt32LE(position)
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) position += 8 + bytes.readUInt32LE(position + 4)
    else if (magic === 0xfd2fb528) position = frameEnd(bytes, position)
    else throw corrupt('zstd', 'it does not begin with the frame magic')
    if (position > bytes.length) throw corrupt('zstd', 'it ends within a frame')
  } while (position < bytes.length)
}

const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const

/** Where the frame at `start` ends, which is beyond the input if it is cut. */
function frameEnd(bytes: Buffer, start: number): number {
  const descriptor = bytes.readUInt8(start + 4)
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = (descriptor >> 6) as 0 | 1 | 2 | 3
  let position = start + 5 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3]
  position += sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]
  for (;;) {
    if (bytes.length - position < 3) return bytes.length + 1
    const header = bytes.readUIntLE(position, 3)
    const type = (header >> 1) & 3
    if (type === 3) throw corrupt('zstd', 'a block of the reserved type')
    position += 3 + (type === 1 ? 1 : header >> 3)
    if ((header & 1) !== 0) return position + ((descriptor & 4) !== 0 ? 4 : 0)
  }
}
