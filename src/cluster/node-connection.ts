import { connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net'
import type { Clock } from '../common/clock.js'
import type { ExponentialBackoff } from '../common/exponential-backoff.js'
import { type ForeignTexts, reasonOf } from '../common/foreign-text.js'
import type { Logger } from '../common/logger.js'
import type { RequestListener } from '../common/network-hooks.js'
import { inNoContext } from '../common/no-context.js'
import type { Observer } from '../common/observer.js'
import { isDenied } from '../common/permissions.js'
import { isNode } from '../common/runtime.js'
import { AuthenticationError, type KafkaError, NetworkError, TimeoutError } from '../errors/index.js'
import { ApiVersions } from '../protocol/api-versions.js'
import type { SaslMechanism } from '../security/index.js'
import { Addresses, type Lookup } from './addresses.js'
import type { AnyApi, ApiVersionTable } from './api-version-table.js'
import { Connection } from './connection.js'
import { DeadlineTimer, HELD_MS_MIN } from './deadline-timer.js'
import type { BrokerNode } from './metadata-cache.js'
import { negotiate } from './negotiation.js'
import { notPermitted } from './not-permitted.js'
import type { OutgoingRequest } from './outgoing-request.js'
import { RequestReports } from './request-reports.js'
import { SaslSession } from './sasl-session.js'

/** Where a node's connection stands. Connecting includes resolving its name and TLS, negotiating SASL. */
export const NodeState = {
  Disconnected: 0,
  Connecting: 1,
  Negotiating: 2,
  Ready: 3,
} as const
export type NodeState = (typeof NodeState)[keyof typeof NodeState]

/** Longest throttle believed; the broker may ask again. */
const THROTTLE_MS_MAX = 60_000

/**
 * Opens a socket to `address`, which `host` resolved to: TLS needs the name. The chunks of its 'data' may be
 * written over once the listeners have returned.
 */
export interface Connect {
  (address: string, port: number, host: string): Socket
  /** Whether the application opens the socket (`socketFactory`). */
  readonly isForeign?: true
}

/** Bytes read at once where the socket reads into one buffer. */
const READ_BYTES = 16 * 1024
/** As no write is ever held up by it, the stream need not tell when it is below again. */
const WRITABLE_BYTES_MAX = 0x7fffffff

/**
 * A plain TCP connection. Where that can be, it reads into one buffer and past the stream, which would
 * allocate for each read and look for more on a tick of its own.
 */
export const connectTcp: Connect = (address, port) => {
  const options = { host: address, port, noDelay: true, keepAlive: true }
  // Bun and Deno do not have, or not all of, the options below.
  if (!isNode) return netConnect(options)
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const callback = (bytes: number): boolean => {
    socket.emit('data', buffer.subarray(0, bytes))
    return true
  }
  const socket: Socket = netConnect({
    ...options,
    writableHighWaterMark: WRITABLE_BYTES_MAX,
    onread: { buffer, callback },
  } as TcpNetConnectOpts)
  // A socket is shown to whoever listens to Node's channels, and keeps the buffer: with it a broker's last
  // words, which may repeat a secret.
  socket.once('close', () => buffer.fill(0))
  return socket
}

/** What all nodes of a client share. */
export interface NodeContext {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly maxInFlight: number
  readonly connectionsMaxIdleMs: number
  readonly reconnectBackoff: ExponentialBackoff
  readonly setupTimeout: ExponentialBackoff
  readonly clock: Clock
  readonly logger: Logger
  readonly observer: Observer
  /** Reads anew what a connection needs, certificates for example, and answers how to open one. */
  readonly prepareConnect: () => Promise<Connect>
  /** Null: brokers ask for no authentication. */
  readonly mechanism: SaslMechanism | null
  readonly lookup: Lookup
  /** The name of a bootstrap server by its address; null: that of the configuration. */
  readonly canonicalName: ((address: string) => Promise<string>) | null
  /** The door that texts of brokers go through. */
  readonly texts: ForeignTexts
  /** Default: requests are reported to nobody. */
  readonly requestListener?: RequestListener | null
  readonly events: NodeEvents
}

interface NodeEvents {
  /** Requests may be sent that could not be before: connected, or a throttle is over. */
  onUsable(node: NodeConnection): void
  /** One more request may be sent where the limit of requests in flight was reached. */
  onSlotFreed(node: NodeConnection): void
  /** The connection, or the attempt at one, is over; null when it was closed for being idle. */
  onDisconnected(node: NodeConnection, error: KafkaError | null): void
  /** A connection that lives on without its node (see {@link NodeConnection.retarget}), until it closes. */
  onDetached(connection: Connection, closed: boolean): void
}

/**
 * The way to one broker: at most one connection, its state, and when to try again.
 *
 *     Disconnected ──ensure──▶ Connecting ──TCP, TLS up──▶ Negotiating ──versions, SASL──▶ Ready
 *          ▲                       │                         │                            │
 *          └──── reconnect backoff ┴──── setup time-out ─────┴─── error, end, idle ───────┘
 */
export class NodeConnection {
  readonly id: number
  readonly context: NodeContext
  state: NodeState = NodeState.Disconnected
  versions: ApiVersionTable | null = null
  /** Clock time of the last attempt to connect; -Infinity: none yet. */
  lastAttemptAt = -Infinity
  /** Clock time before which no attempt is made. */
  backoffUntil = -Infinity
  /** Why there is no connection; null once there is one. */
  lastError: KafkaError | null = null
  /** Whether the broker asked for quiet, and the time is not over. */
  throttled = false
  private node: BrokerNode
  private addresses: Addresses
  /** The name by which the server of this attempt is known to TLS and SASL. */
  private host: string
  private connection: Connection | null = null
  private session: SaslSession | null = null
  private readonly stateTimer: DeadlineTimer
  private readonly throttleTimer: DeadlineTimer
  private throttledUntil = 0
  /** Attempts in a row that did not lead to Ready. */
  private failures = 0
  /** Attempts in a row that did not even lead to a TCP connection. */
  private setupFailures = 0
  private setupDeadline = 0
  private wanted = false
  /** Grows with every attempt, so that what an abandoned one still brings is recognised. */
  private attempt = 0

  constructor(node: BrokerNode, context: NodeContext) {
    this.id = node.id
    this.node = node
    this.host = node.host
    this.context = context
    this.addresses = new Addresses(node.host, context.lookup, context.texts)
    this.stateTimer = new DeadlineTimer(context.clock, asOf => this.onStateDeadline(asOf))
    this.throttleTimer = new DeadlineTimer(context.clock, () => this.onThrottleDeadline())
  }

  /** `host:port (id n)` */
  get name(): string {
    return nodeName(this.node, this.context.texts)
  }

  get inFlightCount(): number {
    return this.connection?.inFlightCount ?? 0
  }

  /** Ready for any request, but for the limit of requests in flight. */
  get isUsable(): boolean {
    if (this.state !== NodeState.Ready || this.throttled || this.session?.isRenewing) return false
    return (this.connection as Connection).usable
  }

  /** Ready for one more request of those the limit applies to. */
  get hasRoom(): boolean {
    return this.isUsable && (this.connection as Connection).inFlightCount < this.context.maxInFlight
  }

  /** Whether an attempt to connect would start now. */
  canConnect(now: number): boolean {
    return this.state === NodeState.Disconnected && now >= this.backoffUntil
  }

  /** Starts connecting, or will as soon as the backoff is over. */
  ensureConnected(): void {
    if (this.state !== NodeState.Disconnected) return
    const now = this.context.clock.now()
    if (now >= this.backoffUntil) {
      // The connection serves everybody, whoever wants it first.
      inNoContext(() => this.startAttempt(now))
      return
    }
    this.wanted = true
    this.stateTimer.ensure(this.backoffUntil)
  }

  /** Only in state Ready. */
  send(request: OutgoingRequest): void {
    const connection = this.connection as Connection
    connection.send(request)
  }

  /** As {@link Connection.together}. Only in state Ready. */
  together(send: () => void): void {
    const connection = this.connection as Connection
    connection.together(send)
  }

  /** A response of that version has asked for so much quiet, which it may have waited for itself. */
  throttledBy(api: AnyApi, version: number, ms: number): void {
    this.context.observer.throttled(this.id, ms)
    if (version >= api.clientThrottlesFrom) this.throttle(ms)
  }

  /** Nothing is sent for `ms`, at most a minute; requests in flight get that much longer. */
  throttle(ms: number): void {
    if (!(ms > 0) || this.state === NodeState.Disconnected) return
    const { clock, logger } = this.context
    const boundedMs = Math.min(ms, THROTTLE_MS_MAX)
    if (boundedMs < ms) {
      logger.warn(`broker ${this.name} asks for ${ms} ms of quiet; ${boundedMs} ms are kept`)
    }
    this.connection?.postponeTimeouts(boundedMs)
    this.throttledUntil = Math.max(this.throttledUntil, clock.now() + boundedMs)
    this.throttled = true
    this.throttleTimer.ensure(this.throttledUntil)
  }

  /** The node has moved: requests in flight finish on the old connection, new ones use a new one. */
  retarget(node: BrokerNode): void {
    if (node.host === this.node.host && node.port === this.node.port) return
    this.context.logger.info(`broker ${this.name} has moved to ${nodeName(node, this.context.texts)}`)
    this.node = node
    this.addresses = new Addresses(node.host, this.context.lookup, this.context.texts)
    this.failures = 0
    this.setupFailures = 0
    this.backoffUntil = -Infinity
    this.detach()
  }

  /** Lets go of the connection, which ends when the requests in flight have their outcome. */
  detach(): void {
    const { connection, state, node } = this
    if (state === NodeState.Connecting || state === NodeState.Negotiating) {
      const reason = `The attempt to connect to broker ${this.name} was given up`
      this.context.observer.connectFailed(node, new NetworkError(reason))
    }
    this.leave()
    if (connection === null) return
    this.context.events.onDetached(connection, false)
    connection.closeWhenDrained()
  }

  /** Ends the connection now. `onDisconnected` is not called. */
  destroy(error: KafkaError): void {
    const { connection } = this
    this.detach()
    connection?.destroy(error)
  }

  private startAttempt(now: number): void {
    const attempt = ++this.attempt
    this.wanted = false
    this.state = NodeState.Connecting
    this.lastAttemptAt = now
    this.setupDeadline = now + this.context.setupTimeout.delayMs(this.setupFailures)
    this.stateTimer.ensure(this.setupDeadline)
    Promise.all([this.endpoint(), this.context.prepareConnect()]).then(
      ([{ address, host }, connect]) => {
        if (attempt !== this.attempt) return
        this.host = host
        this.open(attempt, address, connect)
      },
      (error: KafkaError) => {
        if (attempt === this.attempt) this.onEnded(error)
      },
    )
  }

  /** Where to connect to, and the name that the server must prove to have. */
  private async endpoint(): Promise<{ address: string; host: string }> {
    const { canonicalName } = this.context
    const { host } = this.node
    const address = await this.addresses.next()
    const isBootstrap = this.id < 0
    return { address, host: isBootstrap && canonicalName !== null ? await canonicalName(address) : host }
  }

  private open(attempt: number, address: string, connect: Connect): void {
    const { clock, logger, observer, texts, requestTimeoutMs } = this.context
    let socket: Socket
    try {
      socket = connect(address, this.node.port, this.host)
    } catch (cause) {
      if (isDenied(cause)) this.onEnded(notPermitted(`${this.node.host}:${this.node.port}`, cause))
      else this.onEnded(new NetworkError(`No socket to broker ${this.name}: ${reasonOf(cause)}`, { cause }))
      return
    }
    const connection: Connection = new Connection({
      socket,
      broker: this.name,
      node: this.node,
      requestTimeoutMs,
      clock,
      logger,
      observer,
      texts,
      isForeign: connect.isForeign === true,
      reports: this.newReports(),
      events: {
        onConnected: () => {
          if (attempt === this.attempt) this.onConnected(attempt, connection)
        },
        onSlotFreed: before => {
          if (attempt === this.attempt) this.onSlotFreed(before)
        },
        onClosed: error => {
          if (attempt === this.attempt) this.onEnded(error)
          else this.context.events.onDetached(connection, true)
        },
      },
    })
    this.connection = connection
  }

  private newReports(): RequestReports | null {
    const { requestListener: listener, clientId, clock, logger } = this.context
    const { host, port } = this.node
    return listener == null
      ? null
      : new RequestReports({ listener, broker: `${host}:${port}`, clientId, clock, logger })
  }

  private onConnected(attempt: number, connection: Connection): void {
    this.setupFailures = 0
    this.stateTimer.cancel()
    this.state = NodeState.Negotiating
    negotiate(connection, this.context.clientId, {
      onThrottled: (version, ms) => {
        if (attempt === this.attempt) this.throttledBy(ApiVersions, version, ms)
      },
      onDone: (error, versions) => {
        if (attempt !== this.attempt || !connection.usable) return
        if (versions === null) connection.destroy(error as KafkaError)
        else this.authenticate(attempt, connection, versions)
      },
    })
  }

  private authenticate(attempt: number, connection: Connection, versions: ApiVersionTable): void {
    const { mechanism, clientId, clock, logger, observer, texts, requestTimeoutMs, events } = this.context
    const { node } = this
    if (mechanism === null) {
      if (connection.isEncrypted) observer.authenticated(node, 0, false)
      this.onAccepted(connection, versions)
      return
    }
    const broker = { host: this.host, port: node.port }
    const target = { connection, versions, clientId, mechanism, broker, clock, texts }
    const session = new SaslSession({ ...target, timeoutMs: requestTimeoutMs }, logger, {
      onRenewed: durationMs => {
        observer.authenticated(node, durationMs, true)
        if (this.session === session) events.onUsable(this)
      },
      onRenewalFailed: error => observer.authenticationFailed(node, error, true),
    })
    this.session = session
    const beganAt = clock.now()
    session.start().then(
      () => {
        if (attempt !== this.attempt || !connection.usable) return
        observer.authenticated(node, clock.now() - beganAt, false)
        this.onAccepted(connection, versions)
      },
      (error: KafkaError) => connection.destroy(error),
    )
  }

  private onAccepted(connection: Connection, versions: ApiVersionTable): void {
    connection.trustFrames()
    if (this.failures > 0) this.context.logger.info(`connected to broker ${this.name} again`)
    this.failures = 0
    this.lastError = null
    this.versions = versions
    this.state = NodeState.Ready
    this.armIdle()
    this.context.observer.connectionReady(this.node)
    this.context.events.onUsable(this)
  }

  private onSlotFreed(inFlightBefore: number): void {
    const wasFull = inFlightBefore >= this.context.maxInFlight
    if (wasFull && this.isUsable) this.context.events.onSlotFreed(this)
  }

  /** The attempt or connection is over, whatever the state. */
  private onEnded(error: KafkaError): void {
    const { clock, logger, observer, reconnectBackoff } = this.context
    if (this.state !== NodeState.Ready) observer.connectFailed(this.node, error)
    if (this.state !== NodeState.Ready && error instanceof AuthenticationError)
      observer.authenticationFailed(this.node, error, false)
    if (this.state === NodeState.Connecting) this.setupFailures++
    else this.addresses.forget()
    this.leave()
    this.backoffUntil = clock.now() + reconnectBackoff.delayMs(this.failures)
    this.failures++
    this.lastError = error
    // The first failure and then ever more rarely: an unreachable broker must not fill the log.
    const rare = (this.failures & (this.failures - 1)) === 0
    logger[rare ? 'warn' : 'debug'](error.message, { broker: this.name, failures: this.failures })
    this.context.events.onDisconnected(this, error)
  }

  private leave(): void {
    this.attempt++
    this.state = NodeState.Disconnected
    this.connection = null
    this.session?.end()
    this.session = null
    this.versions = null
    this.wanted = false
    this.throttled = false
    this.throttledUntil = 0
    this.stateTimer.cancel()
    this.throttleTimer.cancel()
  }

  private onStateDeadline(asOf: number): void {
    if (this.state === NodeState.Connecting) this.judgeSetup(asOf)
    else if (this.state === NodeState.Ready) this.judgeIdle(asOf)
    else if (this.wanted) this.ensureConnected()
  }

  private judgeSetup(asOf: number): void {
    if (asOf < this.setupDeadline) {
      this.stateTimer.ensure(this.setupDeadline)
      return
    }
    if (asOf - this.setupDeadline >= HELD_MS_MIN) {
      // The event loop was held, and TCP and TLS need several turns of it.
      this.setupDeadline = asOf + this.context.setupTimeout.delayMs(this.setupFailures)
      this.stateTimer.ensure(this.setupDeadline)
      return
    }
    const waitedMs = Math.round(asOf - this.lastAttemptAt)
    const what = this.connection?.isInTlsHandshake ? 'TLS handshake with' : 'connection to'
    const error = new TimeoutError(`No ${what} broker ${this.name} within ${waitedMs} ms`, {
      broker: this.name,
    })
    if (this.connection !== null) this.connection.destroy(error)
    else this.onEnded(error)
  }

  private armIdle(): void {
    const { connectionsMaxIdleMs } = this.context
    const lastActiveAt = (this.connection as Connection).lastActiveAt
    if (connectionsMaxIdleMs >= 0) this.stateTimer.ensure(lastActiveAt + connectionsMaxIdleMs)
  }

  private judgeIdle(asOf: number): void {
    const connection = this.connection as Connection
    const { clock, connectionsMaxIdleMs, logger, events } = this.context
    const idle = asOf - connection.lastActiveAt >= connectionsMaxIdleMs
    if (!idle) {
      this.armIdle()
    } else if (connection.inFlightCount > 0) {
      this.stateTimer.ensure(clock.now() + connectionsMaxIdleMs)
    } else {
      logger.debug(`closing the idle connection to broker ${this.name}`)
      this.detach()
      events.onDisconnected(this, null)
    }
  }

  private onThrottleDeadline(): void {
    if (this.context.clock.now() < this.throttledUntil) {
      this.throttleTimer.ensure(this.throttledUntil)
      return
    }
    this.throttled = false
    if (this.state === NodeState.Ready) this.context.events.onUsable(this)
  }
}

/** `host:port (id n)`, as `texts` lets a name that a broker has told be shown. */
export function nodeName(node: BrokerNode, texts: ForeignTexts): string {
  return `${texts.shownName(node.host)}:${node.port} (id ${node.id})`
}
