import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const { paced } = await import(new URL('../../bench/support/paced-load.js', import.meta.url).href)

test('at a low rate a record is sent once the one before has its outcome, and not before it is due', async () => {
  let unsettled = 0
  let most = 0
  const sentMs: number[] = []
  const sendOne = async (i: number) => {
    assert.equal(i, sentMs.length)
    sentMs.push(performance.now())
    most = Math.max(most, ++unsettled)
    await sleep(3)
    unsettled--
  }
  const { latency } = await paced(sendOne, { count: 20, rate: 100 })
  assert.equal(sentMs.length, 20)
  assert.equal(most, 1)
  // Timers may be a millisecond early; 19 periods of 10 ms.
  assert.ok((sentMs.at(-1) as number) - (sentMs[0] as number) >= 170)
  assert.ok(latency.p50 >= 2 && latency.p50 <= latency.p99 && latency.p99 <= latency.max)
})

test('what came late is made up for, but not the rest of a stall', async () => {
  const sentMs: number[] = []
  const sendOne = async (i: number) => {
    sentMs.push(performance.now())
    if (i === 0) await sleep(300)
  }
  await paced(sendOne, { count: 200, rate: 1000 })
  const stalled = (sentMs[1] as number) - (sentMs[0] as number)
  const rest = (sentMs.at(-1) as number) - (sentMs[1] as number)
  assert.ok(stalled >= 290)
  // 198 periods of which 50 ms may be caught up.
  assert.ok(rest >= 120, `${rest} ms`)
})

test('the error of a record ends the run', async () => {
  await assert.rejects(
    paced(async () => Promise.reject(new Error('refused')), { count: 3, rate: 1000 }),
    /refused/,
  )
})
