// Tracing and metrics put their own function in the place of send.
import { Kafka, type ProducerRecord } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
const original = producer.send
let calls = 0
producer.send = async (record: ProducerRecord) => {
  calls++
  const messages = record.messages.map(message => ({ ...message, headers: { traceparent: '00-1' } }))
  return original({ ...record, messages })
}
await producer.connect()
await producer.send({ topic, messages: [{ value: 'traced' }] })
console.log(calls)
await producer.disconnect()
