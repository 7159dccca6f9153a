import type { Clock } from '../common/clock.js'
import { inNoContext } from '../common/no-context.js'
import { KafkaError, ProtocolError, TimeoutError, UnsupportedVersionError } from '../errors/index.js'
import type { Api } from '../protocol/api.js'
import { encodeRequest } from '../protocol/header.js'
import type { Reader } from '../protocol/reader.js'
import type { AnyApi, ApiVersionTable } from './api-version-table.js'
import { DeadlineTimer } from './deadline-timer.js'
import type { NodeConnection } from './node-connection.js'

/** Who is to answer: one node, or whichever has the least to do. */
export type RpcTarget = number | 'any'

export interface RequestOptions {
  /** Bounds beyond those of the API itself. */
  minVersion?: number
  maxVersion?: number
  /** Time for everything, waiting for the broker included; default `request.timeout.ms`. */
  timeoutMs?: number
}

/** One call that waits for its node. Its promise is settled once; what comes later is dropped. */
interface Rpc {
  readonly target: RpcTarget
  readonly api: AnyApi
  readonly body: unknown
  readonly options: RequestOptions
  readonly timeoutMs: number
  readonly deadline: number
  settled: boolean
  // biome-ignore lint/suspicious/noExplicitAny: the caller of `request` gave the type
  resolve(response: any): void
  reject(error: KafkaError): void
}

interface PendingRpcsOptions {
  clientId: string
  clock: Clock
  requestTimeoutMs: number
  /** A node for the target that takes a request now; else undefined, and connecting has been seen to. */
  nodeFor(target: RpcTarget): NodeConnection | undefined
  /** Why nodes could not be reached of late. */
  lastError(): KafkaError | null
}

/**
 * Requests of which there are few: each waits for a node, is sent once, and has one outcome by its deadline.
 */
export class PendingRpcs {
  private readonly options: PendingRpcsOptions
  private readonly timer: DeadlineTimer
  /** Not sent yet. */
  private waiting: Rpc[] = []
  /** Sent, not answered; their promise may run out of time before the connection does. */
  private readonly sent = new Set<Rpc>()

  constructor(options: PendingRpcsOptions) {
    this.options = options
    this.timer = new DeadlineTimer(options.clock, asOf => this.judgeTimeouts(asOf))
  }

  request<Request, Response>(
    target: RpcTarget,
    api: Api<Request, Response>,
    body: Request | ((version: number) => Request),
    options: RequestOptions,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? this.options.requestTimeoutMs
      const deadline = this.options.clock.now() + timeoutMs
      const rpc: Rpc = { target, api, body, options, timeoutMs, deadline, settled: false, resolve, reject }
      this.timer.ensure(deadline)
      this.waiting.push(rpc)
      // What it lets go, and the socket's callbacks of that, may be others' as well.
      inNoContext(() => this.dispatch())
    })
  }

  /** Something changed that may let a waiting request go. */
  dispatch(): void {
    if (this.waiting.length === 0) return
    const waiting = this.waiting
    this.waiting = []
    for (const rpc of waiting) {
      const node = this.options.nodeFor(rpc.target)
      if (node === undefined) this.waiting.push(rpc)
      else this.send(rpc, node)
    }
  }

  /** No broker will take what waits for one. */
  rejectWaiting(error: KafkaError): void {
    for (const rpc of this.waiting.splice(0)) this.reject(rpc, error)
  }

  /** Every request gets this outcome, sent or not. */
  close(error: KafkaError): void {
    this.timer.cancel()
    const unsettled = [...this.waiting, ...this.sent]
    this.waiting = []
    this.sent.clear()
    for (const rpc of unsettled) this.reject(rpc, error)
  }

  private send(rpc: Rpc, node: NodeConnection): void {
    const { api, options } = rpc
    const versions = node.versions as ApiVersionTable
    const version = versions.highest(api, options.minVersion, options.maxVersion)
    if (version < 0) {
      this.reject(rpc, unsupported(rpc, node))
      return
    }
    this.sent.add(rpc)
    try {
      node.send({
        api,
        version,
        expectsResponse: true,
        encode: id => [encodeRequest(api, version, id, this.options.clientId, bodyOf(rpc, version))],
        onWritten: () => {},
        onResponse: (error, body) => this.onResponse(rpc, node, version, error, body),
      })
    } catch (cause) {
      // What the chosen version cannot say, the codec refuses; nothing was sent.
      this.reject(rpc, asKafkaError(cause))
    }
  }

  private onResponse(
    rpc: Rpc,
    node: NodeConnection,
    version: number,
    error: KafkaError | null,
    body: Reader | null,
  ): void {
    if (body === null) {
      this.reject(rpc, error as KafkaError)
      return
    }
    let response: unknown
    try {
      response = rpc.api.readResponse(body, version)
    } catch (cause) {
      this.reject(rpc, asKafkaError(cause))
      throw cause
    }
    const { throttleTimeMs } = response as { throttleTimeMs?: number }
    if (throttleTimeMs !== undefined) node.throttledBy(rpc.api, version, throttleTimeMs)
    if (rpc.settled) return
    this.settle(rpc)
    rpc.resolve(response)
  }

  private judgeTimeouts(asOf: number): void {
    const { waiting } = this
    this.waiting = waiting.filter(rpc => rpc.deadline > asOf)
    for (const rpc of waiting)
      if (rpc.deadline <= asOf) this.reject(rpc, this.timeoutOf(rpc, 'no broker took it'))
    for (const rpc of this.sent)
      if (rpc.deadline <= asOf) this.reject(rpc, this.timeoutOf(rpc, 'no answer came'))
    let earliest = Infinity
    for (const rpc of [...this.waiting, ...this.sent]) earliest = Math.min(earliest, rpc.deadline)
    this.timer.ensure(earliest)
  }

  private timeoutOf(rpc: Rpc, what: string): TimeoutError {
    const cause = this.options.lastError() ?? undefined
    const reason = cause === undefined ? '' : `: ${cause.message}`
    return new TimeoutError(`${rpc.api.name}: ${what} within ${rpc.timeoutMs} ms${reason}`, { cause })
  }

  private reject(rpc: Rpc, error: KafkaError): void {
    if (rpc.settled) return
    this.settle(rpc)
    rpc.reject(error)
  }

  private settle(rpc: Rpc): void {
    rpc.settled = true
    this.sent.delete(rpc)
  }
}

function bodyOf(rpc: Rpc, version: number): unknown {
  return typeof rpc.body === 'function' ? rpc.body(version) : rpc.body
}

function asKafkaError(cause: unknown): KafkaError {
  return cause instanceof KafkaError ? cause : new ProtocolError(String(cause), { cause })
}

function unsupported(rpc: Rpc, node: NodeConnection): UnsupportedVersionError {
  const { api, options } = rpc
  const min = options.minVersion ?? api.minVersion
  const max = options.maxVersion ?? api.maxVersion
  const versions = node.versions as ApiVersionTable
  const { tooOld } = versions
  return new UnsupportedVersionError(
    `${api.name} is needed in a version from ${min} to ${max}; broker ${node.name} takes ` +
      `${versions.describe(api)}${tooOld === null ? '' : ` and ${tooOld}`}`,
    { broker: node.name },
  )
}
