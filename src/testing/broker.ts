import { ConfigError, IllegalStateError } from '../errors/index.js'
import { BrokerNode } from './broker-node.js'
import { Cluster, type NewTopic } from './cluster.js'
import type { SeenRequest } from './connection.js'
import type { BrokerCounters } from './counters.js'
import type { CutOptions } from './faults/cut.js'
import type { DelayOptions } from './faults/delay.js'
import type { FailOptions } from './faults/fail.js'
import type { HoldOptions } from './faults/hold.js'
import type { ReplyMutator } from './faults/mutate.js'
import type { SwallowOptions } from './faults/swallow.js'
import type { CommittedOffset } from './group-offsets.js'
import { announcedRanges } from './handlers/index.js'
import { type BrokerOptions, integer, resolveOptions } from './options.js'
import type { IsolationLevel, PartitionLog } from './partition-log.js'
import type { BrokerRecord } from './record-batch.js'
import type { TelemetryPush, TelemetrySubscription } from './telemetry-store.js'
import type { TransactionState } from './transaction-coordinator.js'

/** Where a partition is and what it holds. */
export interface PartitionDescription {
  readonly partition: number
  /** Node id, -1 if no node is up. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly startOffset: bigint
  /** Offset of the next record. */
  readonly endOffset: bigint
}

/**
 * Starts a Kafka cluster in this process: the real protocol over TCP, records in memory. It is for
 * development and tests, listens on loopback only and has neither replication nor consumer groups, of the
 * latter only the offsets that are committed in transactions; TLS and SASL where they are asked for. Resolves
 * once all nodes listen; throws `ConfigError` for options that make no sense.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const settings = resolveOptions(options)
  const cluster = new Cluster(settings, announcedRanges(settings))
  const listeners = new Set<(request: SeenRequest) => void>()
  const notify = (request: SeenRequest) => {
    for (const listener of listeners) listener(request)
  }
  const nodes = cluster.nodes.map(node => new BrokerNode(cluster, node, notify))
  try {
    for (const node of nodes) await node.start()
  } catch (error) {
    await Promise.all(nodes.map(node => node.stop()))
    throw error
  }
  const broker = new TestBroker(cluster, nodes, listeners)
  cluster.settings.log(
    'millrace broker: in-process, in memory, for development and tests only; ' +
      `listening on ${broker.bootstrapServers}`,
  )
  return broker
}

/** A running in-process cluster and the control over it. Made by {@link startBroker}. */
export class TestBroker implements AsyncDisposable {
  private readonly cluster: Cluster
  private readonly brokerNodes: readonly BrokerNode[]
  private readonly listeners: Set<(request: SeenRequest) => void>

  constructor(
    cluster: Cluster,
    brokerNodes: readonly BrokerNode[],
    listeners: Set<(request: SeenRequest) => void>,
  ) {
    this.cluster = cluster
    this.brokerNodes = brokerNodes
    this.listeners = listeners
  }

  /** What clients put into `bootstrap.servers`: all nodes, as advertised. */
  get bootstrapServers(): string {
    return this.cluster.nodes
      .map(node => this.cluster.advertised(node))
      .map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
      .join(',')
  }

  /** Where the nodes listen. Ids count from 1. */
  get nodes(): readonly {
    readonly id: number
    readonly host: string
    readonly port: number
    readonly up: boolean
  }[] {
    return this.cluster.nodes.map(node => ({ ...node }))
  }

  // ---- topics ----

  /** Makes a topic; its partitions are led by the nodes in turn unless `leaders` names their ids. */
  createTopic(name: string, options?: NewTopic): void {
    this.cluster.createTopic(name, options)
  }

  /** Deletes a topic with its records. One of the same name made later has another id. */
  deleteTopic(name: string): void {
    this.cluster.deleteTopic(name)
  }

  /** Raises the number of a topic's partitions to `count`. */
  addPartitions(name: string, count: number): void {
    this.cluster.addPartitions(name, count)
  }

  /** Makes a node the leader of a partition, in a new leader epoch. */
  moveLeader(topic: string, partition: number, node: number): void {
    const { id, up } = this.cluster.node(node)
    if (!up) throw new ConfigError(`Node ${node} is down and cannot lead`)
    this.log(topic, partition).lead(id)
  }

  /** The partitions of a topic, by index. */
  partitions(topic: string): PartitionDescription[] {
    return this.cluster.topic(topic).partitions.map(log => ({
      partition: log.index,
      leader: log.leaderId,
      leaderEpoch: log.leaderEpoch,
      startOffset: BigInt(log.startOffset),
      endOffset: BigInt(log.endOffset),
    }))
  }

  private log(topic: string, partition: number): PartitionLog {
    const log = this.cluster.topic(topic).partitions[partition]
    if (log === undefined) throw new ConfigError(`Topic ${topic} has no partition ${partition}`)
    return log
  }

  // ---- nodes ----

  /** Stops a node: its partitions move to the others, its connections end, its port refuses. */
  stopNode(id: number): Promise<void> {
    return this.brokerNode(id).stop()
  }

  /** Starts a stopped node on the port it had. Leaders stay where they are, unless there was none. */
  startNode(id: number): Promise<void> {
    return this.brokerNode(id).start()
  }

  /** Ends all connections that are open now, to one node or to all. */
  disconnect(node?: number): void {
    for (const each of node === undefined ? this.brokerNodes : [this.brokerNode(node)]) each.disconnect()
  }

  private brokerNode(id: number): BrokerNode {
    this.cluster.node(id)
    return this.brokerNodes[id - 1] as BrokerNode
  }

  // ---- transactions ----

  /** Moves the coordinator of all groups and transactions to a node; the others answer NOT_COORDINATOR. */
  moveCoordinator(node: number): void {
    this.cluster.wantedCoordinatorId = this.cluster.node(node).id
  }

  /** Raises or lowers the finalized feature `transaction.version`, which clients learn as they connect. */
  setTransactionVersion(level: number): void {
    this.cluster.transactionVersion = integer('level', level, 0, 2)
    this.cluster.featuresEpoch++
  }

  /**
   * Aborts the open transaction of a transactional id as its time-out does, and fences its producer. False if
   * none is open.
   */
  expireTransaction(transactionalId: string): boolean {
    return this.cluster.transactions.expire(transactionalId)
  }

  /**
   * Has transactions end without being completed until `release`: the coordinator answers
   * CONCURRENT_TRANSACTIONS meanwhile, and `read_committed` does not see the outcome.
   */
  holdMarkers(): { release(): void } {
    return this.cluster.transactions.holdMarkers()
  }

  /** Where a transactional id stands, by Kafka's names; undefined for one that is not known. */
  transactionState(transactionalId: string): TransactionState | undefined {
    return this.cluster.transactions.stateOf(transactionalId)
  }

  /** The offsets that a consumer group has committed in transactions. */
  committedOffsets(groupId: string): CommittedOffset[] {
    return this.cluster.groupOffsets.of(groupId)
  }

  // ---- client telemetry ----

  /** What clients have pushed, in the order of arrival (KIP-714); nothing without the option `telemetry`. */
  telemetryPushes(): readonly TelemetryPush[] {
    return [...(this.cluster.telemetry?.pushes ?? [])]
  }

  /** Asks clients for other metrics from now on; needs the option `telemetry`. */
  subscribeTelemetry(subscription: TelemetrySubscription): void {
    const { telemetry } = this.cluster
    if (telemetry === null) throw new IllegalStateError('The broker was started without the option telemetry')
    telemetry.subscribe(subscription)
  }

  // ---- faults: each concerns the next `times` requests of an API, of all nodes or of one ----

  /** Answers with an error of the protocol instead of doing what was asked (or after it: `afterAppend`). */
  fail(options: FailOptions): void {
    this.cluster.faults.errors.add(options)
  }

  /** Sends replies later. What was asked is done at once; later replies of the connection wait too. */
  delay(options: DelayOptions): void {
    this.cluster.faults.delays.add(options)
  }

  /** Tells clients in the reply to hold back for `ms`. */
  throttle(options: DelayOptions): void {
    this.cluster.faults.throttles.add(options)
  }

  /** Keeps all replies of an API until `release` is called. What was asked is done at once. */
  hold(options: HoldOptions): { release(): void } {
    return this.cluster.faults.holds.add(options)
  }

  /** Never answers: nothing at all is sent on that connection any more, which stays open. */
  swallow(options: SwallowOptions): void {
    this.cluster.faults.swallows.add(options)
  }

  /**
   * Ends a connection once exactly `afterBytes` have passed in one direction. Of connections that are open
   * already, what passed before does not count; which connection reaches the number first is cut first.
   */
  cut(options: CutOptions): void {
    const direction = options.direction ?? 'in'
    const passed = new Map<object, number>()
    for (const { connections } of this.brokerNodes) {
      for (const connection of connections) passed.set(connection, connection.passed[direction])
    }
    this.cluster.faults.cuts.add(options, passed)
  }

  /** Has every reply, its length prefix included, changed or swallowed (null). Answers how to stop that. */
  mutateReply(mutator: ReplyMutator): () => void {
    return this.cluster.faults.mutators.add(mutator)
  }

  /** Forgets all planned faults; what `hold` holds stays held. */
  clearFaults(): void {
    this.cluster.faults.clear()
  }

  // ---- looking on ----

  /** Calls back with every request before it is handled. Answers how to stop that. */
  onRequest(listener: (request: SeenRequest) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /**
   * The records of a topic as a consumer would read them, partition by partition in the order of offsets;
   * none for a topic that does not exist. Keys and values are views of the log: copy what is to be changed.
   * With isolation `read_committed` (default `read_uncommitted`) those of aborted transactions are left out,
   * and those from the first open transaction on.
   */
  records(topic: string, partition?: number, options: { isolation?: IsolationLevel } = {}): BrokerRecord[] {
    return [...this.eachRecord(topic, partition, options)]
  }

  /** As {@link records}, one by one: for topics of millions. */
  eachRecord(
    topic: string,
    partition?: number,
    { isolation = 'read_uncommitted' }: { isolation?: IsolationLevel } = {},
  ): Generator<BrokerRecord> {
    if (!this.cluster.settings.retain) {
      throw new IllegalStateError("The broker was started with retain: 'none' and has no records to show")
    }
    const logs = this.cluster.topics.get(topic)?.partitions ?? []
    return recordsOf(
      logs.filter(log => partition === undefined || log.index === partition),
      isolation,
    )
  }

  /** A snapshot of what the broker has counted since it was started. */
  counters(): BrokerCounters {
    return { ...this.cluster.counters, requests: { ...this.cluster.counters.requests } }
  }

  /** Deletes the stored records of one topic or of all, as retention does: offsets go on. */
  clear(topic?: string): void {
    const topics = topic === undefined ? this.cluster.topics.values() : [this.cluster.topic(topic)]
    for (const { partitions } of topics) for (const log of partitions) log.clear()
  }

  /** Stops all nodes and ends all connections. */
  async close(): Promise<void> {
    this.cluster.transactions.close()
    await Promise.all(this.brokerNodes.map(node => node.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function* recordsOf(logs: readonly PartitionLog[], isolation: IsolationLevel): Generator<BrokerRecord> {
  for (const log of logs) yield* log.records(isolation)
}
