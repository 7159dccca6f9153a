import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CompletionPace } from '../../dist/transactions/completion-pace.js'
import { FakeClock } from '../helpers/fake-clock.js'

/** A broker that completes a transaction so long after its end, and looks only every so often. */
class Scene {
  readonly clock = new FakeClock()
  wakeups = 0
  readonly pace = new CompletionPace(this.clock, () => this.wakeups++)

  /** One transaction whose first records come at once after an end; answers how long they were kept back. */
  transaction(completionMs: number, answerMs = 1, brokerWaitMs = 20): number {
    const { clock, pace } = this
    pace.ended()
    let heldMs = 0
    while (!pace.mayBegin()) {
      clock.advance(1)
      heldMs++
    }
    pace.sent()
    clock.advance(answerMs + (heldMs < completionMs ? brokerWaitMs : 0))
    pace.answered()
    return heldMs
  }

  transactions(count: number, completionMs: number, answerMs?: number): number[] {
    return Array.from({ length: count }, () => this.transaction(completionMs, answerMs))
  }
}

describe('the first records of a transaction', () => {
  it('go at once as long as the broker answers soon', () => {
    const scene = new Scene()
    assert.equal(scene.pace.mayBegin(), true)
    assert.deepEqual(new Set(scene.transactions(50, 0)), new Set([0]))
  })

  it('are kept back for about as long as the transaction before takes to be completed', () => {
    const held = new Scene().transactions(500, 5).slice(100)
    assert.ok(
      held.every(ms => ms >= 3 && ms <= 8),
      `${held}`,
    )
    assert.ok(held.filter(ms => ms < 5).length <= held.length / 10, 'few come too early')
  })

  it('are told when they may go', () => {
    const scene = new Scene()
    scene.transaction(5)
    scene.pace.ended()
    assert.equal(scene.pace.mayBegin(), false)
    scene.clock.advance(1)
    assert.equal(scene.wakeups, 0)
    scene.clock.advance(1)
    assert.equal(scene.wakeups, 1)
    assert.equal(scene.pace.mayBegin(), true)
  })

  it('are kept back no longer once that is of no use', () => {
    const held = new Scene().transactions(200, 0, 30)
    assert.ok(Math.max(...held) <= 16)
    assert.ok(held.filter(ms => ms > 0).length < 30, 'it gives up after a few')
  })

  it('teach nothing if they come long after the end', () => {
    const scene = new Scene()
    const { pace, clock } = scene
    pace.ended()
    clock.advance(100)
    assert.equal(pace.mayBegin(), true)
    pace.sent()
    clock.advance(50)
    pace.answered()
    assert.equal(scene.transaction(0), 0)
  })

  it('need no timer once the producer is closed', () => {
    const scene = new Scene()
    scene.transaction(5)
    scene.pace.ended()
    scene.pace.mayBegin()
    scene.pace.close()
    scene.clock.advance(100)
    assert.equal(scene.wakeups, 0)
  })
})

describe('partitions that cannot be added yet', () => {
  it('are asked for again in steps that double, up to what Java waits', () => {
    const { pace } = new Scene()
    assert.deepEqual(
      Array.from({ length: 6 }, () => pace.retryMs()),
      [2, 4, 8, 16, 20, 20],
    )
    pace.added()
    assert.equal(pace.retryMs(), 2)
  })
})
