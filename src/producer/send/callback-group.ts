import { RecordTable } from '../../accumulator/append/record-table.js'
import {
  type AwaitedBatch,
  type BatchOutcome,
  type BatchPart,
  partOf,
  type Settlement,
} from '../../accumulator/batch/batch-outcome.js'
import { isInt32 } from '../../common/int32.js'
import type { Logger } from '../../common/logger.js'
import type { DeliveryError, KafkaError } from '../../errors/index.js'
import { RecordMetadata } from '../record-metadata.js'
import { deliveriesOf } from './batch-deliveries.js'

/**
 * Hears what became of one record: the error or null, and metadata, never null (-1 for what is not known).
 */
export type DeliveryCallback = (error: DeliveryError | null, metadata: RecordMetadata) => void

/** Lists of callbacks kept for the next groups. */
const SPARE_LISTS_MAX = 64

const spareLists: (DeliveryCallback | null)[][] = []

/** What a callback throws is logged: it must not stop the other records' callbacks. */
export function callBack(
  callback: DeliveryCallback,
  error: KafkaError | null,
  metadata: RecordMetadata,
  logger: Logger,
): void {
  try {
    callback(error as DeliveryError | null, metadata)
  } catch (thrown) {
    logger.error(`A delivery callback for a record to topic ${metadata.topic} threw`, { error: thrown })
  }
}

/** The callbacks of records that went into one batch: no object per record until its outcome. */
export class CallbackGroup implements Settlement {
  private readonly logger: Logger
  private readonly baseTimestampMs: number
  private readonly table = RecordTable.take()
  private readonly callbacks = spareLists.pop() ?? []
  private added = 0

  private constructor(batch: AwaitedBatch, timestampMs: number, logger: Logger) {
    this.logger = logger
    this.baseTimestampMs = timestampMs
    batch.settlements.push(this)
  }

  /**
   * The group of a batch; made when the last one cannot hold this timestamp. So groups, and the records of a
   * group, are in the order of their sends.
   */
  static of(batch: AwaitedBatch, timestampMs: number, logger: Logger): CallbackGroup {
    const deliveries = deliveriesOf(batch)
    let group = deliveries.callbacks as CallbackGroup | null
    if (group === null || !isInt32(timestampMs - group.baseTimestampMs)) {
      group = new CallbackGroup(batch, timestampMs, logger)
      deliveries.callbacks = group
    }
    return group
  }

  add(
    callback: DeliveryCallback,
    index: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    const record = this.added++
    this.table.set(record, timestampMs - this.baseTimestampMs, index, keyBytes, valueBytes)
    this.callbacks[record] = callback
  }

  settle(outcome: BatchOutcome): void {
    const { added, baseTimestampMs, callbacks, logger, table } = this
    for (let record = 0; record < added; record++) {
      const index = table.indexOf(record)
      const timestampMs = baseTimestampMs + table.tagOf(record)
      const keyBytes = table.keyBytesOf(record)
      const valueBytes = table.valueBytesOf(record)
      const metadata = new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes)
      const error = outcome.error === null ? null : outcome.errorOf(index)
      const callback = callbacks[record] as DeliveryCallback
      callbacks[record] = null
      callBack(callback, error, metadata, logger)
    }
    this.end()
  }

  followParts(parts: readonly BatchPart[], outcome: BatchOutcome): void {
    const { added, baseTimestampMs, callbacks, logger, table } = this
    for (let record = 0; record < added; record++) {
      const index = table.indexOf(record)
      const timestampMs = baseTimestampMs + table.tagOf(record)
      const keyBytes = table.keyBytesOf(record)
      const valueBytes = table.valueBytesOf(record)
      const callback = callbacks[record] as DeliveryCallback
      callbacks[record] = null
      const part = partOf(parts, index)
      if (part === undefined) {
        const metadata = new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes)
        callBack(callback, outcome.errorOf(index), metadata, logger)
      } else {
        const group = CallbackGroup.of(part.batch, timestampMs, logger)
        group.add(callback, index - part.firstIndex, keyBytes, valueBytes, timestampMs)
      }
    }
    this.end()
  }

  /** The batch takes no more records. All callbacks have been taken out of the list. */
  private end(): void {
    const { callbacks, table } = this
    table.giveBack()
    if (spareLists.length < SPARE_LISTS_MAX) spareLists.push(callbacks)
  }
}
