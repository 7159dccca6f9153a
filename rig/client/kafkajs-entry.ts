import { readFileSync } from 'node:fs'
import { Kafka, logLevel, type Producer } from '../../dist/compat/kafkajs/index.js'
import { runClient } from './driver.js'
import type { Job } from './job.js'
import { PeerAdapter } from './peer.js'

/** millrace/kafkajs, with the very calls of kafkajs.ts. */
class KafkaJsEntryAdapter extends PeerAdapter {
  private readonly producer: Producer

  constructor(job: Job) {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    super('millrace', JSON.parse(manifest).version)
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
    return Number(result?.baseOffset)
  }
}

await runClient(async job => new KafkaJsEntryAdapter(job))
