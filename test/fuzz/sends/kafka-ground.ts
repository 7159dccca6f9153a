import { type Kafka, startKafka } from '../../kafka/broker.js'
import { JavaClient } from '../../kafka/java-client.js'
import type { Ground } from './ground.js'
import type { Plan } from './plan.js'

/** One node of a real Apache Kafka for many worlds, read back by Java's own consumer. */
export class KafkaCluster implements AsyncDisposable {
  private readonly kafka: Kafka
  private readonly java = new JavaClient()

  private constructor(kafka: Kafka) {
    this.kafka = kafka
  }

  static async start(transactionVersion: number): Promise<KafkaCluster> {
    const kafka = await startKafka({
      features: { 'transaction.version': transactionVersion },
      properties: { 'auto.create.topics.enable': false, 'group.initial.rebalance.delay.ms': 0 },
    })
    return new KafkaCluster(kafka)
  }

  async groundOf(plan: Plan): Promise<Ground> {
    const { java } = this
    const { bootstrapServers } = this.kafka
    for (const { name, partitions, maxMessageBytes, isStampedByBroker } of plan.topics) {
      const configs = {
        // Some records are dated decades back or ahead.
        'retention.ms': -1,
        'message.timestamp.after.max.ms': '9223372036854775807',
        ...(maxMessageBytes !== null && { 'max.message.bytes': maxMessageBytes }),
        ...(isStampedByBroker && { 'message.timestamp.type': 'LogAppendTime' }),
      }
      await java.createTopic(bootstrapServers, name, { partitions, configs })
    }
    return {
      bootstrapServers,
      broker: null,
      async *records(topic, isolation) {
        const records = await java.read(bootstrapServers, topic, isolation)
        yield records.map(record => ({ ...record, offset: BigInt(record.offset) }))
      },
      close: async () => {},
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.java.close()
    await this.kafka.stop()
  }
}
