// Ways to send mixed in one topic: every record is stored where its sender is told, and in the order of calls.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, type ProducerOptions, type RecordMetadata } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'

const PARTITIONS = 64
const TOPIC = 't'

async function newBroker(): Promise<TestBroker> {
  const broker = await startBroker({ quiet: true, verify: 'strict' })
  broker.createTopic(TOPIC, { partitions: PARTITIONS })
  return broker
}

function newProducer(broker: TestBroker, options: Partial<ProducerOptions> = {}): Producer {
  const { bootstrapServers } = broker
  return new Producer({ bootstrapServers, batchSize: 4096, lingerMs: 50, ...options })
}

function calledBack(producer: Producer, value: string): Promise<RecordMetadata> {
  return new Promise((resolve, reject) => {
    producer.send({ topic: TOPIC, value: Buffer.from(value), headers: { a: 'b' } }, (error, metadata) => {
      if (error === null) resolve(metadata)
      else reject(error)
    })
  })
}

const placeOf = ({ partition, offset }: { partition: number; offset: bigint }) => `${partition}@${offset}`

/** Places by value, as the broker has them. */
function stored(broker: TestBroker): Map<string, string> {
  return new Map([...broker.records(TOPIC)].map(record => [String(record.value), placeOf(record)]))
}

/**
 * The sticky partition has had its share and has an open batch, so the next record without a key and without
 * a place moves the topic to another partition.
 */
async function beforeTheMove(
  producer: Producer,
): Promise<{ partition: number; named: Promise<RecordMetadata> }> {
  await producer.partitionsFor(TOPIC)
  const { partition } = await producer.send({ topic: TOPIC, value: Buffer.alloc(9000, 1) })
  const named = producer.send({ topic: TOPIC, partition, value: Buffer.from('named') })
  return { partition, named }
}

test('a promise behind a keyless callback is told where its record went, though the sticky partition moves', async () => {
  for (let round = 0; round < 20; round++) {
    await using broker = await newBroker()
    await using producer = newProducer(broker)
    const { named } = await beforeTheMove(producer)
    const sent = {
      named,
      'called back': calledBack(producer, 'called back'),
      promised: producer.send({ topic: TOPIC, value: Buffer.from('promised') }),
      'called back later': calledBack(producer, 'called back later'),
      'promised with a key': producer.send({
        topic: TOPIC,
        key: Buffer.from('k'),
        value: Buffer.from('promised with a key'),
      }),
      'in an array': producer
        .sendMany([{ topic: TOPIC, value: Buffer.from('in an array') }])
        .then(report => report.at(0) as RecordMetadata),
    }
    const told = new Map<string, string>()
    for (const [value, promise] of Object.entries(sent)) told.set(value, placeOf(await promise))
    const places = stored(broker)
    for (const [value, place] of told) assert.equal(place, places.get(value), value)
  }
})

test('a promise of a record that the broker refuses rejects, though it was staged behind a moving sticky one', async () => {
  await using broker = await newBroker()
  await using producer = newProducer(broker)
  const { partition, named } = await beforeTheMove(producer)
  for (let each = 0; each < PARTITIONS; each++) {
    if (each === partition) continue
    broker.fail({ api: 'Produce', topic: TOPIC, partition: each, error: 'POLICY_VIOLATION', times: 10 })
  }
  const others = [
    calledBack(producer, 'called back'),
    producer.send({ topic: TOPIC, value: Buffer.from('promised') }),
    calledBack(producer, 'called back later'),
  ]
  for (const other of others) await assert.rejects(other, { errorName: 'POLICY_VIOLATION' })
  assert.equal(placeOf(await named), stored(broker).get('named'))
  assert.equal(stored(broker).get('promised'), undefined)
})

test('sequences fit the records, so the partition goes on after ways were mixed', async () => {
  await using broker = await newBroker()
  await using producer = newProducer(broker)
  const { partition, named } = await beforeTheMove(producer)
  await Promise.all([
    named,
    calledBack(producer, 'called back'),
    producer.send({ topic: TOPIC, value: Buffer.from('promised') }),
  ])
  const last = await producer.send({ topic: TOPIC, partition, value: Buffer.from('last') })
  assert.deepEqual([last.partition, last.offset], [partition, 2n])
})
