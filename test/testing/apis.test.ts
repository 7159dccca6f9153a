import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../../dist/protocol/api.js'
import { ApiVersions, type ApiVersionsResponse } from '../../dist/protocol/api-versions.js'
import { type CreatableTopic, CreateTopics } from '../../dist/protocol/create-topics.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { FindCoordinator } from '../../dist/protocol/find-coordinator.js'
import { INIT_PRODUCER_ID_ONE_PHASE_MAX, InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { ListOffsets } from '../../dist/protocol/list-offsets.js'
import { Metadata, type MetadataTopic } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import type { TestBroker } from '../../dist/testing/index.js'
import { BASE_TIMESTAMP, encodeBatch, numbered, produceRequest, quietBroker, RawClient } from './support.js'

const software = { clientSoftwareName: 'raw-client', clientSoftwareVersion: '1.0' }

function rangeOf({ apiKeys }: ApiVersionsResponse, key: number): [number, number] | undefined {
  const range = apiKeys.find(({ apiKey }) => apiKey === key)
  return range && [range.minVersion, range.maxVersion]
}

for (let version = ApiVersions.minVersion; version <= ApiVersions.maxVersion; version++) {
  test(`ApiVersions version ${version} tells what is served`, async () => {
    await using broker = await quietBroker()
    using client = await RawClient.connect(broker)
    const response = await client.request(ApiVersions, version, software)
    assert.equal(response.errorCode, ErrorCodes.NONE)
    assert.deepEqual(
      response.apiKeys.map(({ apiKey }) => apiKey).sort((a, b) => a - b),
      [0, 1, 2, 3, 10, 17, 18, 19, 22, 24, 25, 26, 28, 36, 65],
    )
    assert.deepEqual(rangeOf(response, Produce.key), [0, 13])
    assert.deepEqual(rangeOf(response, Metadata.key), [0, 13])
  })
}

test('an ApiVersions version that is not served is answered in version 0, with its range, as brokers do', async () => {
  await using broker = await quietBroker()
  using client = await RawClient.connect(broker)
  const versionOfTheFuture = 77
  const future: typeof ApiVersions = {
    ...ApiVersions,
    writeRequest: (w, _version, body) => ApiVersions.writeRequest(w, ApiVersions.maxVersion, body),
  }
  client.send(future, versionOfTheFuture, software)
  const frame = await client.nextFrame()
  // Correlation id, error 35, one range: API 18, 0 to 4. No throttle time, no tags.
  assert.equal(frame?.toString('hex'), '00000001' + '0023' + '00000001' + '001200000004')
  assert.equal((await client.request(ApiVersions, 0, software)).errorCode, ErrorCodes.NONE)
})

test('a software name that brokers refuse is refused', async () => {
  await using broker = await quietBroker()
  using client = await RawClient.connect(broker)
  const response = await client.request(ApiVersions, 3, { ...software, clientSoftwareName: '-raw' })
  assert.equal(response.errorCode, ErrorCodes.INVALID_REQUEST)
})

test('the apiVersions option stands for an older broker: what it does not announce ends the connection', async () => {
  await using broker = await quietBroker({ apiVersions: { Produce: [3, 5], InitProducerId: null } })
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const response = await client.request(ApiVersions, 3, software)
  assert.deepEqual(rangeOf(response, Produce.key), [3, 5])
  assert.equal(rangeOf(response, InitProducerId.key), undefined)
  assert.equal((await client.produce('t', 0, encodeBatch(numbered(1)), 5)).errorCode, ErrorCodes.NONE)
  client.send(Produce, 6, produceRequest('t', 0, encodeBatch(numbered(1))))
  await client.end()
  assert.equal(client.frames.length, 0)
})

test('transaction.version is told as a finalized feature from level 1 on, and 2 is the default', async () => {
  await using broker = await quietBroker()
  using client = await RawClient.connect(broker)
  const { finalizedFeatures, finalizedFeaturesEpoch } = await client.request(ApiVersions, 4, software)
  assert.deepEqual(finalizedFeatures, [
    { name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 },
  ])
  assert.equal(finalizedFeaturesEpoch, 0n)
  await using plain = await quietBroker({ transactionVersion: 0 })
  using other = await RawClient.connect(plain)
  assert.deepEqual((await other.request(ApiVersions, 4, software)).finalizedFeatures, [])
})

const brokenFrames: readonly [name: string, bytes: string][] = [
  ['a negative length', 'ffffffff'],
  ['length 0', '00000000'],
  ['length 7', '00000007'],
  ['a length above 110 MiB', '06e00001'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
  ['an API that does not exist', '0000000a03e7000000000001ffff'],
  ['a Metadata request that ends early', '0000000c0003000100000001ffff0000'],
]

for (const [name, bytes] of brokenFrames) {
  test(`${name} ends the connection and says why`, async () => {
    const lines: string[] = []
    await using broker = await quietBroker({ quiet: false, log: line => lines.push(line) })
    using client = await RawClient.connect(broker)
    client.socket.write(Buffer.from(bytes, 'hex'))
    await client.end()
    assert.equal(client.frames.length, 0)
    assert.match(lines[1] ?? '', /^millrace broker: node 1 closes the connection from port \d+: ./)
  })
}

test('a request of an API that is not served ends the connection, with the name of the API', async () => {
  const lines: string[] = []
  await using broker = await quietBroker({ quiet: false, log: line => lines.push(line) })
  using client = await RawClient.connect(broker)
  client.send({ ...Metadata, key: 11 }, 4, { ...everything, topics: null })
  await client.end()
  assert.match(
    lines[1] ?? '',
    /of client "raw": JoinGroup version 4 is not served; for that, use Apache Kafka$/,
  )
})

test('a TLS handshake where none is expected is called one, and one that fails is told', async () => {
  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  await using plain = await quietBroker({ quiet: false, log })
  using client = await RawClient.connect(plain)
  client.socket.write(Buffer.from('160301020001000b', 'hex'))
  await client.end()
  assert.match(lines[1] ?? '', /it begins like TLS, which this broker was started without$/)
})

test('bytes behind the end of a request are ignored, as Kafka ignores them, and told once', async () => {
  const lines: string[] = []
  await using broker = await quietBroker({ quiet: false, log: line => lines.push(line) })
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const surplus = <Q, S>(api: Api<Q, S>): Api<Q, S> => ({
    ...api,
    writeRequest: (w, version, body) => {
      api.writeRequest(w, version, body)
      w.raw(Buffer.alloc(3))
    },
  })
  for (const version of [4, 9, 13]) {
    const { topics } = await client.request(surplus(Metadata), version, { ...everything, topics: null })
    assert.deepEqual(
      topics.map(({ name }) => name),
      ['t'],
    )
  }
  const batch = encodeBatch(numbered(1))
  const { responses } = await client.request(surplus(Produce), 9, produceRequest('t', 0, batch))
  assert.equal(responses[0]?.partitionResponses[0]?.errorCode, ErrorCodes.NONE)
  await client.request(surplus(Metadata), 13, { ...everything, topics: null })
  assert.deepEqual(
    lines.slice(1).map(line => / (\w+ version \d+ has 3 bytes too many)$/.exec(line)?.[1]),
    [4, 9, 13]
      .map(version => `Metadata version ${version} has 3 bytes too many`)
      .concat(['Produce version 9 has 3 bytes too many']),
  )
})

// ---- Metadata ----

const everything = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

interface Asked {
  topics?: (string | Uint8Array)[] | null
  mayCreate?: boolean
  version?: number
}

async function metadata(client: RawClient, { topics = null, mayCreate = true, version = 12 }: Asked = {}) {
  const asked = topics?.map(topic =>
    typeof topic === 'string' ? { topicId: ZERO_UUID, name: topic } : { topicId: topic, name: null },
  )
  return await client.request(Metadata, version, {
    topics: asked ?? null,
    allowAutoTopicCreation: mayCreate,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
}

const errorsOf = (topics: readonly MetadataTopic[]) => topics.map(({ name, errorCode }) => [name, errorCode])

for (let version = Metadata.minVersion; version <= Metadata.maxVersion; version++) {
  test(`Metadata version ${version} tells nodes, topics and leaders`, async () => {
    await using broker = await quietBroker({ nodes: 2, clusterId: 'the-cluster' })
    broker.createTopic('t', { partitions: 3 })
    using client = await RawClient.connect(broker)
    const response = await metadata(client, { topics: ['t'], version })
    assert.deepEqual(
      response.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port, up: true })),
      broker.nodes,
    )
    if (version >= 1) assert.equal(response.controllerId, 1)
    if (version >= 2) assert.equal(response.clusterId, 'the-cluster')
    const [topic] = response.topics
    assert.equal(topic?.name, 't')
    assert.deepEqual(
      topic?.partitions.map(({ leaderId, replicaNodes, isrNodes }) => [leaderId, replicaNodes, isrNodes]),
      [1, 2, 1].map(leader => [leader, [1, 2], [1, 2]]),
    )
  })
}

test('asking for a topic makes it with the default number of partitions, unless one side forbids it', async () => {
  await using broker = await quietBroker({ partitions: 4 })
  await using strict = await quietBroker({ autoCreateTopics: false })
  using client = await RawClient.connect(broker)
  using strictClient = await RawClient.connect(strict)
  const unknown = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION
  const forbidden = await metadata(client, { topics: ['t'], mayCreate: false })
  assert.deepEqual(errorsOf(forbidden.topics), [['t', unknown]])
  const made = await metadata(client, { topics: ['t'] })
  assert.equal(made.topics[0]?.partitions.length, 4)
  assert.notDeepEqual(made.topics[0]?.topicId, ZERO_UUID)
  const again = await metadata(client, { topics: ['t'] })
  assert.deepEqual(again.topics[0]?.topicId, made.topics[0]?.topicId)
  const refused = await metadata(strictClient, { topics: ['t'] })
  assert.deepEqual(errorsOf(refused.topics), [['t', unknown]])
})

test('no list means all topics, an empty one none', async () => {
  await using broker = await quietBroker()
  broker.createTopic('a')
  broker.createTopic('b')
  using client = await RawClient.connect(broker)
  assert.deepEqual(errorsOf((await metadata(client)).topics), [
    ['a', 0],
    ['b', 0],
  ])
  assert.deepEqual((await metadata(client, { topics: [] })).topics, [])
  assert.equal((await metadata(client, { version: 0 })).topics.length, 2)
})

test('topics are found by id, and a topic made anew has another', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const id = (await metadata(client)).topics[0]?.topicId as Uint8Array
  assert.deepEqual(errorsOf((await metadata(client, { topics: [id] })).topics), [['t', 0]])
  broker.deleteTopic('t')
  broker.createTopic('t')
  assert.deepEqual(errorsOf((await metadata(client, { topics: [id] })).topics), [
    [null, ErrorCodes.UNKNOWN_TOPIC_ID],
  ])
  assert.notDeepEqual((await metadata(client)).topics[0]?.topicId, id)
})

test('more partitions show in the metadata', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t', { partitions: 2 })
  using client = await RawClient.connect(broker)
  broker.addPartitions('t', 5)
  assert.equal((await metadata(client)).topics[0]?.partitions.length, 5)
  assert.throws(() => broker.addPartitions('t', 5), { code: 'CONFIG_INVALID' })
})

const illegalNames = ['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250)]

for (const name of illegalNames) {
  test(`the topic name ${JSON.stringify(name.slice(0, 10))} of length ${name.length} is illegal`, async () => {
    await using broker = await quietBroker()
    using client = await RawClient.connect(broker)
    const { topics } = await metadata(client, { topics: [name] })
    assert.deepEqual(errorsOf(topics), [[name, ErrorCodes.INVALID_TOPIC_EXCEPTION]])
    assert.throws(() => broker.createTopic(name), { code: 'CONFIG_INVALID' })
  })
}

// ---- InitProducerId, FindCoordinator ----

test('InitProducerId gives a new id each time, in every version', async () => {
  await using broker = await quietBroker()
  using client = await RawClient.connect(broker)
  const ids = new Set<bigint>()
  for (let version = InitProducerId.minVersion; version <= INIT_PRODUCER_ID_ONE_PHASE_MAX; version++) {
    const body = { transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 }
    const { errorCode, producerId, producerEpoch } = await client.request(InitProducerId, version, body)
    assert.deepEqual([errorCode, producerEpoch], [ErrorCodes.NONE, 0])
    ids.add(producerId)
  }
  assert.equal(ids.size, INIT_PRODUCER_ID_ONE_PHASE_MAX + 1)
})

test('FindCoordinator names a live node for every key, in every version', async () => {
  await using broker = await quietBroker({ nodes: 2 })
  using client = await RawClient.connect(broker, 2)
  await broker.stopNode(1)
  const { port } = broker.nodes[1] as { port: number }
  for (let version = FindCoordinator.minVersion; version <= FindCoordinator.maxVersion; version++) {
    const coordinatorKeys = version >= 4 ? ['g', 'h'] : ['g']
    const { coordinators } = await client.request(FindCoordinator, version, { keyType: 0, coordinatorKeys })
    assert.deepEqual(
      coordinators.map(coordinator => [coordinator.nodeId, coordinator.port, coordinator.errorCode]),
      coordinatorKeys.map(() => [2, port, ErrorCodes.NONE]),
    )
    if (version >= 4)
      assert.deepEqual(
        coordinators.map(({ key }) => key),
        coordinatorKeys,
      )
  }
})

// ---- CreateTopics ----

function creatable(name: string, rest: Partial<CreatableTopic> = {}): CreatableTopic {
  return { name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [], ...rest }
}

async function create(client: RawClient, topic: CreatableTopic, validateOnly = false, version = 7) {
  const body = { topics: [topic], timeoutMs: 1000, validateOnly }
  const response = await client.request(CreateTopics, version, body)
  return response.topics[0]
}

for (let version = CreateTopics.minVersion; version <= CreateTopics.maxVersion; version++) {
  test(`CreateTopics version ${version} makes a topic as it was asked for`, async () => {
    await using broker = await quietBroker({ nodes: 2 })
    using client = await RawClient.connect(broker)
    const configs = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
    const created = await create(client, creatable('t', { configs }), false, version)
    assert.equal(created?.errorCode, ErrorCodes.NONE)
    if (version >= 5) assert.equal(created?.numPartitions, 2)
    assert.equal(broker.partitions('t').length, 2)
    const outcome = await client.produce('t', 0, encodeBatch(numbered(1)))
    assert.ok(outcome.logAppendTimeMs > 0n)
  })
}

test('CreateTopics takes the default number of partitions, or the assignment that is given', async () => {
  await using broker = await quietBroker({ nodes: 3, partitions: 5 })
  using client = await RawClient.connect(broker)
  await create(client, creatable('byDefault', { numPartitions: -1, replicationFactor: -1 }))
  assert.equal(broker.partitions('byDefault').length, 5)
  const assignments = [
    { partitionIndex: 1, brokerIds: [2, 3] },
    { partitionIndex: 0, brokerIds: [3] },
  ]
  await create(client, creatable('assigned', { numPartitions: -1, replicationFactor: -1, assignments }))
  assert.deepEqual(
    broker.partitions('assigned').map(({ leader }) => leader),
    [3, 2],
  )
})

test('CreateTopics with validateOnly makes nothing', async () => {
  await using broker = await quietBroker()
  using client = await RawClient.connect(broker)
  assert.equal((await create(client, creatable('t'), true))?.errorCode, ErrorCodes.NONE)
  assert.throws(() => broker.partitions('t'), { code: 'CONFIG_INVALID' })
})

const assigned = (partitionIndex: number, ...brokerIds: number[]) => ({ partitionIndex, brokerIds })
const badTopics: readonly [name: string, topic: CreatableTopic, error: number][] = [
  ['a name that is taken', creatable('taken'), ErrorCodes.TOPIC_ALREADY_EXISTS],
  ['an illegal name', creatable('a b'), ErrorCodes.INVALID_TOPIC_EXCEPTION],
  ['no partitions', creatable('t', { numPartitions: 0 }), ErrorCodes.INVALID_PARTITIONS],
  ['a million partitions', creatable('t', { numPartitions: 1e6 }), ErrorCodes.INVALID_PARTITIONS],
  [
    'more replicas than nodes',
    creatable('t', { replicationFactor: 2 }),
    ErrorCodes.INVALID_REPLICATION_FACTOR,
  ],
  [
    'a gap in the assignment',
    creatable('t', { assignments: [assigned(1, 1)] }),
    ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
  ],
  [
    'an unknown node',
    creatable('t', { assignments: [assigned(0, 7)] }),
    ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
  ],
  ['no replica', creatable('t', { assignments: [assigned(0)] }), ErrorCodes.INVALID_REPLICA_ASSIGNMENT],
  [
    'max.message.bytes that is no number',
    creatable('t', { configs: [{ name: 'max.message.bytes', value: 'much' }] }),
    ErrorCodes.INVALID_CONFIG,
  ],
]

for (const [name, topic, error] of badTopics) {
  test(`CreateTopics refuses ${name}`, async () => {
    await using broker = await quietBroker()
    broker.createTopic('taken')
    using client = await RawClient.connect(broker)
    assert.equal((await create(client, topic))?.errorCode, error)
  })
}

// ---- ListOffsets ----

async function offsetAt(client: RawClient, timestamp: bigint, version = 8, epoch = -1, partition = 0) {
  const partitions = [{ partitionIndex: partition, currentLeaderEpoch: epoch, timestamp }]
  const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions }], timeoutMs: 0 }
  const { topics } = await client.request(ListOffsets, version, body)
  const found = topics[0]?.partitions[0]
  return [found?.errorCode, found?.offset, found?.timestamp]
}

async function brokerWithTimes(): Promise<TestBroker> {
  const broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const deltas = [
    [0, 10],
    [30, 20],
    [15, 25],
  ]
  for (const batch of deltas) {
    await client.produce('t', 0, encodeBatch(batch.map(timestampDelta => ({ timestampDelta }))))
  }
  return broker
}

const { NONE } = ErrorCodes
const at = (delta: bigint) => BASE_TIMESTAMP + delta

const lookups: readonly [name: string, timestamp: bigint, offset: bigint, found: bigint][] = [
  ['the latest offset', -1n, 6n, -1n],
  ['the earliest offset', -2n, 0n, -1n],
  ['the record with the largest timestamp', -3n, 2n, at(30n)],
  ['the earliest local offset', -4n, 0n, -1n],
  ['the latest tiered offset, of which there is none', -5n, -1n, -1n],
  ['a time before all records', 0n, 0n, at(0n)],
  ['the time of a record', at(10n), 1n, at(10n)],
  ['a time between records', at(11n), 2n, at(30n)],
  ['a time after all records', at(31n), -1n, -1n],
]

for (const [name, timestamp, offset, found] of lookups) {
  test(`ListOffsets finds ${name}`, async () => {
    await using broker = await brokerWithTimes()
    using client = await RawClient.connect(broker)
    assert.deepEqual(await offsetAt(client, timestamp), [NONE, offset, found])
  })
}

test('ListOffsets answers in every version, and moves with the start of the log', async () => {
  await using broker = await brokerWithTimes()
  using client = await RawClient.connect(broker)
  broker.clear('t')
  for (let version = ListOffsets.minVersion; version <= ListOffsets.maxVersion; version++) {
    assert.deepEqual(await offsetAt(client, -2n, version), [NONE, 6n, -1n])
  }
})

test('ListOffsets checks partition, leader and leader epoch', async () => {
  await using broker = await quietBroker({ nodes: 2 })
  broker.createTopic('t', { leaders: [1] })
  using client = await RawClient.connect(broker, 2)
  assert.deepEqual((await offsetAt(client, -1n))[0], ErrorCodes.NOT_LEADER_OR_FOLLOWER)
  broker.moveLeader('t', 0, 2)
  assert.deepEqual((await offsetAt(client, -1n, 8, 0))[0], ErrorCodes.FENCED_LEADER_EPOCH)
  assert.deepEqual((await offsetAt(client, -1n, 8, 1))[0], NONE)
  assert.deepEqual((await offsetAt(client, -1n, 8, 2))[0], ErrorCodes.UNKNOWN_LEADER_EPOCH)
  assert.deepEqual((await offsetAt(client, -1n, 8, -1, 4))[0], ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
})
