import type { NativeCore } from '../../native/addon.js'
import type { NativeBatches } from '../../native/native-batches.js'
import type { Batch } from './batch.js'

/** Bytes of a record batch before its records (format v2). */
export const BATCH_HEADER_BYTES = 61

/**
 * What Java's estimate of a record has beyond the record as it is written: 61 bytes of batch header and 21 of
 * overhead, of which the record has about four (`AbstractRecords.estimateSizeInBytesUpperBound`).
 */
const RECORD_ESTIMATE_BYTES = 78

/** Header value of id, epoch and sequence where the producer is not idempotent. */
const NONE = -1

/** Writes header and CRC of a sealed batch. `attributes`: the bits beside those of its codec. */
export function writeHeader(core: NativeCore, native: NativeBatches, batch: Batch, attributes: number): void {
  const { handle, producer, baseSequence } = batch
  const bits = batch.codecId | attributes
  batch.bytes =
    producer === null
      ? core.finish(handle, NONE, NONE, NONE, NONE, bits)
      : core.finish(handle, producer.idHigh, producer.idLow, producer.epoch, baseSequence, bits)
  batch.largestRecordBytes = native.largestRecordBytes + RECORD_ESTIMATE_BYTES
  // What has been compressed has said before what it was.
  if (batch.uncompressedBytes === 0) batch.uncompressedBytes = batch.bytes
}
