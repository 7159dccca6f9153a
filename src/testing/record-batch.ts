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
  /** Bit 6 (delete horizon) is the cleaner's; bits 7-15 mean nothing yet. */
  NOT_FROM_PRODUCERS: 0xffc0,
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

/** Reads the header of the one batch that `bytes` must be; throws {@link BatchError} if it is not one. */
export function readBatchHeader(bytes: Uint8Array): BatchHeader {
  if (bytes.length < BATCH_OVERHEAD_BYTES) {
    throw corrupt(`${bytes.length} bytes are less than the ${BATCH_OVERHEAD_BYTES} of an empty batch`)
  }
  const view = viewOf(bytes)
  const magic = view.getInt8(Field.MAGIC)
  if (magic !== 2) throw invalid(`magic is ${magic}, only 2 is taken`)
  const size = view.getInt32(Field.BATCH_LENGTH) + LOG_OVERHEAD_BYTES
  if (size < BATCH_OVERHEAD_BYTES || size > bytes.length) {
    throw corrupt(`batch length says ${size} bytes in all, ${bytes.length} are there`)
  }
  if (size < bytes.length)
    throw invalid(`${bytes.length - size} bytes follow the batch; exactly one is taken`)
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

/**
 * Checks all that a broker checks of a producer's batch, and that every record is well formed: CRC,
 * attributes, counts, lengths, offset deltas, the maximum timestamp. Throws {@link BatchError}.
 */
export function checkBatch(bytes: Uint8Array, header: BatchHeader): void {
  const crc = crc32c(bytes, Field.ATTRIBUTES)
  if (crc !== header.crc) throw corrupt(`CRC is ${hex(header.crc)}, the bytes have ${hex(crc)}`)
  checkAttributes(viewOf(bytes).getInt16(Field.ATTRIBUTES), header)
  const { recordCount, lastOffsetDelta } = header
  if (recordCount < 1) throw invalid(`record count is ${recordCount}`)
  if (lastOffsetDelta !== recordCount - 1) {
    throw invalid(`last offset delta is ${lastOffsetDelta} with ${recordCount} records`)
  }
  checkProducer(header)
  const records = recordsRegion(bytes, header)
  const maxDelta = checkRecords(new RecordCursor(records.bytes, records.start), recordCount)
  // Beyond 2⁵³ the delta has lost its last bits and proves nothing.
  if (Number.isSafeInteger(maxDelta) && header.baseTimestamp + BigInt(maxDelta) !== header.maxTimestamp) {
    throw invalid(
      `max timestamp is ${header.maxTimestamp}, the records' is ${header.baseTimestamp + BigInt(maxDelta)}`,
    )
  }
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`
}

function checkAttributes(attributes: number, header: BatchHeader): void {
  if (attributes & Attribute.NOT_FROM_PRODUCERS) {
    throw invalid(`attributes 0x${(attributes & 0xffff).toString(16)} have unused bits set`)
  }
  if (header.codecId > LAST_CODEC_ID) throw invalid(`codec ${header.codecId} does not exist`)
  if (header.control) throw invalid('control batches are not taken from producers')
  if (header.logAppendTime) {
    throw new BatchError(ErrorCodes.INVALID_TIMESTAMP, 'a producer must not claim LogAppendTime')
  }
}

function checkProducer({ producerId, producerEpoch, baseSequence, transactional }: BatchHeader): void {
  if (producerId < 0n) {
    if (transactional) throw invalid('a transactional batch needs a producer id')
    // Without an id brokers look at neither epoch nor sequence: KafkaJS sends 0 and 0.
    if (producerId !== -1n) throw invalid(`the producer id is ${producerId}`)
    return
  }
  if (baseSequence < 0) throw invalid(`sequence is ${baseSequence} with producer id ${producerId}`)
  if (producerEpoch < 0) throw invalid(`epoch is ${producerEpoch} with producer id ${producerId}`)
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

/** Walks all records and answers the largest timestamp delta. Makes no object per record. */
function checkRecords(cursor: RecordCursor, recordCount: number): number {
  let maxDelta = Number.NEGATIVE_INFINITY
  for (let index = 0; index < recordCount; index++) {
    const recordEnd = cursor.beginRecord()
    if (cursor.byte() !== 0) throw invalid(`record ${index}: attributes are not 0`)
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
  return maxDelta
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
