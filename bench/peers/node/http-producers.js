// The JavaScript peers behind the interface that examples/ingestion sends through: one record and a promise
// of its place. Each with idempotence and acks all, as the example has it, and without waiting for batches
// where that can be said.
import { readFileSync } from 'node:fs'

const versionOf = name => {
  const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}`
}

async function kafkajs(bootstrapServers) {
  const { Kafka, logLevel, Partitioners } = await import('kafkajs')
  const kafka = new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.ERROR })
  const createPartitioner = Partitioners.DefaultPartitioner
  const producer = kafka.producer({ idempotent: true, createPartitioner })
  await producer.connect()
  return {
    version: versionOf('kafkajs'),
    async send({ topic, key, value, headers }) {
      const [{ partition, baseOffset }] = await producer.send({ topic, messages: [{ key, value, headers }] })
      return { partition, offset: baseOffset }
    },
    close: () => producer.disconnect(),
  }
}

async function platformatic(bootstrapServers) {
  const { Producer, stringSerializers } = await import('@platformatic/kafka')
  const producer = new Producer({
    clientId: 'ingestion',
    bootstrapBrokers: bootstrapServers.split(','),
    idempotent: true,
    serializers: stringSerializers,
  })
  return {
    version: versionOf('@platformatic/kafka'),
    async send(record) {
      const { offsets } = await producer.send({ messages: [record] })
      return offsets[0]
    },
    close: () => producer.close(),
  }
}

async function confluent(bootstrapServers) {
  const { default: library } = await import('@confluentinc/kafka-javascript')
  const { Kafka, logLevel } = library.KafkaJS
  const producer = new Kafka({ kafkaJS: { logLevel: logLevel.ERROR } }).producer({
    'bootstrap.servers': bootstrapServers,
    'enable.idempotence': true,
    'linger.ms': 0,
  })
  await producer.connect()
  return {
    version: `${versionOf('@confluentinc/kafka-javascript')}, librdkafka ${library.librdkafkaVersion}`,
    async send({ topic, key, value, headers }) {
      const [{ partition, baseOffset }] = await producer.send({ topic, messages: [{ key, value, headers }] })
      return { partition, offset: baseOffset }
    },
    close: () => producer.disconnect(),
  }
}

/** By the name that `npm run bench -- http --client` takes. */
export const producers = { kafkajs, platformatic, confluent }
