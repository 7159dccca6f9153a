import { type Channel, channel } from 'node:diagnostics_channel'
import type {
  ObservedBatch,
  ObservedNode,
  ObservedRequest,
  ObservedSend,
  ObservedTransactionCall,
} from '../common/observer.js'
import type { KafkaError } from '../errors/index.js'

/** Context of `tracing:millrace.send:*`: one call of `send` or `sendMany`. */
export interface SendContext {
  readonly clientId: string
  readonly call: ObservedSend
  /** The record, or the records, as the caller gave them. Not to be changed. */
  readonly input: unknown
  /** `RecordMetadata` or `DeliveryReport`, from `asyncStart` on. */
  result?: unknown
  error?: Error
}

/** Context of `tracing:millrace.transaction:*`: one call of a transactional producer. */
interface TransactionContext {
  readonly clientId: string
  readonly call: ObservedTransactionCall
  error?: Error
}

/** Context of `tracing:millrace.connect:*`: from the socket to the moment when requests may be sent. */
interface ConnectContext {
  readonly clientId: string
  /** Broker id; -1, -2 and so on for bootstrap servers. */
  readonly nodeId: number
  readonly host: string
  readonly port: number
  error?: Error
}

/** Context of `tracing:millrace.request:*`: from the writing of a request to its answer. */
interface RequestContext {
  readonly clientId: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
  /** Name and key of the API, `Produce` and 0 for example. */
  readonly api: string
  readonly apiKey: number
  readonly apiVersion: number
  readonly bytes: number
  /** From `asyncStart` on. */
  result?: { readonly latencyMs: number }
  error?: Error
}

/** Message of `millrace.batch.sent`: one batch of a Produce request. */
interface BatchSentMessage {
  readonly clientId: string
  readonly nodeId: number
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** On the wire. */
  readonly bytes: number
  /** 0 for the first attempt. */
  readonly attempts: number
}

/** Message of `millrace.retry`: a batch is going to be sent again. */
interface RetryMessage {
  readonly clientId: string
  readonly nodeId: number
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** Failed ones, this one included. */
  readonly attempts: number
  /** Least time until then. */
  readonly delayMs: number
  readonly error: KafkaError
}

/** Message of `millrace.metadata`: metadata came, or (an error) did not. */
interface MetadataMessage {
  readonly clientId: string
  readonly topics: number
  readonly nodes: number
  /** Of all topics in use. */
  readonly isFull: boolean
  readonly error: KafkaError | null
}

/** Message of `millrace.throttle`: a broker asks to be left alone for a while. */
interface ThrottleMessage {
  readonly clientId: string
  readonly nodeId: number
  readonly throttleMs: number
}

/**
 * The five channels of one tracing channel. Node's own `TracingChannel` is not used: what it has for callers
 * wraps a function, and Bun's does not say whether anybody listens.
 */
class Tracing<Context extends { error?: Error; result?: unknown }> {
  private readonly start: Channel
  private readonly end: Channel
  private readonly asyncStart: Channel
  private readonly asyncEnd: Channel
  private readonly error: Channel

  constructor(name: string) {
    this.start = channel(`tracing:${name}:start`)
    this.end = channel(`tracing:${name}:end`)
    this.asyncStart = channel(`tracing:${name}:asyncStart`)
    this.asyncEnd = channel(`tracing:${name}:asyncEnd`)
    this.error = channel(`tracing:${name}:error`)
  }

  get isWatched(): boolean {
    return (
      this.start.hasSubscribers ||
      this.asyncEnd.hasSubscribers ||
      this.error.hasSubscribers ||
      this.end.hasSubscribers ||
      this.asyncStart.hasSubscribers
    )
  }

  begin(context: Context): void {
    publish(this.start, context)
  }

  /** The part of the call that its caller waited for is over. */
  returned(context: Context): void {
    publish(this.end, context)
  }

  settle(context: Context, error: Error | null, result: unknown): void {
    if (error !== null) {
      context.error = error
      publish(this.error, context)
    } else if (result !== undefined) context.result = result
    publish(this.asyncStart, context)
    publish(this.asyncEnd, context)
  }
}

/** A subscriber that throws must not disturb the producer; Node rethrows it on a later tick by itself. */
function publish(to: Channel, message: object): void {
  if (!to.hasSubscribers) return
  try {
    to.publish(message)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Publishes what happens in one producer to `node:diagnostics_channel`, as far as somebody listens. */
export class Diagnostics {
  private readonly clientId: string
  private readonly sends = new Tracing<SendContext>('millrace.send')
  private readonly transactions = new Tracing<TransactionContext>('millrace.transaction')
  private readonly connects = new Tracing<ConnectContext>('millrace.connect')
  private readonly requests = new Tracing<RequestContext>('millrace.request')
  private readonly batchSent = channel('millrace.batch.sent')
  private readonly retry = channel('millrace.retry')
  private readonly metadata = channel('millrace.metadata')
  private readonly throttle = channel('millrace.throttle')
  private readonly openCalls = new Map<ObservedTransactionCall, TransactionContext[]>()
  private readonly openConnects = new Map<number, ConnectContext>()
  private readonly openRequests = new Map<ObservedRequest, RequestContext>()

  constructor(clientId: string) {
    this.clientId = clientId
  }

  get watchesSends(): boolean {
    return this.sends.isWatched
  }

  sendBegan(call: ObservedSend, input: unknown): SendContext {
    const { clientId } = this
    const context: SendContext = { clientId, call, input }
    this.sends.begin(context)
    return context
  }

  sendReturned(context: SendContext): void {
    this.sends.returned(context)
  }

  sendEnded(context: SendContext, error: Error | null, result: unknown): void {
    this.sends.settle(context, error, result)
  }

  batchesSent(batches: readonly ObservedBatch[], nodeId: number): void {
    if (!this.batchSent.hasSubscribers) return
    const { clientId } = this
    for (const batch of batches) {
      const message: BatchSentMessage = {
        clientId,
        nodeId,
        topic: batch.partition.topic.name,
        partition: batch.partition.index,
        records: batch.recordCount,
        bytes: batch.bytes,
        attempts: batch.attempts,
      }
      publish(this.batchSent, message)
    }
  }

  batchRetried(batch: ObservedBatch, nodeId: number, error: KafkaError, delayMs: number): void {
    if (!this.retry.hasSubscribers) return
    const message: RetryMessage = {
      clientId: this.clientId,
      nodeId,
      topic: batch.partition.topic.name,
      partition: batch.partition.index,
      records: batch.recordCount,
      attempts: batch.attempts + 1,
      delayMs,
      error,
    }
    publish(this.retry, message)
  }

  metadataUpdated(topics: number, nodes: number, isFull: boolean, error: KafkaError | null): void {
    if (!this.metadata.hasSubscribers) return
    const message: MetadataMessage = { clientId: this.clientId, topics, nodes, isFull, error }
    publish(this.metadata, message)
  }

  throttled(nodeId: number, throttleMs: number): void {
    if (!this.throttle.hasSubscribers) return
    const message: ThrottleMessage = { clientId: this.clientId, nodeId, throttleMs }
    publish(this.throttle, message)
  }

  connectBegan({ id, host, port }: ObservedNode): void {
    if (!this.connects.isWatched) return
    const context: ConnectContext = { clientId: this.clientId, nodeId: id, host, port }
    this.openConnects.set(id, context)
    this.connects.begin(context)
    this.connects.returned(context)
  }

  /** Null: requests may be sent. An attempt that had no socket begins and ends here. */
  connectEnded(node: ObservedNode, error: KafkaError | null): void {
    if (!this.openConnects.has(node.id) && error !== null) this.connectBegan(node)
    const context = this.openConnects.get(node.id)
    if (context === undefined) return
    this.openConnects.delete(node.id)
    this.connects.settle(context, error, undefined)
  }

  requestSent({ id, host, port }: ObservedNode, request: ObservedRequest, bytes: number): void {
    if (!this.requests.isWatched) return
    const { api, version, expectsResponse } = request
    const context: RequestContext = {
      clientId: this.clientId,
      nodeId: id,
      host,
      port,
      api: api.name,
      apiKey: api.key,
      apiVersion: version,
      bytes,
    }
    this.requests.begin(context)
    this.requests.returned(context)
    if (expectsResponse) this.openRequests.set(request, context)
  }

  requestAnswered(request: ObservedRequest, latencyMs: number, error: KafkaError | null): void {
    if (this.openRequests.size === 0) return
    const context = this.openRequests.get(request)
    if (context === undefined) return
    this.openRequests.delete(request)
    this.requests.settle(context, error, { latencyMs })
  }

  transactionCallBegan(call: ObservedTransactionCall): void {
    if (!this.transactions.isWatched) return
    const context: TransactionContext = { clientId: this.clientId, call }
    const open = this.openCalls.get(call)
    if (open === undefined) this.openCalls.set(call, [context])
    else open.push(context)
    this.transactions.begin(context)
    this.transactions.returned(context)
  }

  /** The same call may be made again before it is over; both get one outcome, in turn. */
  transactionCallEnded(call: ObservedTransactionCall, error: KafkaError | null): void {
    const context = this.openCalls.get(call)?.shift()
    if (context !== undefined) this.transactions.settle(context, error, undefined)
  }
}
