// Partitions as a producer chooses them: where records end up, and what loads and slow leaders change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { Producer, roundRobinPartitioner } from '../../dist/index.js'
import { NodeLatency } from '../../dist/sender/node-latency.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { AccumulatorRig, topicMetadata } from '../accumulator/support.js'
import { FakeClock } from '../helpers/fake-clock.js'

const STICKY = -2

/** Partitions that unkeyed records of a topic are appended to, by the batch. */
function appendUnkeyed(rig: AccumulatorRig, topic: TopicState, records: number, bytes = 10) {
  return Array.from({ length: records }, () => {
    const sent = rig.send(topic, STICKY, bytes)
    rig.accumulator.appender.drainStaged()
    return sent.batch?.partition.index as number
  })
}

/** The next sticky partition; private, but sends would add to the load. */
function chooseNext(rig: AccumulatorRig, topic: TopicState): number {
  const accumulator = rig.accumulator as unknown as { choosePartition(topic: TopicState): number }
  return accumulator.choosePartition(topic)
}

/** Partition of each record, as runs of the same one. */
function runsOf(chosen: readonly number[]): { partition: number; records: number }[] {
  const runs: { partition: number; records: number }[] = []
  for (const partition of chosen) {
    const last = runs.at(-1)
    if (last?.partition === partition) last.records++
    else runs.push({ partition, records: 1 })
  }
  return runs
}

for (const [valueBytes, perRun, why] of [
  // 61 + 9 · 107 bytes are 1,024: the batch is full when its bytes have been produced.
  [98, 9, 'and its batch is full'],
  // 61 + 9 · 102 bytes are not: the next batch is begun, and only when it is full the run ends.
  [93, 18, 'and then until its batch is full'],
] as const) {
  test(`records without a key stay with a partition until batch.size bytes are produced ${why}`, () => {
    // Partition 0, 1, 2, 0, …: the next one of three, whatever the load.
    let next = -1
    const random = () => {
      next = (next + 1) % 3
      return (next + 0.5) / 3
    }
    const rig = new AccumulatorRig({
      lingerMs: 1e6,
      random,
      adaptivePartitioning: false,
      bufferBytes: 1 << 20,
    })
    const topic = rig.topic('t', 3)
    const runs = runsOf(appendUnkeyed(rig, topic, 540, valueBytes))
    assert.equal(runs.length, 540 / perRun)
    for (const [i, { partition, records }] of runs.entries()) {
      assert.deepEqual([partition, records], [i % 3, perRun])
    }
  })
}

test('a batch that is sent before it is full keeps the partition until its bytes are produced', () => {
  let chosen = 0
  const random = () => (chosen++ % 2 === 0 ? 0.1 : 0.9)
  const rig = new AccumulatorRig({ random, adaptivePartitioning: false })
  const topic = rig.topic('t', 2)
  const partitions: number[] = []
  for (let i = 0; i < 12; i++) {
    partitions.push(...appendUnkeyed(rig, topic, 1, 193))
    rig.succeed(rig.drain())
  }
  // 61 + 200 bytes a batch: four make 1,044, and no batch is open then.
  assert.deepEqual(partitions, [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0])
})

test('the longer the queue, the fewer records: the stated weights, within 4 sigma', () => {
  let seed = 99
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  const rig = new AccumulatorRig({ random, bufferBytes: 64 * 1024, lingerMs: 1e6 })
  const topic = rig.topic('t', 3)
  // Queues of 0, 3 and 1 batches, which nobody drains.
  for (const [partition, batches] of [0, 3, 1].entries()) {
    for (let i = 0; i < batches; i++) rig.send(topic, partition, 900)
  }
  rig.accumulator.appender.drainStaged()
  const counts = [0, 0, 0]
  const rounds = 20_000
  for (let i = 0; i < rounds; i++) {
    const choice = chooseNext(rig, topic)
    counts[choice] = (counts[choice] as number) + 1
  }
  for (const [partition, weight] of [4, 1, 3].entries()) {
    const p = weight / 8
    const sigma = Math.sqrt(rounds * p * (1 - p))
    assert.ok(Math.abs((counts[partition] as number) - rounds * p) < 4 * sigma, `${counts}`)
  }
})

test('a leader counts as away once it has had data waiting for longer than the time-out', () => {
  const clock = new FakeClock()
  const latency = new NodeLatency(100, clock)
  assert.equal(latency.isDrainable(1), true)
  latency.observe(1, false)
  clock.advance(100)
  latency.observe(1, false)
  assert.equal(latency.isDrainable(1), true)
  clock.advance(1)
  latency.observe(1, false)
  assert.equal(latency.isDrainable(1), false)
  assert.equal(latency.isDrainable(2), true)
  latency.observe(1, true)
  assert.equal(latency.isDrainable(1), true)
  clock.advance(1000)
  assert.equal(latency.isDrainable(1), true, 'it has had nothing to take since')
  const off = new NodeLatency(0, clock)
  off.observe(1, false)
  clock.advance(1e9)
  off.observe(1, false)
  assert.equal(off.isDrainable(1), true)
})

test('partitions of a leader that takes nothing are left out while data waits for it', () => {
  const away = new Set<number>()
  const rig = new AccumulatorRig({ host: { isDrainable: leader => !away.has(leader) }, lingerMs: 1e6 })
  const topic = rig.topic('t', 2)
  rig.accumulator.updateTopic(
    topic,
    topicMetadata('t', [
      [1, 1],
      [2, 1],
    ]),
  )
  rig.send(topic, 0)
  rig.send(topic, 1)
  rig.accumulator.appender.drainStaged()
  const choices = () => new Set(Array.from({ length: 100 }, () => chooseNext(rig, topic)))
  assert.deepEqual([...choices()].sort(), [0, 1])
  away.add(1)
  assert.deepEqual([...choices()], [1])
  away.add(2)
  assert.deepEqual([...choices()].sort(), [0, 1])
})

const counts = (broker: TestBroker, topic: string) =>
  broker.partitions(topic).map(({ endOffset }) => Number(endOffset))

test('a slow broker gets fewer of the records that have no key', async () => {
  await using broker = await startBroker({ quiet: true, nodes: 2, partitions: 2 })
  broker.createTopic('t', { leaders: [1, 2] })
  await using producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    batchSize: 1024,
    lingerMs: 1,
  })
  await producer.partitionsFor('t')
  const value = 'x'.repeat(100)
  const slowly = () => broker.hold({ api: 'Produce', node: 2 })
  let held = slowly()
  for (let round = 1; round <= 100; round++) {
    for (let i = 0; i < 20; i++) producer.send({ topic: 't', value }, () => {})
    await new Promise(resolve => setTimeout(resolve, 2))
    // In rounds, not in milliseconds: these take as long as the machine likes.
    if (round % 10 > 0) continue
    held.release()
    held = slowly()
  }
  held.release()
  await producer.flush()
  const [fast, slow] = counts(broker, 't') as [number, number]
  assert.equal(fast + slow, 2000)
  assert.ok(slow > 0 && fast > slow * 1.3, `${fast} to the fast broker, ${slow} to the slow one`)
})

test('with ignore.keys a key decides nothing; without, the same key has the same partition', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 4 })
  for (const ignores of [true, false]) {
    const topic = `t-${ignores}`
    await using producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      batchSize: 200,
      lingerMs: 0,
      partitionerIgnoreKeys: ignores,
    })
    for (let i = 0; i < 200; i++) producer.send({ topic, key: 'same', value: 'x'.repeat(60) }, () => {})
    await producer.flush()
    const used = counts(broker, topic).filter(count => count > 0).length
    assert.equal(used, ignores ? 4 : 1)
  }
})

for (const given of ['object', 'class name'] as const) {
  test(`a round robin, given as ${given}, deals records out evenly, whatever their keys`, async () => {
    await using broker = await startBroker({ quiet: true, partitions: 3 })
    const { bootstrapServers } = broker
    await using producer =
      given === 'object'
        ? new Producer({ bootstrapServers, partitioner: roundRobinPartitioner() })
        : Producer.fromProperties(
            `bootstrap.servers=${bootstrapServers}\n` +
              'partitioner.class=org.apache.kafka.clients.producer.RoundRobinPartitioner',
          )
    for (let i = 0; i < 60; i++) producer.send({ topic: 't', key: 'same', value: `${i}` }, () => {})
    for (let i = 0; i < 30; i++) producer.send({ topic: 'u', value: `${i}` }, () => {})
    await producer.flush()
    assert.deepEqual(counts(broker, 't'), [20, 20, 20])
    assert.deepEqual(counts(broker, 'u'), [10, 10, 10])
    const values = Array.from(broker.records('t', 1), record => Number(record.value?.toString()))
    assert.deepEqual(
      values,
      Array.from({ length: 20 }, (_, i) => i * 3 + 1),
    )
  })
}

test('a round robin leaves out partitions without a leader while others have one', () => {
  const partitioner = roundRobinPartitioner()
  const cluster = (available: number[]) => ({
    partitionCountForTopic: () => 4,
    availablePartitionsForTopic: () => available.map(partition => ({ partition })),
  })
  const take = (available: number[], count: number) =>
    Array.from({ length: count }, () => partitioner.partition('t', null, null, cluster(available)))
  assert.deepEqual(take([0, 1, 2, 3], 5), [0, 1, 2, 3, 0])
  assert.deepEqual(take([1, 3], 4), [3, 1, 3, 1])
  assert.deepEqual(take([], 5), [1, 2, 3, 0, 1])
  assert.equal(partitioner.partition('other', null, null, cluster([0, 1, 2, 3])), 0)
})
