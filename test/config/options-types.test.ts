import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ProducerOptions, parseProducerOptions } from '../../dist/config/index.js'
import { type Bytes, type Serializer, serializers } from '../../dist/serialization/index.js'

/** Infers K and V as the constructor of a producer does. */
function typed<K = Bytes, V = Bytes>(options: ProducerOptions<K, V>): ProducerOptions<K, V> {
  return options
}

type Same<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false
const same = <Left, Right>(_: Same<Left, Right>) => {}

test('both spellings are typed from the table', () => {
  const dotted = typed({
    'bootstrap.servers': ['localhost:9092'],
    acks: 'all',
    'linger.ms': 5,
    'enable.idempotence': true,
    'compression.type': 'zstd',
    'metadata.recovery.strategy': 'REBOOTSTRAP',
    'max.in.flight.requests.per.connection': 5,
    'sasl.jaas.config': undefined,
    'ssl.enabled.protocols': 'TLSv1.2,TLSv1.3',
  })
  const camelCase = typed({
    bootstrapServers: 'localhost:9092',
    acks: -1,
    lingerMs: 5,
    enableIdempotence: true,
    compressionType: 'zstd',
    metadataRecoveryStrategy: 'rebootstrap',
    maxInFlightRequestsPerConnection: 5,
    saslJaasConfig: null,
    sslEnabledProtocols: ['TLSv1.2', 'TLSv1.3'],
    logger: console,
  })
  same<ProducerOptions['lingerMs'], number | null | undefined>(true)
  same<ProducerOptions['linger.ms'], ProducerOptions['lingerMs']>(true)
  same<ProducerOptions['maxRequestSize'], number | null | undefined>(true)
  same<ProducerOptions['bootstrap.servers'], ProducerOptions['bootstrapServers']>(true)
  same<ProducerOptions['bootstrapServers'], string | readonly string[] | null | undefined>(true)
  same<ProducerOptions['sslKeyPassword'], string | null | undefined>(true)
  assert.equal(parseProducerOptions(dotted).compressionType, 'zstd')
  assert.equal(parseProducerOptions(camelCase).lingerMs, 5)
})

test('wrong names and types do not compile', () => {
  const wrong = () => [
    // @ts-expect-error unknown option
    typed({ lingerms: 5 }),
    // @ts-expect-error unknown dotted option
    typed({ 'linger.mss': 5 }),
    // @ts-expect-error numbers are numbers in code, text only in files
    typed({ lingerMs: '5' }),
    // @ts-expect-error the same under the dotted key
    typed({ 'linger.ms': '5' }),
    // @ts-expect-error not one of the codecs
    typed({ compressionType: 'brotli' }),
    // @ts-expect-error case matters here
    typed({ 'compression.type': 'GZIP' }),
    // @ts-expect-error 2 is no acknowledgement mode
    typed({ acks: 2 }),
    // @ts-expect-error a boolean
    typed({ 'enable.idempotence': 'true' }),
    // @ts-expect-error hosts are strings
    typed({ bootstrapServers: [9092] }),
    // @ts-expect-error a partitioner answers a number
    typed({ partitioner: { partition: () => 'first' } }),
    // @ts-expect-error a serializer answers bytes, not later
    typed({ keySerializer: async () => 'x' }),
    // @ts-expect-error no class names in code
    typed({ 'interceptor.classes': 'com.example.Interceptor' }),
    // @ts-expect-error options of Node, or a function that answers them
    typed({ tls: 'on' }),
    // @ts-expect-error a logger has all four methods
    typed({ logger: { warn() {} } }),
  ]
  assert.equal(typeof wrong, 'function')
})

test('key and value types follow from the serializers, under either spelling', () => {
  const none = typed({ bootstrapServers: 'a:1' })
  same<typeof none, ProducerOptions<Bytes, Bytes>>(true)
  interface Order {
    id: number
  }
  const orders: Serializer<Order> = { serialize: (_topic, order) => String(order.id) }
  const camelCase = typed({ keySerializer: serializers.integer, valueSerializer: orders })
  same<typeof camelCase, ProducerOptions<number | null | undefined, Order>>(true)
  const dotted = typed({ 'value.serializer': (_topic: string, data: Date) => data.toISOString() })
  same<typeof dotted, ProducerOptions<Bytes, Date>>(true)
  const explicit = typed<string, Order>({
    keySerializer: serializers.string,
    valueSerializer: (_topic, order) => String(order.id),
    interceptors: [{ onSend: record => ({ ...record, key: record.key?.toUpperCase() ?? '' }) }],
    partitioner: (topic, _key, _value, cluster) => (cluster.partitionCountForTopic(topic) ?? 1) - 1,
  })
  // @ts-expect-error the serializer is for numbers, the keys are strings
  typed<string, Order>({ keySerializer: serializers.integer })
  assert.equal(parseProducerOptions({ bootstrapServers: 'a:1', ...explicit }).interceptors.length, 1)
})
