import { type NativeAddon, SNAPPY_MALFORMED, SNAPPY_TOO_LARGE } from '../native/addon.js'
import { loadAddon } from '../native/load.js'
import type { Codec } from './codec.js'
import { asBuffer, corrupt, overLimit, scratchOf } from './support.js'

/**
 * The stream format of the Java snappy library, which Kafka's clients use:
 *
 *   stream = magic (82 'SNAPPY' 00), version int32 = 1, lowest compatible version int32 = 1, chunk*
 *   chunk  = length int32, raw snappy block of that many bytes
 *   block  = uncompressed length (unsigned varint), elements
 *
 * Integers are big-endian. Some clients send one bare block instead; readers take both. Native code encodes
 * chunks and decodes blocks.
 */
const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const HEADER = Buffer.from([...MAGIC, 0, 0, 0, 1, 0, 0, 0, 1])

/** Uncompressed bytes per chunk, the Java library's default. */
const CHUNK_BYTES = 32 * 1024

/** How much is compressed at a time before the event loop has a turn: about 1.5 ms, whole chunks. */
const SLICE_BYTES = 32 * CHUNK_BYTES

/** No snappy element yields more than 64 bytes from less than 3, so a longer claim is a lie. */
const MAX_RATIO = 32

/** snappy in the Java library's stream format. */
export function createSnappyCodec(): Codec {
  return {
    name: 'snappy',
    id: 2,
    compress: input => (input.byteLength <= SLICE_BYTES ? compressNow(input) : compressInSlices(input)),
    decompress: (input, limitBytes) => decompress(asBuffer(input), limitBytes),
  }
}

function compressNow(input: Uint8Array): Uint8Array {
  const output = scratchOf(roomFor(input))
  const headerBytes = HEADER.copy(output)
  return output.subarray(0, headerBytes + loadAddon().snappyChunks(input, output.subarray(headerBytes)))
}

async function compressInSlices(input: Uint8Array): Promise<Uint8Array> {
  const addon = loadAddon()
  const output = Buffer.allocUnsafeSlow(roomFor(input))
  let written = HEADER.copy(output)
  for (let start = 0; ; start += SLICE_BYTES) {
    const end = Math.min(start + SLICE_BYTES, input.byteLength)
    written += addon.snappyChunks(input.subarray(start, end), output.subarray(written))
    if (end === input.byteLength) return output.subarray(0, written)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** What native code wants, and the header. */
function roomFor({ byteLength }: Uint8Array): number {
  const chunks = Math.floor(byteLength / CHUNK_BYTES) + 1
  return HEADER.length + byteLength + Math.floor(byteLength / 60) + chunks * 40
}

function decompress(input: Buffer, limitBytes: number): Uint8Array {
  const blocks = blocksOf(input)
  let claimedBytes = 0
  for (const block of blocks) {
    claimedBytes += claimOf(block)
    if (claimedBytes > limitBytes) throw overLimit('snappy', limitBytes)
  }
  const addon = loadAddon()
  const output = Buffer.allocUnsafeSlow(claimedBytes)
  let written = 0
  for (const block of blocks) written += decodeBlock(addon, block, output.subarray(written))
  return output.subarray(0, written)
}

/** The raw blocks of a stream; a bare block is its own. */
function blocksOf(input: Buffer): Buffer[] {
  if (input.length < MAGIC.length || input.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    return [input]
  }
  if (input.length < HEADER.length) throw corrupt('snappy', 'the stream ends within its header')
  const blocks: Buffer[] = []
  let position = HEADER.length
  while (position < input.length) {
    if (input.length - position < 4) throw corrupt('snappy', 'the stream ends within a chunk length')
    const length = input.readInt32BE(position)
    position += 4
    if (length <= 0 || length > input.length - position) {
      throw corrupt('snappy', `a chunk of ${length} bytes with ${input.length - position} left`)
    }
    blocks.push(input.subarray(position, position + length))
    position += length
  }
  return blocks
}

/** How much a block says it holds: believed, and allocated, only as far as its size can keep it. */
function claimOf(block: Buffer): number {
  const claimed = uncompressedLength(block)
  if (claimed > block.length * MAX_RATIO) {
    throw corrupt('snappy', `a block of ${block.length} bytes claims ${claimed} uncompressed`)
  }
  return claimed
}

function decodeBlock(addon: NativeAddon, block: Buffer, output: Buffer): number {
  const bytes = addon.snappyDecode(block, output)
  if (bytes === SNAPPY_TOO_LARGE || bytes === SNAPPY_MALFORMED) {
    throw corrupt('snappy', 'a block breaks the format')
  }
  return bytes
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
