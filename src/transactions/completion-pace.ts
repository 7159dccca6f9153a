import type { Clock, TimerHandle } from '../common/clock.js'

/**
 * A broker that gets a transaction's first records while the one before is not completed looks again only
 * after so long (its `add.partitions.to.txn.retry.backoff.ms`).
 */
const BROKER_WAIT_MS = 20
/** What keeping the first records back may cost at most; less than what it spares. */
const HOLD_MS_MAX = 16
const HOLD_STEP_UP_MS = 2
const HOLD_STEP_DOWN_MS = 0.1
/** So many transactions begin at once after keeping them back was of no use. */
const GIVEN_UP_TRANSACTIONS = 100
/** Waits before AddPartitionsToTxn is asked again double from the first up to the second, which is Java's. */
const RETRY_MS = 2
const RETRY_MS_MAX = 20

/**
 * How a transaction waits for the one before it. The end is answered when it is decided, and completed a few
 * milliseconds later; whoever comes meanwhile is sent away (`transaction.version` 1), or waits in the broker
 * for much longer than needed (2). So in the older generation the client asks again in short steps, and in
 * the newer one it keeps the first records back for about as long as the completion takes, which it learns
 * from how long they take to be answered.
 */
export class CompletionPace {
  private readonly clock: Clock
  private readonly wakeup: () => void
  /** Since when the first records of the next transaction are awaited, then their answer. */
  private endedAtMs: number | null = null
  private sentAtMs: number | null = null
  private holdMs = 0
  private givenUp = 0
  private timer: TimerHandle | undefined
  private retries = 0

  constructor(clock: Clock, wakeup: () => void) {
    this.clock = clock
    this.wakeup = wakeup
  }

  /** An end has been answered that the coordinator has yet to complete. */
  ended(): void {
    this.endedAtMs = this.clock.now()
    this.sentAtMs = null
  }

  /** Whether records may go now; if not, `wakeup` is called when they may. */
  mayBegin(): boolean {
    if (this.endedAtMs === null || this.sentAtMs !== null) return true
    const leftMs = this.endedAtMs + this.holdMs - this.clock.now()
    if (leftMs <= 0) return true
    this.timer ??= this.clock.setTimeout(() => {
      this.timer = undefined
      this.wakeup()
    }, Math.ceil(leftMs))
    return false
  }

  /** Records are on their way. */
  sent(): void {
    if (this.endedAtMs !== null && this.sentAtMs === null) this.sentAtMs = this.clock.now()
  }

  /** Some of them have been answered. */
  answered(): void {
    const { endedAtMs, sentAtMs } = this
    if (endedAtMs === null || sentAtMs === null) return
    this.endedAtMs = null
    // Records that came much later tell nothing of the completion.
    if (sentAtMs - endedAtMs < BROKER_WAIT_MS) this.learn(this.clock.now() - sentAtMs)
  }

  private learn(tookMs: number): void {
    if (this.givenUp > 0) this.givenUp--
    else if (tookMs < BROKER_WAIT_MS) this.holdMs = Math.max(0, this.holdMs - HOLD_STEP_DOWN_MS)
    else if (this.holdMs < HOLD_MS_MAX) this.holdMs = Math.min(HOLD_MS_MAX, this.holdMs + HOLD_STEP_UP_MS)
    else {
      // It is something else that takes so long.
      this.holdMs = 0
      this.givenUp = GIVEN_UP_TRANSACTIONS
    }
  }

  /** How long to wait before the partitions are added that could not be added now. */
  retryMs(): number {
    return Math.min(RETRY_MS * 2 ** this.retries++, RETRY_MS_MAX)
  }

  /** They have been added. */
  added(): void {
    this.retries = 0
  }

  close(): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer)
    this.timer = undefined
  }
}
