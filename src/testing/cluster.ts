import { randomBytes } from 'node:crypto'
import { ConfigError } from '../errors/index.js'
import type { ApiVersionRange } from '../protocol/api-versions.js'
import { uuidKey } from '../protocol/uuid.js'
import { type BrokerCounters, newCounters } from './counters.js'
import { Faults } from './faults/faults.js'
import { GroupOffsets } from './group-offsets.js'
import { type BrokerSettings, integer, MOST_PARTITIONS } from './options.js'
import { TelemetryStore } from './telemetry-store.js'
import { isValidTopicName, Topic, type TopicConfig } from './topic.js'
import { TransactionCoordinator } from './transaction-coordinator.js'

/** A broker of the cluster as the others and the clients see it. */
export interface ClusterNode {
  readonly id: number
  readonly host: string
  /** 0 until it listens for the first time; the same after a restart. */
  port: number
  up: boolean
}

/** What a new topic is to be like; everything has a default. */
export interface NewTopic {
  partitions?: number
  /** Node id of each partition's leader; makes `partitions` superfluous. */
  leaders?: readonly number[]
  config?: Readonly<TopicConfig>
}

/** Different problems told before the broker keeps silent about more. */
const MOST_PROBLEMS = 100
const FIRST_PRODUCER_ID = 1000n

/** What all nodes share: who is up, the topics with their logs, and the test's control over all of it. */
export class Cluster {
  readonly settings: BrokerSettings
  readonly faults = new Faults()
  readonly counters: BrokerCounters = newCounters()
  readonly nodes: ClusterNode[] = []
  /** The versions that are announced and taken, by API key. */
  readonly announced: ReadonlyMap<number, ApiVersionRange>
  readonly topics = new Map<string, Topic>()
  readonly groupOffsets = new GroupOffsets()
  readonly transactions: TransactionCoordinator
  /** Null: clients are asked for no metrics. */
  readonly telemetry: TelemetryStore | null
  /** Level of the finalized feature `transaction.version`. */
  transactionVersion: number
  /** Grows with every change of the features. */
  featuresEpoch = 0n
  /** Where a test wants the coordinators; null: where they are by themselves. */
  wantedCoordinatorId: number | null = null
  /** What has been told in the log already. */
  private readonly told = new Set<string>()
  private readonly topicsById = new Map<string, Topic>()
  private lastProducerId = FIRST_PRODUCER_ID - 1n

  constructor(settings: BrokerSettings, announced: ReadonlyMap<number, ApiVersionRange>) {
    this.settings = settings
    this.announced = announced
    this.telemetry = settings.telemetry === null ? null : new TelemetryStore(settings.telemetry)
    this.transactionVersion = settings.transactionVersion
    this.transactions = new TransactionCoordinator(
      this.groupOffsets,
      () => this.nextProducerId(),
      line => settings.log(line),
    )
    for (let id = 1; id <= settings.nodes; id++) {
      this.nodes.push({ id, host: settings.host, port: 0, up: false })
    }
  }

  /** The node with this id; throws {@link ConfigError} if there is none. */
  node(id: number): ClusterNode {
    const node = this.nodes[id - 1]
    if (node === undefined) throw new ConfigError(`There is no node ${id}: ids are 1 to ${this.nodes.length}`)
    return node
  }

  liveNodes(): ClusterNode[] {
    return this.nodes.filter(node => node.up)
  }

  /** Node id of the controller; -1 if no node is up. */
  get controllerId(): number {
    return this.nodes.find(node => node.up)?.id ?? -1
  }

  /** Node id of the coordinator of every group and transaction; -1 if no node is up. */
  get coordinatorId(): number {
    const wanted = this.wantedCoordinatorId
    return wanted !== null && this.node(wanted).up ? wanted : this.controllerId
  }

  /** Whether clients may use the transactions of KIP-890, which bump the epoch with every end. */
  get hasTransactionVersion2(): boolean {
    return this.transactionVersion >= 2
  }

  nextProducerId(): bigint {
    this.lastProducerId++
    return this.lastProducerId
  }

  /** The topic with this name; throws {@link ConfigError} if there is none. */
  topic(name: string): Topic {
    const topic = this.topics.get(name)
    if (topic === undefined) throw new ConfigError(`There is no topic ${JSON.stringify(name)}`)
    return topic
  }

  topicById(id: Uint8Array): Topic | undefined {
    return this.topicsById.get(uuidKey(id))
  }

  /** Makes a topic; its partitions are led by the live nodes in turn unless `leaders` says otherwise. */
  createTopic(name: string, { partitions, leaders, config = {} }: NewTopic = {}): Topic {
    if (!isValidTopicName(name)) throw new ConfigError(`${JSON.stringify(name)} is not a legal topic name`)
    if (this.topics.has(name)) throw new ConfigError(`Topic ${name} exists`)
    for (const leader of leaders ?? []) this.node(leader)
    const count = leaders?.length ?? partitions ?? this.settings.partitions
    integer('partitions', count, 1, MOST_PARTITIONS)
    const topic = new Topic(name, randomBytes(16), config, this.settings)
    for (let i = 0; i < count; i++) topic.addPartition(leaders?.[i] ?? this.leaderInTurn(i))
    this.topics.set(name, topic)
    this.topicsById.set(uuidKey(topic.id), topic)
    return topic
  }

  deleteTopic(name: string): void {
    const topic = this.topic(name)
    this.topics.delete(name)
    this.topicsById.delete(uuidKey(topic.id))
    for (const log of topic.partitions) log.clear()
  }

  /** Raises the number of partitions to `count`. */
  addPartitions(name: string, count: number): void {
    const { partitions } = this.topic(name)
    integer('count', count, 1, MOST_PARTITIONS)
    if (count <= partitions.length) {
      throw new ConfigError(`Topic ${name} has ${partitions.length} partitions; ${count} are not more`)
    }
    for (let i = partitions.length; i < count; i++) this.topic(name).addPartition(this.leaderInTurn(i))
  }

  private leaderInTurn(partition: number): number {
    const live = this.liveNodes()
    return live[partition % live.length]?.id ?? -1
  }

  /** A node has come up: it takes the partitions that nobody leads. */
  nodeUp(node: ClusterNode): void {
    node.up = true
    this.moveLeaders(-1)
  }

  /** A node has gone down: the nodes that are left take over what it led. */
  nodeDown(node: ClusterNode): void {
    node.up = false
    this.moveLeaders(node.id)
  }

  private moveLeaders(from: number): void {
    for (const { partitions } of this.topics.values()) {
      for (const log of partitions) if (log.leaderId === from) log.lead(this.leaderInTurn(log.index))
    }
  }

  /** Whether a problem with what clients send is to be told: once, and not without end. */
  isNews(problem: string): boolean {
    if (this.told.has(problem) || this.told.size >= MOST_PROBLEMS) return false
    this.told.add(problem)
    return true
  }

  /** Where clients are told to find a node. */
  advertised(node: ClusterNode): { host: string; port: number } {
    return this.settings.advertise({ id: node.id, host: node.host, port: node.port })
  }
}
