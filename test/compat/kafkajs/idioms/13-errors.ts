// What to do is decided by class, name, type, code and cause.
import {
  Kafka,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  logLevel,
} from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const seen: string[] = []
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 1, initialRetryTime: 50 } })
const producer = kafka.producer({ allowAutoTopicCreation: false })
await producer.connect()
try {
  await producer.send({ topic: 'no such name!', messages: [{ value: 'v' }] })
} catch (e) {
  if (e instanceof KafkaJSNonRetriableError && e.cause instanceof KafkaJSProtocolError) {
    seen.push(`${e.cause.type} ${e.cause.code}`)
  }
}
try {
  await producer.send({ topic: `${topic}-missing`, messages: [{ value: 'v' }] })
} catch (e) {
  const error = e as KafkaJSNumberOfRetriesExceeded
  if (error.name === 'KafkaJSNumberOfRetriesExceeded' && error instanceof KafkaJSNumberOfRetriesExceeded) {
    seen.push((error.cause as KafkaJSProtocolError).type)
  }
}
console.log(JSON.stringify(seen))
await producer.disconnect()
