import { loadAddon } from '../native/load.js'
import type { Codec } from './codec.js'
import { asBuffer, corrupt, KeptOutputs, overLimit, reason, scratchOf } from './support.js'

/**
 * Above this an input is compressed on a thread of the runtime's pool, which costs half as much again. Below,
 * the event loop is held: 330 µs for 128 KiB at the default level, about three times that at 6, and ever more
 * above.
 */
function syncLimitBytes(level: number): number {
  if (level <= 3) return 512 * 1024
  return level <= 6 ? 128 * 1024 : 4 * 1024
}

/**
 * zstd, one frame per batch. `level` is -131072 to 22. The addon has the library in it, so that every runtime
 * compresses with contexts that are kept between batches.
 */
export function createZstdCodec(level: number): Codec {
  const addon = loadAddon()
  const encoder = addon.createZstdEncoder(level)
  const limitBytes = syncLimitBytes(level)
  const outputs = new KeptOutputs()
  return {
    name: 'zstd',
    id: 4,
    compress(input) {
      const room = addon.zstdBound(input.byteLength)
      if (input.byteLength <= limitBytes) {
        const output = scratchOf(room)
        return output.subarray(0, encoder.encode(input, output))
      }
      const output = outputs.take(room)
      return encoder.encodeOnThread(input, output).then(bytes => output.subarray(0, bytes))
    },
    release: output => outputs.give(output),
    decompress,
  }
}

function decompress(input: Uint8Array, limitBytes: number): Uint8Array {
  const mostBytes = contentBytesAtMost(input)
  // One byte more than is allowed: what fills it is over the limit.
  const output = Buffer.allocUnsafeSlow(Math.min(mostBytes, limitBytes + 1))
  let bytes: number
  try {
    bytes = loadAddon().zstdDecode(input, output)
  } catch (error) {
    if (mostBytes > limitBytes && reason(error).startsWith('Destination buffer'))
      throw overLimit('zstd', limitBytes)
    throw corrupt('zstd', reason(error), error)
  }
  if (bytes > limitBytes) throw overLimit('zstd', limitBytes)
  return output.subarray(0, bytes)
}

/**
 * Walks the frames without decoding them, and tells how many bytes they hold at most: what they claim is
 * believed only as far as their blocks can keep it. Integers little-endian:
 *
 *   frame     = magic uint32 = 0xFD2FB528, descriptor, [window], [dictionary id], [content size], block*,
 *               [checksum uint32]
 *   block     = uint24: last (bit 0), type (bits 2–1: raw, run of a byte, compressed), size (the rest); data
 *   skippable = magic uint32 = 0x184D2A50 to 5F, size uint32, data
 */
function contentBytesAtMost(input: Uint8Array): number {
  const bytes = asBuffer(input)
  let position = 0
  let contentBytes = 0
  do {
    if (bytes.length - position < 8) throw corrupt('zstd', 'it ends within a frame header')
    const magic = bytes.readUInt32LE(position)
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      position += 8 + bytes.readUInt32LE(position + 4)
    } else if (magic === 0xfd2fb528) {
      const frame = walkFrame(bytes, position)
      position = frame.end
      contentBytes += frame.contentBytes
    } else {
      throw corrupt('zstd', 'it does not begin with the frame magic')
    }
    if (position > bytes.length) throw corrupt('zstd', 'it ends within a frame')
  } while (position < bytes.length)
  return contentBytes
}

const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const

/** The largest content of a compressed block. */
const BLOCK_CONTENT_BYTES = 128 * 1024
const BLOCK_RUN = 1
const BLOCK_COMPRESSED = 2
const BLOCK_RESERVED = 3

/** Where the frame at `start` ends, which is beyond the input if it is cut, and what it holds at most. */
function walkFrame(bytes: Buffer, start: number): { end: number; contentBytes: number } {
  const descriptor = bytes.readUInt8(start + 4)
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = (descriptor >> 6) as 0 | 1 | 2 | 3
  let position = start + 5 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3]
  position += sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]
  let contentBytes = 0
  for (;;) {
    if (bytes.length - position < 3) return { end: bytes.length + 1, contentBytes }
    const header = bytes.readUIntLE(position, 3)
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type === BLOCK_RESERVED) throw corrupt('zstd', 'a block of the reserved type')
    contentBytes += type === BLOCK_COMPRESSED ? BLOCK_CONTENT_BYTES : size
    position += 3 + (type === BLOCK_RUN ? 1 : size)
    if ((header & 1) !== 0) return { end: position + ((descriptor & 4) !== 0 ? 4 : 0), contentBytes }
  }
}
