import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import type { ApiName, SeenRequest, TestBroker } from '../../dist/testing/index.js'
import { encodeBatch, numbered, produceRequest, quietBroker, RawClient, until, valuesOf } from './support.js'

const { NONE, NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT, LEADER_NOT_AVAILABLE } = ErrorCodes

const newProducerId = {
  transactionalId: null,
  transactionTimeoutMs: 0x7fffffff,
  producerId: -1n,
  producerEpoch: -1,
}

function metadataOf(...names: string[]) {
  return {
    topics: names.map(name => ({ topicId: ZERO_UUID, name })),
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
}

async function brokerWithTopic(partitions = 1, nodes = 1): Promise<TestBroker> {
  const broker = await quietBroker({ nodes })
  broker.createTopic('t', { partitions })
  return broker
}

const batch = (first = 0) => encodeBatch(numbered(1, first))

test('fail answers as many requests with the error as was said, and appends nothing', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  broker.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', times: 2 })
  const codes: number[] = []
  for (let i = 0; i < 3; i++) codes.push((await client.produce('t', 0, batch(i))).errorCode)
  assert.deepEqual(codes, [REQUEST_TIMED_OUT, REQUEST_TIMED_OUT, NONE])
  assert.deepEqual(valuesOf(broker, 't'), ['2'])
  assert.equal(broker.counters().rejected, 2)
})

test('fail with a number, a message and record errors answers all of them', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  const recordErrors = [{ batchIndex: 0, batchIndexErrorMessage: 'no key' }]
  broker.fail({ api: 'Produce', error: 87, message: 'refused', recordErrors })
  const outcome = await client.produce('t', 0, batch())
  assert.equal(outcome.errorCode, 87)
  assert.equal(outcome.errorMessage, 'refused')
  assert.deepEqual(outcome.recordErrors, recordErrors)
})

test('fail with afterAppend appends before it answers with the error', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', afterAppend: true })
  const outcome = await client.produce('t', 0, batch())
  assert.equal(outcome.errorCode, NOT_ENOUGH_REPLICAS_AFTER_APPEND)
  assert.deepEqual(valuesOf(broker, 't'), ['0'])
})

test('fail for one topic and partition leaves the others alone and waits for its turn', async () => {
  await using broker = await brokerWithTopic(2)
  broker.createTopic('other', { partitions: 2 })
  using client = await RawClient.connect(broker)
  broker.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', topic: 't', partition: 1 })
  assert.equal((await client.produce('other', 1, batch())).errorCode, NONE)
  assert.equal((await client.produce('t', 0, batch())).errorCode, NONE)
  assert.equal((await client.produce('t', 1, batch())).errorCode, REQUEST_TIMED_OUT)
  assert.equal((await client.produce('t', 1, batch())).errorCode, NONE)
})

test('fail without a topic counts a request once and hits all its partitions', async () => {
  await using broker = await brokerWithTopic(2)
  using client = await RawClient.connect(broker)
  broker.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT' })
  const partitionData = [0, 1].map(index => ({ index, records: batch() }))
  const body = {
    ...produceRequest('t', 0, null),
    topicData: [{ name: 't', topicId: ZERO_UUID, partitionData }],
  }
  for (const expected of [REQUEST_TIMED_OUT, NONE]) {
    const { responses } = await client.request(Produce, 9, body)
    assert.deepEqual(
      responses[0]?.partitionResponses.map(({ errorCode }) => errorCode),
      [expected, expected],
    )
  }
})

test('fail for a node concerns that node only, and without end where times is Infinity', async () => {
  await using broker = await brokerWithTopic(2, 2)
  using first = await RawClient.connect(broker, 1)
  using second = await RawClient.connect(broker, 2)
  broker.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', node: 2, times: Number.POSITIVE_INFINITY })
  assert.equal((await first.produce('t', 0, batch())).errorCode, NONE)
  for (let i = 0; i < 4; i++) {
    assert.equal((await second.produce('t', 1, batch())).errorCode, REQUEST_TIMED_OUT)
  }
  broker.clearFaults()
  assert.equal((await second.produce('t', 1, batch())).errorCode, NONE)
})

test('fail reaches the errors of every other API', async () => {
  await using broker = await brokerWithTopic(2)
  using client = await RawClient.connect(broker)
  broker.fail({ api: 'InitProducerId', error: 'COORDINATOR_LOAD_IN_PROGRESS' })
  const refused = await client.request(InitProducerId, 4, newProducerId)
  assert.deepEqual([refused.errorCode, refused.producerId], [ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS, -1n])
  broker.fail({ api: 'ApiVersions', error: 'UNKNOWN_SERVER_ERROR' })
  const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
  assert.equal((await client.request(ApiVersions, 3, software)).errorCode, -1)
  broker.fail({ api: 'Metadata', error: 'TOPIC_AUTHORIZATION_FAILED', topic: 't' })
  broker.createTopic('u')
  const { topics } = await client.request(Metadata, 9, metadataOf('t', 'u'))
  assert.deepEqual(
    topics.map(({ errorCode }) => errorCode),
    [ErrorCodes.TOPIC_AUTHORIZATION_FAILED, NONE],
  )
  broker.fail({ api: 'Metadata', error: 'LEADER_NOT_AVAILABLE', topic: 't', partition: 1 })
  const { topics: again } = await client.request(Metadata, 9, metadataOf('t'))
  assert.deepEqual(
    again[0]?.partitions.map(({ errorCode, leaderId }) => [errorCode, leaderId]),
    [
      [NONE, 1],
      [LEADER_NOT_AVAILABLE, -1],
    ],
  )
  broker.fail({ api: 'Metadata', error: 'REBOOTSTRAP_REQUIRED' })
  const top = await client.request(Metadata, 13, metadataOf('t'))
  assert.equal(top.errorCode, ErrorCodes.REBOOTSTRAP_REQUIRED)
})

const nonsense: readonly [name: string, plan: (broker: TestBroker) => void][] = [
  ['an API it does not serve', broker => broker.fail({ api: 'Heartbeat' as ApiName, error: 1 })],
  ['an unknown error name', broker => broker.fail({ api: 'Produce', error: 'OOPS' as 'NONE' })],
  ['an error number beyond int16', broker => broker.fail({ api: 'Produce', error: 40_000 })],
  ['times 0', broker => broker.fail({ api: 'Produce', error: 1, times: 0 })],
  ['times that is no whole number', broker => broker.swallow({ api: 'Produce', times: 1.5 })],
  ['a negative delay', broker => broker.delay({ api: 'Produce', ms: -1 })],
  ['a delay that is no number', broker => broker.delay({ api: 'Produce', ms: Number.NaN })],
  ['a cut after -1 bytes', broker => broker.cut({ afterBytes: -1 })],
  ['a leader that does not exist', broker => broker.moveLeader('t', 0, 9)],
  ['a partition that does not exist', broker => broker.moveLeader('t', 9, 1)],
  ['a topic that does not exist', broker => broker.moveLeader('nowhere', 0, 1)],
  ['a disconnect of node 0', broker => broker.disconnect(0)],
]

for (const [name, plan] of nonsense) {
  test(`a fault for ${name} is refused when it is planned`, async () => {
    await using broker = await brokerWithTopic()
    assert.throws(() => plan(broker), { code: 'CONFIG_INVALID' })
  })
}

test('delay sends the reply later but does at once what was asked, and keeps the order of replies', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  broker.delay({ api: 'Produce', ms: 60 })
  const started = performance.now()
  const slow = client.send(Produce, 9, produceRequest('t', 0, batch(0)))
  const quick = client.send(Produce, 9, produceRequest('t', 0, batch(1)))
  const order = [await client.receiveResponse(Produce, 9), await client.receiveResponse(Produce, 9)]
  assert.deepEqual(
    order.map(({ id }) => id),
    [slow, quick],
  )
  assert.ok(performance.now() - started >= 55)
  assert.deepEqual(valuesOf(broker, 't'), ['0', '1'])
})

test('throttle tells the client to hold back, without holding back itself', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  broker.throttle({ api: 'Produce', ms: 4321 })
  const body = produceRequest('t', 0, batch())
  assert.equal((await client.request(Produce, 9, body)).throttleTimeMs, 4321)
  assert.equal((await client.request(Produce, 9, body)).throttleTimeMs, 0)
})

test('hold keeps replies until they are released, and other APIs of other connections go on', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  using other = await RawClient.connect(broker)
  const hold = broker.hold({ api: 'Produce' })
  const ids = [0, 1, 2].map(i => client.send(Produce, 9, produceRequest('t', 0, batch(i))))
  await until(() => broker.counters().records === 3)
  await other.request(Metadata, 9, metadataOf('t'))
  assert.equal(client.frames.length, 0)
  hold.release()
  for (const id of ids) assert.equal((await client.receiveResponse(Produce, 9)).id, id)
  assert.equal((await client.produce('t', 0, batch(3))).baseOffset, 3n)
})

test('swallow does what was asked and never answers on that connection again', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  using other = await RawClient.connect(broker)
  broker.swallow({ api: 'Produce' })
  client.send(Produce, 9, produceRequest('t', 0, batch(0)))
  client.send(Produce, 9, produceRequest('t', 0, batch(1)))
  await until(() => broker.counters().records === 2)
  assert.equal((await other.produce('t', 0, batch(2))).baseOffset, 2n)
  assert.equal(client.frames.length, 0)
  assert.equal(client.closed, false)
})

test('swallow with processed false does not even do what was asked', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  using other = await RawClient.connect(broker)
  broker.swallow({ api: 'Produce', processed: false })
  client.send(Produce, 9, produceRequest('t', 0, batch(0)))
  await until(() => broker.counters().requests.Produce === 1)
  assert.equal((await other.produce('t', 0, batch(1))).baseOffset, 0n)
  assert.deepEqual(valuesOf(broker, 't'), ['1'])
})

test('cut lets exactly so many bytes of requests in, wherever that falls in a frame', async () => {
  const request = produceRequest('t', 0, batch())
  await using measured = await brokerWithTopic()
  using probe = await RawClient.connect(measured)
  await probe.request(Produce, 9, request)
  const frameBytes = probe.socket.bytesWritten
  for (const afterBytes of [0, 1, 3, 4, 5, frameBytes - 1, frameBytes, frameBytes + 1]) {
    await using broker = await brokerWithTopic()
    broker.cut({ afterBytes })
    using client = await RawClient.connect(broker)
    client.send(Produce, 9, request)
    client.send(Produce, 9, request)
    await client.end()
    assert.equal(valuesOf(broker, 't').length, afterBytes >= frameBytes ? 1 : 0, `cut after ${afterBytes}`)
    using next = await RawClient.connect(broker)
    assert.equal((await next.request(Produce, 9, request)).responses.length, 1)
  }
})

test('cut lets exactly so many bytes of replies out', async () => {
  for (const afterBytes of [0, 1, 4, 20]) {
    await using broker = await brokerWithTopic()
    broker.cut({ afterBytes, direction: 'out' })
    using client = await RawClient.connect(broker)
    client.send(Produce, 9, produceRequest('t', 0, batch()))
    await client.end()
    assert.equal(client.socket.bytesRead, afterBytes)
    assert.equal(client.leftOver, afterBytes)
    assert.deepEqual(valuesOf(broker, 't'), ['0'])
  }
})

test('cut counts from when it was planned on connections that were open, and so many connections', async () => {
  await using broker = await brokerWithTopic(1, 2)
  using client = await RawClient.connect(broker, 1)
  using otherNode = await RawClient.connect(broker, 2)
  await client.produce('t', 0, batch(0))
  const passed = client.socket.bytesWritten
  broker.cut({ afterBytes: passed + 1, node: 1, times: 2 })
  assert.equal((await client.produce('t', 0, batch(1))).errorCode, NONE)
  client.send(Produce, 9, produceRequest('t', 0, batch(2)))
  await client.end()
  using second = await RawClient.connect(broker, 1)
  await second.produce('t', 0, batch(3))
  second.send(Produce, 9, produceRequest('t', 0, batch(4)))
  await second.end()
  using third = await RawClient.connect(broker, 1)
  for (let i = 0; i < 3; i++) assert.equal((await third.produce('t', 0, batch(5))).errorCode, NONE)
  for (let i = 0; i < 3; i++) await otherNode.request(Metadata, 9, metadataOf('t'))
  assert.deepEqual(valuesOf(broker, 't'), ['0', '1', '3', '5', '5', '5'])
})

test('disconnect ends the open connections of one node or of all', async () => {
  await using broker = await brokerWithTopic(1, 2)
  using first = await RawClient.connect(broker, 1)
  using second = await RawClient.connect(broker, 2)
  await first.request(Metadata, 9, metadataOf('t'))
  await second.request(Metadata, 9, metadataOf('t'))
  broker.disconnect(1)
  await first.end()
  await second.request(Metadata, 9, metadataOf('t'))
  broker.disconnect()
  await second.end()
})

test('mutateReply changes whole frames, swallows them with null, and can be stopped', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  const seen: [ApiName, number, number][] = []
  const stop = broker.mutateReply((api, version, bytes) => {
    seen.push([api, version, bytes.length])
    if (seen.length > 1) return null
    const longer = Buffer.concat([bytes, Buffer.from('junk')])
    longer.writeInt32BE(longer.length - 4, 0)
    return longer
  })
  client.send(Metadata, 9, metadataOf('t'))
  const frame = await client.nextFrame()
  assert.equal(frame?.subarray(-4).toString(), 'junk')
  client.send(Metadata, 9, metadataOf('t'))
  await until(() => seen.length === 2)
  stop()
  const answered = client.send(Metadata, 9, metadataOf('t'))
  assert.equal((await client.receiveResponse(Metadata, 9)).id, answered)
  assert.deepEqual(
    seen.map(([api, version]) => [api, version]),
    [
      ['Metadata', 9],
      ['Metadata', 9],
    ],
  )
})

test('onRequest sees every request before it is handled, until it is stopped', async () => {
  await using broker = await brokerWithTopic()
  using client = await RawClient.connect(broker)
  const seen: SeenRequest[] = []
  const stop = broker.onRequest(request => {
    seen.push(request)
    if (request.api === 'Produce') assert.equal(broker.counters().records, 0)
  })
  await client.request(Metadata, 9, metadataOf('t'))
  await client.produce('t', 0, batch())
  stop()
  await client.request(Metadata, 9, metadataOf('t'))
  assert.deepEqual(
    seen.map(({ api, version, node, connection, clientId }) => ({
      api,
      version,
      node,
      connection,
      clientId,
    })),
    ['Metadata', 'Produce'].map(api => ({ api, version: 9, node: 1, connection: 1, clientId: 'raw' })),
  )
  const produced = seen.map(({ body }) => body).find(body => 'acks' in body)
  assert.equal(produced?.acks, -1)
})
