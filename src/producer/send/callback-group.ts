import { STAGED_RECORDS_MAX, type StagedRun, type Staging } from '../../accumulator/append/staging.js'
import type { Batch } from '../../accumulator/batch/batch.js'
import type { BatchOutcome, Delivery, Settlement } from '../../accumulator/batch/delivery.js'
import { isInt32 } from '../../common/int32.js'
import type { Logger } from '../../common/logger.js'
import type { KafkaError } from '../../errors/index.js'
import { Place } from '../../native/addon.js'
import { RecordMetadata } from '../record-metadata.js'

/**
 * Hears what became of one record: the error or null, and metadata, never null (-1 for what is not known).
 */
export type DeliveryCallback = (error: KafkaError | null, metadata: RecordMetadata) => void

/** Words kept per record: index in the batch, key and value size, timestamp after the group's first. */
const WORDS = 4
/** Records a table has room for at first: few, for every batch has one. It grows, and is used again. */
const RECORDS_FIRST = 16
/** Tables kept for the next groups. */
const SPARE_TABLES_MAX = 64

interface Table {
  words: Int32Array
  callbacks: (DeliveryCallback | null)[]
}

const spareTables: Table[] = []

function newTable(): Table {
  return {
    words: new Int32Array(RECORDS_FIRST * WORDS),
    callbacks: new Array<DeliveryCallback | null>(RECORDS_FIRST).fill(null),
  }
}

/** What a callback throws is logged: it must not stop the other records' callbacks. */
function callBack(
  callback: DeliveryCallback,
  error: KafkaError | null,
  metadata: RecordMetadata,
  logger: Logger,
): void {
  try {
    callback(error, metadata)
  } catch (thrown) {
    logger.error(`A delivery callback for a record to topic ${metadata.topic} threw`, { error: thrown })
  }
}

/** The callbacks of records that went into one batch: no object per record until its outcome. */
class CallbackGroup implements Settlement {
  private readonly logger: Logger
  private readonly baseTimestampMs: number
  private table: Table | null = spareTables.pop() ?? newTable()
  private added = 0

  private constructor(batch: Batch, timestampMs: number, logger: Logger) {
    this.logger = logger
    this.baseTimestampMs = timestampMs
    batch.settlements.push(this)
  }

  /**
   * The group of a batch; made when the last one cannot hold this timestamp. So groups, and the records of a
   * group, are in the order of their sends.
   */
  static of(batch: Batch, timestampMs: number, logger: Logger): CallbackGroup {
    let group = batch.callbackGroup as CallbackGroup | null
    if (group === null || !isInt32(timestampMs - group.baseTimestampMs)) {
      group = new CallbackGroup(batch, timestampMs, logger)
      batch.callbackGroup = group
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
    const table = this.table as Table
    const record = this.added++
    const at = record * WORDS
    if (at === table.words.length) grow(table)
    const { words } = table
    words[at] = index
    words[at + 1] = keyBytes
    words[at + 2] = valueBytes
    words[at + 3] = timestampMs - this.baseTimestampMs
    table.callbacks[record] = callback
  }

  settle(outcome: BatchOutcome): void {
    const { added, baseTimestampMs, logger } = this
    const table = this.table as Table
    const { words, callbacks } = table
    for (let record = 0; record < added; record++) {
      const at = record * WORDS
      const index = words[at] as number
      const timestampMs = baseTimestampMs + (words[at + 3] as number)
      const keyBytes = words[at + 1] as number
      const valueBytes = words[at + 2] as number
      const metadata = new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes)
      const error = outcome.error === null ? null : outcome.errorOf(index)
      callBack(callbacks[record] as DeliveryCallback, error, metadata, logger)
    }
    // The batch is settled, so no record joins any more.
    this.table = null
    callbacks.fill(null, 0, added)
    if (spareTables.length < SPARE_TABLES_MAX) spareTables.push(table)
  }
}

function grow(table: Table): void {
  const { words, callbacks } = table
  table.words = new Int32Array(words.length * 2)
  table.words.set(words)
  table.callbacks = callbacks.concat(new Array<DeliveryCallback | null>(callbacks.length).fill(null))
}

/** Records with callbacks in the staging. */
export class CallbackRun implements StagedRun {
  readonly touchBase = 0
  private readonly logger: Logger
  private readonly callbacks = new Array<DeliveryCallback | null>(STAGED_RECORDS_MAX).fill(null)

  constructor(logger: Logger) {
    this.logger = logger
  }

  /** The callback of a record that has been staged. */
  set(record: number, callback: DeliveryCallback): void {
    this.callbacks[record] = callback
  }

  attachStaged(staging: Staging, first: number, end: number): void {
    const { callbacks, logger } = this
    const { places, batches } = staging
    for (let record = first; record < end; record++) {
      const at = record * Place.WORDS
      const batch = batches[places[at + Place.TOUCH] as number] as Batch
      const timestampMs = staging.timestampOf(record)
      CallbackGroup.of(batch, timestampMs, logger).add(
        callbacks[record] as DeliveryCallback,
        places[at + Place.INDEX] as number,
        places[at + Place.KEY_BYTES] as number,
        places[at + Place.VALUE_BYTES] as number,
        timestampMs,
      )
    }
  }

  deliveryAt(_staging: Staging, record: number): Delivery {
    return new CallbackDelivery(this.callbacks[record] as DeliveryCallback, this.logger)
  }

  ordinalAt(): number {
    return 0
  }

  clear(staging: Staging): void {
    this.callbacks.fill(null, 0, staging.count)
  }
}

interface Failure {
  readonly delivery: CallbackDelivery
  readonly error: KafkaError
  readonly topic: string
  readonly partition: number
}

/** Callbacks to be called on the next turn: thousands may fail at once, and an immediate for each is dear. */
let failures: Failure[] = []

function tellFailures(): void {
  const told = failures
  failures = []
  for (const { delivery, error, topic, partition } of told) {
    delivery.deliver(error, RecordMetadata.unsent(topic, partition))
  }
}

/** Done when the callbacks of all records that have failed so far have been called; null if they have. */
export function failuresTold(): Promise<void> | null {
  if (failures.length === 0) return null
  // Immediates run in their order.
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}

/** The callback of a record that goes its own way into a batch. */
export class CallbackDelivery implements Delivery {
  private readonly callback: DeliveryCallback
  private readonly logger: Logger

  constructor(callback: DeliveryCallback, logger: Logger) {
    this.callback = callback
    this.logger = logger
  }

  attach(
    batch: Batch,
    index: number,
    _ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    const group = CallbackGroup.of(batch, timestampMs, this.logger)
    group.add(this.callback, index, keyBytes, valueBytes, timestampMs)
  }

  /** A record that fails inside `send` is called back on a later turn, like all others. */
  fail(error: KafkaError, _ordinal: number, topic: string, partition: number): void {
    if (failures.length === 0) setImmediate(tellFailures)
    failures.push({ delivery: this, error, topic, partition })
  }

  deliver(error: KafkaError | null, metadata: RecordMetadata): void {
    callBack(this.callback, error, metadata, this.logger)
  }
}
