import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { Producer } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { kafkaSkip, startJava } from './java.js'
import { type Comparison, compareMetrics, fromJava, fromOurs } from './metrics-comparison.js'

const TOPIC = 'orders'
/** As in MetricsDump.java: the difference of two timestamps takes more bytes the longer it is. */
const TIMESTAMP_MS = 1_700_000_000_000

interface Load {
  rounds: number
  records: number
  valueBytes: number
  options?: Readonly<Record<string, string>>
  /** Of the broker, before the producer starts. */
  prepare?: (broker: TestBroker) => void
  maxMessageBytes?: number
}

const OPTIONS = {
  'client.id': 'compared',
  'linger.ms': '1000',
  'batch.size': '65536',
  'retry.backoff.ms': '10',
}

async function javaMetrics(broker: TestBroker, load: Load): Promise<string[]> {
  const options = { ...OPTIONS, ...load.options, 'bootstrap.servers': broker.bootstrapServers }
  const pairs = Object.entries(options).map(([name, value]) => `${name}=${value}`)
  const { rounds, records, valueBytes } = load
  const args = [TOPIC, `${rounds}`, `${records}`, `${valueBytes}`, ...pairs]
  const child = startJava('MetricsDump', args, { heapMb: 128, stderr: 'inherit' })
  const exited = once(child, 'exit')
  assert.ok(child.stdout !== null)
  const output = await text(child.stdout)
  assert.deepEqual(await exited, [0, null])
  return output.trimEnd().split('\n')
}

async function ourMetrics(broker: TestBroker, load: Load) {
  const options = { ...OPTIONS, ...load.options, bootstrapServers: broker.bootstrapServers }
  await using producer = new Producer({
    ...options,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  } as never)
  const value = Buffer.alloc(load.valueBytes)
  for (let round = 0; round < load.rounds; round++) {
    const outcomes: Promise<unknown>[] = []
    for (let record = 0; record < load.records; record++)
      outcomes.push(producer.send({ topic: TOPIC, partition: 0, timestamp: TIMESTAMP_MS, value }))
    await producer.flush()
    await Promise.allSettled(outcomes)
  }
  return producer.metrics()
}

/** The same load by both, each on a broker of its own that is prepared in the same way. */
async function compare(load: Load, excused: readonly string[] = []): Promise<Comparison & { count: number }> {
  const { maxMessageBytes } = load
  const options = { quiet: true, ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }) }
  await using brokerOfJava = await startBroker(options)
  await using brokerOfOurs = await startBroker(options)
  for (const broker of [brokerOfJava, brokerOfOurs]) load.prepare?.(broker)
  const java = (await javaMetrics(brokerOfJava, load)).map(fromJava)
  const ours = (await ourMetrics(brokerOfOurs, load)).map(fromOurs)
  return { ...compareMetrics(java, ours, excused), count: ours.length }
}

describe("metrics() of Kafka's producer and of this one under the same load", { skip: kafkaSkip() }, () => {
  test('plain: 110 metrics, the same totals', async () => {
    const { sets, values, count, compared } = await compare({ rounds: 20, records: 100, valueBytes: 200 })
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
    assert.equal(count, 110)
    assert.ok(compared >= 30, `${compared} values compared`)
  })

  test('gzip', async () => {
    const { sets, values } = await compare(
      { ...{ rounds: 10, records: 100, valueBytes: 200 }, options: { 'compression.type': 'gzip' } },
      // Another zlib makes some bytes more or less of it.
      ['byte-total'],
    )
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
  })

  test('retries', async () => {
    const { sets, values } = await compare({
      ...{ rounds: 10, records: 50, valueBytes: 200 },
      prepare: broker => broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 4 }),
    })
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
  })

  test('errors: records that a broker refuses, and records that are too large', async () => {
    const { sets, values } = await compare({
      ...{ rounds: 4, records: 5, valueBytes: 300 },
      prepare: broker => broker.fail({ api: 'Produce', error: 'INVALID_REQUIRED_ACKS', times: 2 }),
    })
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
    // What is too large is refused here before the topic is asked for, and there after it.
    const tooLarge = await compare(
      { ...{ rounds: 2, records: 3, valueBytes: 3000 }, options: { 'max.request.size': '2000' } },
      ['count', 'produce-throttle-time-avg', 'produce-throttle-time-max', 'request-size-max'],
    )
    assert.deepEqual(tooLarge.values, [])
  })

  test('a lost connection', async () => {
    const { sets, values } = await compare({
      ...{ rounds: 10, records: 50, valueBytes: 200 },
      prepare: broker => broker.cut({ afterBytes: 30_000 }),
    })
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
  })

  test('throttling', async () => {
    const { sets, values } = await compare(
      {
        ...{ rounds: 4, records: 10, valueBytes: 100 },
        prepare: broker => broker.throttle({ api: 'Produce', ms: 60, times: 2 }),
      },
      // Over all answers, of which some are for metadata.
      ['produce-throttle-time-avg'],
    )
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
  })

  test('splits', async () => {
    const { sets, values } = await compare(
      { ...{ rounds: 1, records: 40, valueBytes: 500 }, maxMessageBytes: 12_000 },
      // Halves here; there what batch.size allows.
      [
        ...['record-send-total', 'byte-total', 'batch-size-avg', 'batch-size-max'],
        ...['records-per-request-avg', 'record-error-total', 'request-size-max'],
      ],
    )
    assert.deepEqual(sets, [])
    assert.deepEqual(values, [])
  })
})
