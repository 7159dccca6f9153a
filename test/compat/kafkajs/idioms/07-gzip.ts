// Compression with each call.
import { CompressionTypes, Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
await producer.connect()
await producer.send({
  topic,
  compression: CompressionTypes.GZIP,
  messages: Array.from({ length: 100 }, (_, i) => ({ value: JSON.stringify({ i, text: 'x'.repeat(100) }) })),
})
await producer.disconnect()
