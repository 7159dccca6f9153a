import type { Logger } from '../common/logger.js'
import type { ObservedBatch } from '../common/observer.js'
import type { KafkaError } from '../errors/index.js'

/** How old a batch is when its retries are worth a line in the log. */
const SLOW_AFTER_MS = 5000

/**
 * Says once for each partition that its batches are retried for long and why, and once that they get through
 * again.
 */
export class SlowRetries {
  private readonly logger: Logger
  private readonly slow = new Map<string, { sinceMs: number }>()

  constructor(logger: Logger) {
    this.logger = logger
  }

  retried(
    { partition, createdMs, attempts, recordCount }: ObservedBatch,
    error: KafkaError,
    nowMs: number,
  ): void {
    if (nowMs - createdMs < SLOW_AFTER_MS) return
    const place = `${partition.topic.name}-${partition.index}`
    if (this.slow.has(place)) return
    this.slow.set(place, { sinceMs: createdMs })
    this.logger.warn(`records to ${place} have been retried for ${SLOW_AFTER_MS / 1000} s and go on being`, {
      topic: partition.topic.name,
      partition: partition.index,
      records: recordCount,
      attempts: attempts + 1,
      reason: error.message,
    })
  }

  acknowledged({ partition }: ObservedBatch, nowMs: number): void {
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
}
