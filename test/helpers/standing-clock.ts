import { systemClock } from '../../dist/common/clock.js'
import { FakeClock } from './fake-clock.js'

/**
 * The clock of all producers until it is disposed of: it stands still until it is moved. Sockets are real, and
 * the in-process broker has a clock of its own.
 */
export class StandingClock extends FakeClock implements Disposable {
  private readonly real = { ...systemClock }

  constructor() {
    super({ realImmediates: true })
    Object.assign(systemClock, {
      now: () => this.now(),
      wallNow: () => this.wallNow(),
      setTimeout: (callback: () => void, ms: number) => this.setTimeout(callback, ms),
      clearTimeout: (handle: unknown) => this.clearTimeout(handle),
    })
  }

  [Symbol.dispose](): void {
    Object.assign(systemClock, this.real)
  }
}
