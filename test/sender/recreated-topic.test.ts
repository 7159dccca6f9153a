// Topics that are deleted and made again, with fewer or more partitions, under a producer that goes on sending.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KafkaError, Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { stored } from './rig.js'

function newProducer(broker: TestBroker, options: Partial<ProducerOptions> = {}): Producer {
  return new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    retryBackoffMs: 5,
    retryBackoffMaxMs: 10,
    logger: new RecordingLogger(),
    ...options,
  })
}

/** For what is to time out. */
const SOON = { requestTimeoutMs: 300, deliveryTimeoutMs: 300, maxBlockMs: 300 }

/** For all else. */
const PATIENT = { deliveryTimeoutMs: 120_000, maxBlockMs: 60_000 }

function remake(broker: TestBroker, topic: string, partitions: number): void {
  broker.deleteTopic(topic)
  broker.createTopic(topic, { partitions })
}

const outcomeOf = (sent: Promise<unknown>): Promise<KafkaError | null> =>
  sent.then(
    () => null,
    error => error,
  )

test('records for a partition that is gone time out and say so; all others go to those that are there', async () => {
  await using broker = await startBroker({ quiet: true })
  broker.createTopic('t', { partitions: 4 })
  await using producer = newProducer(broker)
  await producer.send({ topic: 't', partition: 3, value: 'old' })
  // The answers are errors, and come only when the topic has been made anew.
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 1 })
  const held = broker.hold({ api: 'Produce' })
  const before = broker.counters().requests.Produce ?? 0
  const inFlight = outcomeOf(producer.send({ topic: 't', partition: 3, value: 'in flight' }))
  await eventually('the request', () => (broker.counters().requests.Produce ?? 0) > before)
  const queued = outcomeOf(producer.send({ topic: 't', partition: 3, value: 'queued' }))
  remake(broker, 't', 2)
  held.release()
  let known = 4
  await eventually('the new metadata', () => {
    void producer.partitionsFor('t').then(({ length }) => {
      known = length
    })
    return known === 2
  })
  setTimeouts(producer, { deliveryTimeoutMs: 1 })
  for (const error of await Promise.all([inFlight, queued])) {
    assert.equal(error?.code, 'TIMED_OUT')
    assert.match(error?.message ?? '', /t-3 .*the topic has only 2 partition\(s\) now/)
  }
  setTimeouts(producer, PATIENT)
  const keyed = Array.from({ length: 40 }, (_, i) =>
    producer.send({ topic: 't', key: `${i}`, value: 'keyed' }),
  )
  const sticky = Array.from({ length: 40 }, () => producer.send({ topic: 't', value: 'sticky' }))
  for (const { partition } of await Promise.all([...keyed, ...sticky])) assert.ok(partition < 2)
  setTimeouts(producer, { maxBlockMs: 100 })
  const gone = await outcomeOf(producer.send({ topic: 't', partition: 3, value: 'late' }))
  assert.equal(gone?.code, 'TIMED_OUT')
  assert.match(gone?.message ?? '', /Partition 3 of topic t is not there: it has 2 partition/)
  setTimeouts(producer, PATIENT)
  assert.equal((await producer.partitionsFor('t')).length, 2)
  await producer.flush()
  assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
})

test('a custom partitioner sees the partitions that are there', async () => {
  await using broker = await startBroker({ quiet: true })
  broker.createTopic('t', { partitions: 4 })
  const counts: (number | undefined)[] = []
  await using producer = newProducer(broker, {
    partitioner: {
      partition: (topic, _key, _value, cluster) => {
        counts.push(cluster.partitionCountForTopic(topic))
        return 0
      },
    },
    metadataMaxAgeMs: 20,
  })
  await producer.send({ topic: 't', value: 'a' })
  remake(broker, 't', 2)
  await eventually('the new metadata is used', () => {
    outcomeOf(producer.send({ topic: 't', value: 'b' }))
    return counts.at(-1) === 2
  })
  assert.equal(counts[0], 4)
  await producer.flush()
})

test('fifty times deleted and made anew under load: all is settled, nothing doubled, reordered or kept', async () => {
  await using broker = await startBroker({ quiet: true, nodes: 2 })
  broker.createTopic('t', { partitions: 6 })
  await using producer = newProducer(broker, {
    bufferMemory: 64 * 1024,
    batchSize: 2048,
    ...SOON,
  })
  let acked = 0
  const codes = new Set<string>()
  let sent = 0
  let settled = 0
  let seen = 0
  let partitions = 6
  const sendSome = () => {
    for (let i = 0; i < 20; i++) {
      // Records that name a partition wait until it is known; those for which one is chosen do not.
      const isPlaced = i % 4 === 0
      const value = `${sent++}`.padStart(8, isPlaced ? 'p' : 'c')
      const place = isPlaced ? { partition: (sent * 7) % partitions } : i % 4 === 1 ? {} : { key: value }
      producer.send({ topic: 't', value: value.padEnd(60, '.'), ...place }, error => {
        settled++
        if (error === null) acked++
        else codes.add(error.code)
      })
    }
  }
  const checkOrder = () => {
    for (let partition = 0; partition < partitions; partition++) {
      const values = stored(broker, 't', partition).map(value => value.slice(0, 8))
      for (const kind of ['p', 'c']) {
        const ofKind = values
          .filter(value => value.startsWith(kind))
          .map(value => Number(value.replace(/^\D+/, '')))
        assert.deepEqual(
          ofKind,
          [...new Set(ofKind)].sort((a, b) => a - b),
          `partition ${partition}`,
        )
      }
      seen += values.length
    }
  }
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 3; i++) {
      sendSome()
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    checkOrder()
    partitions = 1 + ((round * 5) % 7)
    remake(broker, 't', partitions)
  }
  await producer.flush()
  setTimeouts(producer, PATIENT)
  const last = producer.send({ topic: 't', key: 'last', value: 'last' })
  await producer.flush()
  await last
  assert.equal(settled, sent)
  assert.ok(acked > 0 && seen > 0)
  for (const code of codes) assert.ok(['TIMED_OUT', 'BUFFER_EXHAUSTED'].includes(code), code)
  checkOrder()
  assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
})
