import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../common/clock.js'
import { Fifo } from '../common/fifo.js'
import { type ForeignTexts, foreignTexts } from '../common/foreign-text.js'
import type { Logger } from '../common/logger.js'
import { noObserver, type ObservedNode, type Observer } from '../common/observer.js'
import { isDenied } from '../common/permissions.js'
import { isBun, isNode } from '../common/runtime.js'
import {
  AuthenticationError,
  type KafkaError,
  NetworkError,
  ProtocolError,
  TimeoutError,
} from '../errors/index.js'
import { ApiVersions } from '../protocol/api-versions.js'
import { responseHeaderVersion } from '../protocol/header.js'
import { Reader } from '../protocol/reader.js'
import { tlsRefusal } from '../security/index.js'
import { DeadlineTimer, HELD_MS_MIN } from './deadline-timer.js'
import { FRAME_BYTES_MAX, FrameReader } from './frame-reader.js'
import { type InFlightRequest, InFlightRequests } from './in-flight.js'
import { notPermitted } from './not-permitted.js'
import type { OutgoingRequest } from './outgoing-request.js'
import type { RequestReports } from './request-reports.js'
import { SOCKET_READY } from './socket-ready.js'

/** Largest frame believed before the peer has answered ApiVersions. */
const FRAME_BYTES_MAX_NEGOTIATING = 1024 * 1024

/**
 * Elements that one response may have: of those that answer a request of this client none has nearly as many,
 * and the event loop is not blocked for long by this many.
 */
export const RESPONSE_ELEMENTS_MAX = 200_000

/** Requests of one turn are written together up to about so many bytes. */
const GATHERED_BYTES_MAX = 512 * 1024
const NOT_GATHERING = -Infinity
/** Bun copies what it gathers, which costs more than a system call for each piece. */
const CAN_GATHER = !isBun
const NOTHING = new Uint8Array(0)

/** Ids from here on are left to authentication, as Java does. */
const CORRELATION_ID_END = 0x7ffffff8
/** As {@link HELD_MS_MIN}, as a share of the request time-out. */
const HELD_SHARE = 0.1

interface ConnectionEvents {
  /** TCP is up, and TLS where there is TLS: the peer is the one it should be. */
  onConnected(): void
  /** A response came, or a request without one was written: there is room for another. */
  onSlotFreed(inFlightBefore: number): void
  /** The socket is closed, every request has had its outcome. Called exactly once. */
  onClosed(error: KafkaError): void
}

interface ConnectionOptions {
  socket: Socket
  /** `host:port (id n)`, for messages. */
  broker: string
  /** For the observer. */
  node?: ObservedNode
  requestTimeoutMs: number
  clock: Clock
  logger: Logger
  /** Default: nobody observes. */
  observer?: Observer
  /** The door that texts of the broker go through; default one that knows no secrets. */
  texts?: ForeignTexts
  events: ConnectionEvents
  /**
   * Whether the application opened the socket. Such a one says itself when it is connected, and may go on
   * reading what it was given after it has called back: it is given copies.
   */
  isForeign?: boolean
  /** Default: requests are reported to nobody. */
  reports?: RequestReports | null
}

const UNKNOWN_NODE: ObservedNode = { id: -1, host: '', port: 0 }

/**
 * One socket to one broker: requests out as gathered writes, responses in, matched by order and correlation
 * id.
 *
 * What is handed to `send` is written in that order. Nothing is ever taken back: the memory of a request is
 * in the socket's hands until `onWritten`. When a connection fails, all outcomes wait for the socket's
 * 'close', after which nothing can read that memory; earlier, a reused buffer could still go out under the
 * old request's topic and be accepted (CVE-2026-35554).
 */
export class Connection {
  readonly broker: string
  /** Clock time of the last byte in or request out. */
  lastActiveAt: number
  private readonly socket: Socket
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly observer: Observer
  private readonly node: ObservedNode
  private readonly texts: ForeignTexts
  private readonly events: ConnectionEvents
  private readonly requestTimeoutMs: number
  private readonly frames: FrameReader
  private readonly inFlight = new InFlightRequests()
  /** In the order of writing. Not a `Set`: see BatchList for what those do to the collector. */
  private readonly unwritten = new Fifo<OutgoingRequest>()
  /** Requests without a response that are not written yet. */
  private unanswerable = 0
  private readonly timeouts: DeadlineTimer
  private readonly isForeign: boolean
  private readonly reports: RequestReports | null
  /** Bytes of the requests that wait to be written together. */
  private gatheredBytes = NOT_GATHERING
  /** Requests that the socket was given, and those that it has been asked about. */
  private given = 0
  private asked = 0
  /**
   * Whether the socket shows at once what it has handed to the system, as it mostly does: a callback for that
   * takes a tick, which is expensive.
   */
  private showsWritten: boolean
  private nextCorrelationId = 0
  private endError: KafkaError | null = null
  /** Deadlines up to here had passed when the connection ended because of one. */
  private timedOutBefore = -Infinity
  private closeWhenIdle = false
  /** Ended because nobody needed it any more. */
  private isSpent = false
  /** TCP is up. With TLS the handshake is yet to come. */
  private isOpen = false
  private isConnected = false
  private hasReceived = false
  /** It has answered more than which versions it knows. */
  private hasServed = false
  /** The peer has shown that it is a broker, and taken this client for one of its own. */
  private isTrusted = false

  constructor(options: ConnectionOptions) {
    this.socket = options.socket
    this.broker = options.broker
    this.clock = options.clock
    this.logger = options.logger
    this.observer = options.observer ?? noObserver
    this.node = options.node ?? UNKNOWN_NODE
    this.texts = options.texts ?? foreignTexts
    this.events = options.events
    this.requestTimeoutMs = options.requestTimeoutMs
    this.lastActiveAt = this.clock.now()
    this.frames = new FrameReader(frame => this.onFrame(frame), FRAME_BYTES_MAX_NEGOTIATING)
    this.timeouts = new DeadlineTimer(this.clock, asOf => this.judgeTimeouts(asOf))
    this.isForeign = options.isForeign === true
    this.reports = options.reports ?? null
    this.showsWritten = isNode && !this.isForeign && !hasTls(options.socket)
    this.listen()
    this.observer.connectBegan(this.node)
  }

  get isEncrypted(): boolean {
    return hasTls(this.socket)
  }

  /** Requests that occupy the connection: not answered, or not written where no answer will come. */
  get inFlightCount(): number {
    return this.inFlight.length + this.unanswerable
  }

  /** False as soon as the connection is ending, before its socket is closed. */
  get usable(): boolean {
    return this.endError === null && !this.closeWhenIdle
  }

  /** The peer has shown that it is a broker: large frames are believed from here on. */
  trustFrames(): void {
    this.isTrusted = true
    this.frames.frameBytesMax = FRAME_BYTES_MAX
  }

  /** Whether TCP is up and TLS is not yet. */
  get isInTlsHandshake(): boolean {
    return this.isOpen && !this.isConnected
  }

  /** Only while {@link usable}. What `encode` throws is thrown before anything is sent. */
  send(request: OutgoingRequest): void {
    const correlationId = this.nextCorrelationId
    const chunks = request.encode(correlationId)
    this.nextCorrelationId = (correlationId + 1) % CORRELATION_ID_END
    const now = this.clock.now()
    this.lastActiveAt = now
    if (request.expectsResponse) {
      const deadline = now + this.requestTimeoutMs
      this.inFlight.push({ request, correlationId, sentAt: now, deadline })
      this.timeouts.ensure(deadline)
    } else {
      this.unanswerable++
      this.inFlight.pushSilent(correlationId)
    }
    this.write(request, this.isForeign ? [Buffer.concat(chunks)] : chunks, now)
    if (!request.expectsResponse) this.reports?.ended({ request, correlationId, sentAt: now }, 0)
  }

  /**
   * Requests that `send` sends go out in writes of several, as far as that makes a write cheaper: what is
   * written together is in the socket's hands until all of it is written.
   */
  together(send: () => void): void {
    this.gatheredBytes = 0
    this.cork()
    try {
      send()
    } finally {
      this.gatheredBytes = NOT_GATHERING
      this.uncork()
    }
  }

  /** The broker asked for quiet: requests in flight get that much longer. */
  postponeTimeouts(ms: number): void {
    this.inFlight.postpone(ms)
  }

  /** Takes no more requests and ends once those in flight have their outcome. */
  closeWhenDrained(): void {
    this.closeWhenIdle = true
    this.closeIfDrained()
  }

  /** Ends the connection; the outcomes of its requests follow when the socket is closed. */
  destroy(error: KafkaError): void {
    if (this.endError !== null) return
    this.endError = error
    this.frames.stop()
    this.timeouts.cancel()
    this.socket.destroy()
  }

  private listen(): void {
    const { socket } = this
    socket.on('connect', () => {
      this.isOpen = true
    })
    const ready = hasTls(socket) ? 'secureConnect' : 'connect'
    socket.on(this.isForeign ? SOCKET_READY : ready, () => this.onConnected())
    // What a foreign socket receives before it is ready belongs to whoever makes it so, a proxy's answer say.
    if (!this.isForeign) this.readData()
    socket.on('end', () => this.destroy(this.endedByBroker()))
    socket.on('error', cause => this.destroy(this.socketError(cause)))
    socket.on('close', () => this.onClose())
  }

  private readData(): void {
    this.socket.on('data', (chunk: Uint8Array) => this.onData(chunk))
  }

  private onConnected(): void {
    // A listener before this one may have found the session wanting.
    if (this.socket.destroyed) return
    if (this.isForeign) {
      this.readData()
      this.socket.resume()
    }
    this.lastActiveAt = this.clock.now()
    this.isConnected = true
    if (this.endError !== null) return
    this.observer.connectionOpened(this.node)
    this.events.onConnected()
  }

  private endedByBroker(): NetworkError {
    const isEncrypted = hasTls(this.socket)
    if (isEncrypted && !this.isConnected) {
      return this.networkError(
        'was closed by the broker during the TLS handshake; check that this port uses TLS',
      )
    }
    return this.networkError(`was closed by the broker${this.endHint()}`)
  }

  /** What a peer that goes without a word may not have liked. Empty where it has been of use before. */
  private endHint(): string {
    if (!this.isConnected || this.hasServed) return ''
    if (this.hasReceived) {
      return (
        ' when it had told no more than its versions; if this port asks for authentication, check ' +
        'security.protocol and sasl.mechanism'
      )
    }
    return hasTls(this.socket)
      ? // Not every server says so when it does not accept a certificate.
        ' right after the TLS handshake; check ssl.keystore.*'
      : ' before it had answered anything; if this port uses TLS, set security.protocol to SSL or SASL_SSL'
  }

  /** TLS may also refuse a connection after the handshake: TLS 1.3 judges client certificates that late. */
  private socketError(cause: Error): KafkaError {
    const { broker, socket } = this
    const shown = this.texts.error(cause)
    if (isDenied(cause)) return notPermitted(`${this.node.host}:${this.node.port}`, shown)
    const refusal = hasTls(socket) && !this.isTrusted ? tlsRefusal(cause) : null
    if (refusal === null) return this.networkError(`failed: ${shown.message}${this.resetHint(cause)}`, shown)
    const reason = this.texts.shown(refusal)
    return new AuthenticationError(`TLS with broker ${broker} failed because ${reason}`, {
      broker,
      cause: shown,
    })
  }

  private resetHint({ code }: NodeJS.ErrnoException): string {
    const hint = code === 'ECONNRESET' || code === 'EPIPE' ? this.endHint() : ''
    return hint === '' ? '' : `; the broker closed it${hint}`
  }

  private write(request: OutgoingRequest, chunks: Uint8Array[], now: number): void {
    const { socket } = this
    this.unwritten.push(request)
    const count = ++this.given
    const last = chunks.length - 1
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.length
    this.gatheredBytes += bytes
    this.observer.requestSent(this.node, request, bytes, now)
    // The outcome of a request without a response comes with its writing, and not while others are written.
    if (!request.expectsResponse) this.showsWritten = false
    this.cork()
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Uint8Array)
    if (this.showsWritten) socket.write(chunks[last] as Uint8Array)
    else socket.write(chunks[last] as Uint8Array, error => this.onWriteEnd(count, error))
    this.uncork()
    if (this.gatheredBytes < GATHERED_BYTES_MAX) return
    // Out of the hold of `together`, and into it again.
    this.gatheredBytes = 0
    this.uncork()
    this.cork()
  }

  private cork(): void {
    if (CAN_GATHER) this.socket.cork()
  }

  /** One system call, if nothing else holds the socket, for all that has been written since `cork`. */
  private uncork(): void {
    const { socket, given } = this
    if (CAN_GATHER) socket.uncork()
    if (!this.showsWritten || this.asked === given || socket.writableCorked > 0) return
    this.asked = given
    if (socket.writableLength === 0 && socket.errored === null) this.onWriteEnd(given, null)
    else socket.write(NOTHING, error => this.onWriteEnd(given, error))
  }

  /** What the socket was given up to the request of this number is written, or will not be. */
  private onWriteEnd(count: number, error: Error | null | undefined): void {
    // A failed write says nothing about who still reads the memory: 'close' does. Node reports a write
    // that a destroyed socket cancelled without an error, as if it had been completed.
    if (error || this.socket.destroyed) return
    // Sockets write in order and say so in order.
    while (this.given - this.unwritten.length < count)
      this.onWritten(this.unwritten.shift() as OutgoingRequest)
  }

  private onWritten(request: OutgoingRequest): void {
    const before = this.inFlightCount
    if (!request.expectsResponse) this.unanswerable--
    this.guarded(() => request.onWritten(null))
    if (request.expectsResponse) return
    this.events.onSlotFreed(before)
    this.closeIfDrained()
  }

  private onData(chunk: Uint8Array): void {
    const now = this.clock.now()
    this.hasReceived = true
    this.lastActiveAt = now
    this.observer.bytesReceived(this.node, chunk.length, now)
    try {
      this.frames.push(chunk)
    } catch (error) {
      this.destroy(this.protocolError(error))
    }
  }

  /** Throws what the response's owner throws while decoding; `onData` ends the connection then. */
  private onFrame(frame: Uint8Array): void {
    const reader = new Reader(frame).limitElements(RESPONSE_ELEMENTS_MAX).through(this.texts)
    const before = this.inFlightCount
    const correlationId = reader.int32()
    if (this.inFlight.isToSilent(correlationId)) return
    const entry = this.inFlight.complete(correlationId)
    const { request, sentAt } = entry
    this.observer.requestAnswered(this.node, request, this.lastActiveAt - sentAt, null)
    this.respond(request, reader)
    this.reports?.ended(entry, frame.length)
    if (this.endError !== null) return
    this.events.onSlotFreed(before)
    this.closeIfDrained()
  }

  private respond(request: OutgoingRequest, reader: Reader): void {
    this.hasServed ||= request.api !== ApiVersions
    try {
      reader.skipTags(responseHeaderVersion(request.api, request.version) === 1)
    } catch (error) {
      this.guarded(() => request.onResponse(this.protocolError(error), null))
      throw error
    }
    request.onResponse(null, reader)
  }

  /** The sockets had their turn since `asOf`: what was due then and is still unanswered is late. */
  private judgeTimeouts(asOf: number): void {
    const earliest = this.inFlight.earliestDeadline()
    if (earliest > asOf) {
      this.timeouts.ensure(earliest)
      return
    }
    const lateMs = asOf - earliest
    if (lateMs >= Math.max(HELD_MS_MIN, this.requestTimeoutMs * HELD_SHARE)) {
      // What was not written yet could not be answered meanwhile: all get their time anew.
      const renewed = asOf + this.requestTimeoutMs
      this.inFlight.postpone(renewed - earliest)
      this.timeouts.ensure(renewed)
      return
    }
    this.timedOutBefore = asOf
    this.destroy(this.networkError(`ended: a request was not answered within ${this.requestTimeoutMs} ms`))
  }

  private onClose(): void {
    const error = this.endError ?? this.networkError('was closed')
    this.endError = error
    this.frames.stop()
    this.timeouts.cancel()
    for (const request of this.unwritten.drain()) this.guarded(() => request.onWritten(error))
    this.unanswerable = 0
    const now = this.clock.now()
    for (const entry of this.inFlight.drain()) {
      const outcome = this.outcomeOf(entry, error)
      this.observer.requestAnswered(this.node, entry.request, now - entry.sentAt, outcome)
      this.guarded(() => entry.request.onResponse(outcome, null))
    }
    this.observer.connectionClosed(this.node, this.isSpent ? null : error)
    this.events.onClosed(error)
  }

  /** To those who only waited behind it, another's time-out or a peer's nonsense is a lost connection. */
  private outcomeOf(entry: InFlightRequest, error: KafkaError): KafkaError {
    if (entry.deadline > this.timedOutBefore) {
      return error instanceof ProtocolError ? this.networkError(`ended: ${error.message}`, error) : error
    }
    const waitedMs = Math.round(this.timedOutBefore - entry.sentAt)
    this.reports?.ended(entry, 0, true)
    return new TimeoutError(
      `${entry.request.api.name} to broker ${this.broker} was not answered within ${waitedMs} ms`,
      { broker: this.broker },
    )
  }

  private closeIfDrained(): void {
    if (!this.closeWhenIdle || this.inFlightCount > 0 || this.unwritten.length > 0) return
    this.isSpent = this.endError === null
    this.destroy(this.networkError('is no longer needed'))
  }

  /** An owner that throws must not keep the other requests from their outcome. */
  private guarded(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.logger.error('a request could not take its outcome', { broker: this.broker, error })
    }
  }

  private networkError(what: string, cause?: Error): NetworkError {
    return new NetworkError(`The connection to broker ${this.broker} ${what}`, { broker: this.broker, cause })
  }

  private protocolError(cause: unknown): KafkaError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return cause instanceof ProtocolError && cause.broker !== undefined
      ? cause
      : new ProtocolError(`${reason} (broker ${this.broker})`, { broker: this.broker, cause })
  }
}

/** By its looks: to ask for the class would load all of TLS, which costs several MiB. */
function hasTls(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true
}
