import { runClient } from './driver.js'
import type { Job } from './job.js'
import { importPeer, PeerAdapter, type Untyped } from './peer.js'

const ACKS_ALL = -1

class PlatformaticAdapter extends PeerAdapter {
  private readonly producer: Untyped

  constructor(job: Job, { Producer }: Untyped) {
    super('@platformatic/kafka')
    this.producer = new Producer({
      clientId: 'chaos',
      bootstrapBrokers: job.bootstrapServers.split(','),
      idempotent: true,
      acks: ACKS_ALL,
      ...job.options,
    })
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {
    await this.producer.close(true)
  }

  protected async sendAll(topic: string, partition: number, values: readonly Buffer[]): Promise<number> {
    const messages = values.map(value => ({ topic, partition, value }))
    const { offsets } = await this.producer.send({ messages, acks: ACKS_ALL, idempotent: true })
    return Number(offsets?.[0]?.offset ?? -1)
  }
}

await runClient(async job => new PlatformaticAdapter(job, await importPeer('@platformatic/kafka')))
