import { DeadlineTimer } from '../cluster/deadline-timer.js'
import type { Clock } from '../common/clock.js'
import type { KafkaError } from '../errors/index.js'
import { timeoutOf } from './failures.js'
import type { TransactionalCall } from './states.js'

interface Waiter {
  readonly timer: DeadlineTimer
  resolve(): void
  reject(error: KafkaError): void
}

interface PendingCallOptions {
  name: TransactionalCall
  clock: Clock
  maxBlockMs: number
  /** What has kept the call so far, as far as that is known. */
  cause: () => KafkaError | null
  /** Whether `abortTransaction` would be taken instead of waiting on. */
  mayAbort: () => boolean
}

/**
 * A call whose outcome takes time. Each wait for it is bounded by `max.block.ms`, the call itself is not: one
 * that has timed out goes on, and the same call made again waits for the same outcome.
 */
export class PendingCall {
  /** Somebody has been told the outcome: the call is over. */
  isOver = false
  private readonly options: PendingCallOptions
  private readonly waiters = new Set<Waiter>()
  private outcome: { readonly error: KafkaError | null } | null = null
  private hasTimedOut = false

  constructor(options: PendingCallOptions) {
    this.options = options
  }

  get name(): TransactionalCall {
    return this.options.name
  }

  /** Nobody waits any more for an outcome that is still to come. */
  get isAbandoned(): boolean {
    return this.hasTimedOut && this.outcome === null && this.waiters.size === 0
  }

  /** It has failed, whether somebody has been told or not. */
  get hasFailed(): boolean {
    return this.outcome !== null && this.outcome.error !== null
  }

  /** The outcome, or `TimeoutError` after `maxMs` (default `max.block.ms`). */
  wait(maxMs = this.options.maxBlockMs): Promise<void> {
    const { outcome } = this
    if (outcome !== null) {
      this.isOver = true
      return outcome.error === null ? Promise.resolve() : Promise.reject(outcome.error)
    }
    const { clock } = this.options
    return new Promise((resolve, reject) => {
      const deadlineMs = clock.now() + maxMs
      const timer = new DeadlineTimer(clock, asOf => {
        if (asOf < deadlineMs) timer.ensure(deadlineMs)
        else this.giveUp(waiter)
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

  private giveUp(waiter: Waiter): void {
    if (!this.waiters.delete(waiter)) return
    this.hasTimedOut = true
    const { name, maxBlockMs, cause, mayAbort } = this.options
    waiter.reject(timeoutOf(name, maxBlockMs, cause(), mayAbort()))
  }
}
