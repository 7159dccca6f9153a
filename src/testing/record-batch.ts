/**
 * Reader and checker of record batches (magic 2), written for the test broker alone, so that it shares
 * nothing with the native encoder it checks.
 *
 * ```
 * batch  => baseOffset:int64 batchLength:int32 partitionLeaderEpoch:int32 magic:int8 crc:uint32
 *           attributes:int16 lastOffsetDelta:int32 baseTimestamp:int64 maxTimestamp:int64
 *           producerId:int64 producerEpoch:int16 baseSequence:int32 recordCount:int32 records
 * record => length:varint attributes:int8 timestampDelta:varlong offsetDelta:varint
 *           keyLength:varint key valueLength:varint value headerCount:varint header*
 * header => nameLength:varint name valueLength:varint value
 * ```
 * Integers are big-endian, varints zigzag. batchLength counts from partitionLeaderEpoch on, the CRC from
 * attributes on, so base offset and leader epoch can be stamped without touching it. Everything after
 * recordCount is compressed as one stream when bits 0-2 of the attributes name a codec.
 */
import { type Codec, codecById } from '../compression/index.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { BatchError } from './batch-error.js'
import { crc32c } from './crc32c.js'
import { RecordCursor } from './record-cursor.js'

/** Bytes of a batch before its records. */
export const BATCH_OVERHEAD_BYTES = 61
/** Bytes of base offset and batch length, which the batch length does not count. */
export const LOG_OVERHEAD_BYTES = 12

/** Positions of the fields in a batch. */
export const Field = {
  BASE_OFFSET: 0,
  BATCH_LENGTH: 8,
  LEADER_EPOCH: 12,
  MAGIC: 16,
  CRC: 17,
  ATTRIBUTES: 21,
  LAST_OFFSET_DELTA: 23,
  BASE_TIMESTAMP: 27,
  MAX_TIMESTAMP: 35,
  PRODUCER_ID: 43,
  PRODUCER_EPOCH: 51,
  BASE_SEQUENCE: 53,
  RECORD_COUNT: 57,
} as const

/** Bits of a batch's attributes. */
export const Attribute = {
  CODEC: 0x07,
  LOG_APPEND_TIME: 0x08,
  TRANSACTIONAL: 0x10,
  CONTROL: 0x20,
  /** Codec, transactional, control. Bit 6 (delete horizon) is the cleaner's; bits 7-15 mean nothing yet. */
  FROM_PRODUCERS: 0x37,
} as const

/** Codec ids: none, gzip, snappy, lz4, zstd. */
const LAST_CODEC_ID = 4
/** The most that a compressed batch may expand to here, so that a bomb cannot take the process down. */
const DECOMPRESSED_LIMIT_BYTES = 256 * 1024 * 1024

/** The fields before the records. */
export interface BatchHeader {
  readonly baseOffset: bigint
  readonly leaderEpoch: number
  readonly crc: number
  readonly codecId: number
  readonly logAppendTime: boolean
  readonly transactional: boolean
  readonly control: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** A record as a consumer reads it. */
export interface BrokerRecord {
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch: the producer's, or the broker's where the topic says LogAppendTime. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[]
  /** -1n, -1 and -1 where the batch was sent without idempotence. */
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function corrupt(message: string): BatchError {
  return new BatchError(ErrorCodes.CORRUPT_MESSAGE, message)
}

function invalid(message: string): BatchError {
  return new BatchError(ErrorCodes.INVALID_RECORD, message)
}

/** Bytes of the batch that `bytes` begin with, and what follows it; throws {@link BatchError}. */
function measure(bytes: Uint8Array): { size: number; surplus: number } {
  if (bytes.length < BATCH_OVERHEAD_BYTES) {
    throw invalid(`${bytes.length} bytes are less than the ${BATCH_OVERHEAD_BYTES} of an empty batch`)
  }
  const size = viewOf(bytes).getInt32(Field.BATCH_LENGTH) + LOG_OVERHEAD_BYTES
  if (size < BATCH_OVERHEAD_BYTES) throw corrupt(`batch length says ${size} bytes in all`)
  if (size > bytes.length) throw invalid(`batch length says ${size} bytes in all, ${bytes.length} are there`)
  return { size, surplus: bytes.length - size }
}

/**
 * The batch without what follows it. Kafka drops that silently where it is no whole batch and the batch is
 * not compressed; all else is refused with a {@link BatchError}.
 */
export function withoutSurplus(bytes: Uint8Array): Uint8Array {
  const { size, surplus } = measure(bytes)
  if (surplus === 0) return bytes
  const rest = viewOf(bytes.subarray(size))
  const isCut =
    surplus < LOG_OVERHEAD_BYTES || rest.getInt32(Field.BATCH_LENGTH) + LOG_OVERHEAD_BYTES > surplus
  const isCompressed = (viewOf(bytes).getInt16(Field.ATTRIBUTES) & Attribute.CODEC) !== 0
  if (isCompressed || !isCut) throw invalid(`${surplus} bytes follow the batch; exactly one is taken`)
  return bytes.subarray(0, size)
}

/** Reads the header of the one batch that `bytes` must be; throws {@link BatchError} if it is not one. */
export function readBatchHeader(bytes: Uint8Array): BatchHeader {
  const { surplus } = measure(bytes)
  const view = viewOf(bytes)
  const magic = view.getInt8(Field.MAGIC)
  if (magic !== 2) throw invalid(`magic is ${magic}, only 2 is taken`)
  if (surplus > 0) throw invalid(`${surplus} bytes follow the batch; exactly one is taken`)
  const attributes = view.getInt16(Field.ATTRIBUTES)
  return {
    baseOffset: view.getBigInt64(Field.BASE_OFFSET),
    leaderEpoch: view.getInt32(Field.LEADER_EPOCH),
    crc: view.getUint32(Field.CRC),
    codecId: attributes & Attribute.CODEC,
    logAppendTime: (attributes & Attribute.LOG_APPEND_TIME) !== 0,
    transactional: (attributes & Attribute.TRANSACTIONAL) !== 0,
    control: (attributes & Attribute.CONTROL) !== 0,
    lastOffsetDelta: view.getInt32(Field.LAST_OFFSET_DELTA),
    baseTimestamp: view.getBigInt64(Field.BASE_TIMESTAMP),
    maxTimestamp: view.getBigInt64(Field.MAX_TIMESTAMP),
    producerId: view.getBigInt64(Field.PRODUCER_ID),
    producerEpoch: view.getInt16(Field.PRODUCER_EPOCH),
    baseSequence: view.getInt32(Field.BASE_SEQUENCE),
    recordCount: view.getInt32(Field.RECORD_COUNT),
  }
}

/** What {@link checkBatch} has found out. */
interface BatchCheck {
  /** What is written wrongly and taken by Kafka all the same. */
  readonly oddities: readonly string[]
  /** The largest timestamp of the records; the header may say another. */
  readonly maxTimestamp: bigint
}

/**
 * Checks all that a broker checks of a producer's batch, and that every record is well formed: CRC,
 * attributes, counts, lengths, offset deltas, the maximum timestamp. Throws {@link BatchError} for what Kafka
 * refuses and for offset deltas out of line: Kafka takes those if the batch is not compressed, and then two
 * records share an offset.
 */
export function checkBatch(bytes: Uint8Array, header: BatchHeader): BatchCheck {
  const crc = crc32c(bytes, Field.ATTRIBUTES)
  if (crc !== header.crc) throw corrupt(`CRC is ${hex(header.crc)}, the bytes have ${hex(crc)}`)
  const oddities = checkAttributes(viewOf(bytes).getInt16(Field.ATTRIBUTES), header)
  const { recordCount, lastOffsetDelta } = header
  if (recordCount < 1) throw invalid(`record count is ${recordCount}`)
  if (lastOffsetDelta !== recordCount - 1) {
    throw invalid(`last offset delta is ${lastOffsetDelta} with ${recordCount} records`)
  }
  oddities.push(...checkProducer(header))
  const records = recordsRegion(bytes, header)
  const { maxDelta, oddRecords } = checkRecords(new RecordCursor(records.bytes, records.start), recordCount)
  oddities.push(...oddRecords)
  // Beyond 2⁵³ the delta has lost its last bits and proves nothing.
  if (!Number.isSafeInteger(maxDelta)) return { oddities, maxTimestamp: header.maxTimestamp }
  const maxTimestamp = header.baseTimestamp + BigInt(maxDelta)
  if (maxTimestamp !== header.maxTimestamp) {
    oddities.push(`max timestamp is ${header.maxTimestamp}, the records' is ${maxTimestamp}`)
  }
  return { oddities, maxTimestamp }
}

/** A copy of an odd batch with the header that Kafka would store. */
export function putRight(bytes: Uint8Array, { maxTimestamp }: BatchCheck): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const view = viewOf(copy)
  view.setInt16(Field.ATTRIBUTES, view.getInt16(Field.ATTRIBUTES) & Attribute.FROM_PRODUCERS)
  view.setBigInt64(Field.MAX_TIMESTAMP, maxTimestamp)
  view.setUint32(Field.CRC, crc32c(copy, Field.ATTRIBUTES))
  return copy
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`
}

/** Answers what is odd. */
function checkAttributes(attributes: number, header: BatchHeader): string[] {
  if (header.codecId > LAST_CODEC_ID) throw invalid(`codec ${header.codecId} does not exist`)
  if (header.control) throw invalid('control batches are not taken from producers')
  const strange = attributes & ~Attribute.FROM_PRODUCERS & 0xffff
  return strange === 0
    ? []
    : [`attributes have bits set that are not a producer's: 0x${strange.toString(16)}`]
}

/** Answers what is odd. */
function checkProducer({ producerId, producerEpoch, baseSequence, transactional }: BatchHeader): string[] {
  if (producerId < 0n) {
    if (transactional) throw invalid('a transactional batch needs a producer id')
    if (producerId === -1n && producerEpoch === -1 && baseSequence === -1) return []
    return [`no producer id (${producerId}), but epoch ${producerEpoch} and sequence ${baseSequence}`]
  }
  if (baseSequence < 0) throw invalid(`sequence is ${baseSequence} with producer id ${producerId}`)
  return producerEpoch < 0 ? [`epoch is ${producerEpoch} with producer id ${producerId}`] : []
}

/** The records as they were before compression, and where they start. */
function recordsRegion(bytes: Uint8Array, { codecId }: BatchHeader): { bytes: Uint8Array; start: number } {
  if (codecId === 0) return { bytes, start: BATCH_OVERHEAD_BYTES }
  const codec = loadCodec(codecId)
  try {
    const compressed = bytes.subarray(BATCH_OVERHEAD_BYTES)
    return { bytes: codec.decompress(compressed, DECOMPRESSED_LIMIT_BYTES), start: 0 }
  } catch (cause) {
    throw new BatchError(ErrorCodes.CORRUPT_MESSAGE, `the ${codec.name} stream cannot be read`, cause)
  }
}

/**
 * The codec; one whose package is not installed here is refused as a broker refuses what it does not know.
 */
function loadCodec(codecId: number): Codec {
  try {
    return codecById(codecId)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BatchError(ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE, reason, cause)
  }
}

/** Walks all records; answers the largest timestamp delta and what is odd. Makes no object per record. */
function checkRecords(
  cursor: RecordCursor,
  recordCount: number,
): { maxDelta: number; oddRecords: readonly string[] } {
  let maxDelta = Number.NEGATIVE_INFINITY
  let withAttributes = 0
  for (let index = 0; index < recordCount; index++) {
    const recordEnd = cursor.beginRecord()
    if (cursor.byte() !== 0) withAttributes++
    const timestampDelta = cursor.varlong()
    if (timestampDelta > maxDelta) maxDelta = timestampDelta
    const offsetDelta = cursor.varint()
    if (offsetDelta !== index) throw invalid(`record ${index}: offset delta is ${offsetDelta}`)
    cursor.skipNullable()
    cursor.skipNullable()
    const headerCount = cursor.headerCount()
    for (let i = 0; i < headerCount; i++) {
      cursor.skipBytes()
      cursor.skipNullable()
    }
    if (cursor.position !== recordEnd) {
      throw invalid(`record ${index}: its length ends it at ${recordEnd}, its fields at ${cursor.position}`)
    }
  }
  if (cursor.remaining !== 0) throw invalid(`${cursor.remaining} bytes follow the last record`)
  const oddRecords: string[] = []
  if (withAttributes > 0) oddRecords.push(`attributes of ${withAttributes} records are not 0`)
  if (cursor.oddLengths > 0) oddRecords.push(`${cursor.oddLengths} lengths are below -1`)
  return { maxDelta, oddRecords }
}

/** The records of a batch, one after the other, as a consumer reads them. Keys and values are views. */
export function* decodeRecords(bytes: Uint8Array, partition: number): Generator<BrokerRecord> {
  const header = readBatchHeader(bytes)
  const records = recordsRegion(bytes, header)
  const cursor = new RecordCursor(records.bytes, records.start)
  const baseTimestamp = Number(header.baseTimestamp)
  const maxTimestamp = Number(header.maxTimestamp)
  for (let index = 0; index < header.recordCount; index++) {
    cursor.beginRecord()
    cursor.byte()
    const timestampDelta = cursor.varlong()
    const offsetDelta = cursor.varint()
    const key = cursor.nullableBytes()
    const value = cursor.nullableBytes()
    yield {
      partition,
      offset: header.baseOffset + BigInt(offsetDelta),
      timestamp: header.logAppendTime ? maxTimestamp : baseTimestamp + timestampDelta,
      key,
      value,
      headers: cursor.headers(),
      producerId: header.producerId,
      epoch: header.producerEpoch,
      sequence: header.baseSequence < 0 ? -1 : addToSequence(header.baseSequence, index),
    }
  }
}

/** Sequences run from 0 to 2³¹-1 and start at 0 again. */
export function addToSequence(sequence: number, count: number): number {
  return (sequence + count) % 0x80000000
}

/** What the broker writes into a batch it takes: neither is covered by the CRC. */
export function stampBatch(bytes: Uint8Array, baseOffset: bigint, leaderEpoch: number): void {
  const view = viewOf(bytes)
  view.setBigInt64(Field.BASE_OFFSET, baseOffset)
  view.setInt32(Field.LEADER_EPOCH, leaderEpoch)
}

/** Turns a batch into one of a LogAppendTime topic. The records' own timestamps stay and are not read. */
export function stampLogAppendTime(bytes: Uint8Array, timestampMs: number): void {
  const view = viewOf(bytes)
  view.setInt16(Field.ATTRIBUTES, view.getInt16(Field.ATTRIBUTES) | Attribute.LOG_APPEND_TIME)
  view.setBigInt64(Field.MAX_TIMESTAMP, BigInt(timestampMs))
  view.setUint32(Field.CRC, crc32c(bytes, Field.ATTRIBUTES))
}
