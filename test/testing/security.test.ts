import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AuthenticationError, Producer, type ProducerOptions } from '../../dist/index.js'
import { type BrokerOptions, startBroker } from '../../dist/testing/index.js'
import { Authority, type Certificate, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { StandingClock } from '../helpers/standing-clock.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const module = (path: string) =>
  `org.apache.kafka.common.security.${path} required username="alice" password="s3cret";`

describe('the in-process broker', { skip: opensslSkip() }, () => {
  let authority: Authority
  let certificate: Certificate
  before(() => {
    authority = new Authority()
    certificate = authority.issue()
  })
  after(() => authority.remove())

  async function deliver(broker: BrokerOptions, producer: Partial<ProducerOptions>): Promise<void> {
    await using server = await startBroker({ quiet: true, nodes: 2, partitions: 4, ...broker })
    await using client = new Producer({
      bootstrapServers: server.bootstrapServers,
      logger: quiet,
      maxBlockMs: 30_000,
      ...producer,
    })
    await client.sendMany(Array.from({ length: 100 }, (_, i) => ({ topic: 't', value: `${i}` })))
    assert.equal([...server.records('t')].length, 100)
  }

  const users = { alice: 's3cret' }
  for (const [mechanism, path] of [
    ['PLAIN', 'plain.PlainLoginModule'],
    ['SCRAM-SHA-256', 'scram.ScramLoginModule'],
    ['SCRAM-SHA-512', 'scram.ScramLoginModule'],
  ] as const) {
    test(`takes ${mechanism}, with TLS and without`, async () => {
      const sasl = { saslMechanism: mechanism, saslJaasConfig: module(path) }
      await deliver({ sasl: { users } }, { securityProtocol: 'SASL_PLAINTEXT', ...sasl })
      const { cert, key } = certificate
      const trust = { sslTruststoreCertificates: authority.ca.cert }
      await deliver(
        { sasl: { users }, tls: { cert, key } },
        { securityProtocol: 'SASL_SSL', ...sasl, ...trust },
      )
    })

    test(`refuses a wrong password by ${mechanism}`, async () => {
      const sasl = { saslMechanism: mechanism, saslJaasConfig: module(path) }
      const wrong = { sasl: { users: { alice: 'other' } } }
      const attempt = deliver(wrong, { securityProtocol: 'SASL_PLAINTEXT', ...sasl })
      await assert.rejects(attempt, (error: Error) => error.cause instanceof AuthenticationError)
    })
  }

  test('takes OAUTHBEARER', async () => {
    const sasl = { acceptsToken: (token: string) => token === 'good' }
    const saslMechanism = 'OAUTHBEARER'
    const securityProtocol = 'SASL_PLAINTEXT'
    await deliver({ sasl }, { securityProtocol, saslMechanism, saslOauthTokenProvider: () => 'good' })
  })

  test('closes a connection that asks for anything before it has authenticated', async () => {
    using clock = new StandingClock()
    const logger = new RecordingLogger()
    await using server = await startBroker({ quiet: true, sasl: { users } })
    await using client = new Producer({
      bootstrapServers: server.bootstrapServers,
      logger,
      maxBlockMs: 300,
    })
    const refused = assert.rejects(client.send({ topic: 't', value: 'v' }), /was closed by the broker/)
    const closed = () => logger.lines.some(({ message }) => message.includes('was closed by the broker'))
    await eventually('a connection is closed', closed)
    await clock.advanceAsync(300)
    await refused
    assert.deepEqual([...server.records('t')], [])
    assert.equal(server.counters().requests.Metadata, undefined)
  })
})
