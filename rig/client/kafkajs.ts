import { runClient } from './driver.js'
import type { Job } from './job.js'
import { loadPeer, PeerAdapter, type Untyped } from './peer.js'

class KafkaJsAdapter extends PeerAdapter {
  private readonly producer: Untyped

  constructor(job: Job) {
    super('kafkajs')
    const { Kafka, logLevel } = loadPeer('kafkajs')
    const kafka = new Kafka({ brokers: job.bootstrapServers.split(','), logLevel: logLevel.NOTHING })
    this.producer = kafka.producer({ idempotent: true, ...job.options })
  }

  connect(): Promise<void> {
    return this.producer.connect()
  }

  close(): Promise<void> {
    return this.producer.disconnect()
  }

  protected async sendAll(topic: string, partition: number, values: readonly Buffer[]): Promise<number> {
    const messages = values.map(value => ({ value, partition }))
    const [result] = await this.producer.send({ topic, messages, acks: -1 })
    return Number(result.baseOffset)
  }
}

await runClient(async job => new KafkaJsAdapter(job))
