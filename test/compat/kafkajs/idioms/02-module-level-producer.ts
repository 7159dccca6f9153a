// Connected when the application starts, more than once, and never disconnected: the process stays alive.
import { Kafka, type Producer } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer: Producer = new Kafka({ brokers }).producer()

async function start() {
  await producer.connect()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'started' }] })
}

await start()
console.log('ready')
