import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Sensor, type Stat } from '../../dist/telemetry/metrics/sensor.js'

const STATS: readonly Stat[] = ['avg', 'max', 'rate', 'total', 'event-rate', 'event-total', 'ratio']
const WINDOWS = { samples: 2, windowMs: 30_000 }

function rig() {
  const sensor = new Sensor(STATS, WINDOWS)
  const at = (stat: Stat, nowMs: number) => sensor.measure(STATS.indexOf(stat), nowMs)
  return { sensor, at }
}

describe('a sensor', () => {
  test('divides a young rate by at least one window more than has passed', () => {
    const { sensor, at } = rig()
    sensor.record(60, 1000)
    assert.equal(at('rate', 1000), 2)
    assert.equal(at('rate', 16_000), 60 / 45)
  })

  test('keeps a sample that began before the windows but had an event in them', () => {
    const { sensor, at } = rig()
    sensor.record(10, 0)
    sensor.record(20, 31_000)
    assert.equal(at('rate', 40_000), 30 / 40)
    assert.equal(at('avg', 40_000), 15)
    // Now the first sample has had no event for both windows: it begins anew, and the oldest is that of 31 s.
    assert.equal(at('rate', 60_000), 20 / 59)
    assert.equal(at('avg', 60_000), 20)
    assert.equal(at('total', 60_000), 30)
  })

  test('has no average and no maximum of nothing, but a rate and a total of 0', () => {
    const { at } = rig()
    assert.deepEqual(
      STATS.map(stat => at(stat, 5000)),
      [Number.NaN, Number.NaN, 0, 0, 0, 0, 0],
    )
  })

  test('forgets maxima with their windows, and totals never', () => {
    const { sensor, at } = rig()
    sensor.record(9, 0)
    sensor.record(4, 59_000)
    assert.equal(at('max', 59_999), 9)
    assert.equal(at('max', 60_000), 4)
    assert.ok(Number.isNaN(at('max', 119_000)))
    assert.equal(at('total', 1e9), 13)
    assert.equal(at('event-total', 1e9), 2)
  })

  test('takes many values at once as if they had come one by one', () => {
    const one = rig()
    const many = rig()
    for (let count = 0; count < 4; count++) one.sensor.record(5, 100)
    many.sensor.recordAll(4, 20, 5, 100)
    for (const stat of STATS) assert.equal(many.at(stat, 2000), one.at(stat, 2000), stat)
  })

  test('measures the share of time of nanoseconds', () => {
    const { sensor, at } = rig()
    sensor.record(6e9, 0)
    assert.equal(at('ratio', 30_000), 6 / 30)
  })

  test('works with windows of no length', () => {
    const sensor = new Sensor(['rate', 'avg'], { samples: 1, windowMs: 0 })
    sensor.record(3, 10)
    assert.ok(Number.isFinite(sensor.measure(0, 10)))
    assert.ok(Number.isNaN(sensor.measure(1, 10)))
  })
})
