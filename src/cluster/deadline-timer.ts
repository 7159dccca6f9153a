import { afterSockets, type Clock, type TimerHandle } from '../common/clock.js'

/**
 * One timer for deadlines that move all the time. Deadlines that get later cost nothing: the timer fires at
 * the old time, the owner finds nothing due and asks again.
 *
 * When the event loop was blocked, timers fire before the sockets are read: what looks overdue may long have
 * been answered. So `onDue` runs after the sockets had their turn, and is told when the timer fired: what was
 * overdue then and still is may be judged. What became overdue since, in another block, may not: the owner
 * asks again.
 */
export class DeadlineTimer {
  private readonly clock: Clock
  private readonly onDue: (asOf: number) => void
  private handle: TimerHandle | undefined
  private armedFor = Infinity
  /** Grows with every change, so that a callback on its way knows that it was overtaken. */
  private generation = 0

  constructor(clock: Clock, onDue: (asOf: number) => void) {
    this.clock = clock
    this.onDue = onDue
  }

  /** Makes sure that `onDue` runs at `at` or shortly after; an earlier deadline already set stays. */
  ensure(at: number): void {
    if (at >= this.armedFor || at === Infinity) return
    this.cancel()
    this.armedFor = at
    const generation = this.generation
    const judge = () => this.judge(this.clock.now(), generation)
    const leftMs = Math.ceil(at - this.clock.now())
    // What is overdue already needs no timer first: turns of a busy event loop are long.
    if (leftMs <= 0) judge()
    else this.handle = this.clock.setTimeout(judge, leftMs)
  }

  private judge(asOf: number, generation: number): void {
    this.handle = afterSockets(this.clock, () => {
      if (generation !== this.generation) return
      this.handle = undefined
      this.armedFor = Infinity
      this.onDue(asOf)
    })
  }

  cancel(): void {
    this.generation++
    this.armedFor = Infinity
    if (this.handle === undefined) return
    this.clock.clearTimeout(this.handle)
    this.handle = undefined
  }
}
