import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AuthenticationError, Producer, type ProducerOptions } from '../../dist/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { RecordDigest } from './digest.js'
import { kafkaSkip } from './java.js'
import { JavaClient } from './java-client.js'
import { JAAS_PASSWORD, PASSWORD, type SecuredKafka, startSecuredKafka, USER } from './secured-kafka.js'

const skip = kafkaSkip() || opensslSkip()

// The long run: SESSION_MS=10000 RENEWALS=100 RECORDS=2000000 node --test dist-test/kafka/security.test.js
const SESSION_MS = Number(process.env.SESSION_MS ?? 2000)
const RENEWALS = Number(process.env.RENEWALS ?? 4)
const RECORDS = Number(process.env.RECORDS ?? 100_000)
/** What a busy machine is forgiven. */
const STALL_MS_MAX = 2000

const jaas = (module: string, password = JAAS_PASSWORD) =>
  `org.apache.kafka.common.security.${module} required username="${USER}" password="${password}";`

describe('a real Kafka that asks for TLS and SASL', { skip, timeout: 3_600_000 }, () => {
  let secured: SecuredKafka
  let java: JavaClient

  before(async () => {
    java = new JavaClient()
    secured = await startSecuredKafka(SESSION_MS)
  })
  after(async () => {
    await java?.close()
    await secured?.[Symbol.asyncDispose]()
  })

  function producerOf(options: Partial<ProducerOptions>): Producer {
    return new Producer({ maxBlockMs: 4000, logger: new RecordingLogger(), ...options })
  }

  async function refused(options: Partial<ProducerOptions>, ...patterns: RegExp[]): Promise<void> {
    await using producer = producerOf(options)
    await assert.rejects(producer.send({ topic: 'never', value: 'v' }), (error: Error) => {
      assert.ok(error instanceof AuthenticationError, String(error))
      for (const pattern of [...patterns, /^(?!.*or\\d)/s]) assert.match(error.message, pattern)
      return true
    })
  }

  test('has its sessions renewed while records flow, each stored once and in order', async t => {
    const topic = 'renewed'
    await java.createTopic(secured.kafka.bootstrapServers, topic, { partitions: 1 })
    let authentications = 0
    await using producer = producerOf({
      bootstrapServers: secured.rig.bootstrapServers.SHORT,
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'SCRAM-SHA-256',
      saslCredentialsProvider: () => {
        authentications++
        return { username: USER, password: PASSWORD }
      },
    })
    const value = Buffer.alloc(100)
    const expected = new RecordDigest()
    expected.add({ key: null, value: Buffer.from('first'), headers: [] })
    let sent = 0
    let failed = 0
    let unsettled = 0
    let lastAckMs = performance.now()
    let longestStallMs = 0
    const onAck = (error: Error | null) => {
      unsettled--
      if (error !== null) failed++
      const nowMs = performance.now()
      longestStallMs = Math.max(longestStallMs, nowMs - lastAckMs)
      lastAckMs = nowMs
    }
    await producer.send({ topic, value: 'first' })
    lastAckMs = performance.now()
    // Two connections authenticate once each; the rest are renewals of the one that goes on.
    const perTurn = Math.ceil(RECORDS / (RENEWALS * SESSION_MS))
    while (sent < RECORDS || authentications < RENEWALS + 2) {
      for (let i = 0; i < perTurn * 5 && unsettled < 20_000; i++) {
        value.writeUInt32BE(sent++)
        expected.add({ key: null, value, headers: [] })
        unsettled++
        producer.send({ topic, value }, onAck)
      }
      await nextTurn()
      if (performance.now() - lastAckMs > 30_000) assert.fail('nothing is acknowledged any more')
    }
    await producer.flush()
    assert.equal(failed, 0)
    const [digest] = await java.digest(secured.kafka.bootstrapServers, topic)
    assert.equal(digest?.count, sent + 1)
    assert.equal(digest?.sha256, expected.hex())
    t.diagnostic(
      `${sent} records, ${authentications - 2} renewals, longest stall ${Math.round(longestStallMs)} ms`,
    )
    assert.ok(longestStallMs < STALL_MS_MAX, `${longestStallMs} ms`)
  })

  test('refuses a wrong password by each mechanism, and the client says so', async () => {
    const { SASL_SSL } = secured.rig.bootstrapServers
    const base = {
      bootstrapServers: SASL_SSL,
      securityProtocol: 'SASL_SSL' as const,
      sslTruststoreLocation: secured.rig.caFile,
    }
    await refused(
      { ...base, saslMechanism: 'PLAIN', saslJaasConfig: jaas('plain.PlainLoginModule', 'wrong') },
      /SASL_AUTHENTICATION_FAILED/,
    )
    for (const saslMechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      const saslJaasConfig = jaas('scram.ScramLoginModule', 'wrong')
      await refused({ ...base, saslMechanism, saslJaasConfig }, /SASL_AUTHENTICATION_FAILED/)
    }
    const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url')
    const expired = `${part({ alg: 'none' })}.${part({ sub: 'a', iat: 1, exp: 2 })}.`
    const oauth = { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: () => expired }
    await refused({ ...base, ...oauth }, /SASL_AUTHENTICATION_FAILED|invalid_token/)
  })

  test('does not get the password over TLS it cannot prove itself by', async () => {
    const { SASL_SSL } = secured.rig.bootstrapServers
    const sasl = { saslMechanism: 'PLAIN', saslJaasConfig: jaas('plain.PlainLoginModule') }
    await refused(
      { bootstrapServers: SASL_SSL, securityProtocol: 'SASL_SSL', ...sasl },
      /authority that is not trusted/,
    )
  })

  test('refuses client certificates that are missing or of another authority', async () => {
    const { MTLS } = secured.rig.bootstrapServers
    const base = {
      bootstrapServers: MTLS,
      securityProtocol: 'SSL' as const,
      sslTruststoreLocation: secured.rig.caFile,
    }
    const other = new Authority()
    const { cert, key } = other.issue({ commonName: 'stranger' })
    const stranger = { sslKeystoreKey: key, sslKeystoreCertificateChain: cert }
    for (const sslEnabledProtocols of ['TLSv1.2', 'TLSv1.3']) {
      await refused({ ...base, sslEnabledProtocols }, /client certificate|client's certificate/)
      await refused({ ...base, sslEnabledProtocols, ...stranger }, /client's certificate/)
    }
    other.remove()
  })

  test('names what it offers to a client that asks for another mechanism', async () => {
    const { SASL_PLAINTEXT, PLAINTEXT } = secured.rig.bootstrapServers
    const own = { name: 'GSSAPI', begin: () => ({ start: () => Buffer.from('x'), step: () => null }) }
    const base = {
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'GSSAPI',
      saslMechanisms: [own],
    } as const
    await refused({ bootstrapServers: SASL_PLAINTEXT, ...base }, /offers PLAIN, SCRAM-SHA-256|SCRAM-SHA-512/)
    await refused({ bootstrapServers: PLAINTEXT, ...base }, /ILLEGAL_SASL_STATE/)
  })

  test('is reached again with a new password without a restart of the producer', async () => {
    const { SHORT } = secured.rig.bootstrapServers
    let password = 'wrong'
    await using producer = producerOf({
      bootstrapServers: SHORT,
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'SCRAM-SHA-512',
      saslCredentialsProvider: () => ({ username: USER, password }),
    })
    await assert.rejects(producer.send({ topic: 'mended', value: 'v' }), AuthenticationError)
    password = PASSWORD
    const { offset } = await producer.send({ topic: 'mended', value: 'v' })
    assert.equal(offset, 0n)
  })
})
