import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { Clock } from '../../dist/common/clock.js'
import { RecordClock } from '../../dist/producer/record/record-clock.js'
import { FakeClock } from '../helpers/fake-clock.js'

/** Time that passes while a caller computes: no turn of the event loop is over by it. */
class HeldClock extends FakeClock implements Clock {
  heldMs = 0
  readings = 0

  override wallNow(): number {
    this.readings++
    return super.wallNow() + this.heldMs
  }
}

const SENDS = 1_000

describe('RecordClock', () => {
  let clock: HeldClock
  let recordClock: RecordClock

  beforeEach(() => {
    clock = new HeldClock()
    recordClock = new RecordClock(clock)
  })

  /** How far behind each record's timestamp is when `msApart` pass after each send. */
  function lags(count: number, msApart: number): number[] {
    return Array.from({ length: count }, () => {
      const timestampMs = recordClock.now()
      const trueMs = clock.wallNow()
      clock.readings--
      clock.heldMs += msApart
      return trueMs - timestampMs
    })
  }

  it('gives each record its own time where they come more than a millisecond apart', () => {
    assert.ok(lags(SENDS, 1.5).every(lag => lag === 0))
    assert.equal(clock.readings, SENDS)
  })

  it('reads the time for every eighth record while they come fast', () => {
    const behind = lags(SENDS, 0.001)
    assert.ok(behind.every(lag => lag >= 0 && lag < 0.01))
    assert.ok(clock.readings < SENDS / 8 + 50, `${clock.readings} readings`)
  })

  it('dates at most seven records back by the time a caller has computed among fast ones', () => {
    lags(SENDS, 0.001)
    clock.heldMs += 5_000
    const behind = lags(SENDS, 0.001)
    const wrong = behind.filter(lag => lag > 1)
    assert.ok(wrong.length <= 7, `${wrong.length} records`)
    assert.ok(behind.slice(7).every(lag => lag <= 1))
    assert.ok(
      lags(20, 700).filter(lag => lag > 1).length <= 7,
      'and is exact from then on if it goes on computing',
    )
  })

  it('dates no record before those of an array that was sent before it', () => {
    lags(SENDS, 0.001)
    clock.heldMs += 5_000
    const arrayMs = recordClock.read()
    assert.equal(arrayMs, clock.wallNow())
    for (let i = 0; i < 20; i++) assert.ok(recordClock.now() >= arrayMs)
  })

  it('reads the time anew in each turn of the event loop', () => {
    lags(SENDS, 0)
    clock.advance(10_000)
    assert.deepEqual(lags(5, 0), [0, 0, 0, 0, 0])
  })

  it('follows the system clock where that is set back', () => {
    lags(10, 0)
    clock.heldMs -= 3_600_000
    assert.ok(lags(5, 0).every(lag => lag === 0))
  })
})
