import { afterSockets, type Clock, type TimerHandle } from '../common/clock.js'

/** A timer this much too late says that the application held the event loop. */
export const HELD_MS_MIN = 100
/** And this much that it did more than the work of a busy turn. */
const HELD_LONG_MS_MIN = 1000

/**
 * One timer for deadlines that move all the time. Deadlines that get later cost nothing: the timer fires at
 * the old time, the owner finds nothing due and asks again.
 *
 * When the event loop was blocked, timers fire before the sockets are read: what looks overdue may long have
 * been answered. So `onDue` runs after the sockets had their turn, and gets the time at which the timer
 * fired: what was overdue then and still is may be judged. What became overdue since, in another block,
 * may not: the owner asks again.
 *
 * One turn of the sockets is enough where only an answer was missing. Where more had to happen, such as a
 * request before the answer, `heldGraceMaxMs` gives it time: as much as the timer was late, at most that.
 */
export class DeadlineTimer {
  private readonly clock: Clock
  private readonly onDue: (asOf: number) => void
  private readonly heldGraceMaxMs: number
  private handle: TimerHandle | undefined
  private armedFor = Infinity
  /** Grows with every change, so that a callback on its way knows that it was overtaken. */
  private generation = 0

  constructor(clock: Clock, onDue: (asOf: number) => void, heldGraceMaxMs = 0) {
    this.clock = clock
    this.onDue = onDue
    this.heldGraceMaxMs = heldGraceMaxMs
  }

  /** Makes sure that `onDue` runs at `at` or shortly after; an earlier deadline already set stays. */
  ensure(at: number): void {
    if (at >= this.armedFor || at === Infinity) return
    this.cancel()
    this.armedFor = at
    const leftMs = Math.ceil(at - this.clock.now())
    // What is overdue already needs no timer first: turns of a busy event loop are long.
    if (leftMs <= 0) this.judge(this.clock.now())
    else this.wait(leftMs, this.heldGraceMaxMs)
  }

  cancel(): void {
    this.generation++
    this.armedFor = Infinity
    if (this.handle === undefined) return
    this.clock.clearTimeout(this.handle)
    this.handle = undefined
  }

  private wait(ms: number, graceMaxMs: number): void {
    const { clock } = this
    const dueAt = clock.now() + ms
    this.handle = clock.setTimeout(() => {
      const asOf = clock.now()
      const lateMs = asOf - dueAt
      // Once: an application that does nothing but hold the event loop gets no further time.
      if (graceMaxMs > 0 && lateMs >= HELD_LONG_MS_MIN) this.wait(Math.min(lateMs, graceMaxMs), 0)
      else this.judge(asOf)
    }, ms)
  }

  private judge(asOf: number): void {
    const { generation } = this
    this.handle = afterSockets(this.clock, () => {
      if (generation !== this.generation) return
      this.handle = undefined
      this.armedFor = Infinity
      this.onDue(asOf)
    })
  }
}
