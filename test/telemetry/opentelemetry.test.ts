import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, before, describe, test } from 'node:test'
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { Producer } from '../../dist/index.js'
import { conventionsOf, instrument } from '../../dist/telemetry/opentelemetry/index.js'
import { startBroker } from '../../dist/testing/index.js'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

type Sent = { topic: string; headers?: Iterable<readonly [string, unknown]> }
type Callback = (error: Error | null, metadata: object) => void

/** A producer that keeps what it is given; `outcome` decides how a send ends. */
function fakeProducer(outcome: (record: Sent) => Promise<object> = async () => metadata) {
  const sent: Sent[] = []
  return {
    sent,
    metrics: () => [
      {
        ...{ name: 'record-send-total', group: 'producer-topic-metrics', description: '', value: 12 },
        tags: { 'client-id': 'c', topic: 'orders' },
      },
    ],
    send(record: Sent, callback?: Callback): unknown {
      sent.push(record)
      if (callback === undefined) return outcome(record)
      outcome(record).then(
        result => callback(null, result),
        error => callback(error, {}),
      )
      return true
    },
    async sendMany(records: Iterable<Sent>) {
      for (const record of records) {
        sent.push(record)
        await outcome(record)
      }
    },
    async commitTransaction() {},
    async transaction(work: () => Promise<unknown>) {
      const result = await work()
      await this.commitTransaction()
      return result
    },
  }
}

const metadata = { topic: 'orders', partition: 3, offset: 42n, serializedValueSize: 5 }

function headersOf(record: Sent | undefined): Record<string, string> {
  return Object.fromEntries([...(record?.headers ?? [])].map(([name, value]) => [name, String(value)]))
}

const spans = (): ReadableSpan[] => exporter.getFinishedSpans()

before(() => provider.register())
afterEach(() => exporter.reset())

describe('an instrumented producer', () => {
  test('makes a span for a send, ends it with its outcome, and sends its context in the headers', async () => {
    const producer = instrument(fakeProducer())
    const record = { topic: 'orders', key: 'user-42', value: 'hello' }
    await producer.send(record)
    const [span] = spans()
    assert.equal(span?.name, 'send orders')
    assert.equal(span?.kind, SpanKind.PRODUCER)
    assert.deepEqual(span?.attributes, {
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'kafka.message.key': 'user-42',
      'messaging.destination.partition.id': '3',
      'kafka.offset': 42,
      'messaging.message.body.size': 5,
    })
    const { traceId, spanId } = span.spanContext()
    assert.equal(headersOf(producer.sent[0]).traceparent, `00-${traceId}-${spanId}-01`)
    assert.deepEqual(record, { topic: 'orders', key: 'user-42', value: 'hello' })
  })

  test('replaces trace headers of an earlier send and keeps all others', async () => {
    const producer = instrument(fakeProducer())
    const headers = { traceparent: 'old', a: ['1', '2'], b: null }
    await producer.send({ topic: 'orders', headers } as unknown as Sent)
    const [sent] = producer.sent
    const pairs = [...(sent?.headers ?? [])]
    assert.deepEqual(pairs.slice(0, 3), [
      ['a', '1'],
      ['a', '2'],
      ['b', null],
    ])
    assert.equal(pairs.filter(([name]) => name === 'traceparent').length, 1)
    assert.notEqual(headersOf(sent).traceparent, 'old')
  })

  test('carries baggage, and takes records that are instances of a class', async () => {
    class Order {
      get topic() {
        return 'orders'
      }
    }
    const producer = instrument(fakeProducer())
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } })
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => producer.send(new Order()))
    const [sent] = producer.sent
    assert.equal(sent?.topic, 'orders')
    assert.equal(headersOf(sent).baggage, 'tenant=acme')
  })

  test('says in few words why a send failed, by promise and by callback', async () => {
    const error = Object.assign(new Error('not enough'), {
      code: 'BROKER_ERROR',
      errorName: 'NOT_ENOUGH_REPLICAS',
    })
    const producer = instrument(
      fakeProducer(async () => {
        throw error
      }),
    )
    await assert.rejects(producer.send({ topic: 'orders' }) as Promise<unknown>, error)
    await new Promise<void>(resolve => producer.send({ topic: 'orders' }, () => resolve()))
    assert.equal(spans().length, 2)
    for (const span of spans()) {
      assert.deepEqual(span.status, { code: SpanStatusCode.ERROR, message: 'not enough' })
      assert.equal(span.attributes['error.type'], 'NOT_ENOUGH_REPLICAS')
    }
  })

  test('calls back in the context of the call', async () => {
    const producer = instrument(fakeProducer())
    const parent = trace.getTracer('test').startSpan('parent')
    const seen = await context.with(
      trace.setSpan(ROOT_CONTEXT, parent),
      () => new Promise(resolve => producer.send({ topic: 'orders' }, () => resolve(trace.getActiveSpan()))),
    )
    assert.equal(seen, parent)
    assert.equal(spans()[0]?.parentSpanContext?.spanId, parent.spanContext().spanId)
  })

  test('makes one span for many records, which carry the context of the call', async () => {
    const producer = instrument(fakeProducer())
    const parent = trace.getTracer('test').startSpan('parent')
    const records = [{ topic: 'orders' }, { topic: 'orders' }]
    await context.with(trace.setSpan(ROOT_CONTEXT, parent), () => producer.sendMany(records))
    const [span] = spans()
    assert.equal(spans().length, 1)
    assert.equal(span?.name, 'send orders')
    assert.equal(span?.kind, SpanKind.CLIENT)
    assert.equal(span?.attributes['messaging.batch.message_count'], 2)
    for (const record of producer.sent)
      assert.ok(headersOf(record).traceparent?.includes(parent.spanContext().spanId))
  })

  test('makes a span for each of many records where asked, and links them', async () => {
    const producer = instrument(fakeProducer(), { createSpans: true })
    await producer.sendMany([{ topic: 'orders' }, { topic: 'clicks' }])
    const creates = spans().filter(({ kind }) => kind === SpanKind.PRODUCER)
    const send = spans().find(({ kind }) => kind === SpanKind.CLIENT)
    assert.deepEqual(
      creates.map(({ name }) => name),
      ['create orders', 'create clicks'],
    )
    assert.equal(send?.name, 'send')
    const ids = creates.map(span => span.spanContext().spanId)
    assert.deepEqual(
      send?.links.map(link => link.context.spanId),
      ids,
    )
    for (const [at, record] of producer.sent.entries())
      assert.ok(headersOf(record).traceparent?.includes(ids[at] as string))
  })

  test('makes the calls within a transaction children of its span', async () => {
    const producer = instrument(fakeProducer())
    await producer.transaction(async () => {
      await producer.send({ topic: 'orders' })
    })
    const transaction = spans().find(({ name }) => name === 'transaction')
    const parents = spans().map(span => [span.name, span.parentSpanContext?.spanId])
    const id = transaction?.spanContext().spanId
    assert.deepEqual(Object.fromEntries(parents), {
      'send orders': id,
      commitTransaction: id,
      transaction: undefined,
    })
  })

  test('leaves calls outside of a span alone where asked', async () => {
    const producer = instrument(fakeProducer(), { requireParentSpan: true })
    const record = { topic: 'orders' }
    await producer.send(record)
    await producer.sendMany([record])
    assert.equal(producer.sent[0], record)
    assert.equal(producer.sent[1], record)
    assert.equal(spans().length, 0)
  })

  test('passes on that a trace is not sampled', async () => {
    const tracerProvider = new NodeTracerProvider({ sampler: new AlwaysOffSampler() })
    const producer = instrument(fakeProducer(), { tracerProvider })
    await producer.send({ topic: 'orders' })
    assert.match(headersOf(producer.sent[0]).traceparent ?? '', /-00$/)
  })

  test('makes no attributes for a span that is not recorded', async () => {
    const seen: unknown[] = []
    const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 })
    const refuse = () => assert.fail('attributes of a span that is not recorded')
    const silent = Object.assign(span, { setAttributes: refuse })
    const startSpan = (_name: string, options: object) => {
      seen.push(options)
      return silent
    }
    const tracerProvider = { getTracer: () => ({ startSpan }) } as unknown as NodeTracerProvider
    const producer = instrument(fakeProducer(), { tracerProvider })
    for (const key of ['a', 'b']) await producer.send({ topic: 'orders', key, value: 'v' } as Sent)
    assert.equal(seen.length, 2)
    assert.equal(seen[0], seen[1])
    assert.match(headersOf(producer.sent[1]).traceparent ?? '', /-00$/)
  })

  test('uses older names where asked', async () => {
    assert.equal(conventionsOf(undefined), 'current')
    assert.equal(conventionsOf('http, messaging/dup'), 'both')
    for (const [conventions, expected] of [
      ['old', { 'messaging.system': 'kafka', 'messaging.kafka.offset': 42 }],
      ['current', { 'messaging.system.name': 'kafka', 'kafka.offset': 42 }],
    ] as const) {
      exporter.reset()
      await (instrument(fakeProducer(), { conventions }).send({ topic: 'orders' }) as Promise<unknown>)
      const attributes = spans()[0]?.attributes ?? {}
      const found = Object.entries(attributes).filter(([name]) => /system|offset/.test(name))
      assert.deepEqual(Object.fromEntries(found), expected)
    }
  })

  test('leaves what is no record to send', async () => {
    const refused = new Error('not a record')
    const producer = instrument(
      fakeProducer(async () => {
        throw refused
      }),
    )
    for (const record of [null, undefined, 7]) {
      await assert.rejects(producer.send(record as unknown as Sent) as Promise<unknown>, refused)
    }
    assert.equal(spans().length, 0)
  })

  test('measures durations and attempts', async () => {
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({
      exporter: metricExporter,
      exportIntervalMillis: 3_600_000,
    })
    const meterProvider = new MeterProvider({ readers: [reader] })
    let isFailing = false
    const producer = instrument(
      fakeProducer(async () => {
        if (isFailing) throw Object.assign(new Error('late'), { code: 'TIMED_OUT' })
        return metadata
      }),
      { meterProvider },
    )
    await producer.send({ topic: 'orders' })
    isFailing = true
    await assert.rejects(producer.send({ topic: 'orders' }) as Promise<unknown>)
    await reader.forceFlush()
    const exported = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    const named = new Map(
      exported.flatMap(({ metrics }) => metrics).map(metric => [metric.descriptor.name, metric]),
    )
    const durations = named.get('messaging.client.operation.duration')
    assert.equal(durations?.descriptor.unit, 's')
    assert.deepEqual(
      durations?.dataPoints.map(point => point.attributes['error.type']),
      [undefined, 'TIMED_OUT'],
    )
    const attempts = named.get('messaging.client.sent.messages')?.dataPoints[0]
    assert.equal(attempts?.value, 12)
    assert.equal(attempts?.attributes['messaging.destination.name'], 'orders')
    await meterProvider.shutdown()
  })

  test('keeps 100,000 concurrent calls in their own traces', async () => {
    const ended: ReadableSpan[] = []
    const processor = {
      onStart() {},
      onEnd: (span: ReadableSpan) => ended.push(span),
      forceFlush: async () => {},
      shutdown: async () => {},
    }
    const tracerProvider = new NodeTracerProvider({ spanProcessors: [processor] })
    const slow = async () => {
      await new Promise(setImmediate)
      return metadata
    }
    const producer = instrument(fakeProducer(slow), { tracerProvider })
    const tracer = tracerProvider.getTracer('test')
    const call = async (at: number) => {
      const parent = tracer.startSpan('request', { attributes: { call: at } })
      await context.with(trace.setSpan(ROOT_CONTEXT, parent), async () => {
        await new Promise(setImmediate)
        await producer.send({ topic: `t${at}` })
      })
      parent.end()
    }
    for (let from = 0; from < 100_000; from += 10_000) {
      await Promise.all(Array.from({ length: 10_000 }, (_, at) => call(from + at)))
      const byId = new Map(ended.map(span => [span.spanContext().spanId, span]))
      const strangers = ended.filter(
        ({ name, parentSpanContext }) =>
          name !== 'request' &&
          name !== `send t${byId.get(parentSpanContext?.spanId ?? '')?.attributes.call}`,
      )
      assert.equal(strangers.length, 0)
      assert.equal(ended.length, 20_000)
      ended.length = 0
      producer.sent.length = 0
    }
  })
})

test('a trace goes from an HTTP request through a record to its reader', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = instrument(new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 }))
  const tracer = trace.getTracer('test')
  const server = createServer((incoming, response) => {
    const parent = propagation.extract(ROOT_CONTEXT, incoming.headers)
    const span = tracer.startSpan('POST /orders', { kind: SpanKind.SERVER }, parent)
    context.with(trace.setSpan(parent, span), async () => {
      await producer.send({ topic: 'orders', value: 'one', headers: { kept: 'yes' } })
      span.end()
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = tracer.startSpan('client')
  const headers: Record<string, string> = {}
  propagation.inject(trace.setSpan(ROOT_CONTEXT, client), headers)
  await new Promise<void>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', headers, agent: false }, answer => {
      answer.resume().on('end', resolve)
    })
    sent.on('error', reject).end()
  })
  server.close()
  client.end()
  const [record] = [...broker.records('orders')]
  const carrier = Object.fromEntries((record?.headers ?? []).map(([name, value]) => [name, String(value)]))
  assert.equal(carrier.kept, 'yes')
  const reader = tracer.startSpan(
    'process orders',
    { kind: SpanKind.CONSUMER },
    propagation.extract(ROOT_CONTEXT, carrier),
  )
  reader.end()
  const parentOf = Object.fromEntries(spans().map(span => [span.name, span.parentSpanContext?.spanId]))
  const idOf = Object.fromEntries(spans().map(span => [span.name, span.spanContext().spanId]))
  assert.equal(parentOf['process orders'], idOf['send orders'])
  assert.equal(parentOf['send orders'], idOf['POST /orders'])
  assert.equal(parentOf['POST /orders'], idOf.client)
  assert.equal(new Set(spans().map(span => span.spanContext().traceId)).size, 1)
})
