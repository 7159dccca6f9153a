import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ProducerOptions, type ProducerSettings, parseProducerOptions } from '../../dist/config/index.js'
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
  same<ProducerSettings['bootstrapServers'], string | readonly string[] | undefined>(true)
  same<ProducerOptions['sslKeyPassword'], string | null | undefined>(true)
  assert.equal(parseProducerOptions(dotted).compressionType, 'zstd')
  assert.equal(parseProducerOptions(camelCase).lingerMs, 5)
})

/** So that only what is said beside it can be wrong. */
const at = 'localhost:9092'

test('brokers have to be named, in one spelling', () => {
  const wrong = () => [
    // @ts-expect-error no brokers
    typed({}),
    // @ts-expect-error no brokers
    typed({ lingerMs: 5 }),
    // @ts-expect-error null names none
    typed({ bootstrapServers: null }),
    // @ts-expect-error hosts are strings
    typed({ bootstrapServers: [9092] }),
  ]
  assert.equal(typeof wrong, 'function')
  const parts: ProducerSettings = { lingerMs: 5 }
  const part: Partial<ProducerOptions> = { lingerMs: 5 }
  typed({ bootstrapServers: at, ...parts })
  typed({ bootstrapServers: at, ...part })
  typed({ 'bootstrap.servers': [at] })
})

test('wrong names and types do not compile', () => {
  const wrong = () => [
    // @ts-expect-error unknown option
    typed({ bootstrapServers: at, lingerms: 5 }),
    // @ts-expect-error unknown dotted option
    typed({ 'bootstrap.servers': at, 'linger.mss': 5 }),
    // @ts-expect-error numbers are numbers in code, text only in files
    typed({ bootstrapServers: at, lingerMs: '5' }),
    // @ts-expect-error the same under the dotted key
    typed({ bootstrapServers: at, 'linger.ms': '5' }),
    // @ts-expect-error not one of the codecs
    typed({ bootstrapServers: at, compressionType: 'brotli' }),
    // @ts-expect-error case matters here
    typed({ bootstrapServers: at, 'compression.type': 'GZIP' }),
    // @ts-expect-error 2 is no acknowledgement mode
    typed({ bootstrapServers: at, acks: 2 }),
    // @ts-expect-error a boolean
    typed({ bootstrapServers: at, 'enable.idempotence': 'true' }),
    // @ts-expect-error a partitioner answers a number
    typed({ bootstrapServers: at, partitioner: { partition: () => 'first' } }),
    // @ts-expect-error a serializer answers bytes, not later
    typed({ bootstrapServers: at, keySerializer: async () => 'x' }),
    // @ts-expect-error no class names in code
    typed({ bootstrapServers: at, 'interceptor.classes': 'com.example.Interceptor' }),
    // @ts-expect-error options of Node, or a function that answers them
    typed({ bootstrapServers: at, tls: 'on' }),
    // @ts-expect-error a logger has all four methods
    typed({ bootstrapServers: at, logger: { warn() {} } }),
  ]
  assert.equal(typeof wrong, 'function')
})

/** What compiles only by force is refused at run time, too. */
const refused: readonly [name: string, options: () => unknown][] = [
  // @ts-expect-error a function, or nothing
  ['class', () => typed({ bootstrapServers: at, sslEngineFactoryClass: 'com.example.Engines' })],
  // @ts-expect-error only the default is accepted
  ['text', () => typed({ bootstrapServers: at, sslProvider: 'BC' })],
  // @ts-expect-error a closed set, though it is looked at with TLS only
  ['store', () => typed({ bootstrapServers: at, securityProtocol: 'SSL', sslTruststoreType: 'BKS' })],
  // @ts-expect-error no TLS before 1.2
  ['old', () => typed({ bootstrapServers: at, securityProtocol: 'SSL', sslEnabledProtocols: ['TLSv1'] })],
  // @ts-expect-error a Java class
  ['reporter', () => typed({ bootstrapServers: at, metricReporters: ['com.example.Reporter'] })],
]

for (const [name, options] of refused) {
  test(`what does not compile is refused: ${name}`, () => {
    assert.throws(() => parseProducerOptions(options()), { name: 'ConfigError' })
  })
}

test('key and value types follow from the serializers, under either spelling', () => {
  const none = typed({ bootstrapServers: 'a:1' })
  same<typeof none, ProducerOptions<Bytes, Bytes>>(true)
  interface Order {
    id: number
  }
  const orders: Serializer<Order> = { serialize: (_topic, order) => String(order.id) }
  const camelCase = typed({
    bootstrapServers: at,
    keySerializer: serializers.integer,
    valueSerializer: orders,
  })
  same<typeof camelCase, ProducerOptions<number | null | undefined, Order>>(true)
  const dotted = typed({
    bootstrapServers: at,
    'value.serializer': (_topic: string, data: Date) => data.toISOString(),
  })
  same<typeof dotted, ProducerOptions<Bytes, Date>>(true)
  const explicit = typed<string, Order>({
    bootstrapServers: at,
    keySerializer: serializers.string,
    valueSerializer: (_topic, order) => String(order.id),
    interceptors: [{ onSend: record => ({ ...record, key: record.key?.toUpperCase() ?? '' }) }],
    partitioner: (topic, _key, _value, cluster) => (cluster.partitionCountForTopic(topic) ?? 1) - 1,
  })
  // @ts-expect-error the serializer is for numbers, the keys are strings
  typed<string, Order>({ bootstrapServers: at, valueSerializer: orders, keySerializer: serializers.integer })
  assert.equal(parseProducerOptions(explicit).interceptors.length, 1)
})

test('keys and values that are not bytes need a serializer', () => {
  interface Order {
    id: number
  }
  const orders: Serializer<Order> = { serialize: (_topic, order) => String(order.id) }
  const wrong = () => [
    // @ts-expect-error nothing turns orders into bytes
    typed<string, Order>({ bootstrapServers: at }),
    // @ts-expect-error nothing turns numbers into bytes
    typed<number, Order>({ bootstrapServers: at, valueSerializer: orders }),
    // @ts-expect-error null is no serializer
    typed<string, Order>({ bootstrapServers: at, valueSerializer: null }),
  ]
  assert.equal(typeof wrong, 'function')
  typed<Uint8Array, string>({ bootstrapServers: at })
  typed<string, Order>({ bootstrapServers: at, 'value.serializer': orders })
  typed<number, Order>({ bootstrapServers: at, keySerializer: serializers.integer, valueSerializer: orders })
  const generic = <V>(valueSerializer: Serializer<V>, rest: ProducerSettings<Bytes, V>) =>
    typed<Bytes, V>({ bootstrapServers: at, ...rest, valueSerializer } as ProducerOptions<Bytes, V>)
  same<ReturnType<typeof generic<Order>>, ProducerOptions<Bytes, Order>>(true)
})
