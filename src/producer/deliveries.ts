import type { Batch } from '../accumulator/batch.js'
import type { BatchOutcome, Delivery, Settlement } from '../accumulator/delivery.js'
import type { Logger } from '../common/logger.js'
import type { KafkaError } from '../errors/index.js'
import { RecordMetadata } from './record-metadata.js'

/**
 * Hears what became of one record: the error or null, and metadata, never null (-1 for what is not known).
 */
export type DeliveryCallback = (error: KafkaError | null, metadata: RecordMetadata) => void

/** What promise and callback deliveries remember of their record's place. */
abstract class SingleDelivery implements Delivery, Settlement {
  private index = -1
  /**
   * NaN, not -1: a field that begins as an integer and becomes a double makes V8 recompile `send` for ever.
   */
  private timestampMs = Number.NaN
  private keyBytes = -1
  private valueBytes = -1

  attach(
    batch: Batch,
    index: number,
    _ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    this.index = index
    this.timestampMs = timestampMs
    this.keyBytes = keyBytes
    this.valueBytes = valueBytes
    batch.settlements.push(this)
  }

  settle(outcome: BatchOutcome): void {
    const { index, timestampMs, keyBytes, valueBytes } = this
    this.deliver(
      outcome.error === null ? null : outcome.errorOf(index),
      new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes),
    )
  }

  abstract fail(error: KafkaError, ordinal: number, topic: string, partition: number): void
  abstract deliver(error: KafkaError | null, metadata: RecordMetadata): void
}

let resolveLast: (metadata: RecordMetadata) => void
let rejectLast: (error: KafkaError) => void
/** One executor for all promises, so that none needs a closure of its own. */
const capture = (resolve: (metadata: RecordMetadata) => void, reject: (error: KafkaError) => void) => {
  resolveLast = resolve
  rejectLast = reject
}

/** `send` without a callback. */
export class PromiseDelivery extends SingleDelivery {
  readonly promise: Promise<RecordMetadata>
  private readonly resolve: (metadata: RecordMetadata) => void
  private readonly reject: (error: KafkaError) => void

  constructor() {
    super()
    this.promise = new Promise(capture)
    this.resolve = resolveLast
    this.reject = rejectLast
  }

  fail(error: KafkaError): void {
    this.reject(error)
  }

  deliver(error: KafkaError | null, metadata: RecordMetadata): void {
    if (error === null) this.resolve(metadata)
    else this.reject(error)
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
  let next = 0
  try {
    while (next < told.length) {
      const { delivery, error, topic, partition } = told[next++] as Failure
      delivery.deliver(error, RecordMetadata.unsent(topic, partition))
    }
  } finally {
    // A logger that throws must not keep the others from hearing of it.
    if (next < told.length) {
      if (failures.length === 0) setImmediate(tellFailures)
      failures = [...told.slice(next), ...failures]
    }
  }
}

/**
 * `send` with a callback. What the callback throws is logged: it must not stop the other records' callbacks.
 */
export class CallbackDelivery extends SingleDelivery {
  private readonly callback: DeliveryCallback
  private readonly logger: Logger

  constructor(callback: DeliveryCallback, logger: Logger) {
    super()
    this.callback = callback
    this.logger = logger
  }

  /** A record that fails inside `send` is called back on a later turn, like all others. */
  fail(error: KafkaError, _ordinal: number, topic: string, partition: number): void {
    if (failures.length === 0) setImmediate(tellFailures)
    failures.push({ delivery: this, error, topic, partition })
  }

  deliver(error: KafkaError | null, metadata: RecordMetadata): void {
    try {
      this.callback(error, metadata)
    } catch (thrown) {
      this.logger.error(`A delivery callback for a record to topic ${metadata.topic} threw`, {
        error: thrown,
      })
    }
  }
}
