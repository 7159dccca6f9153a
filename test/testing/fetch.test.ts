import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Fetch, type FetchPartitionResponse } from '../../dist/protocol/fetch.js'
import { HIGH_WATERMARK_UNKNOWN } from '../../dist/protocol/fetch-request.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import { readBatchHeader } from '../../dist/testing/record-batch.js'
import { encodeBatch, numbered, quietBroker, RawClient, until } from './support.js'

interface Asked {
  partition?: number
  fetchOffset?: bigint
  partitionMaxBytes?: number
  currentLeaderEpoch?: number
}

interface Limits {
  maxWaitMs?: number
  minBytes?: number
  maxBytes?: number
  topic?: string
  topicId?: Uint8Array
  sessionEpoch?: number
}

function fetchBody(asked: readonly Asked[], limits: Limits = {}) {
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, topic = 't', topicId = ZERO_UUID } = limits
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: limits.sessionEpoch ?? -1,
    topics: [
      {
        topic,
        topicId,
        partitions: asked.map(partition => ({
          partition: 0,
          fetchOffset: 0n,
          partitionMaxBytes: 1 << 20,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          logStartOffset: -1n,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: HIGH_WATERMARK_UNKNOWN,
          ...partition,
        })),
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
}

/** Base offsets of the batches in what was fetched. */
function offsetsOf(partition: FetchPartitionResponse | undefined): bigint[] {
  const offsets: bigint[] = []
  let rest = partition?.records ?? new Uint8Array(0)
  while (rest.length > 0) {
    const size = 12 + new DataView(rest.buffer, rest.byteOffset).getInt32(8)
    offsets.push(readBatchHeader(rest.subarray(0, size)).baseOffset)
    rest = rest.subarray(size)
  }
  return offsets
}

const batchBytes = encodeBatch(numbered(2)).length

/** A topic of two partitions; the first has three batches of two records. */
async function filledBroker(nodes = 1) {
  const broker = await quietBroker({ nodes })
  broker.createTopic('t', { leaders: [1, 1] })
  using client = await RawClient.connect(broker)
  for (let i = 0; i < 3; i++) await client.produce('t', 0, encodeBatch(numbered(2)))
  return broker
}

async function fetchOne(client: RawClient, asked: Asked, limits?: Limits, version = 12) {
  const { responses } = await client.request(Fetch, version, fetchBody([asked], limits))
  return responses[0]?.partitions[0]
}

for (let version = Fetch.minVersion; version <= Fetch.maxVersion; version++) {
  test(`Fetch version ${version} gives whole batches and the ends of the log`, async () => {
    await using broker = await filledBroker()
    using client = await RawClient.connect(broker)
    const { topics } = await client.request(Metadata, 12, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    const topicId = topics[0]?.topicId as Uint8Array
    const fetched = await fetchOne(client, { fetchOffset: 2n }, { topicId }, version)
    assert.equal(fetched?.errorCode, ErrorCodes.NONE)
    assert.deepEqual(offsetsOf(fetched), [2n, 4n])
    assert.equal(fetched?.highWatermark, 6n)
    assert.equal(fetched?.lastStableOffset, 6n)
  })
}

test('Fetch from inside a batch gives the whole batch', async () => {
  await using broker = await filledBroker()
  using client = await RawClient.connect(broker)
  assert.deepEqual(offsetsOf(await fetchOne(client, { fetchOffset: 3n })), [2n, 4n])
})

test('Fetch keeps to the limits of bytes, yet gives the first batch however large it is', async () => {
  await using broker = await filledBroker()
  using client = await RawClient.connect(broker)
  const twoAndABit = 2 * batchBytes + 1
  assert.deepEqual(offsetsOf(await fetchOne(client, { partitionMaxBytes: twoAndABit })), [0n, 2n])
  assert.deepEqual(offsetsOf(await fetchOne(client, {}, { maxBytes: twoAndABit })), [0n, 2n])
  assert.deepEqual(offsetsOf(await fetchOne(client, { partitionMaxBytes: 1 })), [0n])
  assert.deepEqual(offsetsOf(await fetchOne(client, {}, { maxBytes: 1 })), [0n])
})

test('the first batch is given for the first partition that has one, not for each', async () => {
  await using broker = await filledBroker()
  using client = await RawClient.connect(broker)
  await client.produce('t', 1, encodeBatch(numbered(2)))
  const body = fetchBody([{ partition: 0 }, { partition: 1 }], { maxBytes: 1 })
  const { responses } = await client.request(Fetch, 12, body)
  assert.deepEqual(responses[0]?.partitions.map(offsetsOf), [[0n], []])
})

test('Fetch at the end waits for the next batch and gives it at once', async () => {
  await using broker = await filledBroker()
  using reader = await RawClient.connect(broker)
  using writer = await RawClient.connect(broker)
  const waiting = fetchOne(reader, { fetchOffset: 6n }, { maxWaitMs: 60_000 })
  await writer.produce('t', 0, encodeBatch(numbered(2)))
  assert.deepEqual(offsetsOf(await waiting), [6n])
})

test('Fetch waits until minBytes are there', async () => {
  await using broker = await filledBroker()
  using reader = await RawClient.connect(broker)
  using writer = await RawClient.connect(broker)
  const limits = { maxWaitMs: 60_000, minBytes: 2 * batchBytes }
  const waiting = fetchOne(reader, { fetchOffset: 6n }, limits)
  await writer.produce('t', 0, encodeBatch(numbered(2)))
  await writer.produce('t', 0, encodeBatch(numbered(2)))
  assert.deepEqual(offsetsOf(await waiting), [6n, 8n])
})

test('Fetch at the end answers empty when maxWaitMs are over, and not before', async () => {
  await using broker = await filledBroker()
  using client = await RawClient.connect(broker)
  const started = performance.now()
  const fetched = await fetchOne(client, { fetchOffset: 6n }, { maxWaitMs: 50 })
  assert.ok(performance.now() - started >= 45)
  assert.deepEqual([fetched?.errorCode, fetched?.records?.length], [ErrorCodes.NONE, 0])
})

test('a waiting Fetch is answered when the leader moves or the topic goes', async () => {
  await using broker = await filledBroker(2)
  using client = await RawClient.connect(broker)
  const arrived = (count: number) => until(() => broker.counters().requests.Fetch === count)
  const first = fetchOne(client, { fetchOffset: 6n }, { maxWaitMs: 60_000 })
  await arrived(1)
  broker.moveLeader('t', 0, 2)
  assert.equal((await first)?.errorCode, ErrorCodes.NOT_LEADER_OR_FOLLOWER)
  broker.moveLeader('t', 0, 1)
  const second = fetchOne(client, { fetchOffset: 6n }, { maxWaitMs: 60_000 })
  await arrived(2)
  broker.deleteTopic('t')
  assert.equal((await second)?.errorCode, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
})

test('Fetch gives no session, even when asked for one', async () => {
  await using broker = await filledBroker()
  using client = await RawClient.connect(broker)
  const response = await client.request(Fetch, 12, fetchBody([{}], { sessionEpoch: 0 }))
  assert.deepEqual([response.errorCode, response.sessionId], [ErrorCodes.NONE, 0])
})

test('Fetch checks topic, partition, offset and leader epoch', async () => {
  await using broker = await filledBroker()
  using client = await RawClient.connect(broker)
  const error = async (asked: Asked, limits?: Limits, version?: number) =>
    (await fetchOne(client, asked, limits, version))?.errorCode
  assert.equal(await error({}, { topic: 'nowhere' }), ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await error({}, {}, 13), ErrorCodes.UNKNOWN_TOPIC_ID)
  assert.equal(await error({ partition: 2 }), ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await error({ fetchOffset: 7n }), ErrorCodes.OFFSET_OUT_OF_RANGE)
  assert.equal(await error({ fetchOffset: -1n }), ErrorCodes.OFFSET_OUT_OF_RANGE)
  assert.equal(await error({ currentLeaderEpoch: 1 }), ErrorCodes.UNKNOWN_LEADER_EPOCH)
  broker.moveLeader('t', 0, 1)
  assert.equal(await error({ currentLeaderEpoch: 0 }), ErrorCodes.FENCED_LEADER_EPOCH)
  broker.clear()
  assert.equal(await error({ fetchOffset: 5n }), ErrorCodes.OFFSET_OUT_OF_RANGE)
  assert.equal(await error({ fetchOffset: 6n }), ErrorCodes.NONE)
  broker.fail({ api: 'Fetch', error: 'KAFKA_STORAGE_ERROR', topic: 't', partition: 0 })
  assert.equal(await error({ fetchOffset: 6n }), ErrorCodes.KAFKA_STORAGE_ERROR)
})

test('Fetch from the wrong node tells leader and address from version 16 on', async () => {
  await using broker = await filledBroker(2)
  using client = await RawClient.connect(broker, 2)
  const old = await fetchOne(client, {}, {}, 12)
  assert.deepEqual(old?.currentLeader, { leaderId: 1, leaderEpoch: 0 })
  const { topics } = await client.request(Metadata, 12, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const topicId = topics[0]?.topicId as Uint8Array
  const response = await client.request(Fetch, 16, fetchBody([{}], { topicId }))
  assert.equal(response.responses[0]?.partitions[0]?.errorCode, ErrorCodes.NOT_LEADER_OR_FOLLOWER)
  const { host, port } = broker.nodes[0] as { host: string; port: number }
  assert.deepEqual(response.nodeEndpoints, [{ nodeId: 1, host, port, rack: null }])
})
