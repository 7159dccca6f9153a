// Keys of a compacted topic, which other programs in Java write as well.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
await producer.connect()
const ids = [1, 2, 3, 21, 42]
const results = []
for (const id of ids) {
  results.push(
    ...(await producer.send({ topic, messages: [{ key: String(id), value: JSON.stringify({ id }) }] })),
  )
}
console.log(JSON.stringify(results.map(({ partition }) => partition)))
await producer.disconnect()
