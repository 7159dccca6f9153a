// A producer knows of a topic what the cluster's metadata hold now, whatever way its records come in: after
// idle times, answers that leave a topic out, refusals that end, and topics made again.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AuthorizationError,
  KafkaError,
  Producer,
  type ProducerOptions,
  type RecordMetadata,
} from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'

const TOPIC = 't'
const KEY = Buffer.from('a key')

type Way = 'promise' | 'callback' | 'many'
const ways: readonly Way[] = ['promise', 'callback', 'many']

interface Plain {
  key?: Uint8Array | string
  value: Uint8Array | string
  partition?: number
}

function sendBy(way: Way, producer: Producer, record: Plain, topic = TOPIC): Promise<RecordMetadata> {
  const whole = { topic, ...record }
  if (way === 'promise') return producer.send(whole)
  if (way === 'many')
    return producer.sendMany([whole]).then(
      report => report.at(0) as RecordMetadata,
      error => Promise.reject(error.errors.get(0)),
    )
  return new Promise((resolve, reject) => {
    producer.send(whole, (error, metadata) => (error === null ? resolve(metadata) : reject(error)))
  })
}

function newProducer(broker: TestBroker, options: Partial<ProducerOptions> = {}): Producer {
  const producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    metadataMaxAgeMs: 30,
    retryBackoffMs: 5,
    retryBackoffMaxMs: 20,
    ...options,
  })
  return producer
}

interface Tracked {
  client: { updater: { topics: { maxIdleMs: number; has(name: string): boolean } } }
}

/** Topics are idle after 40 ms from now on: no option allows less than five seconds. */
function shortenIdleTime(producer: Producer): void {
  ;(producer as unknown as Tracked).client.updater.topics.maxIdleMs = 40
}

async function untilForgotten(producer: Producer, topic = TOPIC): Promise<void> {
  const { topics } = (producer as unknown as Tracked).client.updater
  await eventually(`${topic} is forgotten`, () => !topics.has(topic))
}

const codeOf = (error: unknown) => (error instanceof KafkaError ? error.code : String(error))

for (const way of ways) {
  describe(`by ${way}`, () => {
    test('a custom partitioner is asked with a cluster that has the topic, also after idle times', async () => {
      await using broker = await startBroker({ partitions: 3, quiet: true })
      const asked: (number | undefined)[] = []
      const partitioner = {
        partition(
          topic: string,
          _key: unknown,
          _value: unknown,
          cluster: { partitionCountForTopic(t: string): number | undefined },
        ) {
          asked.push(cluster.partitionCountForTopic(topic))
          return 2
        },
      }
      await using producer = newProducer(broker, { partitioner })
      assert.equal((await sendBy(way, producer, { value: 'a' })).partition, 2)
      shortenIdleTime(producer)
      await sendBy(way, producer, { value: 'b' })
      await untilForgotten(producer)
      assert.equal((await sendBy(way, producer, { value: 'c' })).partition, 2)
      assert.deepEqual(asked, [3, 3, 3])
    })

    test('round robin goes on over all partitions after idle times', async () => {
      await using broker = await startBroker({ partitions: 3, quiet: true })
      await using producer = newProducer(broker, {
        partitioner: 'org.apache.kafka.clients.producer.RoundRobinPartitioner',
      } as never)
      await sendBy(way, producer, { value: 'a' })
      shortenIdleTime(producer)
      await sendBy(way, producer, { value: 'b' })
      await untilForgotten(producer)
      const places = new Set<number>()
      for (let i = 0; i < 6; i++) places.add((await sendBy(way, producer, { value: `${i}` })).partition)
      assert.equal(places.size, 3)
    })

    test('one answer that does not know the topic delays records, and places none of them wrongly', async () => {
      await using broker = await startBroker({ partitions: 6, quiet: true })
      await using producer = newProducer(broker, { metadataMaxAgeMs: 10 })
      const home = (await sendBy(way, producer, { key: KEY, value: 'first' })).partition
      broker.fail({ api: 'Metadata', topic: TOPIC, error: 'UNKNOWN_TOPIC_OR_PARTITION', times: 3 })
      const sent: Promise<RecordMetadata>[] = []
      for (let i = 0; i < 60; i++) {
        sent.push(sendBy(way, producer, { key: KEY, value: `${i}` }))
        await new Promise(resolve => setTimeout(resolve, 1))
      }
      for (const metadata of await Promise.all(sent)) assert.equal(metadata.partition, home)
      const values = [...broker.records(TOPIC)].map(({ value }) => String(value))
      assert.deepEqual(values, ['first', ...Array.from({ length: 60 }, (_, i) => `${i}`)])
    })

    test('after idle times a key is placed by the partitions that there are then', async () => {
      await using broker = await startBroker({ partitions: 3, quiet: true })
      await using producer = newProducer(broker)
      await sendBy(way, producer, { key: KEY, value: 'a' })
      shortenIdleTime(producer)
      await sendBy(way, producer, { key: KEY, value: 'b' })
      await untilForgotten(producer)
      broker.addPartitions(TOPIC, 24)
      const { partition } = await sendBy(way, producer, { key: KEY, value: 'c' })
      await using fresh = newProducer(broker)
      assert.equal(partition, (await fresh.send({ topic: TOPIC, key: KEY, value: 'd' })).partition)
    })

    test('a batch in retry keeps its topic known, and follows its leader', async () => {
      await using broker = await startBroker({ nodes: 2, partitions: 1, quiet: true })
      await using producer = newProducer(broker)
      broker.createTopic(TOPIC)
      broker.moveLeader(TOPIC, 0, 1)
      await sendBy(way, producer, { value: 'a' })
      shortenIdleTime(producer)
      // The old leader goes on refusing; only new metadata can end that.
      broker.fail({ api: 'Produce', node: 1, error: 'NOT_ENOUGH_REPLICAS', times: 100_000 })
      const sent = sendBy(way, producer, { value: 'b' })
      await new Promise(resolve => setTimeout(resolve, 400))
      broker.moveLeader(TOPIC, 0, 2)
      await sent
      assert.equal([...broker.records(TOPIC)].length, 2)
    })

    test('an open batch and a record that waits for its topic keep it known', async () => {
      await using broker = await startBroker({ partitions: 1, quiet: true, autoCreateTopics: false })
      broker.createTopic(TOPIC)
      await using producer = newProducer(broker, { lingerMs: 500, batchSize: 100_000 })
      await producer.partitionsFor(TOPIC)
      shortenIdleTime(producer)
      const open = sendBy(way, producer, { value: 'open' })
      const waits = sendBy(way, producer, { value: 'waits' }, 'later')
      await new Promise(resolve => setTimeout(resolve, 300))
      const { topics } = (producer as unknown as Tracked).client.updater
      assert.deepEqual([topics.has(TOPIC), topics.has('later')], [true, true])
      broker.createTopic('later')
      assert.equal((await open).offset, 0n)
      assert.equal((await waits).offset, 0n)
    })

    for (const [error, code] of [
      ['TOPIC_AUTHORIZATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED'],
      ['INVALID_TOPIC_EXCEPTION', 'TOPIC_INVALID'],
      ['INVALID_REPLICATION_FACTOR', 'INVALID_REPLICATION_FACTOR'],
      ['POLICY_VIOLATION', 'POLICY_VIOLATION'],
    ] as const) {
      test(`${error} of a topic is refused at once by the broker's error, and forgotten when it ends`, async () => {
        await using broker = await startBroker({ partitions: 1, quiet: true })
        await using producer = newProducer(broker, { metadataMaxAgeMs: 300_000 })
        broker.fail({ api: 'Metadata', topic: TOPIC, error, times: 100_000 })
        const startedMs = performance.now()
        for (let i = 0; i < 3; i++) {
          await assert.rejects(sendBy(way, producer, { value: 'a' }), (thrown: unknown) => {
            assert.ok(
              [codeOf(thrown), (thrown as { errorName?: string }).errorName].includes(code),
              codeOf(thrown),
            )
            return true
          })
        }
        assert.ok(performance.now() - startedMs < 10_000, 'it did not wait for max.block.ms')
        broker.clearFaults()
        assert.equal((await sendBy(way, producer, { value: 'b' })).offset, 0n)
      })
    }

    for (const error of [
      'BROKER_NOT_AVAILABLE',
      'REQUEST_TIMED_OUT',
      'UNKNOWN_SERVER_ERROR',
      'LEADER_NOT_AVAILABLE',
    ] as const) {
      test(`${error} of a topic is asked about again until it ends`, async () => {
        await using broker = await startBroker({ partitions: 1, quiet: true })
        await using producer = newProducer(broker, { metadataMaxAgeMs: 300_000 })
        broker.fail({ api: 'Metadata', topic: TOPIC, error, times: 4 })
        assert.equal((await sendBy(way, producer, { value: 'a' })).offset, 0n)
      })
    }
  })
}

test('a refused topic holds up no other, and costs one request at a time', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  let requests = 0
  broker.onRequest(({ api }) => {
    if (api === 'Metadata') requests++
  })
  await using producer = newProducer(broker, {
    metadataMaxAgeMs: 300_000,
    retryBackoffMs: 100,
    retryBackoffMaxMs: 1000,
  })
  await producer.partitionsFor('fine')
  broker.fail({ api: 'Metadata', topic: TOPIC, error: 'TOPIC_AUTHORIZATION_FAILED', times: 100_000 })
  requests = 0
  const refused: Promise<unknown>[] = []
  const startedMs = performance.now()
  while (performance.now() - startedMs < 500) {
    refused.push(producer.send({ topic: TOPIC, value: 'a' }).catch(codeOf))
    await producer.send({ topic: 'fine', value: 'b' })
  }
  await Promise.all(refused)
  assert.ok(requests <= 30, `${requests} requests`)
})

test('partitionsFor asks again for a topic that is idle, and for one that was made again', async () => {
  await using broker = await startBroker({ partitions: 3, quiet: true })
  await using producer = newProducer(broker)
  await producer.send({ topic: TOPIC, value: 'a' })
  shortenIdleTime(producer)
  assert.equal((await producer.partitionsFor(TOPIC)).length, 3)
  await untilForgotten(producer)
  assert.equal((await producer.partitionsFor(TOPIC)).length, 3)
  broker.deleteTopic(TOPIC)
  broker.createTopic(TOPIC, { partitions: 5 })
  const deadlineMs = performance.now() + 10_000
  while ((await producer.partitionsFor(TOPIC)).length !== 5) {
    assert.ok(performance.now() < deadlineMs)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
})

test('partitionsFor rejects with the refusal of the broker', async () => {
  await using broker = await startBroker({ partitions: 3, quiet: true })
  await using producer = newProducer(broker)
  broker.fail({ api: 'Metadata', topic: TOPIC, error: 'TOPIC_AUTHORIZATION_FAILED', times: 1 })
  await assert.rejects(producer.partitionsFor(TOPIC), AuthorizationError)
  assert.equal((await producer.partitionsFor(TOPIC)).length, 3)
})

test('a transaction goes on after an idle time', async () => {
  await using broker = await startBroker({ partitions: 3, quiet: true })
  await using producer = newProducer(broker, {
    transactionalId: 'x',
    partitioner: {
      partition: (topic, _key, _value, cluster) => (cluster.partitionCountForTopic(topic) as number) - 1,
    },
  })
  await producer.initTransactions()
  await producer.transaction(() => producer.send({ topic: TOPIC, value: 'a' }))
  shortenIdleTime(producer)
  await producer.transaction(() => producer.send({ topic: TOPIC, value: 'b' }))
  await untilForgotten(producer)
  const { partition } = await producer.transaction(() => producer.send({ topic: TOPIC, value: 'c' }))
  assert.equal(partition, 2)
})

test('a topic of 100,000 partitions works', { timeout: 60_000 }, async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  broker.createTopic(TOPIC, { partitions: 100_000 })
  await using producer = newProducer(broker, { metadataMaxAgeMs: 300_000 })
  assert.equal((await producer.partitionsFor(TOPIC)).length, 100_000)
  assert.equal((await producer.send({ topic: TOPIC, partition: 99_999, value: 'last' })).offset, 0n)
  assert.equal((await producer.send({ topic: TOPIC, key: KEY, value: 'keyed' })).offset, 0n)
})
