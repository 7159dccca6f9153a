import type { Logger } from '../common/logger.js'
import type { ObservedBatch } from '../common/observer.js'
import { BrokerError, type KafkaError } from '../errors/index.js'

/** How old a batch is when its retries are worth a line in the log. */
const SLOW_AFTER_MS = 5000
/** These do not pass in a moment, as a leader that moves does: somebody has to see to the brokers. */
const SERIOUS: ReadonlySet<string> = new Set([
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
  'THROTTLING_QUOTA_EXCEEDED',
])

/**
 * Says once for each partition that its batches are retried for long and why, and once that they get through
 * again. Of an error that somebody has to see to it says so at the first retry, once for each topic.
 */
export class SlowRetries {
  private readonly logger: Logger
  private readonly slow = new Map<string, { sinceMs: number }>()
  /** The serious error that was told last, of each topic whose records have not been stored since. */
  private readonly serious = new Map<string, string>()

  constructor(logger: Logger) {
    this.logger = logger
  }

  retried(
    { partition, createdMs, attempts, recordCount }: ObservedBatch,
    error: KafkaError,
    nowMs: number,
  ): void {
    this.tellSerious(partition.topic.name, error)
    if (nowMs - createdMs < SLOW_AFTER_MS) return
    const place = `${partition.topic.name}-${partition.index}`
    if (this.slow.has(place)) return
    this.slow.set(place, { sinceMs: createdMs })
    const duration = `${SLOW_AFTER_MS / 1000} s`
    const name = error instanceof BrokerError ? `, for ${error.errorName}` : ''
    this.logger.warn(`records to ${place} have been retried for ${duration} and go on being${name}`, {
      topic: partition.topic.name,
      partition: partition.index,
      records: recordCount,
      attempts: attempts + 1,
      reason: error.message,
    })
  }

  acknowledged({ partition }: ObservedBatch, nowMs: number): void {
    const topic = partition.topic.name
    if (this.serious.size > 0 && this.serious.delete(topic)) {
      this.logger.info(`records to topic ${topic} are stored again`)
    }
    if (this.slow.size === 0) return
    const place = `${partition.topic.name}-${partition.index}`
    const entry = this.slow.get(place)
    if (entry === undefined) return
    this.slow.delete(place)
    this.logger.info(`records to ${place} are stored again`, {
      topic: partition.topic.name,
      partition: partition.index,
      afterMs: Math.round(nowMs - entry.sinceMs),
    })
  }

  /** A batch of the partition has failed: its error tells the rest. */
  failed({ partition }: ObservedBatch): void {
    if (this.slow.size > 0) this.slow.delete(`${partition.topic.name}-${partition.index}`)
  }

  private tellSerious(topic: string, error: KafkaError): void {
    if (!(error instanceof BrokerError) || !SERIOUS.has(error.errorName)) return
    if (this.serious.get(topic) === error.errorName) return
    this.serious.set(topic, error.errorName)
    const { broker } = error
    const from = broker === undefined ? '' : ` from broker ${broker}`
    this.logger.warn(`records to topic ${topic} are not stored and go again: ${error.errorName}${from}`, {
      topic,
      reason: error.message,
    })
  }
}
