import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DeadlineTimer } from '../../dist/cluster/deadline-timer.js'
import { FakeClock } from '../helpers/fake-clock.js'

describe('DeadlineTimer', () => {
  it('runs at the earliest of the deadlines it was given', () => {
    const clock = new FakeClock({ startMs: 0 })
    const runs: number[] = []
    const timer = new DeadlineTimer(clock, () => runs.push(clock.now()))
    timer.ensure(300)
    timer.ensure(100)
    timer.ensure(200)
    clock.advance(1_000)
    assert.deepEqual(runs, [100])
  })

  it('holds a single timer however often its deadline moves', () => {
    const clock = new FakeClock({ startMs: 0 })
    const timer = new DeadlineTimer(clock, () => {})
    for (let at = 1_000; at > 0; at--) timer.ensure(at)
    assert.equal(clock.pendingTimers, 1)
    timer.cancel()
    assert.equal(clock.pendingTimers, 0)
  })

  it('lets the sockets have a turn between the timer and the judgement', async () => {
    const clock = new FakeClock({ startMs: 0, realImmediates: true })
    let runs = 0
    const timer = new DeadlineTimer(clock, () => runs++)
    timer.ensure(10)
    clock.advance(10)
    assert.equal(runs, 0)
    await new Promise<void>(resolve => setImmediate(resolve))
    assert.equal(runs, 1)
  })

  it('tells when the timer fired, not when its owner gets to judge', async () => {
    const clock = new FakeClock({ startMs: 0, realImmediates: true })
    const judged: number[] = []
    const timer = new DeadlineTimer(clock, asOf => judged.push(asOf))
    timer.ensure(10)
    clock.advance(10)
    // The application holds the event loop between the timer and the judgement.
    clock.advance(60_000)
    await new Promise<void>(resolve => setImmediate(resolve))
    assert.deepEqual(judged, [10])
  })

  it('sets no timer for what is overdue already, and lets the sockets have their turn all the same', async () => {
    const clock = new FakeClock({ startMs: 100, realImmediates: true })
    const judged: number[] = []
    const timer = new DeadlineTimer(clock, asOf => judged.push(asOf))
    timer.ensure(40)
    assert.equal(clock.nextTimerInMs, 0, 'that of the turn')
    clock.advance(5)
    assert.deepEqual(judged, [])
    await new Promise<void>(resolve => setImmediate(resolve))
    assert.deepEqual(judged, [100])
    assert.equal(clock.pendingTimers, 0)
  })

  it('does not run when it is cancelled between the timer and the judgement', async () => {
    const clock = new FakeClock({ startMs: 0, realImmediates: true })
    let runs = 0
    const timer = new DeadlineTimer(clock, () => runs++)
    timer.ensure(10)
    clock.advance(10)
    timer.cancel()
    assert.equal(clock.pendingTimers, 0)
    await new Promise<void>(resolve => setImmediate(resolve))
    assert.equal(runs, 0)
  })

  it('can be set again from its own callback', () => {
    const clock = new FakeClock({ startMs: 0 })
    const runs: number[] = []
    const timer: DeadlineTimer = new DeadlineTimer(clock, () => {
      runs.push(clock.now())
      if (runs.length < 3) timer.ensure(clock.now() + 50)
    })
    timer.ensure(50)
    clock.advance(1_000)
    assert.deepEqual(runs, [50, 100, 150])
  })

  it('gives the time by which it was late, once and bounded, to what had to happen first', () => {
    for (const [heldMs, graceMs] of [
      [1400, 1400],
      [60_000, 3000],
    ] as const) {
      const clock = new FakeClock({ startMs: 0 })
      const judged: number[] = []
      const timer = new DeadlineTimer(clock, asOf => judged.push(asOf), 3000)
      timer.ensure(10)
      clock.hold(10 + heldMs)
      clock.advance(0)
      // Its owner looks again meanwhile, and finds the deadline that has passed.
      timer.ensure(10)
      clock.advance(graceMs - 1)
      assert.deepEqual(judged, [])
      clock.hold(500)
      clock.advance(0)
      assert.deepEqual(judged, [10 + heldMs + graceMs + 499])
    }
  })

  it('gives no time for being a little late', () => {
    const clock = new FakeClock({ startMs: 0 })
    const judged: number[] = []
    new DeadlineTimer(clock, asOf => judged.push(asOf), 3000).ensure(10)
    clock.hold(600)
    clock.advance(0)
    assert.deepEqual(judged, [600])
  })
})
