import type { Clock } from '../common/clock.js'
import { ExponentialBackoff } from '../common/exponential-backoff.js'
import { ForeignTexts } from '../common/foreign-text.js'
import type { Logger } from '../common/logger.js'
import type { RequestListener, SocketFactory } from '../common/network-hooks.js'
import { noObserver, type Observer } from '../common/observer.js'
import {
  AuthenticationError,
  ConfigError,
  KafkaError,
  NetworkError,
  PermissionError,
  ProducerClosedError,
  UnsupportedVersionError,
} from '../errors/index.js'
import type { Api } from '../protocol/api.js'
import { Metadata, type MetadataRequest, type MetadataResponse } from '../protocol/metadata.js'
import type { Security } from '../security/index.js'
import { type NameOptions, nameResolution } from './addresses.js'
import type { AnyApi } from './api-version-table.js'
import type { Connection } from './connection.js'
import { FinalizedFeatures } from './finalized-features.js'
import { type HostAndPort, MetadataCache } from './metadata-cache.js'
import { MetadataUpdater } from './metadata-updater.js'
import { chooseNode, type NodeChoice } from './node-choice.js'
import {
  type Connect,
  connectTcp,
  NodeConnection,
  type NodeContext,
  NodeState,
  nodeName,
} from './node-connection.js'
import type { OutgoingRequest } from './outgoing-request.js'
import { PendingRpcs, type RequestOptions, type RpcTarget } from './pending-rpcs.js'
import { connectThrough } from './socket-factory.js'

export type { Lookup } from './addresses.js'
export type { Connect } from './node-connection.js'
export type { OutgoingRequest } from './outgoing-request.js'
export type { RequestOptions, RpcTarget } from './pending-rpcs.js'

/** Nodes left out that are warned of. */
const REFUSALS_WARNED_MAX = 20
const NO_TOPICS: MetadataRequest = {
  topics: [],
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

/** What to do when no known broker can be reached (`metadata.recovery.strategy`). */
type RecoveryStrategy = 'rebootstrap' | 'none'

export interface ClusterClientOptions extends NameOptions {
  bootstrapServers: readonly HostAndPort[]
  clientId: string
  requestTimeoutMs: number
  /** Requests of `send` in flight on one connection. Metadata and `request` do not wait for room. */
  maxInFlight: number
  reconnectBackoffMs: number
  reconnectBackoffMaxMs: number
  retryBackoffMs: number
  retryBackoffMaxMs: number
  connectionSetupTimeoutMs: number
  connectionSetupTimeoutMaxMs: number
  /** Negative: idle connections are never closed. */
  connectionsMaxIdleMs: number
  metadataMaxAgeMs: number
  metadataMaxIdleMs: number
  recoveryStrategy: RecoveryStrategy
  rebootstrapTriggerMs: number
  clock: Clock
  logger: Logger
  /** Default: nobody observes. */
  observer?: Observer
  /** Whether connections to the host that a broker names may be made; default to any. */
  allowsHost?: (host: string) => boolean
  /** TLS and SASL; default neither. */
  security?: Security
  /** How sockets are opened; default as `security` says. */
  connect?: Connect
  /** Opens sockets instead of `connect`, by the names of brokers. */
  socketFactory?: SocketFactory | null
  requestListener?: RequestListener | null
  /** Whether brokers may create topics that are asked for; default true. */
  allowAutoTopicCreation?: boolean
}

/**
 * The client's side of a cluster: metadata, a connection per broker, requests. It connects for a first topic
 * or request, and calls its owner back only on later turns of the event loop.
 */
export class ClusterClient {
  readonly metadata = new MetadataCache()
  /** Look again: metadata changed, a node became usable, a slot in flight was freed. Set by the owner. */
  onUpdate: (isMetadata?: boolean) => void = () => {}
  /**
   * A broker refused this client, or this client the broker: for its credentials, or because it is too old;
   * or the runtime permits no connection. Trying again will not help those who wait. Set by the owner.
   */
  onRefused: (error: KafkaError) => void = () => {}
  /** Another cluster answers at the known addresses. Set by the owner. */
  onOtherCluster: () => void = () => {}
  /** When a topic was last in use; Infinity while something of it is on its way. Set by the owner. */
  lastUseOfTopicMs: (name: string) => number = () => Number.NEGATIVE_INFINITY
  /** Whether records wait for the cluster. Set by the owner. */
  isNeeded: () => boolean = () => true
  /** The latest reason why a broker could not be reached or gave no metadata; null once one did. */
  lastError: KafkaError | null = null
  private readonly options: ClusterClientOptions
  private readonly observer: Observer
  private readonly context: NodeContext
  /** The door that all texts of brokers go through. */
  private readonly texts = new ForeignTexts()
  private readonly nodes = new Map<number, NodeConnection>()
  /** Open connections that no node uses any more. */
  private readonly detached = new Set<Connection>()
  private readonly features = new FinalizedFeatures()
  private readonly updater: MetadataUpdater
  private readonly rpcs: PendingRpcs
  /** What has been warned of, or would be again and again. */
  private readonly refusedNodes = new Set<string>()
  private closing: Promise<void> | null = null
  private onAllClosed: () => void = () => {}

  constructor(options: ClusterClientOptions) {
    this.options = options
    this.observer = options.observer ?? noObserver
    this.context = this.nodeContext()
    this.metadata.bootstrap(options.bootstrapServers)
    this.metadata.onNodesChanged = () => this.followNodes()
    this.metadata.allowsHost = options.allowsHost ?? this.metadata.allowsHost
    this.metadata.onNodeRefused = reason => this.onNodeRefused(reason)
    this.updater = this.newUpdater()
    this.rpcs = new PendingRpcs({
      clientId: options.clientId,
      clock: options.clock,
      requestTimeoutMs: options.requestTimeoutMs,
      nodeFor: target => this.nodeFor(target),
      lastError: () => this.lastError,
    })
  }

  /**
   * Reaches a broker, authenticates, and has a request answered. What may pass is tried again until the time
   * is over; otherwise rejects as {@link request} does.
   */
  async connect(timeoutMs: number): Promise<MetadataResponse> {
    const { clock } = this.options
    const deadline = clock.now() + timeoutMs
    for (;;) {
      const leftMs = Math.max(0, deadline - clock.now())
      try {
        return await this.request('any', Metadata, NO_TOPICS, { minVersion: 1, timeoutMs: leftMs })
      } catch (error) {
        const mayPass = error instanceof KafkaError && error.retriable
        if (!mayPass || clock.now() >= deadline) throw error
      }
    }
  }

  /**
   * Starts the topic's idle time again. True if it was not tracked: it is asked for at once, with all others
   * that are new in this turn.
   */
  trackTopic(name: string): boolean {
    return this.updater.track(name)
  }

  /** Asks for a full update, as soon as the backoff allows one. */
  requestUpdate(): void {
    this.updater.requestFull()
  }

  /** Whether `send` to the node would go out now: connected, versions known, room in flight, no throttle. */
  isReady(nodeId: number): boolean {
    const node = this.nodes.get(nodeId)
    return node?.hasRoom === true
  }

  /** Starts connecting unless there is a connection, or will when the reconnect backoff is over. */
  ensureConnection(nodeId: number): void {
    const node = this.connectionTo(nodeId)
    if (node !== undefined) node.ensureConnected()
    else this.requestUpdate()
  }

  /** The cluster's level of a finalized feature, as far as brokers have told; 0 where it has not got it. */
  featureLevel(name: string): number {
    return this.features.level(name)
  }

  /**
   * Whether a `request` to the node would be sent now. If not, it is being connected to; the last attempt may
   * have `failed` a moment ago. One that no metadata names is `unknown`, and metadata are asked for.
   */
  reach(nodeId: number): 'usable' | 'connecting' | 'failed' | 'unknown' {
    const node = this.connectionTo(nodeId)
    if (node?.isUsable) return 'usable'
    const isBackingOff = node?.state === NodeState.Disconnected && !node.canConnect(this.options.clock.now())
    this.ensureConnection(nodeId)
    if (node === undefined) return 'unknown'
    return isBackingOff ? 'failed' : 'connecting'
  }

  /** Highest version in common with the node; -1: none, or the node is not connected. */
  apiVersion(nodeId: number, api: AnyApi): number {
    return this.nodes.get(nodeId)?.versions?.highest(api) ?? -1
  }

  /**
   * Sends to a node that {@link isReady}; if it no longer is, the request has its outcome on a later turn.
   */
  send(nodeId: number, request: OutgoingRequest): void {
    const node = this.nodes.get(nodeId)
    if (node?.isUsable) {
      node.send(request)
      return
    }
    const error = this.closedError() ?? new NetworkError(`Broker ${this.brokerName(nodeId)} is not connected`)
    this.options.clock.setImmediate(() => {
      request.onWritten(error)
      if (request.expectsResponse) request.onResponse(error, null)
    })
  }

  /** What `send` sends to the node goes out in as few writes as may be. */
  together(nodeId: number, send: () => void): void {
    const node = this.nodes.get(nodeId)
    if (node?.isUsable) node.together(send)
    else send()
  }

  /** The broker asked, in a response of that version, to be left alone for that long. */
  throttledBy(nodeId: number, api: AnyApi, version: number, ms: number): void {
    this.nodes.get(nodeId)?.throttledBy(api, version, ms)
  }

  /**
   * Asks a node, or the least busy one, and waits until it is connected if need be. Rejects with
   * `TimeoutError`, `NetworkError` when the connection ends before the answer, or `UnsupportedVersionError`.
   */
  request<Request, Response>(
    target: RpcTarget,
    api: Api<Request, Response>,
    body: Request | ((version: number) => Request),
    options: RequestOptions = {},
  ): Promise<Response> {
    const closed = this.closedError()
    if (closed !== null) return Promise.reject(closed)
    return this.rpcs.request(target, api, body, options)
  }

  /** Why there is no connection to the node; null if there is one, or none has been tried. */
  errorOf(nodeId: number): KafkaError | null {
    return this.nodes.get(nodeId)?.lastError ?? null
  }

  /** `host:port (id n)`; only the id where the node is not known. */
  brokerName(nodeId: number): string {
    const node = this.metadata.node(nodeId)
    return node === undefined
      ? (this.nodes.get(nodeId)?.name ?? `(id ${nodeId})`)
      : nodeName(node, this.texts)
  }

  /** The node with the least to do of those that take a request now; null if there is none. */
  usableNode(): number | null {
    const choice = this.chooseNode()
    return choice.kind === 'usable' ? choice.node.id : null
  }

  /**
   * Whether some broker takes requests, or did until its connection was closed for being idle. False before
   * the first connection.
   */
  get isConnected(): boolean {
    if (this.closing !== null) return false
    for (const { state } of this.nodes.values()) if (state === NodeState.Ready) return true
    return this.lastError === null && !this.metadata.bootstrapping
  }

  /** Requests of all APIs that occupy a connection. */
  get requestsInFlight(): number {
    let requests = 0
    for (const { inFlightCount } of this.nodes.values()) requests += inFlightCount
    for (const { inFlightCount } of this.detached) requests += inFlightCount
    return requests
  }

  /** Milliseconds since the last full update of the metadata; Infinity before the first. */
  get metadataAgeMs(): number {
    return this.updater.ageMs
  }

  /** Ends all connections; every request gets `ProducerClosedError`. Resolves when no socket is left. */
  close(): Promise<void> {
    if (this.closing !== null) return this.closing
    this.closing = new Promise(resolve => {
      this.onAllClosed = resolve
    })
    const error = new ProducerClosedError('The producer was closed')
    this.updater.close()
    this.rpcs.close(error)
    for (const node of this.nodes.values()) node.destroy(error)
    for (const connection of this.detached) connection.destroy(error)
    this.nodes.clear()
    if (this.detached.size === 0) this.onAllClosed()
    return this.closing
  }

  private closedError(): KafkaError | null {
    return this.closing === null ? null : new ProducerClosedError('The producer is closed')
  }

  private nodeContext(): NodeContext {
    const { options } = this
    return {
      clientId: options.clientId,
      requestTimeoutMs: options.requestTimeoutMs,
      maxInFlight: options.maxInFlight,
      connectionsMaxIdleMs: options.connectionsMaxIdleMs,
      reconnectBackoff: new ExponentialBackoff(options.reconnectBackoffMs, options.reconnectBackoffMaxMs),
      setupTimeout: new ExponentialBackoff(
        options.connectionSetupTimeoutMs,
        options.connectionSetupTimeoutMaxMs,
      ),
      clock: options.clock,
      logger: options.logger,
      observer: this.observer,
      prepareConnect: this.connectPreparer(),
      mechanism: options.security?.mechanism ?? null,
      texts: this.texts,
      ...nameResolution(options, options.socketFactory != null),
      requestListener: options.requestListener ?? null,
      events: {
        onUsable: node => this.onUsable(node),
        onSlotFreed: () => this.onUpdate(),
        onDisconnected: (_node, error) => this.onDisconnected(error),
        onDetached: (connection, closed) => this.onDetached(connection, closed),
      },
    }
  }

  private connectPreparer(): () => Promise<Connect> {
    const { connect, security, socketFactory } = this.options
    const connector = security?.connector ?? null
    if (socketFactory) {
      return async () => connectThrough(socketFactory, (await connector?.prepareOptions()) ?? null)
    }
    if (connect === undefined && connector !== null) return () => connector.prepare()
    return async () => connect ?? connectTcp
  }

  private newUpdater(): MetadataUpdater {
    const { options } = this
    return new MetadataUpdater({
      cache: this.metadata,
      clientId: options.clientId,
      clock: options.clock,
      logger: options.logger,
      observer: this.observer,
      backoff: new ExponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs),
      metadataMaxAgeMs: options.metadataMaxAgeMs,
      metadataMaxIdleMs: options.metadataMaxIdleMs,
      rebootstrapTriggerMs: options.rebootstrapTriggerMs,
      rebootstraps: options.recoveryStrategy === 'rebootstrap',
      lastUseOfTopicMs: name => this.lastUseOfTopicMs(name),
      allowAutoTopicCreation: options.allowAutoTopicCreation ?? true,
      chooseNode: () => this.chooseNode(),
      rebootstrap: closing => this.rebootstrap(closing),
      onUpdate: () => this.onMetadata(),
      onOtherCluster: clusterId => {
        options.logger.warn(`another cluster answers now: its id is ${clusterId}`)
        this.onOtherCluster()
      },
      onFailure: error => {
        this.lastError = error
        // Where a newer broker has answered before, others may again.
        if (error instanceof UnsupportedVersionError && this.metadata.bootstrapping) this.refuse(error)
      },
    })
  }

  /** The way to a node the metadata knows. */
  private connectionTo(nodeId: number): NodeConnection | undefined {
    const existing = this.nodes.get(nodeId)
    if (existing !== undefined || this.closing !== null) return existing
    const node = this.metadata.node(nodeId)
    if (node === undefined) return undefined
    const created = new NodeConnection(node, this.context)
    this.nodes.set(nodeId, created)
    return created
  }

  private chooseNode(): NodeChoice {
    const nodes = this.metadata.nodes().map(node => this.connectionTo(node.id) as NodeConnection)
    return chooseNode(nodes, this.options.clock.now(), Math.floor(Math.random() * nodes.length))
  }

  private nodeFor(target: RpcTarget): NodeConnection | undefined {
    if (target === 'any') {
      const choice = this.chooseNode()
      if (choice.kind === 'usable') return choice.node
      if (choice.kind === 'connectable') choice.node.ensureConnected()
      // Every known node is in backoff: the updater knows how to go on.
      else if (choice.kind === 'none') this.requestUpdate()
      return undefined
    }
    const node = this.connectionTo(target)
    if (node?.isUsable) return node
    this.ensureConnection(target)
    return undefined
  }

  private onUsable(node: NodeConnection): void {
    if (node.versions !== null) this.features.take(node.versions.features)
    this.lastError = null
    this.updater.resume()
    this.rpcs.dispatch()
    this.onUpdate()
  }

  private onDisconnected(error: KafkaError | null): void {
    if (this.closing !== null) return
    if (error !== null) {
      this.lastError = error
      if (!this.updater.isAsleep || this.isNeeded()) this.updater.requestFull()
    }
    const isRefused = error instanceof AuthenticationError || error instanceof ConfigError
    if (isRefused || this.isPermittedNothing) this.refuse(error as KafkaError)
    this.updater.run()
    this.rpcs.dispatch()
    this.onUpdate()
  }

  /** The runtime does not let the program connect to any node. */
  private get isPermittedNothing(): boolean {
    const nodes = [...this.nodes.values()]
    return nodes.length > 0 && nodes.every(({ lastError }) => lastError instanceof PermissionError)
  }

  private refuse(error: KafkaError): void {
    this.rpcs.rejectWaiting(error)
    this.onRefused(error)
    if (this.usableNode() === null && !this.isNeeded()) this.updater.suspend()
  }

  private onMetadata(): void {
    this.lastError = null
    this.rpcs.dispatch()
    this.onUpdate(true)
  }

  private onDetached(connection: Connection, closed: boolean): void {
    if (!closed) {
      this.detached.add(connection)
      return
    }
    this.detached.delete(connection)
    if (this.closing !== null && this.detached.size === 0) this.onAllClosed()
  }

  /** Each reason is warned of once, and of those that name a host only so many: a broker may make up more. */
  private onNodeRefused(reason: string): void {
    if (this.refusedNodes.has(reason) || this.refusedNodes.size >= REFUSALS_WARNED_MAX) return
    this.refusedNodes.add(reason)
    this.options.logger.warn(this.texts.shown(reason))
  }

  /**
   * The metadata names other nodes or addresses. Bootstrap servers have done their work when brokers are
   * known. A broker that the metadata no longer names answers what it has been asked, and its connection
   * ends: kept until they are idle, connections to brokers that are named once each would use up all
   * descriptors.
   */
  private followNodes(): void {
    for (const [id, node] of this.nodes) {
      const known = this.metadata.node(id)
      const isSpent = id < 0 || !this.metadata.bootstrapping
      if (known !== undefined) node.retarget(known)
      else if (isSpent) {
        node.detach()
        this.nodes.delete(id)
      }
    }
  }

  private rebootstrap(closing: boolean): void {
    if (closing) {
      const error = new NetworkError('The connection was given up: going back to the bootstrap servers')
      for (const node of this.nodes.values()) node.destroy(error)
      this.nodes.clear()
    }
    this.metadata.bootstrap(this.options.bootstrapServers)
    this.onUpdate()
  }
}
