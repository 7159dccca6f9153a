import type { Clock, TimerHandle } from '../../dist/common/clock.js'

interface FakeTimer {
  readonly id: number
  readonly at: number
  readonly callback: () => void
}

/**
 * A clock that stands still until a test moves it. Immediates run when the clock is moved, or, with
 * `realImmediates`, when the event loop gets to them: for tests that use real sockets.
 */
export class FakeClock implements Clock {
  private readonly realImmediates: boolean
  private currentMs: number
  private readonly epochMs: number
  private nextId = 1
  private timers: FakeTimer[] = []
  private immediates: (() => void)[] = []

  constructor(options: { startMs?: number; epochMs?: number; realImmediates?: boolean } = {}) {
    this.currentMs = options.startMs ?? 1_000
    this.epochMs = options.epochMs ?? 1_700_000_000_000
    this.realImmediates = options.realImmediates ?? false
  }

  now(): number {
    return this.currentMs
  }

  wallNow(): number {
    return this.epochMs + this.currentMs
  }

  setTimeout(callback: () => void, ms: number): TimerHandle {
    const timer = { id: this.nextId++, at: this.currentMs + Math.max(0, ms), callback }
    this.timers.push(timer)
    this.timers.sort((a, b) => a.at - b.at || a.id - b.id)
    return timer.id
  }

  clearTimeout(handle: TimerHandle): void {
    this.timers = this.timers.filter(timer => timer.id !== handle)
  }

  setImmediate(callback: () => void): void {
    if (this.realImmediates) setImmediate(callback)
    else this.immediates.push(callback)
  }

  /** Timers that have not fired. */
  get pendingTimers(): number {
    return this.timers.length
  }

  /** Milliseconds until the next timer is due; Infinity: there is none. */
  get nextTimerInMs(): number {
    const [next] = this.timers
    return next === undefined ? Infinity : next.at - this.currentMs
  }

  /** Runs immediates until there are none, those that they ask for included. */
  runImmediates(): void {
    while (this.immediates.length > 0) {
      const batch = this.immediates
      this.immediates = []
      for (const callback of batch) callback()
    }
  }

  /** Moves on by `ms`, running every timer at its own time, in order, and the immediates after each. */
  advance(ms: number): void {
    const end = this.currentMs + ms
    this.runImmediates()
    for (;;) {
      const [next] = this.timers
      if (next === undefined || next.at > end) break
      this.timers.shift()
      this.currentMs = Math.max(this.currentMs, next.at)
      next.callback()
      this.runImmediates()
    }
    this.currentMs = end
  }

  /** Time passes and no timer fires, as when an application holds the event loop. */
  hold(ms: number): void {
    this.currentMs += ms
  }

  /** As {@link advance}, but real sockets and promises get their turns after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.currentMs + ms
    await this.settle()
    for (;;) {
      const [next] = this.timers
      if (next === undefined || next.at > end) break
      this.timers.shift()
      this.currentMs = Math.max(this.currentMs, next.at)
      next.callback()
      await this.settle()
    }
    this.currentMs = end
  }

  /** Lets sockets and promises have a few turns of the event loop; in Deno only timers make sure of one. */
  async settle(turns = 4): Promise<void> {
    for (let i = 0; i < turns; i++) {
      this.runImmediates()
      await new Promise<void>(resolve => setTimeout(() => setImmediate(resolve), 0))
    }
    this.runImmediates()
  }
}
