import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { type Kafka, type KafkaNode, startKafka } from '../dist-test/kafka/broker.js'
import { startJava } from '../dist-test/kafka/java.js'
import { Admin, type PartitionPlace } from './admin.js'
import { type Frame, FrameReader } from './frames.js'
import type { Ground } from './ground.js'
import type { Layout } from './layout.js'
import { ChaosProxy } from './proxy.js'
import { waitUntil } from './wait.js'

const NODES = 3
const BROKER_HEAP_MB = 512
const READER_HEAP_MB = 512
const READY_TIMEOUT_MS = 60_000

/** What makes a cluster notice a dead broker within a few seconds, and keep every acknowledged record. */
const PROPERTIES = {
  'inter.broker.listener.name': 'INTERNAL',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT',
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
  'controller.quorum.election.timeout.ms': 1000,
  'controller.quorum.fetch.timeout.ms': 2000,
  'controller.quorum.election.backoff.max.ms': 500,
  'unclean.leader.election.enable': false,
  'auto.leader.rebalance.enable': false,
  'auto.create.topics.enable': false,
  'min.insync.replicas': 2,
  'replica.lag.time.max.ms': 10_000,
  'log.retention.ms': -1,
  'log.segment.bytes': 256 << 20,
}

/**
 * Three nodes of a real Apache Kafka. Clients are led through a proxy per node; replicas, admin client and reader
 * talk past the proxies, on a listener of their own.
 */
export class KafkaGround implements Ground {
  readonly kafka: Kafka
  readonly proxies: readonly ChaosProxy[]
  readonly admin: Admin
  readonly versions: Readonly<Record<string, string>>
  /** The listener past the proxies. */
  readonly directServers: string

  private constructor(
    kafka: Kafka,
    proxies: readonly ChaosProxy[],
    admin: Admin,
    version: string,
    direct: string,
  ) {
    this.kafka = kafka
    this.proxies = proxies
    this.admin = admin
    this.versions = { kafka: version }
    this.directServers = direct
  }

  /**
   * `features`: what the storage is formatted with, such as `{ 'transaction.version': 1 }`; `more`: properties of
   * every node.
   */
  static async start(
    features: Readonly<Record<string, number>> = {},
    more: Readonly<Record<string, string | number | boolean>> = {},
  ): Promise<KafkaGround> {
    const proxies = await Promise.all(Array.from({ length: NODES }, () => ChaosProxy.start()))
    const internal = await freePorts(NODES)
    const kafka = await startKafka({
      nodes: NODES,
      heapMb: BROKER_HEAP_MB,
      features,
      properties: ({ id, port, controllerPort }) => {
        const host = '127.0.0.1'
        const own = `INTERNAL://${host}:${internal[id - 1]}`
        const proxy = proxies[id - 1] as ChaosProxy
        proxy.targetPort = port
        return {
          ...PROPERTIES,
          ...more,
          listeners: `CLIENT://${host}:${port},${own},CONTROLLER://${host}:${controllerPort}`,
          'advertised.listeners': `CLIENT://${host}:${proxy.port},${own}`,
        }
      },
    }).catch(async error => {
      // Or they would keep this process alive.
      await Promise.all(proxies.map(proxy => proxy.close()))
      throw error
    })
    const direct = internal.map(port => `127.0.0.1:${port}`).join(',')
    const admin = new Admin(direct)
    return new KafkaGround(kafka, proxies, admin, await admin.version(), direct)
  }

  get bootstrapServers(): string {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')
  }

  async createTopics({ topics, partitions }: Layout): Promise<void> {
    for (const topic of topics) {
      await this.admin.createTopic(topic, partitions, NODES, { 'min.insync.replicas': 2 })
    }
    await this.settled(topics)
  }

  node(id: number): KafkaNode {
    return this.kafka.nodes[id - 1] as KafkaNode
  }

  proxyOf(id: number): ChaosProxy {
    return this.proxies[id - 1] as ChaosProxy
  }

  /** Waits until every partition has a leader and all of its replicas in sync. */
  async settled(topics: readonly string[]): Promise<PartitionPlace[]> {
    let places: PartitionPlace[] = []
    await waitUntil(
      'all replicas are in sync',
      READY_TIMEOUT_MS,
      async () => {
        places = await this.admin.describe(topics).catch(() => [])
        return places.length > 0 && places.every(isWhole)
      },
      200,
    )
    return places
  }

  async read(run: number, { topics, partitions }: Layout, take: (frame: Frame) => void): Promise<void> {
    const args = [this.directServers, String(run), topics.join(','), String(partitions)]
    const options = { heapMb: READER_HEAP_MB, stderr: 'inherit', isLongLived: true } as const
    const child = startJava('ChaosReader', args, options)
    const frames = new FrameReader(take, () => {})
    child.stdout?.on('data', (chunk: Buffer) => frames.push(chunk))
    const [code, signal] = await once(child, 'close')
    if (code !== 0) throw new Error(`ChaosReader ended with ${signal ?? code}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin[Symbol.asyncDispose]()
    await Promise.all(this.proxies.map(proxy => proxy.close()))
    // Nobody needs what they hold any more.
    await Promise.all(this.kafka.nodes.map(node => node.stop('SIGKILL')))
    await this.kafka.stop()
  }
}

function isWhole({ leader, replicas, inSyncReplicas }: PartitionPlace): boolean {
  return leader > 0 && inSyncReplicas.length === replicas.length
}

/** Ports the system had free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
