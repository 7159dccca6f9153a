// health: what a readiness probe sees of a producer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, ProducerClosedError, ProducerFencedError } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (isTrue()) return
    await sleep(10)
  }
  assert.fail(`never: ${what}`)
}

test('a new producer is not connected; connect makes it so, a record has an age until it is stored', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
  const nothing = {
    connected: false,
    lastAcknowledgedMs: null,
    oldestUnacknowledgedMs: null,
    fatal: null,
  }
  assert.deepEqual(producer.health(), nothing)
  await producer.connect()
  assert.deepEqual(producer.health(), { ...nothing, connected: true })
  await producer.partitionsFor('t')
  broker.delay({ api: 'Produce', ms: 300 })
  const sent = producer.send({ topic: 't', value: 'a' })
  await sleep(50)
  // A second record does not make the first one younger.
  const second = producer.send({ topic: 't', value: 'b' })
  const { oldestUnacknowledgedMs } = producer.health()
  assert.ok(oldestUnacknowledgedMs !== null && oldestUnacknowledgedMs >= 40, `${oldestUnacknowledgedMs}`)
  await Promise.all([sent, second])
  const after = producer.health()
  assert.equal(after.oldestUnacknowledgedMs, null)
  assert.ok(after.lastAcknowledgedMs !== null && after.lastAcknowledgedMs >= 0)
  await sleep(60)
  assert.ok((producer.health().lastAcknowledgedMs ?? 0) >= 50)
})

test('what waits for metadata, a serializer or memory has an age, too, and so have staged records', async () => {
  const unreachable = { bootstrapServers: '127.0.0.1:1', maxBlockMs: 60_000 }
  const ageOf = async (producer: Producer) => {
    assert.ok((producer.health().oldestUnacknowledgedMs ?? -1) >= 0)
    await sleep(50)
    assert.ok((producer.health().oldestUnacknowledgedMs ?? 0) >= 40)
    assert.equal(producer.health().connected, false)
    await producer.close({ timeoutMs: 0 })
  }
  const unknownTopic = new Producer(unreachable)
  unknownTopic.send({ topic: 't', value: 'a' }, () => {})
  await ageOf(unknownTopic)
  const slow = {
    serialize: (_topic: string, data: string) => data,
    prepare: () => new Promise<void>(() => {}),
  }
  const unprepared = new Producer<string, string>({ ...unreachable, valueSerializer: slow })
  unprepared.send({ topic: 't', value: 'a' }, () => {})
  await ageOf(unprepared as unknown as Producer)

  await using broker = await startBroker({ quiet: true, partitions: 1 })
  const options = { bootstrapServers: broker.bootstrapServers, bufferMemory: 65_536, batchSize: 16_384 }
  const full = new Producer({ ...options, lingerMs: 60_000, maxBlockMs: 60_000 })
  await full.partitionsFor('t')
  full.send({ topic: 't', value: 'staged' }, () => {})
  assert.ok((full.health().oldestUnacknowledgedMs ?? -1) >= 0)
  broker.delay({ api: 'Produce', ms: 60_000, times: 100 })
  for (let i = 0; i < 40; i++) full.send({ topic: 't', value: 'x'.repeat(4000) }, () => {})
  await until('records wait', () => full.waitingBytes > 0)
  assert.ok((full.health().oldestUnacknowledgedMs ?? -1) >= 0)
  await full.close({ timeoutMs: 0 })
  assert.equal(full.health().oldestUnacknowledgedMs, null)
})

test('brokers that are gone are seen, and seen to come back', async () => {
  await using broker = await startBroker({ nodes: 2, quiet: true })
  await using producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    reconnectBackoffMs: 10,
    reconnectBackoffMaxMs: 20,
    retryBackoffMs: 10,
  })
  await producer.send({ topic: 't', value: 'a' })
  assert.equal(producer.health().connected, true)
  for (const id of [1, 2]) await broker.stopNode(id)
  await until('it is not connected', () => !producer.health().connected)
  const sent = producer.send({ topic: 't', value: 'b' })
  await sleep(30)
  assert.ok((producer.health().oldestUnacknowledgedMs ?? 0) >= 20)
  assert.equal(producer.health().fatal, null)
  for (const id of [1, 2]) await broker.startNode(id)
  await sent
  assert.equal(producer.health().connected, true)
})

test('a connection that was closed for being idle leaves the producer connected', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    connectionsMaxIdleMs: 50,
  })
  await producer.send({ topic: 't', value: 'a' })
  const connections = () =>
    producer.metrics().find(({ name, group }) => name === 'connection-count' && group === 'producer-metrics')
      ?.value
  await until('no connection is left', () => connections() === 0)
  assert.equal(producer.health().connected, true)
})

test('closed and fenced are fatal', async () => {
  await using broker = await startBroker({ quiet: true })
  const options = { bootstrapServers: broker.bootstrapServers, transactionalId: 'tx' }
  const first = new Producer(options)
  await first.initTransactions()
  first.beginTransaction()
  await first.send({ topic: 't', value: 'a' })
  assert.equal(first.health().fatal, null)
  await using second = new Producer(options)
  await second.initTransactions()
  await assert.rejects(first.commitTransaction())
  assert.ok(first.health().fatal instanceof ProducerFencedError)
  await first.close()
  const { connected, fatal } = first.health()
  assert.ok(fatal instanceof ProducerClosedError)
  assert.equal(connected, false)
})
