import { createRequire } from 'node:module'
import type { Codec } from './codec.js'
import { asBuffer, corrupt, loadCodecPackage, overLimit, reason } from './support.js'

const require = createRequire(import.meta.url)

/**
 * The stream format of the Java snappy library, which Kafka's clients use:
 *
 *   stream = magic (82 'SNAPPY' 00), version int32 = 1, lowest compatible version int32 = 1, chunk*
 *   chunk  = length int32, raw snappy block of that many bytes
 *   block  = uncompressed length (unsigned varint), elements
 *
 * Integers are big-endian. Some clients send one bare block instead; readers take both.
 */
const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const HEADER = Buffer.from([...MAGIC, 0, 0, 0, 1, 0, 0, 0, 1])

/** Uncompressed bytes per chunk, the Java library's default. */
const CHUNK_BYTES = 32 * 1024

/**
 * Above this an input is compressed on worker threads. Handing a chunk to one costs about 10 µs of the event
 * loop and 25 µs of CPU in all; compressing a whole chunk in place holds the loop for about 35 µs.
 */
const SYNC_LIMIT_BYTES = CHUNK_BYTES

/** No snappy element yields more than 64 bytes from less than 3, so a longer claim is a lie. */
const MAX_RATIO = 32

interface SnappyPackage {
  compressSync(input: Uint8Array, options: { copyOutputData: boolean }): Buffer
  compress(input: Uint8Array, options: { copyOutputData: boolean }): Promise<Buffer>
  uncompressSync(input: Uint8Array, options: { asBuffer: boolean; copyOutputData: boolean }): Buffer
}

// A copied result costs a third of one that wraps memory owned by the package (measured, 16 KiB blocks).
const COPIED = { copyOutputData: true }
const COPIED_BUFFER = { asBuffer: true, copyOutputData: true }

/** snappy in the Java library's stream format. */
export function createSnappyCodec(): Codec {
  const snappy = loadCodecPackage<SnappyPackage>('snappy', 'snappy', () => require('snappy'))
  return {
    name: 'snappy',
    id: 2,
    compress: input => compress(snappy, input),
    decompress: (input, limitBytes) => decompress(snappy, input, limitBytes),
  }
}

function compress(snappy: SnappyPackage, input: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const bytes = asBuffer(input)
  if (bytes.length <= SYNC_LIMIT_BYTES) {
    return frame(bytes.length === 0 ? [] : [snappy.compressSync(bytes, COPIED)])
  }
  const blocks: Promise<Buffer>[] = []
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    blocks.push(snappy.compress(bytes.subarray(start, start + CHUNK_BYTES), COPIED))
  }
  return Promise.all(blocks).then(frame)
}

function frame(blocks: readonly Buffer[]): Uint8Array {
  let size = HEADER.length
  for (const block of blocks) size += 4 + block.length
  const output = Buffer.allocUnsafeSlow(size)
  let position = HEADER.copy(output)
  for (const block of blocks) {
    position = output.writeInt32BE(block.length, position)
    position += block.copy(output, position)
  }
  return output
}

function decompress(snappy: SnappyPackage, input: Uint8Array, limitBytes: number): Uint8Array {
  const bytes = asBuffer(input)
  if (bytes.length < MAGIC.length || bytes.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    return decompressBlock(snappy, bytes, limitBytes, limitBytes)
  }
  if (bytes.length < HEADER.length) throw corrupt('snappy', 'the stream ends within its header')
  const chunks: Buffer[] = []
  let outputBytes = 0
  let position = HEADER.length
  while (position < bytes.length) {
    if (bytes.length - position < 4) throw corrupt('snappy', 'the stream ends within a chunk length')
    const length = bytes.readInt32BE(position)
    position += 4
    if (length <= 0 || length > bytes.length - position) {
      throw corrupt('snappy', `a chunk of ${length} bytes with ${bytes.length - position} left`)
    }
    const block = bytes.subarray(position, position + length)
    const chunk = decompressBlock(snappy, block, limitBytes - outputBytes, limitBytes)
    chunks.push(chunk)
    outputBytes += chunk.length
    position += length
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, outputBytes)
}

function decompressBlock(
  snappy: SnappyPackage,
  block: Buffer,
  remainingBytes: number,
  limitBytes: number,
): Buffer {
  const claimed = uncompressedLength(block)
  // Checked first: the package allocates what the block claims.
  if (claimed > block.length * MAX_RATIO) {
    throw corrupt('snappy', `a block of ${block.length} bytes claims ${claimed} uncompressed`)
  }
  if (claimed > remainingBytes) throw overLimit('snappy', limitBytes)
  if (claimed === 0 && block.length === 1) return Buffer.alloc(0)
  try {
    return snappy.uncompressSync(block, COPIED_BUFFER)
  } catch (error) {
    throw corrupt('snappy', reason(error), error)
  }
}

function uncompressedLength(block: Buffer): number {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) throw corrupt('snappy', 'the stream ends within a block length')
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return value
  }
  throw corrupt('snappy', 'a block length of more than five bytes')
}
