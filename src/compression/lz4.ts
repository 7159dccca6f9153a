import { LZ4_MALFORMED, LZ4_TOO_LARGE, type NativeAddon } from '../native/addon.js'
import { loadAddon } from '../native/load.js'
import type { Codec } from './codec.js'
import { asBuffer, corrupt, overLimit, scratchOf } from './support.js'
import { xxhash32 } from './xxhash32.js'

/**
 * LZ4 frame format, integers little-endian:
 *
 *   frame = magic uint32 = 0x184D2204, FLG, BD, [content size uint64], [dictionary id uint32], HC,
 *           block*, end mark uint32 = 0, [content checksum uint32]
 *   FLG   = version (bits 7–6 = 01), independent blocks (5), block checksums (4), content size (3),
 *           content checksum (2), reserved (1), dictionary id (0)
 *   BD    = bits 6–4: largest block 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB; the others zero
 *   HC    = second byte of xxHash32 over FLG up to before HC
 *   block = length uint32 (top bit: stored, not compressed), data, [checksum uint32 of data]
 *
 * Written like the Java client does: independent blocks of 64 KiB, no checksums, no content size. So the
 * header never changes, and a frame is that header around raw blocks. Native code encodes them (DESIGN.md has
 * the figures) and decodes them.
 */
const FRAME_MAGIC = 0x184d2204
const HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
const BLOCK_BYTES = 64 * 1024
const STORED_BIT = 0x80000000

const FLAG_INDEPENDENT = 0x20
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_CONTENT_SIZE = 0x08
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_RESERVED = 0x02
const FLAG_DICTIONARY = 0x01

/** What native code wants of the output besides the input's length, at most. */
const BLOCK_SLACK_BYTES = 512

/** The level that stands for the fast encoder, as in Java: every other one is of the high compressor. */
const FAST_LEVEL = 9

/** How much is compressed at a time before the event loop has a turn: about a millisecond. */
const SLICE_BYTES = 1024 * 1024
/** The same for the high compressor, which takes milliseconds for a block. */
const HC_SLICE_BYTES = BLOCK_BYTES

type EncodeBlock = (input: Uint8Array, output: Uint8Array) => number

/** lz4 in the frame format. */
export function createLz4Codec(level: number): Codec {
  const sliceBytes = level === FAST_LEVEL ? SLICE_BYTES : HC_SLICE_BYTES
  let encode: EncodeBlock | null = null
  const compress = (input: Uint8Array) => {
    encode ??= blockEncoder(level)
    const { byteLength } = input
    return byteLength <= sliceBytes ? compressNow(input, encode) : compressInSlices(input, encode, sliceBytes)
  }
  return {
    name: 'lz4',
    id: 3,
    compress,
    decompress: (input, limitBytes) => decompress(asBuffer(input), limitBytes),
  }
}

function blockEncoder(level: number): EncodeBlock {
  const addon = loadAddon()
  if (level === FAST_LEVEL) return (input, output) => addon.lz4Block(input, output)
  const encode = addon.createLz4HcEncoder()
  return (input, output) => encode(input, output, level)
}

function compressNow(input: Uint8Array, encode: EncodeBlock): Uint8Array {
  const scratch = scratchOf(roomFor(input))
  const writer = new FrameWriter(input, scratch, encode)
  writer.write(input.byteLength)
  return scratch.subarray(0, writer.end())
}

async function compressInSlices(
  input: Uint8Array,
  encode: EncodeBlock,
  sliceBytes: number,
): Promise<Uint8Array> {
  const output = Buffer.allocUnsafeSlow(roomFor(input))
  const writer = new FrameWriter(input, output, encode)
  for (let end = sliceBytes; ; end += sliceBytes) {
    writer.write(Math.min(end, input.byteLength))
    if (end >= input.byteLength) return output.subarray(0, writer.end())
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** No block takes more than its input, once it is written. */
function roomFor({ byteLength }: Uint8Array): number {
  const blocks = Math.ceil(byteLength / BLOCK_BYTES)
  return HEADER.length + blocks * 4 + byteLength + BLOCK_SLACK_BYTES
}

/** Writes a frame piece by piece; the caller says how much at a time. */
class FrameWriter {
  private readonly encode: EncodeBlock
  private readonly input: Uint8Array
  private readonly output: Buffer
  private read = 0
  private written: number

  constructor(input: Uint8Array, output: Buffer, encode: EncodeBlock) {
    this.encode = encode
    this.input = input
    this.output = output
    this.written = HEADER.copy(output)
  }

  /** The blocks of the input up to `end`, which is its end or a multiple of a block. */
  write(end: number): void {
    const { input, output } = this
    while (this.read < end) {
      const block = input.subarray(this.read, Math.min(this.read + BLOCK_BYTES, end))
      const at = this.written + 4
      const plainBytes = block.byteLength
      const compressedBytes = this.encode(block, output.subarray(at))
      const isStored = compressedBytes >= plainBytes
      if (isStored) output.set(block, at)
      output.writeUInt32LE(isStored ? STORED_BIT + plainBytes : compressedBytes, this.written)
      this.written = at + (isStored ? plainBytes : compressedBytes)
      this.read += plainBytes
    }
  }

  /** The end mark; gives the size of the frame. */
  end(): number {
    return this.output.writeUInt32LE(0, this.written)
  }
}

interface FrameHeader {
  headerBytes: number
  maxBlockBytes: number
  blockChecksum: boolean
  contentChecksum: boolean
  /** Uncompressed bytes of the whole frame, -1 where the header does not say. */
  contentBytes: number
}

function decompress(input: Buffer, limitBytes: number): Uint8Array {
  const addon = loadAddon()
  const header = readHeader(input)
  if (header.contentBytes > limitBytes) throw overLimit('lz4', limitBytes)
  const chunks: Buffer[] = []
  let outputBytes = 0
  let position = header.headerBytes
  for (;;) {
    const word = readUint32(input, position)
    position += 4
    if (word === 0) break
    const stored = word >= STORED_BIT
    const length = stored ? word - STORED_BIT : word
    const data = slice(input, position, length, header.maxBlockBytes)
    position += length
    if (header.blockChecksum) {
      if (readUint32(input, position) !== xxhash32(data)) throw corrupt('lz4', 'a block checksum is wrong')
      position += 4
    }
    const chunk = stored ? data : decompressBlock(addon, data, header.maxBlockBytes)
    outputBytes += chunk.length
    if (outputBytes > limitBytes) throw overLimit('lz4', limitBytes)
    chunks.push(chunk)
  }
  const output = Buffer.concat(chunks, outputBytes)
  if (header.contentChecksum) {
    if (readUint32(input, position) !== xxhash32(output))
      throw corrupt('lz4', 'the content checksum is wrong')
    position += 4
  }
  if (header.contentBytes >= 0 && header.contentBytes !== outputBytes) {
    throw corrupt('lz4', `the header says ${header.contentBytes} bytes, the blocks hold ${outputBytes}`)
  }
  if (position !== input.length) throw corrupt('lz4', `${input.length - position} bytes after the frame`)
  return output
}

function readHeader(input: Buffer): FrameHeader {
  if (input.length < HEADER.length) throw corrupt('lz4', 'the frame ends within its header')
  if (input.readUInt32LE(0) !== FRAME_MAGIC) throw corrupt('lz4', 'it does not begin with the frame magic')
  const flags = input.readUInt8(4)
  const descriptor = input.readUInt8(5)
  const sizeCode = descriptor >> 4
  if (flags >> 6 !== 1 || (flags & FLAG_RESERVED) !== 0) throw corrupt('lz4', 'unsupported frame version')
  if ((descriptor & 0x8f) !== 0 || sizeCode < 4) throw corrupt('lz4', 'unsupported block size')
  if ((flags & FLAG_INDEPENDENT) === 0) throw corrupt('lz4', 'dependent blocks are not supported')
  if ((flags & FLAG_DICTIONARY) !== 0) throw corrupt('lz4', 'dictionaries are not supported')
  const sized = (flags & FLAG_CONTENT_SIZE) !== 0
  const checksumAt = sized ? 14 : 6
  if (input.length <= checksumAt) throw corrupt('lz4', 'the frame ends within its header')
  if (input.readUInt8(checksumAt) !== ((xxhash32(input.subarray(4, checksumAt)) >>> 8) & 0xff)) {
    throw corrupt('lz4', 'the header checksum is wrong')
  }
  return {
    headerBytes: checksumAt + 1,
    maxBlockBytes: 1 << (8 + 2 * sizeCode),
    blockChecksum: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    contentBytes: sized ? Number(input.readBigUInt64LE(6)) : -1,
  }
}

function decompressBlock(addon: NativeAddon, data: Buffer, maxBlockBytes: number): Buffer {
  // No sequence yields more than 255 bytes from one.
  const output = Buffer.allocUnsafeSlow(Math.min(maxBlockBytes, data.length * 255))
  const bytes = addon.lz4Decode(data, output)
  if (bytes === LZ4_TOO_LARGE) throw corrupt('lz4', `a block holds more than ${output.length} bytes`)
  if (bytes === LZ4_MALFORMED) throw corrupt('lz4', 'a block breaks the format')
  return output.subarray(0, bytes)
}

function slice(input: Buffer, position: number, length: number, maxBytes: number): Buffer {
  if (length > maxBytes)
    throw corrupt('lz4', `a block of ${length} bytes in a frame of ${maxBytes} byte blocks`)
  if (length > input.length - position) throw corrupt('lz4', 'the frame ends within a block')
  return input.subarray(position, position + length)
}

function readUint32(input: Buffer, position: number): number {
  if (input.length - position < 4) throw corrupt('lz4', 'the frame ends before its end mark')
  return input.readUInt32LE(position)
}
