// Placement as it was before KafkaJS 2.
import { Kafka, Partitioners } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer({ createPartitioner: Partitioners.LegacyPartitioner })
await producer.connect()
const results = await producer.send({
  topic,
  messages: ['21', 'foobar', 'abc', 'a'].map(key => ({ key, value: key })),
})
console.log(JSON.stringify(results.map(({ partition }) => partition)))
await producer.disconnect()
