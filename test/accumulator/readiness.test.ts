// When a batch may go: linger, fullness, flush, lack of memory, backoff, leaders; and that all have a turn.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch } from '../../dist/accumulator/batch/batch.js'
import { FlushBarrier } from '../../dist/accumulator/batch/flush-barrier.js'
import { NO_LEADER } from '../../dist/accumulator/partition/partition-state.js'
import type { Codec } from '../../dist/compression/codec.js'
import { AccumulatorRig, LEADER, topicMetadata } from './support.js'

const partitionsOf = (batches: readonly { partition: { index: number } }[]) =>
  batches.map(({ partition }) => partition.index)

test('a batch waits for linger.ms, and the deadline is known', () => {
  const rig = new AccumulatorRig({ lingerMs: 50 })
  const topic = rig.topic('t', 1)
  rig.send(topic, 0)
  assert.equal(rig.drain().length, 0)
  assert.equal(rig.accumulator.nextDeadlineMs(), rig.clock.now() + 50)
  rig.clock.advance(49)
  assert.equal(rig.drain().length, 0)
  rig.clock.advance(1)
  assert.equal(rig.drain().length, 1)
})

test('a full batch goes at once, the one behind it waits for its own linger', () => {
  const rig = new AccumulatorRig({ lingerMs: 50 })
  const topic = rig.topic('t', 1)
  rig.send(topic, 0, 700)
  rig.clock.advance(10)
  rig.send(topic, 0, 700)
  assert.equal(rig.drain().length, 1)
  rig.clock.advance(49)
  assert.equal(rig.drain().length, 0)
  rig.clock.advance(1)
  assert.equal(rig.drain().length, 1)
})

test('nothing lingers while a flush waits, or while a record waits for memory', () => {
  const rig = new AccumulatorRig({ lingerMs: 1e6, bufferBytes: 4096 })
  const topic = rig.topic('t', 8)
  rig.send(topic, 0)
  rig.accumulator.beginHurry()
  rig.send(topic, 1)
  assert.deepEqual(partitionsOf(rig.drain()), [0, 1])
  rig.accumulator.endHurry()
  rig.send(topic, 2)
  assert.equal(rig.drain().length, 0)
  rig.send(topic, 3)
  rig.send(topic, 4)
  const drained = rig.drain()
  assert.deepEqual(partitionsOf(drained), [2, 3])
  assert.equal(rig.accumulator.appender.waiting.length, 1)
})

test('a request has at most one batch of a partition and max.request.size bytes; one may be larger', () => {
  const rig = new AccumulatorRig({ maxRequestBytes: 1200 })
  const topic = rig.topic('t', 3)
  for (const partition of [0, 0, 0, 1, 2]) rig.send(topic, partition, 460)
  const first = rig.drain()
  assert.deepEqual(partitionsOf(first), [0])
  assert.ok((first[0]?.bytes as number) > 900)
  assert.deepEqual(partitionsOf(rig.drain()), [1, 2])
  assert.deepEqual(partitionsOf(rig.drain()), [0])
  const alone = rig.topic('large', 1)
  rig.send(alone, 0, 1100)
  assert.deepEqual(partitionsOf(rig.drain()), [0])
})

test('a partition with large batches gets its turn among small ones', () => {
  const rig = new AccumulatorRig({ maxRequestBytes: 1000, bufferBytes: 1024 * 1024 })
  const topic = rig.topic('t', 4)
  const drains = [0, 0, 0, 0]
  for (let round = 0; round < 40; round++) {
    for (const partition of [0, 1, 2, 3]) {
      if (rig.partition(topic, partition).queue.length < 3)
        rig.send(topic, partition, partition === 3 ? 800 : 250)
    }
    const batches = rig.drain()
    for (const index of partitionsOf(batches)) drains[index] = (drains[index] as number) + 1
    rig.succeed(batches)
  }
  assert.ok(Math.min(...drains) >= Math.max(...drains) - 2, `drains by partition: ${drains}`)
})

test('a retried batch backs off, those of other partitions do not, and order stays', () => {
  const rig = new AccumulatorRig()
  const topic = rig.topic('t', 2)
  rig.send(topic, 0)
  const failed = rig.drain()
  rig.send(topic, 0)
  rig.retry(failed, 100)
  rig.send(topic, 1)
  assert.deepEqual(partitionsOf(rig.drain()), [1])
  assert.equal(rig.accumulator.nextDeadlineMs(), rig.clock.now() + 100)
  rig.clock.advance(99)
  assert.equal(rig.drain().length, 0)
  rig.clock.advance(1)
  assert.deepEqual(rig.drain(), failed)
  assert.deepEqual(partitionsOf(rig.drain()), [0])
})

test('batches put back stand in the order of their first drain, before what was never drained', () => {
  const rig = new AccumulatorRig({ batchBytes: 1 })
  const topic = rig.topic('t', 1)
  for (let i = 0; i < 5; i++) rig.send(topic, 0)
  const [a, b, c] = [rig.drain()[0], rig.drain()[0], rig.drain()[0]] as never[]
  for (const batch of [b, c, a]) rig.retry([batch as never], 0)
  const { queue } = rig.partition(topic, 0)
  assert.deepEqual(queue.slice(0, 3), [a, b, c])
  assert.equal(queue.length, 5)
})

test('a new leader epoch ends a backoff once, whether it is learnt before or after the answer', () => {
  for (const isLearntInFlight of [true, false]) {
    const rig = new AccumulatorRig()
    const topic = rig.topic('t', 1)
    const learn = (leader: number, epoch: number) => {
      if (rig.accumulator.updateTopic(topic, topicMetadata('t', [[leader, epoch]])))
        rig.accumulator.leadersChanged()
    }
    rig.send(topic, 0)
    const batches = rig.drain()
    if (isLearntInFlight) learn(2, 1)
    rig.retry(batches, 100)
    if (!isLearntInFlight) learn(2, 1)
    assert.equal(rig.drain(LEADER).length, 0)
    assert.deepEqual(rig.drain(2), batches, 'no backoff for the new leader')
    rig.retry(batches, 100)
    learn(2, 1)
    assert.equal(rig.drain(2).length, 0, 'it has had its chance')
    learn(2, 2)
    assert.equal(rig.drain(2).length, 1, 'the same leader in a new epoch is new')
  }
})

test('ready partitions follow their leaders, and wait where there is none', () => {
  const rig = new AccumulatorRig()
  const topic = rig.topic('t', 2)
  rig.send(topic, 0)
  rig.send(topic, 1)
  rig.accumulator.appender.drainStaged()
  rig.accumulator.updateTopic(
    topic,
    topicMetadata('t', [
      [NO_LEADER, 1],
      [7, 1],
    ]),
  )
  rig.accumulator.leadersChanged()
  assert.deepEqual(rig.accumulator.readyLeaders().sort(), [NO_LEADER, 7])
  assert.equal(rig.drain(LEADER).length, 0)
  assert.deepEqual(partitionsOf(rig.drain(7)), [1])
})

test('what has expired leaves nothing behind: no ready partition, deadline, backoff or memory', () => {
  const rig = new AccumulatorRig({ deliveryTimeoutMs: 1000 })
  const topic = rig.topic('t', 3)
  rig.accumulator.updateTopic(
    topic,
    topicMetadata('t', [
      [NO_LEADER, 1],
      [LEADER, 0],
      [LEADER, 0],
    ]),
  )
  const sent = [0, 1, 2].map(partition => rig.send(topic, partition))
  const [retried, inFlight] = rig.drain() as never[]
  rig.retry([retried as never], 5000)
  rig.clock.advance(999)
  assert.equal(rig.accumulator.expire(rig.clock.now()).length, 0)
  rig.clock.advance(1)
  assert.equal(rig.accumulator.expire(rig.clock.now()).length, 3)
  const [leaderless, waiting, onWire] = sent.map(({ error }) => error?.message as string)
  assert.match(leaderless as string, /queued, after 0 retries; the partition has no leader/)
  assert.match(waiting as string, /waiting to be retried, after 1 retries; leader 1/)
  assert.match(onWire as string, /in flight, after 0 retries; leader 1/)
  assert.deepEqual(rig.accumulator.readyLeaders(), [])
  assert.equal(rig.accumulator.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  assert.equal(rig.accumulator.nextTimeoutMs(), Number.POSITIVE_INFINITY)
  assert.equal(rig.usedBytes, 1024, 'the request still reads its batch')
  rig.accumulator.release(inFlight as never)
  assert.equal(rig.usedBytes, 0)
  rig.send(topic, 1)
  assert.deepEqual(partitionsOf(rig.drain()), [1], 'a fresh batch does not inherit the backoff')
})

test('a batch whose codec never answers expires, and those behind it go on', async () => {
  const answers: ((compressed: Uint8Array) => void)[] = []
  const codec: Codec = {
    name: 'gzip',
    id: 1,
    compress: () => new Promise(resolve => answers.push(resolve)),
    decompress: input => input,
  }
  const rig = new AccumulatorRig({ codec, bufferBytes: 1024, deliveryTimeoutMs: 1000, maxBlockMs: 5000 })
  const topic = rig.topic('t', 1)
  const stuck = rig.send(topic, 0)
  assert.equal(rig.drain().length, 0)
  rig.clock.advance(500)
  const next = rig.send(topic, 0)
  rig.accumulator.appender.drainStaged()
  assert.equal(rig.accumulator.appender.waiting.length, 1)
  rig.clock.advance(500)
  rig.accumulator.expire(rig.clock.now())
  assert.equal(stuck.error?.code, 'TIMED_OUT')
  rig.accumulator.appender.serveWaiting()
  assert.equal(next.batch, null, 'the codec still reads the only slab')
  const { wakeups } = rig
  answers[0]?.(new Uint8Array(5))
  await new Promise(resolve => setImmediate(resolve))
  assert.ok(rig.wakeups > wakeups, 'memory has come back: the sender has to look again')
  rig.accumulator.appender.serveWaiting()
  assert.equal((next.batch as Batch | null)?.recordCount, 1)
  rig.drain()
  answers[1]?.(new Uint8Array(5))
  await new Promise(resolve => setImmediate(resolve))
  const batches = rig.drain()
  assert.deepEqual(batches, [next.batch])
  assert.equal((batches as Batch[])[0]?.codecId, 1)
})

test('when the head of a queue expires, the next batch is ready at once', () => {
  const codec: Codec = {
    name: 'gzip',
    id: 1,
    compress: () => new Promise(() => {}),
    decompress: input => input,
  }
  const rig = new AccumulatorRig({ codec, deliveryTimeoutMs: 1000 })
  const topic = rig.topic('t', 1)
  const head = rig.send(topic, 0)
  rig.drain()
  rig.clock.advance(500)
  rig.send(topic, 0)
  rig.drain()
  rig.clock.advance(500)
  rig.accumulator.expire(rig.clock.now())
  assert.equal(head.error?.code, 'TIMED_OUT')
  assert.deepEqual(rig.accumulator.readyLeaders(), [LEADER])
})

test('codecs hold the event loop for a few batches at a time, however many end their linger time together', () => {
  let compressed = 0
  const rig = new AccumulatorRig({
    lingerMs: 5,
    codec: {
      name: 'lz4',
      id: 3,
      compress: input => {
        compressed++
        rig.clock.advance(1)
        return input.slice(0, 1)
      },
      decompress: input => input,
    },
  })
  const topic = rig.topic('t', 20)
  for (let partition = 0; partition < 20; partition++) rig.send(topic, partition)
  rig.accumulator.appender.drainStaged()
  rig.clock.advance(5)
  const drained: Batch[] = []
  for (let turns = 1; drained.length < 20; turns++) {
    const before = { compressed, wakeups: rig.wakeups }
    drained.push(...rig.drain())
    assert.ok(compressed - before.compressed <= 2, `${compressed - before.compressed} in one turn`)
    assert.ok(drained.length === 20 || rig.wakeups > before.wakeups, 'a next turn is asked for')
    assert.ok(turns <= 20, 'every turn gets on')
  }
  assert.deepEqual(
    partitionsOf(drained).sort((a, b) => a - b),
    [...Array(20).keys()],
  )
  assert.equal(compressed, 20)
})

test('a flush waits for what was accepted before it, staged, batched or waiting, no later', async () => {
  const rig = new AccumulatorRig({ bufferBytes: 2048, lingerMs: 1000 })
  const topic = rig.topic('t', 4)
  rig.send(topic, 0)
  rig.send(topic, 1)
  rig.send(topic, 2)
  let isDone = false
  const barrier = new FlushBarrier()
  barrier.done.then(() => {
    isDone = true
  })
  rig.accumulator.beginHurry()
  rig.accumulator.joinBarrier(barrier)
  barrier.leave()
  const turn = () => new Promise(resolve => setImmediate(resolve))
  rig.send(topic, 3)
  const first = rig.drain()
  assert.deepEqual(partitionsOf(first), [0, 1])
  rig.succeed(first)
  await turn()
  assert.equal(isDone, false, 'one record still waits for memory')
  rig.accumulator.appender.serveWaiting()
  const [second, third] = rig.drain()
  assert.deepEqual(partitionsOf([second, third] as never[]), [2, 3])
  rig.succeed([second as never])
  await turn()
  assert.equal(isDone, true)
  rig.succeed([third as never])
})
