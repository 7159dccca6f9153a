import type { Clock, TimerHandle } from '../common/clock.js'

/**
 * When a close stops waiting: the earliest time-out of all calls of `close`, of which a later may be shorter.
 */
export class CloseDeadline {
  /** Resolves when it has come. */
  readonly passed: Promise<void>
  /** The time-out that ends first, counted from its own call; Infinity while there is none. */
  timeoutMs = Number.POSITIVE_INFINITY
  private readonly clock: Clock
  private pass: () => void = () => {}
  private timer: TimerHandle | undefined
  private atMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.clock = clock
    this.passed = new Promise(resolve => {
      this.pass = resolve
    })
  }

  /** At the latest so many milliseconds from now. */
  pull(timeoutMs: number): void {
    const atMs = this.clock.now() + timeoutMs
    if (!(atMs < this.atMs)) return
    this.disarm()
    this.atMs = atMs
    this.timeoutMs = timeoutMs
    this.timer = this.clock.setTimeout(this.pass, timeoutMs)
  }

  /** Nothing waits for it any more. */
  end(): void {
    this.disarm()
    this.atMs = Number.NEGATIVE_INFINITY
  }

  private disarm(): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer)
    this.timer = undefined
  }
}
