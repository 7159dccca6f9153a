import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeOptions } from '../../dist/config/index.js'

// key | type | default | allowed | importance, as the ConfigDef of kafka-clients 4.3.0 prints them.
const KAFKA_TABLE = `
acks | string | all | [all, -1, 0, 1] | L
batch.size | int | 16384 | [0,...] | M
bootstrap.servers | list | required | non-empty, no nulls | H
buffer.memory | long | 33554432 | [0,...] | H
client.dns.lookup | string | use_all_dns_ips | [use_all_dns_ips, resolve_canonical_bootstrap_servers_only] | M
client.id | string | "" |  | M
compression.gzip.level | int | -1 | [1,...,9] or -1 | M
compression.lz4.level | int | 9 | [1,...,17] | M
compression.type | string | none | [none, gzip, snappy, lz4, zstd] | H
compression.zstd.level | int | 3 | [-131072,...,22] | M
config.providers | list | [] | no duplicates (warn), may be empty | L
connections.max.idle.ms | long | 540000 |  | M
delivery.timeout.ms | int | 120000 | [0,...] | M
enable.idempotence | boolean | true |  | L
enable.metrics.push | boolean | true |  | L
interceptor.classes | list | [] | no duplicates (warn), may be empty | L
key.serializer | class | required |  | H
linger.ms | long | 5 | [0,...] | M
max.block.ms | long | 60000 | [0,...] | M
max.in.flight.requests.per.connection | int | 5 | [1,...] | L
max.request.size | int | 1048576 | [0,...] | M
metadata.max.age.ms | long | 300000 | [0,...] | L
metadata.max.idle.ms | long | 300000 | [5000,...] | L
metadata.recovery.rebootstrap.trigger.ms | long | 300000 | [0,...] | L
metadata.recovery.strategy | string | rebootstrap | (case insensitive) [REBOOTSTRAP, NONE] | L
metric.reporters | list | [JmxReporter] | no duplicates (warn), may be empty | L
metrics.num.samples | int | 2 | [1,...] | L
metrics.recording.level | string | INFO | [INFO, DEBUG, TRACE] | L
metrics.sample.window.ms | long | 30000 | [0,...] | L
partitioner.adaptive.partitioning.enable | boolean | true |  | L
partitioner.availability.timeout.ms | long | 0 | [0,...] | L
partitioner.class | class | null |  | M
partitioner.ignore.keys | boolean | false |  | M
receive.buffer.bytes | int | 32768 | [-1,...] | M
reconnect.backoff.max.ms | long | 1000 | [0,...] | L
reconnect.backoff.ms | long | 50 | [0,...] | L
request.timeout.ms | int | 30000 | [0,...] | M
retries | int | 2147483647 | [0,...,2147483647] | H
retry.backoff.max.ms | long | 1000 | [0,...] | L
retry.backoff.ms | long | 100 | [0,...] | L
sasl.client.callback.handler.class | class | null |  | M
sasl.jaas.config | password | null |  | M
sasl.kerberos.kinit.cmd | string | /usr/bin/kinit |  | L
sasl.kerberos.min.time.before.relogin | long | 60000 |  | L
sasl.kerberos.service.name | string | null |  | M
sasl.kerberos.ticket.renew.jitter | double | 0.05 |  | L
sasl.kerberos.ticket.renew.window.factor | double | 0.8 |  | L
sasl.login.callback.handler.class | class | null |  | M
sasl.login.class | class | null |  | M
sasl.login.connect.timeout.ms | int | null |  | L
sasl.login.read.timeout.ms | int | null |  | L
sasl.login.refresh.buffer.seconds | short | 300 | [0,...,3600] | L
sasl.login.refresh.min.period.seconds | short | 60 | [0,...,900] | L
sasl.login.refresh.window.factor | double | 0.8 | [0.5,...,1.0] | L
sasl.login.refresh.window.jitter | double | 0.05 | [0.0,...,0.25] | L
sasl.login.retry.backoff.max.ms | long | 10000 |  | L
sasl.login.retry.backoff.ms | long | 100 |  | L
sasl.mechanism | string | GSSAPI |  | M
sasl.oauthbearer.assertion.algorithm | string | RS256 | (case insensitive) [ES256, RS256] | M
sasl.oauthbearer.assertion.claim.aud | string | null |  | M
sasl.oauthbearer.assertion.claim.exp.seconds | int | 300 | [0,...,86400] | L
sasl.oauthbearer.assertion.claim.iss | string | null |  | M
sasl.oauthbearer.assertion.claim.jti.include | boolean | false |  | M
sasl.oauthbearer.assertion.claim.nbf.seconds | int | 60 | [0,...,3600] | L
sasl.oauthbearer.assertion.claim.sub | string | null |  | M
sasl.oauthbearer.assertion.file | string | null |  | M
sasl.oauthbearer.assertion.private.key.file | string | null |  | M
sasl.oauthbearer.assertion.private.key.passphrase | password | null |  | M
sasl.oauthbearer.assertion.template.file | string | null |  | M
sasl.oauthbearer.client.credentials.client.id | string | null |  | M
sasl.oauthbearer.client.credentials.client.secret | password | null |  | M
sasl.oauthbearer.clock.skew.seconds | int | 30 |  | L
sasl.oauthbearer.expected.audience | list | [] |  | L
sasl.oauthbearer.expected.issuer | string | null |  | L
sasl.oauthbearer.header.urlencode | boolean | false |  | L
sasl.oauthbearer.jwks.endpoint.refresh.ms | long | 3600000 |  | L
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms | long | 10000 |  | L
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms | long | 100 |  | L
sasl.oauthbearer.jwks.endpoint.url | string | null |  | M
sasl.oauthbearer.jwt.retriever.class | class | DefaultJwtRetriever |  | M
sasl.oauthbearer.jwt.validator.class | class | DefaultJwtValidator |  | M
sasl.oauthbearer.scope | string | null |  | M
sasl.oauthbearer.scope.claim.name | string | scope |  | L
sasl.oauthbearer.sub.claim.name | string | sub |  | L
sasl.oauthbearer.token.endpoint.url | string | null |  | M
security.protocol | string | PLAINTEXT | (case insensitive) [SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT] | M
security.providers | string | null |  | L
send.buffer.bytes | int | 131072 | [-1,...] | M
socket.connection.setup.timeout.max.ms | long | 30000 |  | M
socket.connection.setup.timeout.ms | long | 10000 |  | M
ssl.cipher.suites | list | [] |  | L
ssl.enabled.protocols | list | [TLSv1.2, TLSv1.3] |  | M
ssl.endpoint.identification.algorithm | string | https |  | L
ssl.engine.factory.class | class | null |  | L
ssl.key.password | password | null |  | H
ssl.keymanager.algorithm | string | SunX509 |  | L
ssl.keystore.certificate.chain | password | null |  | H
ssl.keystore.key | password | null |  | H
ssl.keystore.location | string | null |  | H
ssl.keystore.password | password | null |  | H
ssl.keystore.type | string | JKS |  | M
ssl.protocol | string | TLSv1.3 |  | M
ssl.provider | string | null |  | M
ssl.secure.random.implementation | string | null |  | L
ssl.trustmanager.algorithm | string | PKIX |  | L
ssl.truststore.certificates | password | null |  | H
ssl.truststore.location | string | null |  | H
ssl.truststore.password | password | null |  | H
ssl.truststore.type | string | JKS |  | M
transaction.timeout.ms | int | 60000 | [1,...] | L
transaction.two.phase.commit.enable | boolean | false |  | L
transactional.id | string | null | non-empty string | L
value.serializer | class | required |  | H
`
  .trim()
  .split('\n')
  .map(line => {
    const [key = '', type = '', byDefault = '', allowed = '', importance = ''] = line.split(' | ')
    return { key, type, byDefault, allowed, importance }
  })

/** Full names of the classes that the table names shortly. */
const CLASS_NAMES: Record<string, string> = {
  JmxReporter: 'org.apache.kafka.common.metrics.JmxReporter',
  DefaultJwtRetriever: 'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever',
  DefaultJwtValidator: 'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator',
}

function expectedDefault(type: string, text: string): unknown {
  // Serializers have a default here: text and bytes are sent as they are.
  if (text === 'null' || text === 'required') return null
  if (type === 'boolean') return text === 'true'
  if (type === 'list')
    return text
      .slice(1, -1)
      .split(', ')
      .filter(Boolean)
      .map(name => CLASS_NAMES[name] ?? name)
  if (['int', 'long', 'short', 'double'].includes(type)) return Number(text)
  return text === '""' ? '' : (CLASS_NAMES[text] ?? text)
}

const options = new Map(describeOptions().map(option => [option.key as string, option]))

describe('the option table', () => {
  test('has exactly the 113 keys of the Java producer', () => {
    assert.equal(KAFKA_TABLE.length, 113)
    assert.deepEqual([...options.keys()].sort(), KAFKA_TABLE.map(row => row.key).sort())
  })

  for (const { key, type, byDefault, allowed, importance } of KAFKA_TABLE)
    test(`has ${key} with the type, default, range and importance it has in Java`, () => {
      const option = options.get(key)
      assert.ok(option)
      assert.equal(option.type, type)
      assert.deepEqual(option.default, expectedDefault(type, byDefault))
      assert.equal(option.importance[0], importance.toLowerCase())
      const range = /^\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\](?: or (-?\d+))?$/.exec(allowed)
      const values = /\[([A-Za-z].*)\]/.exec(allowed)
      if (range) {
        const [, min, max, orElse] = range
        const end =
          max === undefined ? '' : ` to ${Number(max)}${orElse === undefined ? '' : `, or ${orElse}`}`
        assert.match(option.valid, new RegExp(` from ${Number(min)}${end || ' to \\d+'}$`))
      } else if (values) {
        assert.equal(option.valid.includes('(in any case)'), allowed.includes('case insensitive'))
        for (const value of values[1]?.split(', ') ?? [])
          assert.ok(option.valid.toLowerCase().includes(value.toLowerCase()), `${option.valid} has ${value}`)
      }
    })

  test('describes every option in one sentence of its own', () => {
    const docs = [...options.values()].map(option => option.doc)
    for (const doc of docs) assert.match(doc, /^.{15,100}\.$/)
    assert.equal(new Set(docs).size, docs.length)
  })

  test('derives camelCase names mechanically and lists the short ones', () => {
    assert.equal(options.get('acks')?.camelCase, 'acks')
    assert.deepEqual(options.get('acks')?.aliases, [])
    assert.equal(options.get('linger.ms')?.camelCase, 'lingerMs')
    assert.equal(
      options.get('max.in.flight.requests.per.connection')?.camelCase,
      'maxInFlightRequestsPerConnection',
    )
    assert.deepEqual(options.get('partitioner.class')?.aliases, ['partitionerClass', 'partitioner'])
    assert.deepEqual(options.get('interceptor.classes')?.aliases, ['interceptorClasses', 'interceptors'])
    const names = [...options.values()].flatMap(option => [option.key, ...option.aliases])
    assert.equal(new Set(names).size, names.length)
  })

  test('gives a reason for every option that is not available', () => {
    for (const option of options.values())
      assert.equal(option.available, option.reason === undefined, option.key)
  })
})
