// A real Apache Kafka to compare on.
import { type Kafka, startKafka } from '../../kafka/broker.js'
import { type Ground, original, type StoredRecord } from './compare.js'

const READ_MS_MAX = 120_000

export interface KafkaGround extends Ground, AsyncDisposable {}

export async function startKafkaGround(): Promise<KafkaGround> {
  const kafka = await startKafka({
    properties: {
      'auto.create.topics.enable': true,
      'num.partitions': 1,
      'message.max.bytes': 10_000_000,
      'offsets.topic.num.partitions': 4,
      'transaction.state.log.num.partitions': 4,
    },
  })
  const brokers = [kafka.bootstrapServers]
  return {
    brokers,
    stored: topics => readAll(brokers, topics),
    committed: (groupId, topic) => committedOffset(brokers, groupId, topic),
    newBroker: null,
    [Symbol.asyncDispose]: () => stop(kafka),
  }
}

const stop = (kafka: Kafka) => kafka.stop()
const client = (brokers: string[]) => new original.Kafka({ brokers, logLevel: original.logLevel.ERROR })

async function committedOffset(brokers: string[], groupId: string, topic: string): Promise<string | null> {
  const admin = client(brokers).admin()
  await admin.connect()
  try {
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const offset = found?.partitions.find(({ partition }) => partition === 0)?.offset
    return offset === undefined || offset === '-1' ? null : offset
  } finally {
    await admin.disconnect()
  }
}

/**
 * Everything in the topics, aborted transactions included: markers stand between, so ends are told by
 * offset.
 */
async function readAll(brokers: string[], topics: readonly string[]): Promise<Map<string, StoredRecord[]>> {
  const kafka = client(brokers)
  const admin = kafka.admin()
  await admin.connect()
  const ends = new Map<string, bigint>()
  for (const topic of topics) {
    for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) ends.set(`${topic}/${partition}`, BigInt(high))
    }
  }
  await admin.disconnect()
  const records = new Map<string, StoredRecord[]>(topics.map(topic => [topic, []]))
  const consumer = kafka.consumer({
    groupId: `reader-${Date.now()}`,
    readUncommitted: true,
    maxWaitTimeInMs: 200,
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not read to the end: ${[...ends.keys()]}`)), READ_MS_MAX)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    if (ends.size === 0) done()
    // A batch of nothing but a marker brings no messages, but its end.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const key = `${payload.topic}/${payload.partition}`
      const end = ends.get(key)
      if (end !== undefined && BigInt(payload.lastOffset) + 1n >= end) ends.delete(key)
      if (ends.size === 0) done()
    })
    consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { offset, timestamp, key, value, headers = {} } of batch.messages) {
          const pairs = Object.entries(headers).flatMap(([name, each]) =>
            (Array.isArray(each) ? each : [each]).map(one => [name, one as Uint8Array | null] as const),
          )
          const record = {
            partition: batch.partition,
            offset,
            timestamp: Number(timestamp),
            key,
            value,
            headers: pairs,
          }
          records.get(batch.topic)?.push(record)
        }
      },
    })
  })
  await consumer.disconnect()
  for (const each of records.values()) {
    each.sort((left, right) => left.partition - right.partition || Number(left.offset) - Number(right.offset))
  }
  return records
}
