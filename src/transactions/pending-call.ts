import { DeadlineTimer } from '../cluster/deadline-timer.js'
import type { Clock } from '../common/clock.js'
import { type KafkaError, TimeoutError } from '../errors/index.js'

interface Waiter {
  readonly timer: DeadlineTimer
  resolve(): void
  reject(error: KafkaError): void
}

/**
 * A call whose outcome takes time. Each wait for it is bounded by `max.block.ms`, the call itself is not: one
 * that has timed out goes on, and the same call made again waits for the same outcome.
 */
export class PendingCall {
  readonly name: string
  /** Somebody has been told the outcome: the call is over. */
  isOver = false
  private readonly clock: Clock
  private readonly maxBlockMs: number
  private readonly waiters = new Set<Waiter>()
  private outcome: { readonly error: KafkaError | null } | null = null

  constructor(name: string, clock: Clock, maxBlockMs: number) {
    this.name = name
    this.clock = clock
    this.maxBlockMs = maxBlockMs
  }

  /** The outcome, or `TimeoutError` after `maxMs` (default `max.block.ms`). */
  wait(maxMs = this.maxBlockMs): Promise<void> {
    const { outcome } = this
    if (outcome !== null) {
      this.isOver = true
      return outcome.error === null ? Promise.resolve() : Promise.reject(outcome.error)
    }
    return new Promise((resolve, reject) => {
      const deadlineMs = this.clock.now() + maxMs
      const timer = new DeadlineTimer(this.clock, asOf => {
        if (asOf < deadlineMs) timer.ensure(deadlineMs)
        else if (this.waiters.delete(waiter)) reject(this.timeout())
      })
      const waiter: Waiter = { timer, resolve, reject }
      this.waiters.add(waiter)
      timer.ensure(deadlineMs)
    })
  }

  /** Null: it succeeded. The first outcome counts. */
  settle(error: KafkaError | null): void {
    if (this.outcome !== null) return
    this.outcome = { error }
    this.isOver = this.waiters.size > 0
    for (const { timer, resolve, reject } of this.waiters) {
      timer.cancel()
      if (error === null) resolve()
      else reject(error)
    }
    this.waiters.clear()
  }

  private timeout(): TimeoutError {
    return new TimeoutError(
      `${this.name} was not done within max.block.ms (${this.maxBlockMs} ms) and goes on. ` +
        'Make the same call again to wait for its outcome, or close the producer.',
    )
  }
}
