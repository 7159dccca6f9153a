import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExponentialBackoff } from '../../dist/common/exponential-backoff.js'

test('the delay doubles with every attempt up to the maximum, with 20 % of jitter either way', () => {
  const at = (random: number) => {
    const backoff = new ExponentialBackoff(100, 1000, () => random)
    return [0, 1, 2, 3, 4, 50, 2000].map(attempts => backoff.delayMs(attempts))
  }
  // 999: the logarithm of the maximum is rounded down, as in Java.
  assert.deepEqual(at(0.5), [100, 200, 400, 800, 999, 999, 999])
  assert.deepEqual(at(0), [80, 160, 320, 640, 799, 799, 799])
  assert.deepEqual(at(0.999999), [119, 239, 479, 959, 1000, 1000, 1000])
})

test('without room to grow the delay is constant and has no jitter', () => {
  const backoff = new ExponentialBackoff(100, 100, () => 0)
  assert.deepEqual(
    [0, 1, 9].map(attempts => backoff.delayMs(attempts)),
    [100, 100, 100],
  )
  assert.equal(new ExponentialBackoff(500, 100, () => 0).delayMs(3), 100)
  assert.equal(new ExponentialBackoff(0, 1000, () => 0.5).delayMs(5), 0)
})
