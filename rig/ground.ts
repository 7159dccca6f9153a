import { type BrokerOptions, startBroker, type TestBroker } from '../dist/testing/index.js'
import { RunEncoder } from './checker/run-encoder.js'
import type { ClientName } from './client-process.js'
import type { Frame } from './frames.js'
import type { Layout } from './layout.js'
import { ChaosProxy } from './proxy.js'

/** Brokers behind proxies, and a way to read what they hold past those. */
export interface Ground extends AsyncDisposable {
  /** The proxies' addresses. */
  readonly bootstrapServers: string
  /** By node id minus one. */
  readonly proxies: readonly ChaosProxy[]
  readonly versions: Readonly<Record<string, string>>
  createTopics(layout: Layout): Promise<void>
  /** What a client needs to be let in. */
  clientOptions?(client: ClientName): Record<string, unknown>
  /** Tells every record of every slot, per partition in the order of offsets, joined to runs. */
  read(run: number, layout: Layout, take: (frame: Frame) => void): Promise<void>
}

/** The in-process broker, a proxy in front of every node. */
export class InProcessGround implements Ground {
  readonly broker: TestBroker
  readonly proxies: readonly ChaosProxy[]
  readonly versions = { broker: 'in-process' }

  private constructor(broker: TestBroker, proxies: readonly ChaosProxy[]) {
    this.broker = broker
    this.proxies = proxies
  }

  static async start(options: BrokerOptions = {}): Promise<InProcessGround> {
    const proxies: ChaosProxy[] = []
    for (let i = 0; i < (options.nodes ?? 1); i++) proxies.push(await ChaosProxy.start())
    const broker = await startBroker({
      quiet: true,
      verify: 'strict',
      ...options,
      advertise: ({ id, host }) => ({ host, port: (proxies[id - 1] as ChaosProxy).port }),
    })
    for (const { id, port } of broker.nodes) (proxies[id - 1] as ChaosProxy).targetPort = port
    return new InProcessGround(broker, proxies)
  }

  async createTopics({ topics, partitions }: Layout): Promise<void> {
    for (const topic of topics) this.broker.createTopic(topic, { partitions })
  }

  get bootstrapServers(): string {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')
  }

  get proxy(): ChaosProxy {
    return this.proxies[0] as ChaosProxy
  }

  async read(run: number, layout: Layout, take: (frame: Frame) => void): Promise<void> {
    const runs = new RunEncoder(run, layout, take)
    for (const [topicId, topic] of layout.topics.entries()) {
      for (const { partition } of this.broker.partitions(topic)) {
        for (const { offset, value } of this.broker.eachRecord(topic, partition)) {
          runs.add(topicId, partition, Number(offset), value)
        }
        runs.endPartition(topicId, partition)
      }
      runs.endTopic(topicId)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.proxies.map(proxy => proxy.close()))
    await this.broker.close()
  }
}
