// A topic made anew may have fewer partitions. What was placed in one of the others stays there, without a
// leader, until its time is over; nothing new goes there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_LEADER } from '../../dist/accumulator/partition/partition-state.js'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { TimeoutError } from '../../dist/errors/index.js'
import { PARTITION_BY_KEY, PARTITION_STICKY } from '../../dist/native/addon.js'
import { AccumulatorRig, LEADER, Sent, topicMetadata } from './support.js'

const DELIVERY_TIMEOUT_MS = 5000

let timesMade = 0

/** The topic is deleted and made again with this many partitions. */
function remake(rig: AccumulatorRig, topic: TopicState, partitions: number): void {
  const leaders = Array.from({ length: partitions }, () => [LEADER, 0] as const)
  const id = new Uint8Array(16).fill(100 + timesMade++)
  const metadata = { ...topicMetadata(topic.name, leaders), id }
  if (rig.accumulator.updateTopic(topic, metadata)) rig.accumulator.leadersChanged()
}

function newRig(options: ConstructorParameters<typeof AccumulatorRig>[0] = {}) {
  const rig = new AccumulatorRig({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS, ...options })
  return { rig, topic: rig.topic('t', 4) }
}

function assertExpires(rig: AccumulatorRig, sent: readonly Sent[]): void {
  for (const { isSettled } of sent) assert.equal(isSettled, false)
  rig.clock.advance(DELIVERY_TIMEOUT_MS)
  rig.accumulator.expire(rig.clock.now())
  for (const { error } of sent) {
    assert.ok(error instanceof TimeoutError)
    assert.match(error.message, /t-3 .* the topic has only 2 partition\(s\) now/)
  }
  assert.equal(rig.usedBytes, 0)
  assert.equal(rig.accumulator.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  assert.equal(rig.accumulator.nextTimeoutMs(), Number.POSITIVE_INFINITY)
  assert.deepEqual(rig.accumulator.readyLeaders(), [])
}

test('what is staged, batched or on its way for a partition that is gone waits for its time-out', () => {
  const { rig, topic } = newRig()
  const onItsWay = rig.send(topic, 3)
  const request = rig.drain()
  const batched = rig.send(topic, 3)
  rig.accumulator.appender.drainStaged()
  const staged = rig.send(topic, 3)
  remake(rig, topic, 2)
  assert.equal(topic.partitionCount, 2)
  assert.equal(rig.partition(topic, 3).leaderId, NO_LEADER)
  assert.deepEqual(rig.drain(), [])
  assert.deepEqual(rig.accumulator.readyLeaders(), [NO_LEADER], 'metadata is asked for')
  rig.retry(request, 0)
  assert.deepEqual(rig.drain(), [])
  assertExpires(rig, [onItsWay, batched, staged])
})

test('what waits for memory when its partition goes is taken, and expires like the rest', () => {
  const { rig, topic } = newRig({ bufferBytes: 2048, maxBlockMs: 60_000 })
  rig.send(topic, 0, 800)
  rig.send(topic, 1, 800)
  const filling = rig.drain()
  const waiting = rig.send(topic, 3, 800)
  const direct = rig.send(topic, 3, 10)
  rig.accumulator.appender.drainStaged()
  assert.equal(rig.accumulator.appender.waiting.length, 2)
  remake(rig, topic, 2)
  rig.succeed(filling)
  rig.accumulator.appender.serveWaiting()
  assert.equal(rig.accumulator.appender.waiting.length, 0)
  assert.deepEqual(rig.drain(), [])
  assertExpires(rig, [waiting, direct])
})

test('keys and the sticky choice know only the partitions that are there', () => {
  const { rig, topic } = newRig({ bufferBytes: 256 * 1024 })
  const sendTo = (partition: number, key: string | null) => {
    const sent = new Sent(rig.clock)
    const value = Buffer.alloc(100)
    rig.accumulator.appender.append({ topic, partition, timestampMs: 0, key, value, headers: null }, sent, 0)
    return sent
  }
  const places = () => {
    const sent = Array.from({ length: 200 }, (_, i) => [
      sendTo(PARTITION_BY_KEY, `${i}`),
      sendTo(PARTITION_STICKY, null),
    ])
    rig.accumulator.appender.drainStaged()
    const seen = (which: number) => new Set(sent.map(pair => pair[which]?.batch?.partition.index))
    const found = { keyed: seen(0), sticky: seen(1) }
    for (let batches = rig.drain(); batches.length > 0; batches = rig.drain()) rig.succeed(batches)
    return found
  }
  assert.deepEqual([...places().keyed].sort(), [0, 1, 2, 3])
  for (let round = 0; round < 10; round++) {
    remake(rig, topic, 2)
    const { keyed, sticky } = places()
    assert.deepEqual([...keyed].sort(), [0, 1])
    for (const partition of sticky) assert.ok(partition === 0 || partition === 1, `sticky ${partition}`)
    remake(rig, topic, 4)
    assert.deepEqual([...places().keyed].sort(), [0, 1, 2, 3])
  }
  assert.equal(rig.usedBytes, 0)
})

test('a partition that comes back is sent what waits for it', () => {
  const { rig, topic } = newRig()
  const sent = rig.send(topic, 3)
  remake(rig, topic, 2)
  assert.deepEqual(rig.drain(), [])
  remake(rig, topic, 4)
  rig.succeed(rig.drain())
  assert.equal(sent.isSettled, true)
  assert.equal(sent.error, null)
})
