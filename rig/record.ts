import { loadAddon } from '../dist/native/load.js'
import { ReadFlag } from './frames.js'

/**
 * A record that says where it belongs, so that a reader can judge it alone.
 *
 * ```
 * value => magic:uint32 run:uint32 topicId:uint16 partition:uint16 sequence:uint64 length:uint32
 *          crc32c:uint32 payload
 * ```
 * Big-endian. Sequences count from 0 in every slot of a run (layout.ts). A record of a free lane has 0xffff
 * for its partition, and may stand in any. `length` is that of the payload. The checksum is taken over
 * everything before it and, continued, over the payload.
 */
export const RECORD_MAGIC = 0x4d6c5261
export const RECORD_HEADER_BYTES = 28
/** Instead of a partition: the record leaves it to the producer. */
export const FREE_PARTITION = 0xffff
const SEQUENCE_AT = 12
const CRC_AT = 24
const POOL_BYTES = 64 * 1024
/** Of a free lane, one record in so many is large. */
const LARGE_ONCE_IN = 128
const TWO_32 = 2 ** 32

/** Payload sizes in bytes, both included. */
export interface PayloadRange {
  readonly min: number
  readonly max: number
  /** That of the large records of free lanes; 0 for none. */
  readonly large?: number
}

/** Writes the records of one run; a few dozen nanoseconds each. */
export class RecordFactory {
  private readonly run: number
  private readonly payload: PayloadRange
  /** Payloads are cut out of these bytes, at a place that depends on the sequence. */
  private readonly pool: Buffer
  private readonly crc32c = loadAddon().crc32c

  constructor(run: number, payload: PayloadRange) {
    this.run = run
    this.payload = payload
    this.pool = Buffer.allocUnsafe(POOL_BYTES + Math.max(payload.max, payload.large ?? 0))
    let state = run | 1
    for (let i = 0; i < this.pool.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      this.pool[i] = state >>> 24
    }
  }

  /** Bytes of the record with this sequence. */
  sizeOf(partition: number, sequence: number): number {
    const { min, max, large = 0 } = this.payload
    const isLarge = large > 0 && partition === FREE_PARTITION && (sequence + 1) % LARGE_ONCE_IN === 0
    return RECORD_HEADER_BYTES + (isLarge ? large : min + (sequence % (max - min + 1)))
  }

  /** Writes the record at `at` and returns its size. */
  write(bytes: Buffer, at: number, topicId: number, partition: number, sequence: number): number {
    const size = this.sizeOf(partition, sequence)
    const payloadBytes = size - RECORD_HEADER_BYTES
    bytes.writeUInt32BE(RECORD_MAGIC, at)
    bytes.writeUInt32BE(this.run, at + 4)
    bytes.writeUInt16BE(topicId, at + 8)
    bytes.writeUInt16BE(partition, at + 10)
    bytes.writeUInt32BE(Math.floor(sequence / TWO_32), at + SEQUENCE_AT)
    bytes.writeUInt32BE(sequence % TWO_32, at + SEQUENCE_AT + 4)
    bytes.writeUInt32BE(payloadBytes, at + 20)
    const from = Math.imul(sequence, 0x9e3779b1) & (POOL_BYTES - 1)
    const payloadAt = at + RECORD_HEADER_BYTES
    bytes.set(this.pool.subarray(from, from + payloadBytes), payloadAt)
    const head = this.crc32c(bytes.subarray(at, at + CRC_AT))
    bytes.writeUInt32BE(this.crc32c(bytes.subarray(payloadAt, payloadAt + payloadBytes), head), at + CRC_AT)
    return size
  }
}

/** What the text of a record begins with; the record itself has other first bytes. */
const TEXT_MARK = '§'
const TEXT_MARK_BYTES = Buffer.from(TEXT_MARK)

/** The record as text: a character for each byte, half of which take two bytes as UTF-8. */
export function textOf(value: Buffer): string {
  return `${TEXT_MARK}${value.toString('latin1')}`
}

/** The record as its bytes, whatever it was sent as. */
function bytesOf(value: Uint8Array): Uint8Array {
  const isText = TEXT_MARK_BYTES.every((byte, i) => value[i] === byte)
  if (!isText) return value
  return Buffer.from(Buffer.from(value.subarray(TEXT_MARK_BYTES.length)).toString(), 'latin1')
}

/** The bytes of a record that hold its sequence: a key that every record has for itself. */
export function sequenceOf(value: Buffer): Buffer {
  return value.subarray(SEQUENCE_AT, SEQUENCE_AT + 8)
}

/** The sequence of a record. */
export function sequenceNumberOf(value: Buffer): number {
  return value.readUInt32BE(SEQUENCE_AT) * TWO_32 + value.readUInt32BE(SEQUENCE_AT + 4)
}

/** What a value read from a partition turns out to be. */
export interface ParsedRecord {
  /** Bits of {@link ReadFlag}; 0 for a sound record in its place. */
  flags: number
  sequence: number
  /** A sound record of the topic's free lane. */
  isFree: boolean
}

const NOTHING: ParsedRecord = { flags: ReadFlag.TORN, sequence: 0, isFree: false }

/** Judges one value alone: is it whole, of this run, and where it belongs? */
export function parseRecord(
  stored: Uint8Array | null,
  run: number,
  topicId: number,
  partition: number,
): ParsedRecord {
  const value = stored === null ? null : bytesOf(stored)
  if (value === null || value.length < RECORD_HEADER_BYTES) return NOTHING
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (view.getUint32(0) !== RECORD_MAGIC || view.getUint32(20) !== value.length - RECORD_HEADER_BYTES)
    return NOTHING
  const { crc32c } = loadAddon()
  const crc = crc32c(value.subarray(RECORD_HEADER_BYTES), crc32c(value.subarray(0, CRC_AT)))
  if (view.getUint32(CRC_AT) !== crc) return NOTHING
  let flags = 0
  if (view.getUint32(4) !== run) flags |= ReadFlag.STRANGER
  const home = view.getUint16(10)
  if (view.getUint16(8) !== topicId || (home !== partition && home !== FREE_PARTITION))
    flags |= ReadFlag.FOREIGN
  const sequence = view.getUint32(SEQUENCE_AT) * TWO_32 + view.getUint32(SEQUENCE_AT + 4)
  return { flags, sequence, isFree: flags === 0 && home === FREE_PARTITION }
}
