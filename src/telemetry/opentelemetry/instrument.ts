import {
  type Context,
  context as contextApi,
  createNoopMeter,
  type Meter,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { VERSION } from '../../common/version.js'
import { type MetricsSource, telemetryOf } from '../source.js'
import { attributesOf, type Conventions, conventionsOf, errorTypeOf } from './attributes.js'
import { carrierOf, withCarrier, withContext } from './headers.js'
import { OperationMetrics } from './operation-metrics.js'

const SCOPE = 'millrace'

/** Options of `instrument`. */
export interface InstrumentOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider
  /** Default: the global one. */
  meterProvider?: MeterProvider
  /**
   * Names of attributes; default those of semantic conventions 1.45, and with `messaging/dup` in
   * `OTEL_SEMCONV_STABILITY_OPT_IN` both these and the older ones.
   */
  conventions?: Conventions
  /**
   * Whether spans are made, and contexts sent along, only for calls within a span. Without one a call costs a
   * look-up of the active context. Default false.
   */
  requireParentSpan?: boolean
  /**
   * Of `sendMany`: true makes a span for each record, whose context it carries, and links them to that of the
   * call. False, the default, lets all records carry the context that the call was made in.
   */
  createSpans?: boolean
  /** Whether keys that are strings become attributes. Default true. */
  captureKeys?: boolean
}

interface RecordLike {
  readonly topic?: unknown
  readonly key?: unknown
  readonly value?: unknown
}

interface MetadataLike {
  readonly partition: number
  readonly offset: bigint
  readonly serializedValueSize: number
}

/** What {@link instrument} needs of a producer; all else it passes on. */
export interface Instrumentable extends MetricsSource {
  // biome-ignore lint/suspicious/noExplicitAny: the methods keep the types that the producer gives them
  send(...args: any[]): any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  sendMany(...args: any[]): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  transaction(...args: any[]): Promise<any>
}

const TRANSACTION_CALLS = [
  'initTransactions',
  'sendOffsetsToTransaction',
  'commitTransaction',
  'abortTransaction',
] as const

/**
 * Traces a producer's calls and measures them with OpenTelemetry, by the semantic conventions for messaging:
 * a span for each `send`, ended by its outcome, whose context the record carries; one for each `sendMany`;
 * one for each transaction and call of it. Metrics: `messaging.client.operation.duration` and
 * `messaging.client.sent.messages`. Replaces the methods of this one producer, and returns it.
 *
 * A meter provider has to be set before this is called; a tracer provider may be set later.
 */
export function instrument<P extends Instrumentable>(producer: P, options: InstrumentOptions = {}): P {
  const instrumentation = new Instrumentation(producer, options)
  const { send, sendMany, transaction } = producer
  const own: Record<string, unknown> = {
    send: (record: RecordLike, ...rest: unknown[]) =>
      instrumentation.send(record, rest, (sent, more) => send.call(producer, sent, ...more)),
    sendMany: (records: Iterable<RecordLike>, ...rest: unknown[]) =>
      instrumentation.sendMany(records, sent => sendMany.call(producer, sent, ...rest)),
    transaction: (...args: unknown[]) =>
      instrumentation.spanned('transaction', SpanKind.INTERNAL, () => transaction.call(producer, ...args)),
  }
  for (const call of TRANSACTION_CALLS) {
    const method = (producer as unknown as Record<string, unknown>)[call]
    if (typeof method !== 'function') continue
    own[call] = (...args: unknown[]) =>
      instrumentation.spanned(call, SpanKind.CLIENT, () => method.apply(producer, args))
  }
  for (const [name, value] of Object.entries(own))
    Object.defineProperty(producer, name, { value, writable: true, configurable: true })
  return producer
}

/** What a span starts with: the name and what a sampler may decide by. */
interface SpanStart {
  readonly name: string
  readonly options: SpanOptions
}

/** As many topics as have their starts kept. */
const STARTS_MAX = 1_000

/**
 * The starts of the spans of topics, made once: most spans are not recorded, and would be as dear as if they
 * were. What differs from record to record is set once a span is known to be recorded.
 */
class SpanStarts {
  private readonly starts = new Map<string | undefined, SpanStart>()
  private readonly make: (topic: string | undefined) => SpanStart

  constructor(make: (topic: string | undefined) => SpanStart) {
    this.make = make
  }

  of(topic: string | undefined): SpanStart {
    let start = this.starts.get(topic)
    if (start === undefined) {
      if (this.starts.size >= STARTS_MAX) this.starts.clear()
      start = this.make(topic)
      this.starts.set(topic, start)
    }
    return start
  }
}

type Deliver = (error: Error | null, metadata: MetadataLike) => void

class Instrumentation {
  private readonly tracer: Tracer
  private readonly metrics: OperationMetrics | null
  private readonly conventions: Conventions
  private readonly requireParentSpan: boolean
  private readonly createSpans: boolean
  private readonly captureKeys: boolean
  private readonly clientId: string | undefined
  /** How the spans of `send` start. */
  private readonly sends: SpanStarts

  constructor(producer: Instrumentable, options: InstrumentOptions) {
    const tracers = options.tracerProvider ?? trace
    const meter: Meter = (options.meterProvider ?? metrics).getMeter(SCOPE, VERSION)
    this.tracer = tracers.getTracer(SCOPE, VERSION)
    this.conventions = options.conventions ?? conventionsOf(process.env.OTEL_SEMCONV_STABILITY_OPT_IN)
    this.requireParentSpan = options.requireParentSpan ?? false
    this.createSpans = options.createSpans ?? false
    this.captureKeys = options.captureKeys ?? true
    this.clientId = telemetryOf(producer)?.clientId
    this.sends = new SpanStarts(topic => ({
      name: spanName('send', topic),
      options: {
        kind: SpanKind.PRODUCER,
        attributes: this.attributes({ operationName: 'send', operationType: 'send', topic }),
      },
    }))
    this.metrics =
      meter === createNoopMeter()
        ? null
        : new OperationMetrics(meter, producer, this.conventions, this.clientId)
  }

  send<Result>(
    record: RecordLike,
    rest: readonly unknown[],
    send: (record: RecordLike, rest: readonly unknown[]) => Result,
  ): Result {
    // What is no record is for `send` to refuse.
    if (typeof record !== 'object' || record === null) return send(record, rest)
    const parent = contextApi.active()
    const isTraced = !this.requireParentSpan || trace.getSpan(parent) !== undefined
    if (!isTraced && this.metrics === null) return send(record, rest)
    const topic = topicOf(record)
    const span = isTraced ? this.startSend(record, topic, parent) : null
    const sent = span === null ? record : withContext(record, trace.setSpan(parent, span))
    if ((span === null || !span.isRecording()) && this.metrics === null) return send(sent, rest)
    const beganAt = performance.now()
    const end = (error: unknown, metadata: MetadataLike | null) => {
      this.metrics?.ended('send', topic, performance.now() - beganAt, error)
      if (span !== null) this.endSend(span, error, metadata)
    }
    const [callback, ...others] = rest
    try {
      if (typeof callback === 'function') {
        const deliver: Deliver = (error, metadata) => {
          end(error, metadata)
          contextApi.with(parent, () => (callback as Deliver)(error, metadata))
        }
        return send(sent, [deliver, ...others])
      }
      const outcome = send(sent, rest)
      if (outcome instanceof Promise)
        outcome.then(
          metadata => end(null, metadata),
          error => end(error, null),
        )
      return outcome
    } catch (error) {
      end(error, null)
      throw error
    }
  }

  async sendMany<Result>(
    records: Iterable<RecordLike>,
    send: (records: Iterable<RecordLike>) => Promise<Result>,
  ): Promise<Result> {
    const parent = contextApi.active()
    const isTraced = !this.requireParentSpan || trace.getSpan(parent) !== undefined
    if (!isTraced && this.metrics === null) return send(records)
    // What is no list of records is for `sendMany` to refuse.
    if (typeof records !== 'object' || records === null || !(Symbol.iterator in records)) return send(records)
    const list = [...records]
    const topic = commonTopicOf(list)
    const creates = isTraced && this.createSpans ? list.map(record => this.startCreate(record, parent)) : []
    const sent = isTraced ? this.carrying(list, creates, parent) : list
    const span = isTraced ? this.startBatch(topic, list.length, creates, parent) : null
    const beganAt = performance.now()
    try {
      const result = await send(sent)
      this.endBatch(span, creates, topic, performance.now() - beganAt, null)
      return result
    } catch (error) {
      this.endBatch(span, creates, topic, performance.now() - beganAt, error)
      throw error
    }
  }

  /** Runs a call within a span of its name, if its calls are traced. */
  spanned<Result>(name: string, kind: SpanKind, call: () => Promise<Result>): Promise<Result> {
    const parent = contextApi.active()
    if (this.requireParentSpan && trace.getSpan(parent) === undefined) return call()
    const attributes = this.attributes({ operationName: name })
    const span = this.tracer.startSpan(name, { kind, attributes }, parent)
    const outcome = contextApi.with(trace.setSpan(parent, span), call)
    outcome.then(
      () => span.end(),
      error => this.endFailed(span, error),
    )
    return outcome
  }

  private startSend(record: RecordLike, topic: string | undefined, parent: Context): Span {
    const { name, options } = this.sends.of(topic)
    const span = this.tracer.startSpan(name, options, parent)
    if (span.isRecording()) {
      span.setAttributes(attributesOf(this.conventions, this.messageValues(record, undefined)))
    }
    return span
  }

  private startCreate(record: RecordLike, parent: Context): Span {
    const topic = topicOf(record)
    const operation = { operationName: 'create', operationType: 'create' }
    const attributes = this.attributes({ ...operation, ...this.messageValues(record, topic) })
    return this.tracer.startSpan(spanName('create', topic), { kind: SpanKind.PRODUCER, attributes }, parent)
  }

  private startBatch(
    topic: string | undefined,
    batchCount: number,
    creates: readonly Span[],
    parent: Context,
  ): Span {
    const operation = { operationName: 'send', operationType: 'send' }
    const attributes = this.attributes({ ...operation, topic, batchCount })
    const links = creates.map(span => ({ context: span.spanContext() }))
    return this.tracer.startSpan(
      spanName('send', topic),
      { kind: SpanKind.CLIENT, attributes, links },
      parent,
    )
  }

  private carrying(list: readonly RecordLike[], creates: readonly Span[], parent: Context): RecordLike[] {
    const ambient = carrierOf(parent)
    return list.map((record, place) => {
      // As above: what is no record, `sendMany` refuses.
      if (typeof record !== 'object' || record === null) return record
      const create = creates[place]
      if (create === undefined) return withCarrier(record, ambient)
      return withContext(record, trace.setSpan(parent, create))
    })
  }

  private endSend(span: Span, error: unknown, metadata: MetadataLike | null): void {
    if (error !== null) {
      this.endFailed(span, error)
      return
    }
    if (metadata !== null) {
      const { partition, offset, serializedValueSize } = metadata
      span.setAttributes(
        attributesOf(this.conventions, {
          partition: String(partition),
          // A number, as the convention has it; beyond 2^53 it is not exact.
          offset: offset >= 0n ? Number(offset) : undefined,
          bodyBytes: serializedValueSize >= 0 ? serializedValueSize : undefined,
        }),
      )
    }
    span.end()
  }

  private endBatch(
    span: Span | null,
    creates: readonly Span[],
    topic: string | undefined,
    durationMs: number,
    error: unknown,
  ): void {
    this.metrics?.ended('send', topic, durationMs, error)
    for (const create of creates) create.end()
    if (span === null) return
    if (error === null) span.end()
    else this.endFailed(span, error)
  }

  private endFailed(span: Span, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    span.setAttributes(attributesOf(this.conventions, { errorType: errorTypeOf(error) }))
    span.setStatus({ code: SpanStatusCode.ERROR, message })
    span.end()
  }

  private messageValues({ key, value }: RecordLike, topic: string | undefined) {
    return {
      topic,
      key: this.captureKeys && typeof key === 'string' ? key : undefined,
      tombstone: value === null ? true : undefined,
    }
  }

  private attributes(values: Parameters<typeof attributesOf>[1]) {
    return attributesOf(this.conventions, { system: 'kafka', clientId: this.clientId, ...values })
  }
}

function topicOf(record: RecordLike): string | undefined {
  const topic = record?.topic
  return typeof topic === 'string' ? topic : undefined
}

/** The topic of all records; undefined where they have several. */
function commonTopicOf(records: readonly RecordLike[]): string | undefined {
  const [first] = records
  const topic = first === undefined ? undefined : topicOf(first)
  return records.every(record => topicOf(record) === topic) ? topic : undefined
}

function spanName(operation: string, topic: string | undefined): string {
  return topic === undefined ? operation : `${operation} ${topic}`
}
