import type { Socket } from 'node:net'
// Deno's global timers are numbers and have no unref.
import { setTimeout } from 'node:timers'
import { ProtocolError } from '../errors/index.js'
import { ApiVersions } from '../protocol/api-versions.js'
import { encodeResponse, type RequestHeader, readRequestHeader } from '../protocol/header.js'
import { Reader } from '../protocol/reader.js'
import { type ApiName, unservedApis } from './api-names.js'
import type { Cluster, ClusterNode } from './cluster.js'
import { refuseApiVersions } from './handlers/api-versions.js'
import { Disconnect, NO_REPLY } from './handlers/context.js'
import { type Outcome, type ServedApi, servedApis } from './handlers/index.js'
import { RequestFrames } from './request-frames.js'
import { SaslServer } from './sasl.js'

/**
 * A request as a listener sees it. Its batches are views that the log keeps and stamps: copy to keep them.
 */
export interface SeenRequest {
  readonly api: ApiName
  readonly version: number
  /** Id of the node that was asked. */
  readonly node: number
  /** Number of the connection, counted over the whole broker. */
  readonly connection: number
  readonly clientId: string | null
  readonly body: object
}

/** A place in the order of replies. */
interface Slot {
  /** Null: nothing is sent in this place. */
  frame: Buffer | null
  ready: boolean
}

/**
 * One client's connection: takes requests off the wire, has them answered and sends the replies in the order
 * of the requests. Requests take effect as soon as they have arrived; only replies wait for one another.
 */
export class Connection {
  readonly id: number
  /** Bytes that have passed, for cuts. */
  readonly passed = { in: 0, out: 0 }
  private readonly cluster: Cluster
  private readonly node: ClusterNode
  private readonly socket: Socket
  private readonly notify: (request: SeenRequest) => void
  private readonly frames = new RequestFrames()
  private readonly slots: Slot[] = []
  private readonly sasl: SaslServer | null
  private clientId: string | null = null
  private closed = false

  constructor(
    id: number,
    cluster: Cluster,
    node: ClusterNode,
    socket: Socket,
    notify: (r: SeenRequest) => void,
  ) {
    this.id = id
    this.cluster = cluster
    this.node = node
    this.socket = socket
    this.notify = notify
    const { sasl } = cluster.settings
    this.sasl = sasl === null ? null : new SaslServer(sasl, () => performance.now())
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    // A reset by the client is nothing to report: 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
  }

  /** Ends the connection at once, whatever is still to be sent. */
  destroy(): void {
    this.closed = true
    this.socket.destroy()
  }

  private receive(chunk: Buffer): void {
    const { faults } = this.cluster
    const allowed = faults.cuts.bytesLeft(this, this.node.id, 'in', this.passed.in)
    const cut = chunk.length >= allowed
    const bytes = cut ? chunk.subarray(0, allowed) : chunk
    this.passed.in += bytes.length
    // All replies to what came together leave together.
    this.socket.cork()
    try {
      this.frames.push(bytes)
      for (let frame = this.frames.next(); frame !== null && !this.closed; frame = this.frames.next()) {
        this.request(frame)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.drop(error.message)
    } finally {
      this.socket.uncork()
    }
    if (!cut) return
    faults.cuts.done(this, this.node.id, 'in', this.passed.in)
    this.destroy()
  }

  private request(frame: Buffer): void {
    const reader = new Reader(frame)
    const header = readRequestHeader(reader)
    this.clientId = header.clientId
    const entry = this.acceptedApi(header)
    if (entry === null) this.refuse(header)
    else if (this.sasl?.allows(entry.name) === false) {
      this.drop(`${entry.name} before authentication; the broker wants SASL`)
    } else {
      this.serve(entry, header, reader)
    }
  }

  private serve(entry: ServedApi, header: RequestHeader, reader: Reader): void {
    const { name } = entry
    const { requests } = this.cluster.counters
    requests[name] = (requests[name] ?? 0) + 1
    const body = readBody(entry, header, reader)
    // Kafka takes such requests, and librdkafka makes some.
    if (reader.remaining > 0) this.warn(`${requestName(header)} has ${reader.remaining} bytes too many`)
    this.notify({
      api: name,
      version: header.apiVersion,
      node: this.node.id,
      connection: this.id,
      clientId: header.clientId,
      body,
    })
    if (this.closed) return
    const swallowed = this.cluster.faults.swallows.take(name, this.node.id)
    const slot: Slot = { frame: null, ready: false }
    this.slots.push(slot)
    if (swallowed?.processed === false) return
    const outcome = entry.handle(this.contextOf(entry, header), body)
    if (swallowed !== undefined) return
    if (outcome instanceof Promise) void outcome.then(later => this.answer(slot, entry, header, later))
    else this.answer(slot, entry, header, outcome)
  }

  private contextOf({ name }: ServedApi, { apiVersion }: RequestHeader) {
    const { cluster, node, sasl } = this
    const failures = cluster.faults.errors.for(name, node.id)
    return { cluster, node, sasl, version: apiVersion, failures, warn: this.warn }
  }

  /** The API, if this version of it is both announced and implemented. */
  private acceptedApi({ apiKey, apiVersion }: RequestHeader): ServedApi | null {
    const entry = servedApis.get(apiKey)
    const range = this.cluster.announced.get(apiKey)
    if (entry === undefined || range === undefined) return null
    const lowest = Math.max(range.minVersion, entry.api.minVersion)
    const highest = Math.min(range.maxVersion, entry.api.maxVersion)
    return apiVersion >= lowest && apiVersion <= highest ? entry : null
  }

  /** Only ApiVersions has an answer to a version that is not served: it must be askable by every client. */
  private refuse(header: RequestHeader): void {
    const { apiKey, apiVersion, correlationId } = header
    const range = this.cluster.announced.get(apiKey)
    if (apiKey !== ApiVersions.key || range === undefined) {
      this.drop(this.whyNotServed(header))
      return
    }
    const bytes = encodeResponse(ApiVersions, apiVersion, correlationId, refuseApiVersions(range))
    this.slots.push({ frame: toBuffer(bytes), ready: true })
    this.flush()
  }

  private whyNotServed(header: RequestHeader): string {
    const { apiKey } = header
    const range = this.cluster.announced.get(apiKey)
    if (range !== undefined) {
      return `${requestName(header)} is not served, only versions ${range.minVersion} to ${range.maxVersion}`
    }
    return `${requestName(header)} is not served; for that, use Apache Kafka`
  }

  private answer(slot: Slot, entry: ServedApi, header: RequestHeader, outcome: Outcome): void {
    if (this.closed) return
    if (outcome instanceof Disconnect) {
      this.drop(outcome.reason)
      return
    }
    if (outcome === NO_REPLY) {
      slot.ready = true
      this.flush()
      return
    }
    const { faults } = this.cluster
    const { name, api } = entry
    const throttleTimeMs = faults.throttles.takeMs(name, this.node.id)
    const body = throttleTimeMs === undefined ? outcome : { ...(outcome as object), throttleTimeMs }
    const bytes = encodeResponse(api, header.apiVersion, header.correlationId, body)
    slot.frame = faults.mutators.mutate(name, header.apiVersion, toBuffer(bytes))
    this.sendWhenAllowed(slot, name)
  }

  private sendWhenAllowed(slot: Slot, api: ApiName): void {
    const { faults } = this.cluster
    const send = () => {
      slot.ready = true
      this.flush()
    }
    const delayMs = faults.delays.takeMs(api, this.node.id) ?? 0
    const afterDelay = delayMs === 0 ? send : () => void setTimeout(send, delayMs).unref()
    const held = faults.holds.over(api, this.node.id)
    if (held === undefined) afterDelay()
    else void held.then(afterDelay)
  }

  private flush(): void {
    while (!this.closed && this.slots[0]?.ready === true) {
      const frame = this.slots.shift()?.frame
      if (frame != null) this.write(frame)
    }
  }

  private write(frame: Buffer): void {
    const { faults } = this.cluster
    const allowed = faults.cuts.bytesLeft(this, this.node.id, 'out', this.passed.out)
    if (frame.length < allowed) {
      this.passed.out += frame.length
      this.socket.write(frame)
      return
    }
    this.passed.out += allowed
    faults.cuts.done(this, this.node.id, 'out', this.passed.out)
    this.closed = true
    this.socket.write(frame.subarray(0, allowed), () => this.socket.destroy())
  }

  /** Ends a connection whose client is at fault. */
  private drop(reason: string): void {
    if (this.closed) return
    this.log(`node ${this.node.id} closes the connection ${this.origin}: ${reason}`)
    this.destroy()
  }

  private readonly warn = (problem: string): void => {
    if (this.cluster.isNews(problem)) this.log(`node ${this.node.id}, connection ${this.origin}: ${problem}`)
  }

  private get origin(): string {
    const client = this.clientId === null ? '' : ` of client ${JSON.stringify(this.clientId)}`
    return `from port ${this.socket.remotePort}${client}`
  }

  private log(line: string): void {
    this.cluster.settings.log(`millrace broker: ${line}`)
  }
}

/** Throws a {@link ProtocolError} that names the request. */
function readBody({ api }: ServedApi, header: RequestHeader, reader: Reader): object {
  try {
    return api.readRequest(reader, header.apiVersion)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new ProtocolError(`${requestName(header)} cannot be read: ${error.message}`, { cause: error })
  }
}

/** An API and its version, by the name that Kafka gives it. */
function requestName({ apiKey, apiVersion }: RequestHeader): string {
  const name = servedApis.get(apiKey)?.name ?? unservedApis.get(apiKey) ?? `API ${apiKey}`
  return `${name} version ${apiVersion}`
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
