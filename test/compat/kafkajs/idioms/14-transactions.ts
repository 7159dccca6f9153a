// Transactions with offsets, back to back.
import { Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const producer = new Kafka({ brokers }).producer({
  idempotent: true,
  maxInFlightRequests: 1,
  transactionalId: `copy-${topic}`,
})
await producer.connect()
for (let i = 0; i < 5; i++) {
  const transaction = await producer.transaction()
  try {
    await transaction.send({ topic, messages: [{ value: `${i}` }] })
    if (i === 2) throw new Error('not this one')
    await transaction.sendOffsets({
      consumerGroupId: `group-${topic}`,
      topics: [{ topic: 'source', partitions: [{ partition: 0, offset: String(i + 1) }] }],
    })
    await transaction.commit()
  } catch {
    await transaction.abort()
  }
}
await producer.disconnect()
