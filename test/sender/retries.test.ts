// Retries: how often, how late, to whom; leader hints, throttling, silence and cut connections.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { SenderRig, stored } from './rig.js'

const QUIET = { quiet: true, verify: 'strict', partitions: 1 } as const
const LONE = { batchBytes: 1 } as const

/** Reconnects at once. */
const QUICK = { reconnectBackoffMs: 1, reconnectBackoffMaxMs: 2 } as const

const produced = (broker: TestBroker) => broker.counters().requests.Produce ?? 0

test('a record fails with the broker’s error once its retries are used up', async () => {
  await using broker = await startBroker(QUIET)
  for (const [retries, requests] of [
    [0, 1],
    [2, 3],
  ] as const) {
    await using rig = new SenderRig(broker, { retries, idempotent: false })
    const topic = await rig.topic(`t${retries}`)
    broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: requests })
    const before = produced(broker)
    const { error } = await rig.send(topic, 'a')
    assert.match(error?.message as string, /^NOT_ENOUGH_REPLICAS \(19\)/)
    assert.equal(produced(broker) - before, requests)
    assert.equal((await rig.send(topic, 'b')).error, null)
    assert.equal(rig.usedBytes, 0)
  }
})

test('the time between attempts grows from retry.backoff.ms to retry.backoff.max.ms', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { clock, retryBackoffMs: 100, retryBackoffMaxMs: 400 })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 6 })
  const times: number[] = []
  broker.onRequest(({ api }) => {
    if (api === 'Produce') times.push(clock.now())
  })
  const sent = rig.send(topic, 'a')
  await eventually('seven attempts', () => {
    // Only when the answer has been taken: time does not pass while it is on its way.
    if (rig.partition(topic).onWire === 0) clock.advance(4)
    return times.length === 7
  })
  assert.equal((await sent).error, null)
  for (const [i, base] of [100, 200, 400, 400, 400, 400].entries()) {
    const waited = (times[i + 1] as number) - (times[i] as number)
    const longest = Math.min(base * 1.2, 400)
    assert.ok(waited >= base * 0.8 - 1 && waited <= longest + 8, `attempt ${i + 2} after ${waited} ms`)
  }
})

test('the leader named in a refusal is asked at once, without new metadata or a backoff', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 1, nodes: 2 })
  broker.createTopic('t', { leaders: [1] })
  await using rig = new SenderRig(broker, { ...LONE, retryBackoffMs: 60_000, retryBackoffMaxMs: 60_000 })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  const { release } = broker.hold({ api: 'Metadata' })
  broker.moveLeader('t', 0, 2)
  const started = performance.now()
  const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map(value => rig.send(topic, value)))
  assert.ok(outcomes.every(({ error }) => error === null))
  assert.ok(performance.now() - started < 10_000)
  assert.deepEqual(stored(broker, 't'), ['warm', 'a', 'b', 'c', 'd'])
  release()
})

test('leaders that move all the time lose, double and reorder nothing', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 3, nodes: 3 })
  broker.createTopic('t', { partitions: 3 })
  await using rig = new SenderRig(broker, { batchBytes: 200 })
  const topic = await rig.topic('t')
  const sends: Promise<{ error: Error | null }>[] = []
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 30; i++)
      sends.push(rig.send(topic, `${round * 10 + Math.floor(i / 3)}`.padEnd(40), i % 3))
    broker.moveLeader('t', round % 3, (round % 3) + 1)
    await new Promise(resolve => setTimeout(resolve, 2))
    broker.moveLeader('t', (round + 1) % 3, ((round + 1) % 3) + 1)
  }
  for (const { error } of await Promise.all(sends)) assert.equal(error, null)
  for (const partition of [0, 1, 2]) {
    assert.deepEqual(
      stored(broker, 't', partition).map(Number),
      Array.from({ length: 400 }, (_, i) => i),
    )
  }
  assert.equal(rig.usedBytes, 0)
})

test('a broker that asks for quiet gets it', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { ...LONE, clock })
  const topic = await rig.topic('t')
  broker.throttle({ api: 'Produce', ms: 150 })
  await rig.send(topic, 'a')
  const sent = rig.send(topic, 'b')
  await clock.advanceAsync(149)
  assert.equal(produced(broker), 1)
  await clock.advanceAsync(1)
  assert.equal((await sent).error, null)
})

test('a broker that falls silent is given up after the time-out; its records go again, once', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { ...LONE, clock, requestTimeoutMs: 200 })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  broker.swallow({ api: 'Produce' })
  const before = produced(broker)
  const sends = ['a', 'b', 'c'].map(value => rig.send(topic, value))
  await eventually('three requests', () => produced(broker) === before + 3)
  await clock.advanceAsync(199)
  assert.deepEqual(rig.settled, ['warm'])
  const lateMs = clock.now()
  await eventually('all are settled', () => {
    clock.advance(1)
    return rig.settled.length === 4
  })
  assert.ok((await Promise.all(sends)).every(({ error }) => error === null))
  assert.ok(clock.now() - lateMs < 1000, `${clock.now() - lateMs} ms`)
  assert.equal(produced(broker), before + 6)
  assert.deepEqual(stored(broker, 't'), ['warm', 'a', 'b', 'c'])
})

const CUTS = {
  'before the request': { direction: 'in', afterBytes: 0 },
  'in its header': { direction: 'in', afterBytes: 10 },
  'in a batch': { direction: 'in', afterBytes: 1500 },
  'before the answer': { direction: 'out', afterBytes: 0 },
  'in the answer': { direction: 'out', afterBytes: 7 },
} as const

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  for (const [where, cut] of Object.entries(CUTS)) {
    test(`a connection that ends ${where} costs no record and doubles none: ${compression}`, async () => {
      await using broker = await startBroker(QUIET)
      await using rig = new SenderRig(broker, { batchBytes: 4096, compression, client: QUICK })
      const topic = await rig.topic('t')
      const sent: string[] = ['warm']
      await rig.send(topic, 'warm')
      for (let round = 0; round < 6; round++) {
        broker.cut(cut)
        const sends: Promise<{ error: Error | null }>[] = []
        for (let i = 0; i < 60; i++) {
          const noise = (Math.imul(round * 60 + i + 1, 0x9e3779b1) >>> 0).toString(36)
          const value = `${round}-${i}:${noise.repeat(20)}`
          sent.push(value)
          sends.push(rig.send(topic, value))
        }
        for (const { error } of await Promise.all(sends)) assert.equal(error, null)
      }
      assert.deepEqual(stored(broker, 't'), sent)
      assert.equal(rig.usedBytes, 0)
    })
  }
}

test('200 connections cut at random offsets, either way, lose, double and reorder nothing', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 4, nodes: 2 })
  broker.createTopic('t', { partitions: 4 })
  let seed = 2026
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return (seed >>> 8) % limit
  }
  await using rig = new SenderRig(broker, {
    batchBytes: 2048,
    bufferBytes: 256 * 1024,
    lingerMs: 1,
    client: QUICK,
  })
  const topic = await rig.topic('t')
  const connections = new Set<number>()
  broker.onRequest(({ connection }) => connections.add(connection))
  const next = [0, 0, 0, 0]
  let failed = 0
  while (connections.size < 200) {
    const direction = below(2) === 0 ? 'in' : 'out'
    broker.cut({ direction, afterBytes: below(direction === 'in' ? 6000 : 300) })
    const sends: Promise<{ error: Error | null }>[] = []
    for (let i = 0; i < 60; i++) {
      const partition = below(4)
      const value = `${next[partition]}`.padEnd(60 + below(60), '.')
      next[partition] = (next[partition] as number) + 1
      sends.push(rig.send(topic, value, partition))
    }
    for (const { error } of await Promise.all(sends)) if (error !== null) failed++
  }
  assert.equal(failed, 0)
  for (const [partition, count] of next.entries()) {
    const sequences = stored(broker, 't', partition).map(value => Number.parseInt(value, 10))
    assert.deepEqual(
      sequences,
      Array.from({ length: count }, (_, i) => i),
    )
  }
  assert.equal(rig.usedBytes, 0)
})
