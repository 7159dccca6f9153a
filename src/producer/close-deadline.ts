import type { Clock, TimerHandle } from '../common/clock.js'
import { checkOptions } from '../config/index.js'
import { ConfigError } from '../errors/index.js'

/** Milliseconds, Infinity where none are given. Throws ConfigError for anything that is no time-out. */
export function closeTimeoutOf(options: { timeoutMs?: number }): number {
  checkOptions('close', options, ['timeoutMs'])
  const timeoutMs: unknown = options.timeoutMs ?? Number.POSITIVE_INFINITY
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs
  throw new ConfigError(`close: timeoutMs must be at least 0, not ${timeoutMs}.`)
}

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
