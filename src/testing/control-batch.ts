import { Writer } from '../protocol/writer.js'
import { crc32c } from './crc32c.js'
import { Attribute, BATCH_OVERHEAD_BYTES, Field, LOG_OVERHEAD_BYTES } from './record-batch.js'

/** How a transaction ended, as the key of its marker says it. */
export const MarkerType = { ABORT: 0, COMMIT: 1 } as const
export type MarkerType = (typeof MarkerType)[keyof typeof MarkerType]

const COORDINATOR_EPOCH = 0
const NO_SEQUENCE = -1

/**
 * The batch that ends a producer's transaction in a partition: one control record, which consumers never see.
 *
 *     key    version:int16 type:int16
 *     value  version:int16 coordinatorEpoch:int32
 */
export function controlBatch(
  producerId: bigint,
  producerEpoch: number,
  type: MarkerType,
  timestampMs: number,
): Buffer {
  const record = new Writer(32)
  record.int8(0)
  record.varlong(0n)
  record.varint(0)
  record.varint(4)
  record.int16(0)
  record.int16(type)
  record.varint(6)
  record.int16(0)
  record.int32(COORDINATOR_EPOCH)
  record.varint(0)
  const bytes = record.finish()
  const w = new Writer(BATCH_OVERHEAD_BYTES + bytes.length + 1)
  w.int64(0n)
  w.int32(BATCH_OVERHEAD_BYTES - LOG_OVERHEAD_BYTES + 1 + bytes.length)
  w.int32(-1)
  w.int8(2)
  w.uint32(0)
  w.int16(Attribute.TRANSACTIONAL | Attribute.CONTROL)
  w.int32(0)
  w.int64(BigInt(timestampMs))
  w.int64(BigInt(timestampMs))
  w.int64(producerId)
  w.int16(producerEpoch)
  w.int32(NO_SEQUENCE)
  w.int32(1)
  w.varint(bytes.length)
  w.raw(bytes)
  const batch = Buffer.from(w.finish())
  batch.writeUInt32BE(crc32c(batch, Field.ATTRIBUTES), Field.CRC)
  return batch
}
