import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { describeOptions, parseProducerOptions } from '../../dist/config/index.js'
import { ConfigError } from '../../dist/errors/index.js'

const HOSTS = 'localhost:9092'

const parse = (options: object) => parseProducerOptions({ bootstrapServers: HOSTS, ...options })

/** Parses with a logger that keeps what it is told. */
function parseLogged(options: object) {
  const warnings: string[] = []
  const infos: string[] = []
  const logger = {
    debug: () => {},
    info: (message: string) => infos.push(message),
    warn: (message: string) => warnings.push(message),
    error: () => assert.fail('nothing here is an error to log'),
  }
  return { config: parse({ logger, ...options }), warnings, infos }
}

/** That options are refused with a code, a key and a message that matches all patterns. */
function refuses(options: unknown, key: string | undefined, ...patterns: RegExp[]) {
  refusesWith('CONFIG_INVALID', options, key, ...patterns)
}

function refusesFeature(options: object, key: string, ...patterns: RegExp[]) {
  const all = { bootstrapServers: HOSTS, ...options }
  refusesWith('FEATURE_NOT_AVAILABLE', all, key, /not available in this version/, ...patterns)
}

function refusesWith(code: string, options: unknown, key: string | undefined, ...patterns: RegExp[]) {
  assert.throws(
    () => parseProducerOptions(options),
    error => {
      assert.ok(error instanceof ConfigError, inspect(error))
      assert.equal(error.code, code, error.message)
      assert.equal(error.key, key)
      for (const pattern of patterns) assert.match(error.message, pattern)
      return true
    },
  )
}

describe('defaults', () => {
  test('are those of Java, resolved and frozen', () => {
    const { clientId, logger, explicit, plugins: _, ...rest } = parse({})
    assert.match(clientId, /^producer-\d+$/)
    assert.equal(typeof logger.warn, 'function')
    assert.deepEqual([...explicit], ['bootstrap.servers'])
    assert.deepEqual(rest, {
      acks: -1,
      allowAutoTopicCreation: true,
      allowsBrokerHost: null,
      batchSize: 16384,
      bootstrapServers: [{ host: 'localhost', port: 9092 }],
      bufferMemory: 33554432,
      clientDnsLookup: 'use_all_dns_ips',
      compressionType: 'none',
      compressionLevel: null,
      connectionsMaxIdleMs: 540000,
      deliveryTimeoutMs: 120000,
      enableIdempotence: true,
      enableMetricsPush: true,
      interceptors: [],
      keySerializer: null,
      lingerMs: 5,
      maxBlockBytes: 8 * 33554432,
      maxBlockMs: 60000,
      maxInFlightRequestsPerConnection: 5,
      maxRequestSize: 1048576,
      metadataMaxAgeMs: 300000,
      metadataMaxIdleMs: 300000,
      metadataRecoveryRebootstrapTriggerMs: 300000,
      metadataRecoveryStrategy: 'rebootstrap',
      metricReporters: [],
      metricsNumSamples: 2,
      metricsSampleWindowMs: 30000,
      partitioner: null,
      partitionerAdaptivePartitioningEnable: true,
      partitionerAvailabilityTimeoutMs: 0,
      partitionerIgnoreKeys: false,
      reconnectBackoffMaxMs: 1000,
      reconnectBackoffMs: 50,
      requestListener: null,
      requestTimeoutMs: 30000,
      retries: 2147483647,
      retryBackoffMaxMs: 1000,
      retryBackoffMs: 100,
      security: { tls: null, sasl: null },
      socketConnectionSetupTimeoutMaxMs: 30000,
      socketConnectionSetupTimeoutMs: 10000,
      socketFactory: null,
      transactionTimeoutMs: 60000,
      transactionTwoPhaseCommit: false,
      transactionalId: null,
      valueSerializer: null,
    })
  })

  test('cannot be changed after parsing', () => {
    const config = parse({})
    assert.ok(Object.isFrozen(config))
    assert.ok(Object.isFrozen(config.bootstrapServers))
    assert.ok(Object.isFrozen(config.bootstrapServers[0]))
    assert.ok(Object.isFrozen(config.interceptors))
  })

  test('apply where a value is null or undefined', () => {
    const config = parse({ 'linger.ms': undefined, acks: null, tls: undefined, 'ssl.key.password': null })
    assert.equal(config.lingerMs, 5)
    assert.equal(config.acks, -1)
    assert.deepEqual([...config.explicit], ['bootstrap.servers'])
  })

  test('may all be given explicitly, in both spellings', () => {
    const dotted: Record<string, unknown> = {}
    const camelCase: Record<string, unknown> = {}
    for (const option of describeOptions()) {
      if (option.required || option.default === null) continue
      dotted[option.key] = option.default
      camelCase[option.camelCase] = option.default
    }
    assert.ok(Object.keys(dotted).length > 60)
    for (const options of [dotted, camelCase, { ...dotted, ...camelCase }]) {
      const { clientId: _, explicit, ...config } = parse(options)
      const { clientId: __, explicit: ___, ...defaults } = parse({})
      assert.deepEqual(config, defaults)
      // config.providers is used up when values are read.
      assert.equal(explicit.size, Object.keys(dotted).length)
    }
  })

  test('count unnamed producers, and only those that were made', () => {
    const number = () => Number(/^producer-(\d+)$/.exec(parse({}).clientId)?.[1])
    const first = number()
    assert.throws(() => parse({ acks: 'many' }))
    assert.equal(parse({ 'client.id': 'named' }).clientId, 'named')
    assert.equal(number(), first + 1)
    assert.equal(parse({ clientId: '' }).clientId, `producer-${first + 2}`)
  })
})

describe('spellings', () => {
  test('are interchangeable', () => {
    assert.equal(parse({ 'linger.ms': 7 }).lingerMs, 7)
    assert.equal(parse({ lingerMs: 7 }).lingerMs, 7)
    assert.equal(parse({ maxInFlightRequestsPerConnection: 2 }).maxInFlightRequestsPerConnection, 2)
    assert.deepEqual([...parse({ lingerMs: 7 }).explicit], ['bootstrap.servers', 'linger.ms'])
  })

  test('may repeat a value but not contradict each other', () => {
    assert.equal(parse({ 'linger.ms': 7, lingerMs: '7' }).lingerMs, 7)
    assert.equal(parse({ 'linger.ms': 7, lingerMs: undefined }).lingerMs, 7)
    assert.equal(parse({ 'bootstrap.servers': [HOSTS] }).bootstrapServers.length, 1)
    refuses({ 'linger.ms': 7, lingerMs: 8 }, 'linger.ms', /linger\.ms = 7/, /lingerMs = 8/)
    refuses({ bootstrapServers: 'a:1', 'bootstrap.servers': 'a:1,b:2' }, 'bootstrap.servers', /twice/)
    const [one, two] = [{ partition: () => 0 }, { partition: () => 0 }]
    refuses({ partitioner: one, 'partitioner.class': two }, 'partitioner.class', /twice/)
    assert.equal(parse({ partitioner: one, partitionerClass: one }).partitioner, one)
  })

  test('that contradict each other do not give a secret away', () => {
    refuses({ saslJaasConfig: 'hunter2', 'sasl.jaas.config': 'hunter3' }, 'sasl.jaas.config', /^(?!.*hunter)/)
  })
})

describe('unknown options', () => {
  const nearest: [string, string][] = [
    ['linger.mss', 'linger.ms'],
    ['lingerms', 'lingerMs'],
    ['LINGER.MS', 'linger.ms'],
    ['bootstrap', 'bootstrapServers'],
    ['bootstrap.server', 'bootstrap.servers'],
    ['compresion.type', 'compression.type'],
    ['ack', 'acks'],
    ['Acks', 'acks'],
    ['maxInflightRequestPerConnection', 'maxInFlightRequestsPerConnection'],
    ['keySerialiser', 'keySerializer'],
    ['interceptor', 'interceptors'],
    ['Logger', 'logger'],
  ]
  for (const [name, known] of nearest)
    test(`are refused by name: ${name} is told that ${known} exists`, () => {
      const end = new RegExp(`${known.replaceAll('.', '\\.')}$`)
      refuses(
        { bootstrapServers: HOSTS, [name]: 1 },
        name,
        new RegExp(`"${name.replaceAll('.', '\\.')}"`),
        end,
      )
    })

  test('are refused whatever their value, which is not shown', () => {
    refuses({ bootstrapServers: HOSTS, 'sasl.password': 'hunter2' }, 'sasl.password', /^(?!.*hunter2)/)
    refuses({ bootstrapServers: HOSTS, nothing: undefined }, 'nothing')
    refuses({ bootstrapServers: HOSTS, '': 1 }, '')
    refuses({ ['x'.repeat(1_000_000)]: 1 }, undefined, /a name of 1000000 characters/, /^.{1,300}$/)
  })

  test('include the names that every object has', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__'])
      refuses(JSON.parse(`{"bootstrap.servers":"a:1","${name}":{"acks":"0"}}`), name, /unknown option/)
  })

  test('are not looked for on the prototype', () => {
    const inherited = Object.create({ acks: 'nonsense', unknown: 1, lingerMs: 99 })
    inherited.bootstrapServers = HOSTS
    assert.equal(parseProducerOptions(inherited).lingerMs, 5)
  })
})

describe('a polluted Object.prototype', () => {
  const polluted = Object.prototype as unknown as Record<string, unknown>
  afterEach(() => {
    delete polluted.lingerMs
    delete polluted['transactional.id']
    delete polluted.min
  })

  test('changes nothing', () => {
    polluted.lingerMs = 99
    polluted['transactional.id'] = 'evil'
    polluted.min = 1e9
    assert.equal(parse({ retries: 3 }).lingerMs, 5)
  })
})

describe('the options argument', () => {
  for (const options of [undefined, null, 'localhost:9092', 5, [], () => {}])
    test(`must be an object, not ${inspect(options)}`, () => {
      refuses(options, undefined, /options must be an object/)
    })

  test('may be frozen or without a prototype, and is not changed', () => {
    const options = Object.assign(Object.create(null), { 'bootstrap.servers': HOSTS, 'batch.size': 0 })
    assert.equal(parseProducerOptions(Object.freeze(options)).batchSize, 1)
    assert.equal(options['batch.size'], 0)
  })
})

describe('numbers', () => {
  test('may be text, by the grammar of Java', () => {
    assert.equal(parse({ 'linger.ms': ' 10 ' }).lingerMs, 10)
    assert.equal(parse({ 'linger.ms': '+010' }).lingerMs, 10)
    assert.equal(parse({ 'connections.max.idle.ms': '-1' }).connectionsMaxIdleMs, -1)
    assert.ok(Object.is(parse({ 'linger.ms': -0 }).lingerMs, 0))
    assert.ok(Object.is(parse({ 'linger.ms': '-0' }).lingerMs, 0))
  })

  test('beyond what a number can say exactly mean for ever where they are text and fit a Java long', () => {
    assert.equal(parse({ maxBlockMs: '9223372036854775807' }).maxBlockMs, Number.MAX_SAFE_INTEGER)
    assert.equal(
      parse({ connectionsMaxIdleMs: '-9223372036854775808' }).connectionsMaxIdleMs,
      Number.MIN_SAFE_INTEGER,
    )
  })

  const wrong: [string, unknown][] = [
    ['linger.ms', ''],
    ['linger.ms', 'ten'],
    ['linger.ms', '0x10'],
    ['linger.ms', '1e3'],
    ['linger.ms', '1_000'],
    ['linger.ms', '5ms'],
    ['linger.ms', 1.5],
    ['linger.ms', '1.5'],
    ['linger.ms', Number.NaN],
    ['linger.ms', Number.POSITIVE_INFINITY],
    ['linger.ms', true],
    ['linger.ms', 5n],
    ['linger.ms', {}],
    ['linger.ms', [5]],
    ['linger.ms', Symbol('5')],
    ['linger.ms', -1],
    ['linger.ms', 2 ** 53],
    ['linger.ms', '9223372036854775808'],
    ['linger.ms', '9'.repeat(1_000_000)],
    ['batch.size', -1],
    ['batch.size', 2 ** 31],
    ['batch.size', '2147483648'],
    ['buffer.memory', -1],
    ['max.in.flight.requests.per.connection', 0],
    ['max.request.size', -1],
    ['metadata.max.idle.ms', 4999],
    ['metadata.max.age.ms', -1],
    ['retries', -1],
    ['receive.buffer.bytes', -2],
    ['send.buffer.bytes', -2],
    ['request.timeout.ms', -1],
    ['delivery.timeout.ms', -1],
    ['max.block.ms', -1],
    ['reconnect.backoff.ms', -1],
    ['retry.backoff.max.ms', -1],
    ['compression.gzip.level', 0],
    ['compression.gzip.level', 10],
    ['compression.zstd.level', 23],
    ['compression.zstd.level', -131073],
    ['compression.lz4.level', 0],
    ['compression.lz4.level', 18],
    ['metrics.num.samples', 0],
    ['sasl.login.refresh.window.factor', 0.4],
    ['sasl.login.refresh.window.factor', 'half'],
    ['sasl.login.refresh.buffer.seconds', 3601],
    ['sasl.kerberos.ticket.renew.jitter', Number.POSITIVE_INFINITY],
    ['sasl.kerberos.ticket.renew.jitter', '1e999'],
  ]
  for (const [key, value] of wrong)
    test(`${key} refuses ${inspect(value).slice(0, 40)} and says what is allowed`, () => {
      const start = new RegExp(`^${key.replaceAll('.', '\\.')} = .* is not valid; allowed: a (whole )?number`)
      refuses({ bootstrapServers: HOSTS, [key]: value }, key, start, /^.{1,400}$/)
    })

  test('at the ends of their ranges are taken', () => {
    assert.equal(parse({ compressionType: 'gzip', compressionGzipLevel: 9 }).compressionLevel, 9)
    assert.equal(parse({ compressionType: 'gzip', compressionGzipLevel: 1 }).compressionLevel, 1)
    assert.equal(parse({ compressionType: 'gzip', compressionGzipLevel: -1 }).compressionLevel, null)
    assert.equal(parse({ compressionType: 'zstd', compressionZstdLevel: -131072 }).compressionLevel, -131072)
    assert.equal(parse({ compressionType: 'zstd', compressionZstdLevel: 22 }).compressionLevel, 22)
    assert.equal(parse({ compressionType: 'lz4' }).compressionLevel, 9)
    assert.equal(parse({ compressionType: 'lz4', compressionLz4Level: 17 }).compressionLevel, 17)
    assert.equal(parse({ compressionType: 'snappy', compressionZstdLevel: 22 }).compressionLevel, null)
    assert.equal(parse({ metadataMaxIdleMs: 5000 }).metadataMaxIdleMs, 5000)
    assert.equal(parse({ batchSize: 2147483647 }).batchSize, 2147483647)
    assert.equal(parse({ receiveBufferBytes: -1, sendBufferBytes: 1 }).explicit.size, 3)
  })

  test('of a codec are checked even where another codec is chosen', () => {
    refuses(
      { bootstrapServers: HOSTS, compressionType: 'none', compressionZstdLevel: 99 },
      'compression.zstd.level',
    )
  })
})

describe('booleans, strings and lists', () => {
  test('booleans may be text in any case', () => {
    assert.equal(parse({ enableIdempotence: ' False ' }).enableIdempotence, false)
    assert.equal(parse({ partitionerIgnoreKeys: 'TRUE' }).partitionerIgnoreKeys, true)
    for (const value of ['yes', '', 1, 0, {}])
      refuses({ bootstrapServers: HOSTS, enableIdempotence: value }, 'enable.idempotence', /true or false$/)
  })

  test('acks is trimmed, may be a number, and is case-sensitive', () => {
    for (const [given, acks] of [
      ['all', -1],
      [' -1 ', -1],
      ['1', 1],
      [1, 1],
      [0, 0],
      [-0, 0],
      [-1, -1],
    ] as const)
      assert.equal(parse({ acks: given }).acks, acks)
    for (const acks of ['ALL', 2, '2', -2, 1.5, true, '', null].slice(0, -1))
      refuses({ bootstrapServers: HOSTS, acks }, 'acks', /one of all, -1, 0, 1$/)
  })

  test('closed sets are case-sensitive only where they are in Java', () => {
    refuses({ bootstrapServers: HOSTS, compressionType: 'GZIP' }, 'compression.type', /one of none, gzip/)
    assert.equal(parse({ metadataRecoveryStrategy: 'NONE' }).metadataRecoveryStrategy, 'none')
    assert.equal(parse({ metadataRecoveryStrategy: 'ReBootstrap' }).metadataRecoveryStrategy, 'rebootstrap')
    assert.equal(parse({ securityProtocol: 'plaintext' }).explicit.has('security.protocol'), true)
    refuses({ bootstrapServers: HOSTS, securityProtocol: 'TLS' }, 'security.protocol', /in any case/)
  })

  test('strings must be strings', () => {
    for (const value of [5, true, {}, ['a']])
      refuses({ bootstrapServers: HOSTS, 'client.id': value }, 'client.id', /allowed: a string$/)
    const longest = 'é'.repeat(16383)
    assert.equal(parse({ clientId: longest }).clientId, longest)
    refuses({ bootstrapServers: HOSTS, clientId: `${longest}é` }, 'client.id', /32767 bytes$/, /^.{1,300}$/)
    refuses({ bootstrapServers: HOSTS, transactionalId: ' ' }, 'transactional.id', /not empty/)
  })

  test('long values are cut in messages, and secrets are hidden', () => {
    refuses({ bootstrapServers: HOSTS, acks: 'x'.repeat(100_000) }, 'acks', /^.{1,300}$/)
    refuses(
      { bootstrapServers: HOSTS, 'ssl.key.password': 12345 },
      'ssl.key.password',
      /\[hidden\]/,
      /^(?!.*12345)/,
    )
  })
})

describe('bootstrap.servers', () => {
  test('takes text with commas, or an array', () => {
    const hosts = (bootstrapServers: unknown) =>
      parse({ bootstrapServers }).bootstrapServers.map(({ host, port }) => `${host} ${port}`)
    assert.deepEqual(hosts('a:1 , b.example.com:65535'), ['a 1', 'b.example.com 65535'])
    assert.deepEqual(hosts(['a:1', ' 10.0.0.1:9092']), ['a 1', '10.0.0.1 9092'])
    assert.deepEqual(hosts('[::1]:9092'), ['::1 9092'])
    assert.deepEqual(hosts('[fe80::1%eth0]:9092'), ['fe80::1%eth0 9092'])
    assert.deepEqual(hosts('PLAINTEXT://my_host:9092'), ['my_host 9092'])
    assert.deepEqual(hosts('plaintext://[2001:db8::1]:9092'), ['2001:db8::1 9092'])
  })

  test('a scheme must agree with security.protocol', () => {
    const bootstrapServers = 'SASL_SSL://host:9093'
    refuses({ bootstrapServers }, 'bootstrap.servers', /SASL_SSL.*security\.protocol/)
    refuses({ bootstrapServers, securityProtocol: 'SSL' }, 'bootstrap.servers', /SASL_SSL/)
    const sasl = { saslMechanism: 'PLAIN', saslCredentialsProvider: () => ({ username: 'u', password: 'p' }) }
    const config = parse({ bootstrapServers, securityProtocol: 'SASL_SSL', ...sasl })
    assert.deepEqual(config.bootstrapServers, [{ host: 'host', port: 9093 }])
  })

  test('is required', () => {
    for (const options of [{}, { bootstrapServers: undefined }, { bootstrapServers: null }, { acks: 1 }])
      refuses({ ...options }, 'bootstrap.servers', /required/)
    refuses({ bootstrapServers: [] }, 'bootstrap.servers', /at least one/)
    refuses({ bootstrapServers: ' ' }, 'bootstrap.servers', /at least one/)
  })

  for (const entry of [
    'localhost',
    'localhost:',
    ':9092',
    'localhost:0',
    'localhost:65536',
    'localhost:999999',
    'localhost:-1',
    'localhost:9092x',
    'localhost:9092/path',
    'user@host:9092',
    'host name:9092',
    '::1:9092',
    '[::1]',
    '[::1:9092',
    '[]:9092',
    'http:/host:1',
    'hôst:9092',
  ])
    test(`refuses ${entry}`, () => {
      refuses({ bootstrapServers: ['good:1', entry] }, 'bootstrap.servers', /host:port/)
    })

  test('refuses empty entries and entries that are not strings', () => {
    for (const bootstrapServers of ['a:1,', ',a:1', 'a:1,,b:2', ['a:1', ''], ['a:1', null], [undefined]])
      refuses({ bootstrapServers }, 'bootstrap.servers', /empty element/)
    for (const bootstrapServers of [5, { host: 'a' }, [5], ['a:1', { host: 'b' }], true])
      refuses({ bootstrapServers }, 'bootstrap.servers', /array of strings/)
  })

  test('ignores repeats with a warning', () => {
    const { config, warnings } = parseLogged({ bootstrapServers: 'a:1,b:2, a:1' })
    assert.equal(config.bootstrapServers.length, 2)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /bootstrap\.servers/)
  })

  test('refuses an enormous entry quickly', () => {
    refuses({ bootstrapServers: `${'a.'.repeat(500_000)}:x` }, 'bootstrap.servers', /^.{1,400}$/)
  })
})

describe('plug-ins', () => {
  test('serializers may be functions or objects, and are guarded', () => {
    const config = parse({
      keySerializer: (topic: string, data: unknown) => `${topic}/${data}`,
      'value.serializer': { serialize: () => 5 },
    })
    assert.equal(config.keySerializer?.serialize('t', 1, undefined), 't/1')
    assert.throws(
      () => config.valueSerializer?.serialize('t', 1, undefined),
      /value serializer returned a number/,
    )
  })

  test('serializers may be named as in Java where they are built in', () => {
    const config = parse({ keySerializer: 'org.apache.kafka.common.serialization.LongSerializer' })
    assert.deepEqual(
      config.keySerializer?.serialize('t', 258n, undefined),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2),
    )
    for (const name of [
      'com.example.MySerializer',
      'org.apache.kafka.common.serialization.ListSerializer',
      '',
    ])
      refuses(
        { bootstrapServers: HOSTS, keySerializer: name },
        'key.serializer',
        /pass a function, an object/,
      )
  })

  test('serializers must be one of the two', () => {
    for (const value of [5, true, {}, { serialize: 'x' }, []])
      refuses({ bootstrapServers: HOSTS, valueSerializer: value }, 'value.serializer', /allowed: a function/)
  })

  test('a partitioner is kept as it is; a function becomes one', () => {
    class Custom {
      partition() {
        return 3
      }
    }
    const custom = new Custom()
    assert.equal(parse({ partitioner: custom }).partitioner, custom)
    const partition = () => 4
    assert.equal(parse({ 'partitioner.class': partition }).partitioner?.partition, partition)
    refuses({ bootstrapServers: HOSTS, partitioner: {} }, 'partitioner.class', /partition method/)
    refuses({ bootstrapServers: HOSTS, partitioner: 'com.example.P' }, 'partitioner.class', /pass a function/)
  })

  test('interceptors keep their order, and repeats are ignored with a warning', () => {
    const first = { onSend: (record: unknown) => record }
    const second = { onAcknowledgement: () => {} }
    const { config, warnings } = parseLogged({ interceptors: [first, second, first] })
    assert.deepEqual(config.interceptors, [first, second])
    assert.equal(warnings.length, 1)
    assert.deepEqual(parse({ 'interceptor.classes': '' }).interceptors, [])
    for (const interceptors of [[{}], [5], [{ onSend: 1 }], {}, [() => {}]])
      refuses({ bootstrapServers: HOSTS, interceptors }, 'interceptor.classes', /array of objects/)
    refuses({ bootstrapServers: HOSTS, interceptors: 'com.example.I' }, 'interceptor.classes', /Java class/)
    refuses({ bootstrapServers: HOSTS, interceptors: [null] }, 'interceptor.classes', /empty element/)
  })

  test('a logger must have its four methods', () => {
    const heard: string[] = []
    const logger = { debug() {}, info() {}, warn: (message: string) => heard.push(message), error() {} }
    parse({ logger }).logger.warn('heard')
    assert.deepEqual(heard, ['heard'])
    refuses({ bootstrapServers: HOSTS, logger: { ...logger, warn: undefined } }, 'logger', /no warn method/)
    refuses({ bootstrapServers: HOSTS, logger: 'console' }, 'logger', /no debug method/)
    parse({ logger: console }).logger.debug('')
  })
})

describe('what only a JVM can follow', () => {
  const refused: [object, string, ...RegExp[]][] = [
    [{ 'ssl.provider': 'BC' }, 'ssl.provider', /JVM/],
    [{ 'security.providers': 'x.Y' }, 'security.providers', /JVM/],
  ]
  for (const [options, key, ...patterns] of refused)
    test(`is refused by name: ${inspect(options)}`, () => {
      refusesFeature(options, key, ...patterns)
    })

  test('is accepted where it asks for nothing', () => {
    parse({ 'metric.reporters': [], 'ssl.enabled.protocols': '', 'ssl.cipher.suites': [] })
  })

  test('is every option that is described as not available, and no other', () => {
    const other: Record<string, unknown> = {
      int: 7,
      long: 7,
      short: 7,
      double: 0.7,
      string: 'x',
      password: 'x',
    }
    const ownValues: Record<string, unknown> = {
      'sasl.oauthbearer.assertion.algorithm': 'ES256',
    }
    const effectless = [
      ...['receive.buffer.bytes', 'send.buffer.bytes'],
      ...['sasl.oauthbearer.clock.skew.seconds', 'sasl.oauthbearer.expected.audience'],
      ...['sasl.oauthbearer.expected.issuer', 'sasl.oauthbearer.jwks.endpoint.refresh.ms'],
      'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms',
      ...['sasl.oauthbearer.jwks.endpoint.retry.backoff.ms', 'sasl.oauthbearer.jwks.endpoint.url'],
    ]
    const unavailable = describeOptions().filter(option => !option.available)
    for (const { key, reason } of unavailable) {
      assert.match(String(reason), /JVM|runtimes|brokers check/, key)
      assert.doesNotMatch(String(reason), /not built/, key)
    }
    assert.ok(unavailable.length >= effectless.length)
    for (const { key, type, default: byDefault } of unavailable) {
      const differing = { ...other, boolean: !byDefault, list: ['x'], class: 'x.Y' }[type as string]
      const options = { [key]: ownValues[key] ?? differing }
      if (effectless.includes(key)) assert.ok(parseLogged(options))
      else refusesFeature(options, key)
    }
  })
})

describe('metric.reporters', () => {
  test('takes objects and functions, and knows the name of Java’s default', () => {
    const seen: string[] = []
    const { metricReporters } = parse({
      metricReporters: [
        'org.apache.kafka.common.metrics.JmxReporter',
        { metricChange: ({ name }: { name: string }) => seen.push(`object ${name}`) },
        ({ name }: { name: string }) => seen.push(`function ${name}`),
      ],
    })
    assert.equal(metricReporters.length, 2)
    const metric = { name: 'a', group: 'g', description: '', tags: {}, value: 1 }
    for (const reporter of metricReporters) reporter.metricChange?.(metric)
    for (const reporter of metricReporters) reporter.init?.([metric])
    assert.deepEqual(seen, ['object a', 'function a', 'function a'])
    assert.deepEqual(parse({ metricReporters: [] }).metricReporters, [])
  })

  test('refuses other names and what cannot report', () => {
    refuses({ bootstrapServers: HOSTS, metricReporters: ['x.Y'] }, 'metric.reporters', /x\.Y/)
    refuses({ bootstrapServers: HOSTS, metricReporters: [{ report: 1 }] }, 'metric.reporters')
    refuses({ bootstrapServers: HOSTS, metricReporters: [7] }, 'metric.reporters')
  })
})

describe('rules across options', () => {
  test('1: an explicit delivery.timeout.ms below linger.ms + request.timeout.ms is refused', () => {
    const sum = { lingerMs: 10, requestTimeoutMs: 100 }
    refuses(
      { bootstrapServers: HOSTS, ...sum, deliveryTimeoutMs: 109 },
      'delivery.timeout.ms',
      /109/,
      /is 110$/,
    )
    assert.equal(parse({ ...sum, deliveryTimeoutMs: 110 }).deliveryTimeoutMs, 110)
    refuses(
      { bootstrapServers: HOSTS, lingerMs: 2 ** 40, deliveryTimeoutMs: 1 },
      'delivery.timeout.ms',
      /2147483647$/,
    )
  })

  test('1: a default delivery.timeout.ms is raised to the sum, with a warning', () => {
    const { config, warnings } = parseLogged({ requestTimeoutMs: 120_000 })
    assert.equal(config.deliveryTimeoutMs, 120_005)
    assert.match(warnings.join(), /delivery\.timeout\.ms is 120005/)
    assert.equal(parseLogged({ requestTimeoutMs: 2147483647 }).config.deliveryTimeoutMs, 2147483647)
    assert.deepEqual(parseLogged({ requestTimeoutMs: 119_995 }).warnings, [])
  })

  for (const [rule, options, why] of [
    ['2: retries = 0', { retries: 0 }, /retries = 0/],
    ['3: acks = 1', { acks: '1' }, /acks = 1/],
    ['3: acks = 0', { acks: 0 }, /acks = 0/],
  ] as const) {
    test(`${rule} turns idempotence off where it was left to its default, and says so`, () => {
      const { config, infos } = parseLogged(options)
      assert.equal(config.enableIdempotence, false)
      assert.match(infos.join(), why)
    })

    test(`${rule} is refused where idempotence was asked for`, () => {
      refuses({ bootstrapServers: HOSTS, ...options, enableIdempotence: true }, 'enable.idempotence', why)
      const { config, infos } = parseLogged({ ...options, enableIdempotence: false })
      assert.equal(config.enableIdempotence, false)
      assert.deepEqual(infos, [])
    })
  }

  test('4: more than 5 requests in flight need idempotence to be turned off explicitly', () => {
    const key = 'max.in.flight.requests.per.connection'
    for (const options of [{}, { enableIdempotence: true }, { acks: 1 }, { retries: 0 }])
      refuses({ bootstrapServers: HOSTS, [key]: 6, ...options }, key, /6/, /at most 5/)
    const config = parse({ [key]: 6, enableIdempotence: false })
    assert.equal(config.maxInFlightRequestsPerConnection, 6)
    assert.equal(parse({ [key]: 5 }).enableIdempotence, true)
  })

  test('5: transactional.id needs idempotence', () => {
    for (const options of [{ acks: 1 }, { retries: 0 }, { enableIdempotence: false }])
      refuses(
        { bootstrapServers: HOSTS, transactionalId: 't', ...options },
        'transactional.id',
        /idempotence/,
      )
  })

  test('transactional.id turns transactions on, names the client, and fits every version of a request', () => {
    const config = parse({ transactionalId: 'tx' })
    assert.equal(config.transactionalId, 'tx')
    assert.equal(config.transactionTimeoutMs, 60_000)
    assert.equal(config.clientId, 'producer-tx')
    assert.equal(parse({ transactionalId: 'tx', clientId: 'me' }).clientId, 'me')
    assert.equal(parse({ transactionalId: 'tx', transactionTimeoutMs: 7 }).transactionTimeoutMs, 7)
    assert.equal(parse({}).transactionalId, null)
    const tooLong = 'ä'.repeat(16_384)
    refuses({ bootstrapServers: HOSTS, transactionalId: tooLong }, 'transactional.id', /at most 32767 bytes/)
    assert.ok(Buffer.byteLength(parse({ transactionalId: tooLong.slice(1) }).clientId) < 32_767)
    refuses({ bootstrapServers: HOSTS, transactionTimeoutMs: 0 }, 'transaction.timeout.ms', /from 1 to/)
  })

  test('7: serializers are not required, because text and bytes need none', () => {
    const config = parse({})
    assert.equal(config.keySerializer, null)
    assert.equal(config.valueSerializer, null)
  })

  test('9: reconnect.backoff.ms alone makes the backoff constant, with a warning', () => {
    const { config, warnings } = parseLogged({ reconnectBackoffMs: 70 })
    assert.equal(config.reconnectBackoffMaxMs, 70)
    assert.match(warnings.join(), /constant 70 ms/)
    const both = parseLogged({ reconnectBackoffMs: 70, reconnectBackoffMaxMs: 900 })
    assert.equal(both.config.reconnectBackoffMaxMs, 900)
    assert.deepEqual(both.warnings, [])
  })

  test('10 and 11: an initial time above its maximum becomes the maximum, with a warning', () => {
    const retry = parseLogged({ retryBackoffMs: 2000 })
    assert.equal(retry.config.retryBackoffMs, 1000)
    assert.match(retry.warnings.join(), /retry\.backoff\.ms = 2000/)
    const setup = parseLogged({
      socketConnectionSetupTimeoutMs: 5000,
      socketConnectionSetupTimeoutMaxMs: 4000,
    })
    assert.equal(setup.config.socketConnectionSetupTimeoutMs, 4000)
    assert.match(setup.warnings.join(), /socket\.connection\.setup\.timeout\.ms = 5000/)
    assert.deepEqual(parseLogged({ retryBackoffMs: 1000 }).warnings, [])
  })

  test('17: batch.size 0 is one record a batch, and linger.ms ends at int32', () => {
    assert.equal(parse({ batchSize: 0 }).batchSize, 1)
    assert.equal(parse({ lingerMs: Number.MAX_SAFE_INTEGER }).lingerMs, 2147483647)
  })
})
