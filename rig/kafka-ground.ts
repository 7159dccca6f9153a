import { once } from 'node:events'
import { freePorts } from '../dist-test/helpers/free-ports.js'
import { type Kafka, type KafkaNode, type NodePorts, startKafka } from '../dist-test/kafka/broker.js'
import { startJava } from '../dist-test/kafka/java.js'
import { Admin, type PartitionPlace } from './admin.js'
import type { ClientName } from './client-process.js'
import { type Frame, FrameReader } from './frames.js'
import type { Ground } from './ground.js'
import type { Layout } from './layout.js'
import { ChaosProxy } from './proxy.js'
import { Secured } from './secured.js'
import { SmallDisks } from './small-disks.js'
import { waitUntil } from './wait.js'

const NODES = 3
const BROKER_HEAP_MB = 512
const READER_HEAP_MB = 512
const READY_TIMEOUT_MS = 60_000

/** What a cluster has beyond the plain one; everything may be left out. */
export interface GroundOptions {
  /** What the storage is formatted with, such as `{ 'transaction.version': 1 }`. */
  features?: Readonly<Record<string, number>>
  /** Of every node. */
  properties?: Readonly<Record<string, string | number | boolean>>
  /** TLS, SCRAM and an authorizer for clients. */
  isSecured?: boolean
  /** Whether proxies stand before what nodes and controllers say to one another, too. */
  hasPeerProxies?: boolean
  /** Size of a disk of its own for the log folder of each node; nodes have another folder beside it. */
  diskMib?: number
  /** The version that nodes begin with, of test/brokers/brokers.json. */
  version?: string
}

/** What makes a cluster notice a dead broker within a few seconds, and keep every acknowledged record. */
const PROPERTIES = {
  'inter.broker.listener.name': 'INTERNAL',
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
  private readonly parts: Parts

  private constructor(kafka: Kafka, parts: Parts, admin: Admin, versions: Record<string, string>) {
    this.kafka = kafka
    this.parts = parts
    this.proxies = parts.proxies
    this.admin = admin
    this.versions = versions
    this.directServers = parts.directServers
  }

  static async start(options: GroundOptions = {}): Promise<KafkaGround> {
    const parts = await Parts.make(options)
    try {
      const kafka = await startKafka({
        nodes: NODES,
        heapMb: BROKER_HEAP_MB,
        features: options.features ?? {},
        ...(parts.secured ? { scramUsers: parts.secured.scramUsers } : {}),
        properties: node => parts.propertiesOf(node),
        version: options.version,
        voterPort: (id, port) => parts.voterPort(id, port),
      })
      const admin = new Admin(parts.directServers)
      const version = options.version ?? (await admin.version())
      return new KafkaGround(kafka, parts, admin, { kafka: version })
    } catch (error) {
      // Or they would keep this process alive.
      await parts.end()
      throw error
    }
  }

  /** What a client needs to be let in. */
  clientOptions(client: ClientName): Record<string, unknown> {
    return this.parts.secured?.clientOptions(client) ?? {}
  }

  /** Proxies before what the nodes ask one another: for records, and as controllers. */
  peerProxiesOf(id: number): { records: ChaosProxy; controller: ChaosProxy } {
    const { peerProxies, controllerProxies } = this.parts
    const [records, controller] = [peerProxies[id - 1], controllerProxies[id - 1]]
    if (records === undefined || controller === undefined) throw new Error('there are no peer proxies')
    return { records, controller }
  }

  get disks(): SmallDisks {
    if (this.parts.disks === undefined) throw new Error('there are no small disks')
    return this.parts.disks
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
    // Nobody needs what they hold any more.
    await Promise.all(this.kafka.nodes.map(node => node.stop('SIGKILL')))
    await this.kafka.stop()
    await this.parts.end()
  }
}

function isWhole({ leader, replicas, inSyncReplicas }: PartitionPlace): boolean {
  return leader > 0 && inSyncReplicas.length === replicas.length
}

/** What stands around the nodes, and what each of them is told of it. */
class Parts {
  readonly proxies: readonly ChaosProxy[]
  readonly peerProxies: readonly ChaosProxy[]
  readonly controllerProxies: readonly ChaosProxy[]
  readonly secured: Secured | undefined
  readonly disks: SmallDisks | undefined
  /** By node id minus one: what nodes ask one another, and what admin client and reader ask. */
  private readonly internalPorts: readonly number[]
  private readonly adminPorts: readonly number[]
  private readonly more: GroundOptions['properties']
  private readonly securedProperties: Readonly<Record<string, string | boolean>>

  private constructor(options: GroundOptions, proxies: readonly ChaosProxy[][], ports: readonly number[]) {
    const [clients = [], peers = [], controllers = []] = proxies
    this.proxies = clients
    this.peerProxies = peers
    this.controllerProxies = controllers
    this.internalPorts = ports.slice(0, NODES)
    this.adminPorts = ports.slice(NODES)
    this.more = options.properties
    this.secured = options.isSecured ? new Secured() : undefined
    this.securedProperties = this.secured?.properties ?? {}
    this.disks = options.diskMib === undefined ? undefined : new SmallDisks(NODES, options.diskMib)
  }

  static async make(options: GroundOptions): Promise<Parts> {
    const kinds = options.hasPeerProxies ? 3 : 1
    const proxies: ChaosProxy[][] = []
    for (let kind = 0; kind < kinds; kind++)
      proxies.push(await Promise.all(Array.from({ length: NODES }, () => ChaosProxy.start())))
    return new Parts(options, proxies, await freePorts(2 * NODES))
  }

  /** The listener past all proxies. */
  get directServers(): string {
    return this.adminPorts.map(port => `127.0.0.1:${port}`).join(',')
  }

  voterPort(id: number, controllerPort: number): number {
    const proxy = this.controllerProxies[id - 1]
    if (proxy === undefined) return controllerPort
    proxy.targetPort = controllerPort
    return proxy.port
  }

  propertiesOf({ id, port, controllerPort }: NodePorts): Record<string, string | number | boolean> {
    const host = '127.0.0.1'
    const [proxy, peer] = [this.proxies[id - 1] as ChaosProxy, this.peerProxies[id - 1]]
    const [internal, admin] = [this.internalPorts[id - 1] as number, this.adminPorts[id - 1] as number]
    proxy.targetPort = port
    if (peer !== undefined) peer.targetPort = internal
    const direct = `ADMIN://${host}:${admin}`
    const own = `INTERNAL://${host}:${internal},${direct}`
    const clients = this.secured === undefined ? 'PLAINTEXT' : 'SASL_SSL'
    return {
      ...PROPERTIES,
      ...this.securedProperties,
      ...(this.disks?.propertiesOf(id) ?? {}),
      ...this.more,
      'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,CLIENT:${clients},INTERNAL:PLAINTEXT,ADMIN:PLAINTEXT`,
      listeners: `CLIENT://${host}:${port},${own},CONTROLLER://${host}:${controllerPort}`,
      'advertised.listeners': `CLIENT://${host}:${proxy.port},INTERNAL://${host}:${peer?.port ?? internal},${direct}`,
    }
  }

  async end(): Promise<void> {
    const all = [...this.proxies, ...this.peerProxies, ...this.controllerProxies]
    await Promise.all(all.map(proxy => proxy.close()))
    this.secured?.[Symbol.dispose]()
    this.disks?.[Symbol.dispose]()
  }
}
