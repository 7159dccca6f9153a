import type { Logger } from '../common/logger.js'
import { ErrorCodes } from '../protocol/error-codes.js'

/** These do not pass by themselves in a moment, as a leader that moves does: somebody has to see to them. */
const SERIOUS: ReadonlySet<number> = new Set([
  ErrorCodes.NOT_ENOUGH_REPLICAS,
  ErrorCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCodes.KAFKA_STORAGE_ERROR,
  ErrorCodes.THROTTLING_QUOTA_EXCEEDED,
])
/** Attempts after which any other error is worth a line, too. */
const ATTEMPTS_UNSAID = 3
/** Topics that are remembered; more than that at once are one matter of the cluster's. */
const TOPICS_MAX = 100

/**
 * One line of log for a topic whose records are retried, and one when they are stored again. Without it
 * nobody would know before `delivery.timeout.ms` is over.
 */
export class RetryLog {
  private readonly logger: Logger
  /** The error that was told last, of each topic with an unfinished story. */
  private readonly told = new Map<string, number>()

  constructor(logger: Logger) {
    this.logger = logger
  }

  /** `attempts` have failed so far, the last with this error, which `describe` puts into words. */
  retried(topic: string, errorCode: number, attempts: number, describe: () => string): void {
    if (!SERIOUS.has(errorCode) && attempts < ATTEMPTS_UNSAID) return
    if (this.told.get(topic) === errorCode || this.told.size >= TOPICS_MAX) return
    this.told.set(topic, errorCode)
    this.logger.warn(`records to topic ${topic} are not stored and will be tried again: ${describe()}`)
  }

  stored(topic: string): void {
    if (this.told.size > 0 && this.told.delete(topic))
      this.logger.info(`records to topic ${topic} are stored again`)
  }
}
