// Producer ids, epochs and sequences where they are used up, forgotten, refused or nonsense.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isAfter,
  type ProducerIdAndEpoch,
  sequenceAfter,
} from '../../dist/accumulator/batch/producer-id-and-epoch.js'
import type { PartitionSequences } from '../../dist/accumulator/partition/partition-sequences.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { atProduce, SenderRig, stored } from './rig.js'

const QUIET = { quiet: true, verify: 'strict', partitions: 2 } as const
const LAST = 2 ** 31 - 1

/** First and last sequence of every batch that the broker is sent. */
function watchSequences(broker: TestBroker): [number, number][] {
  const seen: [number, number][] = []
  broker.onRequest(({ api, body }) => {
    if (api !== 'Produce') return
    const { topicData } = body as { topicData: { partitionData: { records: Uint8Array }[] }[] }
    for (const { partitionData } of topicData) {
      for (const { records } of partitionData) {
        const batch = Buffer.from(records)
        seen.push([batch.readInt32BE(53), batch.readInt32BE(57)])
      }
    }
  })
  return seen
}

test('after sequence 2147483647 comes 0', () => {
  assert.equal(sequenceAfter(LAST, 1), 0)
  assert.equal(sequenceAfter(LAST - 1, 1), LAST)
  assert.equal(sequenceAfter(LAST, 3), 2)
  assert.equal(sequenceAfter(0, LAST), LAST)
  assert.ok(isAfter(0, LAST))
  assert.ok(isAfter(5, 4))
  assert.ok(!isAfter(LAST, 0))
  assert.ok(!isAfter(7, 7))
})

/** Has the partition count from another sequence than 0. */
function beginAt(sequences: PartitionSequences, producer: ProducerIdAndEpoch | null, sequence: number): void {
  sequences.restart(producer)
  Object.assign(sequences, { next: sequence })
}

for (const error of [null, 'NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT', 'MESSAGE_TOO_LARGE'] as const) {
  for (const struck of error === null ? [1] : [1, 2, 3]) {
    const what = error === null ? 'without errors' : `with ${error} on batch ${struck}`
    test(`sequences wrap within and between batches, ${what}`, async () => {
      await using broker = await startBroker(QUIET)
      await using rig = new SenderRig(broker, { batchBytes: 61 + 4 * 48 })
      const topic = await rig.topic('t')
      await rig.send(topic, 'warm', 1)
      // The broker takes any first sequence of a producer that it does not know.
      const partition = rig.partition(topic, 0)
      beginAt(partition.sequences, rig.identity, LAST - 5)
      const sequences = watchSequences(broker)
      await rig.send(topic, 'first'.padEnd(40))
      assert.deepEqual(sequences.splice(0), [[LAST - 5, 1]])
      if (error !== null) {
        // A time-out is said after the append, as brokers do.
        const afterAppend = error === 'REQUEST_TIMED_OUT'
        atProduce(broker, struck, () => broker.fail({ api: 'Produce', error, topic: 't', afterAppend }))
      }
      const sent = Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(40))
      const outcomes = await Promise.all(sent.map(value => rig.send(topic, value)))
      assert.ok(outcomes.every(outcome => outcome.error === null))
      assert.deepEqual(sequences.slice(0, 3), [
        [LAST - 4, 4],
        [LAST, 4],
        [3, 4],
      ])
      assert.equal(partition.sequences.nextSequence, 7)
      assert.deepEqual(stored(broker, 't', 0).slice(1), sent)
      assert.equal(rig.identity?.epoch, 0)
      assert.equal(partition.sequences.needsEpochBump, false)
    })
  }
}

test('a duplicate of a batch whose answer was lost is a success whose offset is unknown', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker)
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  broker.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', afterAppend: true })
  atProduce(broker, 2, () => broker.fail({ api: 'Produce', error: 'DUPLICATE_SEQUENCE_NUMBER' }))
  const { error, metadata } = await rig.send(topic, 'a')
  assert.equal(error, null)
  assert.equal(metadata?.offset, -1n)
  const next = await rig.send(topic, 'b')
  assert.equal(next.metadata?.offset, 2n)
  assert.equal(rig.identity?.epoch, 0)
})

test('a duplicate of a first attempt is another record: it is sent again under a new producer id', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker)
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  const before = rig.identity?.producerId
  broker.fail({ api: 'Produce', error: 'DUPLICATE_SEQUENCE_NUMBER' })
  const sent = ['a', 'b', 'c'].map(value => rig.send(topic, value))
  for (const { error } of await Promise.all(sent)) assert.equal(error, null)
  assert.notEqual(rig.identity?.producerId, before)
  assert.deepEqual(stored(broker, 't', 0), ['warm', 'a', 'b', 'c'])
})

test('a producer that the broker has forgotten goes on under the next epoch', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker)
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  // v13: length, correlation id, tags, one topic (id), one partition: index, error, offset, time.
  const logStartOffset = 4 + 4 + 1 + 1 + 16 + 1 + 4 + 2 + 8 + 8
  const stop = broker.mutateReply((api, version, frame) => {
    if (api !== 'Produce') return frame
    assert.equal(version, 13)
    assert.equal(frame.readInt16BE(logStartOffset - 18), 59)
    assert.equal(frame.readBigInt64BE(logStartOffset), -1n)
    frame.writeBigInt64BE(5n, logStartOffset)
    stop()
    return frame
  })
  broker.fail({ api: 'Produce', error: 'UNKNOWN_PRODUCER_ID' })
  assert.equal((await rig.send(topic, 'a')).error, null)
  assert.equal(rig.identity?.epoch, 1)
  // Without the start of the log there is no telling, and it is tried again as it was.
  broker.fail({ api: 'Produce', error: 'UNKNOWN_PRODUCER_ID' })
  assert.equal((await rig.send(topic, 'b')).error, null)
  assert.equal(rig.identity?.epoch, 1)
  assert.deepEqual(stored(broker, 't', 0), ['warm', 'a', 'b'])
})

test('partitions that did not need the bump follow once what they have in flight is settled', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 2, nodes: 2 })
  broker.createTopic('t', { leaders: [1, 2] })
  await using rig = new SenderRig(broker, { batchBytes: 1 })
  const topic = await rig.topic('t')
  await Promise.all([rig.send(topic, 'warm', 0), rig.send(topic, 'warm', 1)])
  const held = broker.hold({ api: 'Produce', node: 2 })
  const inFlight = [1, 2, 3].map(i => rig.send(topic, `old${i}`, 1))
  await eventually('three in flight', () => rig.partition(topic, 1).onWire === 3)
  const old = rig.identity
  broker.fail({ api: 'Produce', node: 1, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  await rig.send(topic, 'bump', 0)
  assert.equal(rig.identity?.epoch, 1)
  const later = rig.send(topic, 'new', 1)
  await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal(rig.partition(topic, 1).sequences.producer, old)
  held.release()
  await Promise.all([...inFlight, later])
  assert.equal(rig.partition(topic, 1).sequences.producer, rig.identity)
  assert.deepEqual(stored(broker, 't', 1), ['warm', 'old1', 'old2', 'old3', 'new'])
})

test('a producer id is asked for until one comes: errors, lost connections, nonsense', async () => {
  await using broker = await startBroker(QUIET)
  broker.fail({ api: 'InitProducerId', error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 2 })
  let replies = 0
  const stop = broker.mutateReply((api, _version, frame) => {
    if (api !== 'InitProducerId') return frame
    replies++
    if (replies === 3) return Buffer.from([0, 0, 0, 5, ...frame.subarray(4, 8), 0])
    // Throttle time, error, then the id.
    if (replies === 4) frame.writeBigInt64BE(-1n, 4 + 4 + 1 + 4 + 2)
    if (replies === 5) {
      broker.disconnect()
      return null
    }
    return frame
  })
  await using rig = new SenderRig(broker)
  const topic = await rig.topic('t')
  assert.equal((await rig.send(topic, 'a')).error, null)
  assert.equal(replies, 6)
  stop()
  assert.deepEqual(stored(broker, 't', 0), ['a'])
})

test('records expire when no producer id is given in time, and later ones go under a later one', async () => {
  await using broker = await startBroker(QUIET)
  broker.fail({ api: 'InitProducerId', error: 'COORDINATOR_NOT_AVAILABLE', times: Number.POSITIVE_INFINITY })
  await using rig = new SenderRig(broker)
  const topic = await rig.topic('t')
  rig.expireAfter(60)
  assert.equal((await rig.send(topic, 'a')).error?.code, 'TIMED_OUT')
  assert.equal(rig.usedBytes, 0)
  broker.clearFaults()
  rig.expireAfter(60_000)
  assert.equal((await rig.send(topic, 'b')).error, null)
  assert.deepEqual(stored(broker, 't', 0), ['b'])
})

for (const error of [
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_VERSION',
  'UNKNOWN_SERVER_ERROR',
] as const) {
  test(`${error} for a producer id fails what waits, and what comes later is tried again`, async () => {
    await using broker = await startBroker(QUIET)
    broker.fail({ api: 'InitProducerId', error })
    await using rig = new SenderRig(broker, { lingerMs: 1 })
    const topic = await rig.topic('t')
    const outcomes = await Promise.all([0, 1, 0].map(partition => rig.send(topic, 'a', partition)))
    for (const outcome of outcomes) assert.match(outcome.error?.message as string, new RegExp(error))
    assert.equal(rig.sender.fatal, null)
    assert.equal((await rig.send(topic, 'b')).error, null)
    assert.equal(broker.counters().requests.InitProducerId, 2)
  })
}
