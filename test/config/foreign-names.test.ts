// Names that users of other clients write are answered with ours; what is near nothing gets no guess.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { foreignAnswer, foreignNames } from '../../dist/config/foreign-names.js'
import { keyOf } from '../../dist/config/names.js'
import { ConfigError, Producer } from '../../dist/index.js'

function refused(options: object): ConfigError {
  try {
    new Producer({ bootstrapServers: 'a:1', ...options })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  return assert.fail('it was taken')
}

describe('the names of other clients', () => {
  const written: [name: string, answer: RegExp][] = [
    ['brokers', /here that is bootstrapServers/],
    ['ssl', /securityProtocol: "SSL".*tls/],
    ['sasl', /saslCredentialsProvider.*saslJaasConfig.*saslMechanism/],
    ['retry', /retries.*deliveryTimeoutMs/],
    ['idempotent', /enableIdempotence/],
    ['createPartitioner', /partitioner, a function/],
    ['logLevel', /logger/],
    ['connectionTimeout', /socketConnectionSetupTimeoutMs/],
    ['metadata.broker.list', /bootstrapServers/],
    ['bootstrapBrokers', /bootstrapServers/],
    ['queue.buffering.max.ms', /lingerMs/],
    ['queue.buffering.max.messages', /bufferMemory/],
    ['batch.num.messages', /batchSize/],
    ['message.timeout.ms', /deliveryTimeoutMs/],
    ['request.required.acks', /acks/],
    ['compression.codec', /compressionType/],
    ['sasl.username', /saslCredentialsProvider/],
    ['sasl.mechanisms', /saslMechanism/],
    ['ssl.ca.location', /sslTruststoreLocation/],
    ['ssl.key.pem', /sslKeystoreKey/],
    ['dr_msg_cb', /callback/],
    ['statistics.interval.ms', /metrics\(\)/],
    ['broker-list', /bootstrapServers/],
    ['ssl_cafile', /sslTruststoreLocation/],
    ['group.id', /an option of consumers/],
    ['groupId', /an option of consumers/],
    ['socket.keepalive.enable', /always so/],
    ['BROKERS', /bootstrapServers/],
  ]
  for (const [name, answer] of written) {
    test(`${name} is answered`, () => {
      const { message, key } = refused({ [name]: 'hunter2' })
      assert.equal(key, name)
      assert.match(message, answer)
      assert.doesNotMatch(message, /nearest|hunter2/)
    })
  }

  test('are none of ours, and every option that an answer names is one of ours', () => {
    for (const name of foreignNames) {
      assert.equal(keyOf(name), undefined, name)
      const answer = foreignAnswer(name) as string
      for (const [, dotted] of answer.matchAll(/\(([a-z]+(?:\.[a-z0-9]+)+)\)/g)) {
        assert.notEqual(keyOf(dotted as string), undefined, `${name}: ${dotted}`)
      }
      for (const [camel] of answer.matchAll(/\b[a-z]+(?:[A-Z][a-z0-9]*)+\b/g)) {
        const isOption = keyOf(camel) !== undefined
        const isOther = /^(keyBytes|valueBytes|ecdhCurve|checkServerIdentity|parseProperties)$/.test(camel)
        assert.ok(isOption || isOther, `${name}: ${camel}`)
      }
    }
  })
})

test('a name that is near to nothing gets no guess', () => {
  for (const name of ['foo', 'x', 'verbose', 'colour', 'topics', 'maxMemory', 'enable.everything.now']) {
    const { message } = refused({ [name]: 1 })
    assert.match(message, new RegExp(`unknown option "${name}"; options have the names of Kafka's producer`))
  }
})

test('a misspelt name is told the right one', () => {
  for (const [name, right] of [
    ['lingerMss', 'lingerMs'],
    ['bootstrap-servers', 'bootstrapServers'],
    ['bootstrap_servers', 'bootstrapServers'],
    ['compresionType', 'compressionType'],
    ['delivery.timeout', 'delivery.timeout.ms'],
  ] as const) {
    assert.match(refused({ [name]: 1 }).message, new RegExp(`nearest known one is ${right}$`))
  }
})

describe('a mechanism in another case', () => {
  const login = (module: string) =>
    `org.apache.kafka.common.security.${module} required username="a" password="b";`
  for (const [mechanism, module] of [
    ['plain', 'plain.PlainLoginModule'],
    ['Scram-Sha-256', 'scram.ScramLoginModule'],
    ['scram-sha-512', 'scram.ScramLoginModule'],
  ] as const) {
    test(`${mechanism} is taken`, async () => {
      const sasl = { saslMechanism: mechanism, saslJaasConfig: login(module) }
      await new Producer({ bootstrapServers: 'a:1', securityProtocol: 'SASL_SSL', ...sasl }).close()
    })
  }

  test('one that is not known is refused as it was written', () => {
    const sasl = { saslMechanism: 'scram_sha', saslJaasConfig: login('scram.ScramLoginModule') }
    assert.match(refused({ securityProtocol: 'SASL_SSL', ...sasl }).message, /"scram_sha" is not built in/)
  })
})
