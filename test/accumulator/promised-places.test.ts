// The place of a record with a promise is promised when it is staged. Whatever happens before the staging is
// drained, native code has to write the record there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PartitionBatch } from '../../dist/accumulator/partition/partition-state.js'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { InternalError, type KafkaError } from '../../dist/errors/index.js'
import { PARTITION_BY_KEY, PARTITION_STICKY } from '../../dist/native/addon.js'
import { partsOf } from '../helpers/accumulator-parts.js'
import { AccumulatorRig, LEADER, Sent, topicMetadata } from './support.js'

/** A rig whose sticky partition is the last of four, with an open batch of one record. */
function newRig() {
  const refused: KafkaError[] = []
  const rig = new AccumulatorRig({
    lingerMs: 1000,
    random: () => 0.999,
    host: { refused: error => refused.push(error) },
  })
  const topic = rig.topic('t', 4)
  const first = send(rig, topic, PARTITION_STICKY)
  assert.equal(topic.stickyPartition, 3)
  return { rig, topic, refused, batch: first.batch }
}

/** A record with a promise: its batch and index, as its sender is told at once. */
function send(rig: AccumulatorRig, topic: TopicState, partition: number, bytes = 10) {
  const key = partition === PARTITION_BY_KEY ? Buffer.from('key') : null
  const record = { topic, partition, timestampMs: 0, key, value: Buffer.alloc(bytes, 'v'), headers: null }
  const batch = rig.accumulator.appender.appendNow(record) as PartitionBatch
  return { batch, index: rig.accumulator.appender.lastIndex }
}

/** A record without a promise, which native code places when the staging is drained. */
function sendUnplaced(rig: AccumulatorRig, topic: TopicState, bytes: number): Sent {
  const sent = new Sent(rig.clock)
  const value = Buffer.alloc(bytes, 'v')
  const record = { topic, partition: PARTITION_STICKY, timestampMs: 0, key: null, value, headers: null }
  rig.accumulator.appender.append(record, sent, 0)
  return sent
}

test('a record is promised the next index of the open batch, behind all that are staged for it', () => {
  const { rig, topic, batch, refused } = newRig()
  assert.deepEqual(
    [PARTITION_STICKY, 3, PARTITION_STICKY].map(partition => send(rig, topic, partition)),
    [1, 2, 3].map(index => ({ batch, index })),
  )
  assert.equal(rig.accumulator.appender.staging.count, 3)
  assert.deepEqual([batch.recordCount, batch.promisedCount], [1, 3])
  rig.accumulator.appender.drainStaged()
  assert.deepEqual([batch.recordCount, batch.promisedCount], [4, 0])
  assert.deepEqual(refused, [])
})

test('a topic made anew with fewer partitions has what is staged written first', () => {
  const { rig, topic, batch, refused } = newRig()
  const promised = send(rig, topic, PARTITION_STICKY)
  assert.equal(rig.accumulator.appender.staging.count, 1)
  const leaders = [0, 1].map(() => [LEADER, 0] as const)
  rig.accumulator.updateTopic(topic, { ...topicMetadata('t', leaders), id: new Uint8Array(16).fill(9) })
  assert.deepEqual(promised, { batch, index: 1 })
  assert.deepEqual([batch.recordCount, batch.promisedCount], [2, 0])
  assert.equal(topic.stickyPartition, -1)
  assert.deepEqual(refused, [])
})

test('a record without a place that moves the topic on is written before a promise is made', () => {
  const { rig, topic, batch } = newRig()
  // It does not fit, so its drain closes the batch that a record without a key would have joined.
  const unplaced = sendUnplaced(rig, topic, 990)
  const promised = send(rig, topic, PARTITION_STICKY)
  assert.notEqual(promised.batch, batch)
  rig.accumulator.appender.drainStaged()
  const { partition, recordCount } = promised.batch
  assert.equal(promised.index, recordCount - 1)
  assert.equal(topic.stickyPartition, partition.index)
  assert.equal(unplaced.index, 0)
})

test('a record is never promised a place in a batch that has been closed', () => {
  const { rig, topic, batch } = newRig()
  rig.accumulator.beginHurry()
  assert.equal(rig.drain().length, 1)
  const promised = send(rig, topic, 3)
  assert.notEqual(promised.batch, batch)
  assert.equal(promised.index, 0)
})

test('a drain that begins inside another is refused, for it would store the records twice', () => {
  const { rig, topic, refused } = newRig()
  const { appender } = rig.accumulator
  const { core } = partsOf(rig.accumulator)
  const { drainStaged } = core
  send(rig, topic, 3)
  core.drainStaged = (...call) => {
    appender.drainStaged()
    return drainStaged(...call)
  }
  appender.drainStaged()
  assert.equal(refused.length, 1)
  assert.ok(refused[0] instanceof InternalError)
})
