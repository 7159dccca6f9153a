// A real broker names the records of a batch that it cannot take: those fail with its reason, the others are stored.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  BrokerError,
  Producer,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  SendManyError,
} from '../../dist/index.js'
import { type Kafka, startKafka } from './broker.js'
import { kafkaSkip } from './java.js'
import { JavaClient, type ReadRecord } from './java-client.js'

const RECORDS = 1000
const BAD_RECORDS = 10
/** So small that a thousand records fill dozens of batches, of which five are in flight. */
const BATCH_BYTES = 4096
const DAY_MS = 86_400_000
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

interface Kind {
  readonly what: string
  readonly configs: Readonly<Record<string, string | number>>
  /** What makes a record one that the topic does not take. */
  readonly spoil: (record: ProducerRecord) => ProducerRecord
  /** As in Java, where the broker names several of one batch each fails as `INVALID_RECORD`. */
  readonly errorNames: readonly string[]
  readonly reason: RegExp
}

const KINDS: readonly Kind[] = [
  {
    what: 'records without key in a compacted topic',
    configs: { 'cleanup.policy': 'compact' },
    spoil: ({ topic, value }) => ({ topic, value }),
    errorNames: ['INVALID_RECORD'],
    reason: /[Cc]ompacted topic cannot accept message without key/,
  },
  {
    what: 'timestamps a day older than the topic takes',
    configs: { 'message.timestamp.before.max.ms': DAY_MS },
    spoil: record => ({ ...record, timestamp: Date.now() - 2 * DAY_MS }),
    errorNames: ['INVALID_TIMESTAMP', 'INVALID_RECORD'],
    reason: /[Tt]imestamp .* out of range/,
  },
  {
    what: 'timestamps a day ahead of what the topic takes',
    configs: { 'message.timestamp.after.max.ms': DAY_MS },
    spoil: record => ({ ...record, timestamp: Date.now() + 2 * DAY_MS }),
    errorNames: ['INVALID_TIMESTAMP', 'INVALID_RECORD'],
    reason: /[Tt]imestamp .* out of range/,
  },
]

interface Mode {
  readonly what: string
  readonly options: Partial<ProducerOptions>
  /** Without idempotence several requests in flight may overtake one another when one is sent again. */
  readonly isOrdered: boolean
}

const MODES: readonly Mode[] = [
  { what: 'idempotent, five in flight', options: {}, isOrdered: true },
  {
    what: 'plain, one in flight',
    options: { enableIdempotence: false, maxInFlightRequestsPerConnection: 1 },
    isOrdered: true,
  },
  {
    what: 'plain, five in flight',
    options: { enableIdempotence: false, maxInFlightRequestsPerConnection: 5 },
    isOrdered: false,
  },
]

/** So many different numbers below `RECORDS`, by chance, and always the first and the last. */
function randomPlaces(): ReadonlySet<number> {
  const places = new Set([0, RECORDS - 1])
  while (places.size < BAD_RECORDS) places.add(Math.floor(Math.random() * RECORDS))
  return places
}

/** One of the three ways to send after the other. */
function send(producer: Producer, record: ProducerRecord, number: number): Promise<RecordMetadata> {
  if (number % 3 === 0) return producer.send(record)
  if (number % 3 === 1) return producer.sendMany([record]).then(report => report[0] as RecordMetadata)
  return new Promise((resolve, reject) => {
    producer.send(record, (error, metadata) => (error === null ? resolve(metadata) : reject(error)))
  })
}

function reasonOf(error: unknown): unknown {
  return error instanceof SendManyError ? error.errors.get(0) : error
}

const numberOf = ({ value }: ReadRecord) => Number(String(value).split(' ')[0])
const silent = { debug() {}, info() {}, warn() {}, error() {} }

describe('records that the broker names as bad', {
  skip: kafkaSkip(),
  timeout: 300_000,
  concurrency: 4,
}, () => {
  let kafka: Kafka
  let java: JavaClient
  let topics = 0

  before(async () => {
    java = new JavaClient()
    kafka = await startKafka()
  })
  after(async () => {
    await java?.close()
    await kafka?.stop()
  })

  async function topicOf({ configs }: Kind): Promise<string> {
    const topic = `bad-records-${++topics}`
    await java.createTopic(kafka.bootstrapServers, topic, { configs })
    return topic
  }

  function newProducer(options: Partial<ProducerOptions>): Producer {
    const { bootstrapServers } = kafka
    const paces = { lingerMs: 5, retryBackoffMs: 5 }
    return new Producer({ bootstrapServers, logger: silent, batchSize: BATCH_BYTES, ...paces, ...options })
  }

  const recordOf = (topic: string, number: number): ProducerRecord => ({
    topic,
    key: `key ${number}`,
    value: `${number} ${'of some length '.repeat(number % 7)}`,
  })

  async function losesOnlyTheBad(kind: Kind, { options, isOrdered }: Mode, codec: (typeof CODECS)[number]) {
    const topic = await topicOf(kind)
    await using producer = newProducer({ ...options, compressionType: codec })
    const bad = randomPlaces()
    const sends = Array.from({ length: RECORDS }, (_, number) => {
      const record = recordOf(topic, number)
      return send(producer, bad.has(number) ? kind.spoil(record) : record, number)
    })
    const settled = await Promise.allSettled(sends)

    const stored = await java.read(kafka.bootstrapServers, topic)
    const good = Array.from({ length: RECORDS }, (_, number) => number).filter(number => !bad.has(number))
    const numbers = stored.map(numberOf)
    assert.deepEqual(isOrdered ? numbers : numbers.toSorted((a, b) => a - b), good)
    const told = `bad: ${[...bad].join(', ')}`
    for (const [number, outcome] of settled.entries()) {
      if (outcome.status === 'fulfilled') {
        assert.ok(!bad.has(number), told)
        const { offset } = outcome.value
        assert.equal(numberOf(stored.find(record => BigInt(record.offset) === offset) as ReadRecord), number)
        continue
      }
      const error = reasonOf(outcome.reason)
      assert.ok(bad.has(number) && error instanceof BrokerError, `${number}: ${error}; ${told}`)
      assert.ok(kind.errorNames.includes(error.errorName), error.message)
      assert.match(error.message, kind.reason)
    }
  }

  for (const kind of KINDS) {
    for (const mode of MODES) {
      for (const codec of CODECS) {
        test(`${kind.what}: ${mode.what}, ${codec}`, () => losesOnlyTheBad(kind, mode, codec))
      }
    }
  }

  test('in a transaction a bad record makes it abortable, and the next one is committed', async () => {
    const kind = KINDS[0] as Kind
    const topic = await topicOf(kind)
    await using producer = newProducer({ transactionalId: topic })
    await producer.initTransactions()
    producer.beginTransaction()
    const records = Array.from({ length: 100 }, (_, number) => recordOf(topic, number))
    records[57] = kind.spoil(records[57] as ProducerRecord)
    const settled = await Promise.allSettled(records.map(record => producer.send(record)))
    assert.equal(settled[57]?.status, 'rejected')
    await assert.rejects(producer.commitTransaction(), { abortable: true })
    await producer.abortTransaction()
    await producer.transaction(tx => tx.send(recordOf(topic, 1000)))
    assert.deepEqual((await java.read(kafka.bootstrapServers, topic, 'read_committed')).map(numberOf), [1000])
  })
})
