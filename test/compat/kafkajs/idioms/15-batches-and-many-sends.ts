// A batch with a topic named twice and headers of all kinds; thousands of sends at once.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
await producer.connect()
const batch = await producer.sendBatch({
  topicMessages: [
    { topic, messages: [{ value: '1', headers: { id: Buffer.from([1, 2]), tags: ['a', 'b'] } }] },
    { topic: `${topic}-other`, messages: [{ value: '2' }] },
    { topic, messages: [{ value: '3' }] },
  ],
})
const sends = await Promise.all(
  Array.from({ length: 5000 }, (_, i) => producer.send({ topic, messages: [{ value: `${i}` }] })),
)
console.log(
  JSON.stringify({ topics: new Set(batch.map(({ topicName }) => topicName)).size, sends: sends.length }),
)
process.once('SIGTERM', () => {})
await producer.disconnect()
