import { runClient } from './driver.js'
import type { Job } from './job.js'
import { loadPeer, PeerAdapter, type Untyped } from './peer.js'

class ConfluentAdapter extends PeerAdapter {
  private readonly producer: Untyped

  constructor(job: Job) {
    super('@confluentinc/kafka-javascript')
    const { KafkaJS } = loadPeer('@confluentinc/kafka-javascript')
    const kafka = new KafkaJS.Kafka({
      kafkaJS: { brokers: job.bootstrapServers.split(','), logLevel: KafkaJS.logLevel.NOTHING },
    })
    this.producer = kafka.producer({
      kafkaJS: { idempotent: true, acks: -1 },
      'linger.ms': 5,
      ...job.options,
    })
  }

  connect(): Promise<void> {
    return this.producer.connect()
  }

  async close(): Promise<void> {
    await this.producer.flush({ timeout: 10_000 })
    await this.producer.disconnect()
  }

  protected async sendAll(topic: string, partition: number, values: readonly Buffer[]): Promise<number> {
    const [result] = await this.producer.send({
      topic,
      messages: values.map(value => ({ value, partition })),
    })
    return Number(result.baseOffset ?? -1)
  }
}

await runClient(async job => new ConfluentAdapter(job))
