import type { TestContext } from 'node:test'
import { systemClock } from '../../dist/common/clock.js'
import { FakeClock } from './fake-clock.js'

/**
 * The clock of all producers until the test is over: it stands still until it is moved. Sockets are real, and
 * the in-process broker has a clock of its own.
 */
export function standingClock({ mock }: TestContext): FakeClock {
  const clock = new FakeClock({ realImmediates: true })
  mock.method(systemClock, 'now', () => clock.now())
  mock.method(systemClock, 'wallNow', () => clock.wallNow())
  mock.method(systemClock, 'setTimeout', (callback: () => void, ms: number) => clock.setTimeout(callback, ms))
  mock.method(systemClock, 'clearTimeout', (handle: unknown) => clock.clearTimeout(handle))
  return clock
}
