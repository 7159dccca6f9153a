import type { Delivery } from '../../accumulator/append/delivery.js'
import type { Batch } from '../../accumulator/batch/batch.js'
import type { Clock } from '../../common/clock.js'
import type { Logger } from '../../common/logger.js'
import type { KafkaError } from '../../errors/index.js'
import { RecordMetadata } from '../record-metadata.js'
import { CallbackGroup, callBack, type DeliveryCallback } from './callback-group.js'

/** A list that grows further leaves several times its size behind. */
const TOGETHER_MAX = 4096

/** Records that failed one after another for one reason. */
interface Failures {
  readonly callbacks: DeliveryCallback[]
  readonly error: KafkaError
  readonly topic: string
  readonly partition: number
}

/**
 * Callbacks of one producer's records that failed before they were in a batch. They are called together on a
 * later turn: thousands may fail at once, and an immediate for each costs more than the callback.
 */
export class FailedCallbacks {
  private readonly clock: Clock
  readonly logger: Logger
  private failures: Failures[] = []

  constructor(clock: Clock, logger: Logger) {
    this.clock = clock
    this.logger = logger
  }

  add(callback: DeliveryCallback, error: KafkaError, topic: string, partition: number): void {
    if (this.failures.length === 0) this.clock.setImmediate(() => this.callAll())
    const last = this.failures.at(-1)
    const isSame = last?.error === error && last.topic === topic && last.partition === partition
    if (isSame && last.callbacks.length < TOGETHER_MAX) last.callbacks.push(callback)
    else this.failures.push({ callbacks: [callback], error, topic, partition })
  }

  /** Done when the callbacks of all records that have failed so far have been called; null if they have. */
  called(): Promise<void> | null {
    if (this.failures.length === 0) return null
    // Immediates run in their order.
    return new Promise(resolve => this.clock.setImmediate(resolve))
  }

  private callAll(): void {
    const { failures, logger } = this
    this.failures = []
    for (const { callbacks, error, topic, partition } of failures) {
      for (const callback of callbacks)
        callBack(callback, error, RecordMetadata.unsent(topic, partition), logger)
    }
  }
}

/** The callback of a record that goes its own way into a batch. */
export class CallbackDelivery implements Delivery {
  private readonly callback: DeliveryCallback
  private readonly failed: FailedCallbacks

  constructor(callback: DeliveryCallback, failed: FailedCallbacks) {
    this.callback = callback
    this.failed = failed
  }

  attach(
    batch: Batch,
    index: number,
    _ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    const group = CallbackGroup.of(batch, timestampMs, this.failed.logger)
    group.add(this.callback, index, keyBytes, valueBytes, timestampMs)
  }

  /** A record that fails inside `send` is called back on a later turn, like all others. */
  fail(error: KafkaError, _ordinal: number, topic: string, partition: number): void {
    this.failed.add(this.callback, error, topic, partition)
  }
}
