// Request events feed metrics.
import { Kafka, type RequestEvent } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers, clientId: 'metered' }).producer()
const durations: Record<string, number[]> = {}
let timeouts = 0
producer.on(producer.events.REQUEST, ({ payload }: RequestEvent) => {
  const { apiName, duration, broker, clientId, size } = payload
  if (!broker || clientId !== 'metered' || !(size >= 0)) throw new Error(JSON.stringify(payload))
  durations[apiName] = [...(durations[apiName] ?? []), duration]
})
producer.on(producer.events.REQUEST_TIMEOUT, () => {
  timeouts++
})
await producer.connect()
await producer.send({ topic, messages: [{ value: 'v' }] })
console.log(JSON.stringify({ produced: durations.Produce?.length, timeouts }))
await producer.disconnect()
