// Connected when needed; told by DISCONNECT that it is no longer.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer()
let ready = false
producer.on(producer.events.DISCONNECT, () => {
  ready = false
})

async function ensureProducer() {
  if (ready) return
  await producer.connect()
  ready = true
}

for (let i = 0; i < 3; i++) {
  await ensureProducer()
  await producer.send({ topic, messages: [{ value: `${i}` }] })
  await producer.disconnect()
  console.log(ready)
}
