// Values as JSON; the key left out, null, or an empty text, which is a key.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
await producer.connect()
await producer.send({ topic, messages: [{ value: JSON.stringify({ n: 1 }) }] })
await producer.send({ topic, messages: [{ key: null, value: JSON.stringify({ n: 2 }) }] })
await producer.send({ topic, messages: [{ key: '', value: JSON.stringify({ n: 3 }) }] })
await producer.disconnect()
