// The recommended settings for order.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()
for (let i = 0; i < 50; i++) void producer.send({ topic, messages: [{ key: 'k', value: `${i}` }] })
await producer.send({ topic, messages: [{ key: 'k', value: 'last' }] })
console.log(producer.isIdempotent())
await producer.disconnect()
