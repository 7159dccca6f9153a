// Three awaits; the process ends by itself.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const kafka = new Kafka({ clientId: 'my-app', brokers })
const producer = kafka.producer()

await producer.connect()
await producer.send({ topic, messages: [{ value: 'Hello KafkaJS user!' }] })
await producer.disconnect()
