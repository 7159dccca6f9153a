// No acknowledgement, compressed.
import { CompressionTypes, Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
await producer.connect()
const result = await producer.send({
  topic,
  acks: 0,
  compression: CompressionTypes.LZ4,
  messages: [{ value: 'metrics' }],
})
console.log(JSON.stringify(result))
await producer.disconnect()
