import type { Clock } from '../common/clock.js'

/** So long after an end its transaction is taken to be completed. */
const COMPLETED_AFTER_MS = 100
/** So often is asked again at once; a completion usually takes less than the round trips of that. */
const RETRIES_AT_ONCE = 4
/** Waits between later ones double from the first up to the second, which is Java's. */
const RETRY_MS = 1
const RETRY_MS_MAX = 20

/**
 * How a transaction waits for the one before it. The end is answered when it is decided, and completed a few
 * milliseconds later; until then the coordinator takes nothing for the next transaction.
 */
export class Completion {
  private readonly clock: Clock
  private endedAtMs = Number.NEGATIVE_INFINITY
  private retries = 0
  private isAsked = false
  /** Transactions have begun before the last one was completed. */
  private isHurried = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** An end has been answered. True: ask at once, for the next transaction probably begins soon. */
  ended(): boolean {
    this.endedAtMs = this.clock.now()
    this.retries = 0
    this.isAsked = this.isHurried
    return this.isAsked
  }

  /** The next transaction has its first records. True: ask whether the last one is completed. */
  begins(): boolean {
    this.isHurried = this.clock.now() - this.endedAtMs < COMPLETED_AFTER_MS
    const isToAsk = this.isHurried && !this.isAsked
    this.isAsked = true
    return isToAsk
  }

  /** How long to wait before the coordinator is asked again; 0: not at all. */
  retryMs(): number {
    const later = this.retries++ - RETRIES_AT_ONCE
    return later < 0 ? 0 : Math.min(RETRY_MS * 2 ** later, RETRY_MS_MAX)
  }
}
