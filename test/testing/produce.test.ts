import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCodec, defaultCompressionLevels } from '../../dist/compression/index.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import type { TestBroker } from '../../dist/testing/index.js'
import {
  assembleBatch,
  BASE_TIMESTAMP,
  encodeBatch,
  numbered,
  produceRequest,
  quietBroker,
  RawClient,
  valuesOf,
} from './support.js'

async function topicIdOf(client: RawClient, name: string): Promise<Uint8Array> {
  const { topics } = await client.request(Metadata, 12, {
    topics: [{ topicId: ZERO_UUID, name }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  return topics[0]?.topicId as Uint8Array
}

for (let version = Produce.minVersion; version <= Produce.maxVersion; version++) {
  test(`Produce version ${version} appends and answers the base offset`, async () => {
    await using broker = await quietBroker()
    broker.createTopic('t', { partitions: 2 })
    using client = await RawClient.connect(broker)
    const topicId = version >= 13 ? await topicIdOf(client, 't') : ZERO_UUID
    for (const baseOffset of [0n, 2n]) {
      const body = produceRequest('t', 1, encodeBatch(numbered(2)), 1, topicId)
      const response = await client.request(Produce, version, body)
      const outcome = response.responses[0]?.partitionResponses[0]
      assert.equal(outcome?.errorCode, ErrorCodes.NONE)
      assert.equal(outcome?.index, 1)
      assert.equal(outcome?.baseOffset, baseOffset)
      assert.equal(outcome?.logAppendTimeMs, -1n)
    }
    assert.deepEqual(valuesOf(broker, 't'), ['0', '1', '0', '1'])
  })
}

test('records come back with everything they were sent with', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const records = [
    {
      key: 'k',
      value: 'v',
      headers: [
        ['a', '1'],
        ['a', null],
        ['', ''],
      ] as [string, string | null][],
    },
    { key: '', value: null, timestampDelta: -3 },
  ]
  await client.produce('t', 0, encodeBatch(numbered(1)))
  await client.produce('t', 0, encodeBatch(records, { producerId: 9n, producerEpoch: 2, baseSequence: 4 }))
  const read = Array.from(broker.records('t', 0)).slice(1)
  const producer = { partition: 0, producerId: 9n, epoch: 2 }
  const bytes = (text: string) => Buffer.from(text)
  assert.deepEqual(read, [
    {
      ...producer,
      offset: 1n,
      timestamp: Number(BASE_TIMESTAMP),
      key: bytes('k'),
      value: bytes('v'),
      headers: [
        ['a', bytes('1')],
        ['a', null],
        ['', bytes('')],
      ],
      sequence: 4,
    },
    {
      ...producer,
      offset: 2n,
      timestamp: Number(BASE_TIMESTAMP) - 3,
      key: bytes(''),
      value: null,
      headers: [],
      sequence: 5,
    },
  ])
})

for (const type of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`a batch compressed with ${type} is checked inside and read back`, async () => {
    await using broker = await quietBroker()
    broker.createTopic('t')
    using client = await RawClient.connect(broker)
    const codec = createCodec(type, defaultCompressionLevels)
    assert.ok(codec)
    const compressed = async (records: Parameters<typeof encodeBatch>[0]) => {
      const region = await codec.compress(encodeBatch(records).subarray(61))
      return assembleBatch(region, records, { attributes: codec.id })
    }
    assert.equal((await client.produce('t', 0, await compressed(numbered(100)))).errorCode, ErrorCodes.NONE)
    const wrong = await compressed([{}, { offsetDelta: 7 }])
    assert.equal((await client.produce('t', 0, wrong)).errorCode, ErrorCodes.INVALID_RECORD)
    assert.deepEqual(
      valuesOf(broker, 't'),
      numbered(100).map(record => record.value),
    )
  })
}

test('a topic with LogAppendTime stamps records and tells the time', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t', { config: { 'message.timestamp.type': 'LogAppendTime' } })
  using client = await RawClient.connect(broker)
  const before = Date.now()
  const outcome = await client.produce('t', 0, encodeBatch(numbered(2)))
  const stamped = Number(outcome.logAppendTimeMs)
  assert.ok(stamped >= before && stamped <= Date.now())
  assert.deepEqual(
    Array.from(broker.records('t'), record => record.timestamp),
    [stamped, stamped],
  )
})

test('a batch sent again is acknowledged with its first offset and stored once', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const batch = (baseSequence: number) =>
    encodeBatch(numbered(2, baseSequence), { producerId: 1n, producerEpoch: 0, baseSequence })
  await client.produce('t', 0, batch(0))
  await client.produce('t', 0, batch(2))
  const again = await client.produce('t', 0, batch(0))
  assert.equal(again.errorCode, ErrorCodes.NONE)
  assert.equal(again.baseOffset, 0n)
  assert.deepEqual(valuesOf(broker, 't'), ['0', '1', '2', '3'])
  assert.equal(broker.counters().duplicates, 1)
})

test('with verify off, neither CRC nor sequences are looked at', async () => {
  await using broker = await quietBroker({ verify: false })
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const batch = encodeBatch(numbered(1), { producerId: 1n, producerEpoch: 0, baseSequence: 0 })
  batch.writeUInt32BE(1, 17)
  for (let i = 0; i < 2; i++) {
    assert.equal((await client.produce('t', 0, batch)).errorCode, ErrorCodes.NONE)
  }
  assert.equal(broker.counters().records, 2)
})

test("with retain 'none', records are checked and counted and not kept", async () => {
  await using broker = await quietBroker({ retain: 'none' })
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const batch = encodeBatch(numbered(3))
  await client.produce('t', 0, batch)
  assert.equal((await client.produce('t', 0, batch)).baseOffset, 3n)
  const { records, batches, bytes } = broker.counters()
  assert.deepEqual({ records, batches, bytes }, { records: 6, batches: 2, bytes: 2 * batch.length })
  assert.deepEqual(broker.partitions('t')[0]?.startOffset, 6n)
  assert.throws(() => broker.records('t'), { code: 'ILLEGAL_STATE' })
  batch.writeUInt8(0x55, 70)
  assert.equal((await client.produce('t', 0, batch)).errorCode, ErrorCodes.CORRUPT_MESSAGE)
})

/** Outcomes of one Produce request each. */
const tooLarge = encodeBatch([{ value: Buffer.alloc(2000) }])
const corrupt = encodeBatch(numbered(1))
corrupt.writeUInt8(0x55, corrupt.length - 2)
const transactional = { producerId: 1n, producerEpoch: 0, baseSequence: 0, attributes: 0x10 }

interface Refusal {
  name: string
  error: number
  topic?: string
  partition?: number
  acks?: number
  batch?: Uint8Array | null
  version?: number
}

const refusals: readonly Refusal[] = [
  { name: 'an unknown topic', topic: 'nowhere', error: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION },
  { name: 'an unknown topic id', version: 13, error: ErrorCodes.UNKNOWN_TOPIC_ID },
  { name: 'a partition too many', partition: 2, error: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION },
  { name: 'a negative partition', partition: -1, error: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION },
  { name: 'the partition of another leader', partition: 1, error: ErrorCodes.NOT_LEADER_OR_FOLLOWER },
  { name: 'acks 2', acks: 2, error: ErrorCodes.INVALID_REQUIRED_ACKS },
  { name: 'acks -2', acks: -2, error: ErrorCodes.INVALID_REQUIRED_ACKS },
  { name: 'no batch', batch: null, error: ErrorCodes.INVALID_RECORD },
  { name: 'a batch above max.message.bytes', batch: tooLarge, error: ErrorCodes.MESSAGE_TOO_LARGE },
  { name: 'a batch with a wrong CRC', batch: corrupt, error: ErrorCodes.CORRUPT_MESSAGE },
  {
    name: 'zstd before version 7',
    version: 6,
    batch: encodeBatch(numbered(1), { attributes: 4 }),
    error: ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE,
  },
  {
    name: 'a transactional batch without transactional id',
    batch: encodeBatch(numbered(1), transactional),
    error: ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  },
]

for (const { name, error, topic = 't', partition = 0, acks = -1, batch, version = 9 } of refusals) {
  test(`Produce to ${name} is answered with error ${error}, and nothing is stored`, async () => {
    await using broker = await quietBroker({ nodes: 2, maxMessageBytes: 1000 })
    broker.createTopic('t', { leaders: [1, 2] })
    using client = await RawClient.connect(broker)
    const records = batch === undefined ? encodeBatch(numbered(1)) : batch
    const topicId = new Uint8Array(16).fill(7)
    const response = await client.request(
      Produce,
      version,
      produceRequest(topic, partition, records, acks, topicId),
    )
    const outcome = response.responses[0]?.partitionResponses[0]
    assert.equal(outcome?.errorCode, error)
    assert.equal(outcome?.index, partition)
    assert.equal(outcome?.baseOffset, -1n)
    assert.deepEqual(valuesOf(broker, 't'), [])
    assert.equal(broker.counters().rejected, 1)
  })
}

test("a topic's own max.message.bytes comes before the broker's", async () => {
  await using broker = await quietBroker()
  broker.createTopic('t', { config: { 'max.message.bytes': 100 } })
  using client = await RawClient.connect(broker)
  const fits = encodeBatch([{ value: Buffer.alloc(100 - 61 - 7) }])
  assert.equal(fits.length, 100)
  assert.equal((await client.produce('t', 0, fits)).errorCode, ErrorCodes.NONE)
  const over = encodeBatch([{ value: Buffer.alloc(100 - 61 - 6) }])
  assert.equal((await client.produce('t', 0, over)).errorCode, ErrorCodes.MESSAGE_TOO_LARGE)
})

test('whoever asks the wrong node is told the leader and its address from version 10 on', async () => {
  await using broker = await quietBroker({ nodes: 2 })
  broker.createTopic('t', { leaders: [2] })
  using client = await RawClient.connect(broker)
  const body = produceRequest('t', 0, encodeBatch(numbered(1)))
  const response = await client.request(Produce, 10, body)
  const outcome = response.responses[0]?.partitionResponses[0]
  assert.deepEqual(outcome?.currentLeader, { leaderId: 2, leaderEpoch: 0 })
  const { host, port } = broker.nodes[1] as TestBroker['nodes'][number]
  assert.deepEqual(response.nodeEndpoints, [{ nodeId: 2, host, port, rack: null }])
  const old = await client.request(Produce, 9, body)
  assert.deepEqual(old.responses[0]?.partitionResponses[0]?.currentLeader, { leaderId: -1, leaderEpoch: -1 })
})

test('acks 0 has no reply, and the next request is answered first', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  client.send(Produce, 9, produceRequest('t', 0, encodeBatch(numbered(1)), 0))
  assert.equal((await client.produce('t', 0, encodeBatch(numbered(1, 1)))).baseOffset, 1n)
  assert.deepEqual(valuesOf(broker, 't'), ['0', '1'])
  assert.equal(client.frames.length, 0)
})

test('acks 0 that fails ends the connection, for there is no other way to tell', async () => {
  await using broker = await quietBroker()
  using client = await RawClient.connect(broker)
  client.send(Produce, 9, produceRequest('nowhere', 0, encodeBatch(numbered(1)), 0))
  await client.end()
  assert.equal(client.frames.length, 0)
})

test('each partition of a request has its own outcome', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t', { partitions: 2 })
  using client = await RawClient.connect(broker)
  const records = encodeBatch(numbered(1))
  const partitionData = [0, 5, 1].map(index => ({ index, records: Buffer.from(records) }))
  const response = await client.request(Produce, 9, {
    ...produceRequest('t', 0, null),
    topicData: [{ name: 't', topicId: ZERO_UUID, partitionData }],
  })
  assert.deepEqual(
    response.responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode]),
    [
      [0, ErrorCodes.NONE],
      [5, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION],
      [1, ErrorCodes.NONE],
    ],
  )
})

test('many small batches in one segment are kept apart from the memory they came in', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const count = 200
  for (let i = 0; i < count; i++) {
    client.send(Produce, 9, produceRequest('t', 0, encodeBatch(numbered(1, i))))
  }
  for (let i = 0; i < count; i++) await client.nextFrame()
  for (const { value } of broker.records('t')) assert.ok((value?.buffer.byteLength ?? 0) < 200)
  assert.deepEqual(
    valuesOf(broker, 't'),
    Array.from({ length: count }, (_, i) => String(i)),
  )
})

test('a frame that comes a byte at a time is one request', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  // Chunks of the broker's making: the client's cork would join them.
  const sent: Buffer[] = []
  const { socket } = client
  const write = socket.write.bind(socket)
  socket.write = ((chunk: Uint8Array) => sent.push(Buffer.from(chunk)) > 0) as typeof socket.write
  client.send(Produce, 9, produceRequest('t', 0, encodeBatch(numbered(1))))
  socket.write = write
  for (const byte of Buffer.concat(sent)) {
    socket.write(Uint8Array.of(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  await client.receiveResponse(Produce, 9)
  assert.deepEqual(valuesOf(broker, 't'), ['0'])
})
