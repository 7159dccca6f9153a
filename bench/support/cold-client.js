// Under measurement by bench/cold.js: imports one client, sends one record, and prints a line of JSON once it
// is acknowledged. Times are milliseconds since the runtime began to run this file's first line. The package
// is found from the folder that is given, so that it is the packed one.
const startedMs = performance.now()

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [name, folder, bootstrapServers] = process.argv.slice(2)
const topic = 'cold'
const value = 'x'.repeat(100)

/** Each imports its client, connects where it has to, and resolves when the record is acknowledged. */
const clients = {
  async millrace({ Producer }) {
    const producer = new Producer({ bootstrapServers, lingerMs: 0 })
    await producer.send({ topic, key: 'k', value })
    return () => producer.close()
  },
  async kafkajs({ Kafka, logLevel, Partitioners }) {
    const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING })
    const producer = kafka.producer({
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    await producer.send({ topic, messages: [{ key: 'k', value }] })
    return () => producer.disconnect()
  },
  async '@platformatic/kafka'({ Producer, stringSerializers }) {
    const options = { clientId: 'cold', bootstrapBrokers: [bootstrapServers], idempotent: true }
    const producer = new Producer({ ...options, serializers: stringSerializers })
    await producer.send({ messages: [{ topic, key: 'k', value }] })
    return () => producer.close()
  },
  async '@confluentinc/kafka-javascript'({ KafkaJS: { Kafka, logLevel } }) {
    const kafka = new Kafka({ kafkaJS: { brokers: [bootstrapServers], logLevel: logLevel.NOTHING } })
    const producer = kafka.producer({ 'enable.idempotence': true, 'linger.ms': 0 })
    await producer.connect()
    await producer.send({ topic, messages: [{ key: 'k', value }] })
    return () => producer.disconnect()
  },
}

const file = createRequire(`${folder}/package.json`).resolve(name)
const module = await import(pathToFileURL(file).href)
const importedMs = performance.now()
// What is CommonJS may have its names on `default` alone.
const close = await clients[name]({ ...module.default, ...module })
const acknowledgedMs = performance.now()
const rssBytes = process.memoryUsage.rss()
console.log(
  JSON.stringify({
    importMs: importedMs - startedMs,
    firstRecordMs: acknowledgedMs - startedMs,
    rssBytes,
  }),
)
await close()
