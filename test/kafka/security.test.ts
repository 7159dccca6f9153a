import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthenticationError, Producer, type ProducerOptions } from '../../dist/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { RecordDigest } from './digest.js'
import { kafkaSkip } from './java.js'
import { JavaClient } from './java-client.js'
import { JAAS_PASSWORD, PASSWORD, type SecuredKafka, startSecuredKafka, USER } from './secured-kafka.js'

const skip = kafkaSkip() || opensslSkip()

// `npm run soak:sessions` sets these for much longer.
const SESSION_MS = Number(process.env.SESSION_MS ?? 2000)
const RENEWALS = Number(process.env.RENEWALS ?? 4)
const RECORDS = Number(process.env.RECORDS ?? 100_000)
/** Without a word of it: what a busy machine is forgiven. */
const STALL_MS_MAX = Number(process.env.STALL_MS ?? 2000)
/** Renewals come after 85 to 95 % of a session's life; all records are sent before the last of them. */
const RECORDS_PER_MS = RECORDS / (RENEWALS * SESSION_MS * 0.85)
const UNSETTLED_MAX = 20_000

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** Times between one mark and the next. */
class Gaps {
  private lastMs = performance.now()
  private readonly allMs: number[] = []

  mark(): void {
    const ms = this.currentMs
    this.lastMs += ms
    if (ms >= 1) this.allMs.push(ms)
  }

  get currentMs(): number {
    return performance.now() - this.lastMs
  }

  get longestMs(): number {
    return Math.round(this.allMs.reduce((longest, ms) => Math.max(longest, ms), 0))
  }

  over(ms: number): number {
    return this.allMs.filter(each => each > ms).length
  }
}

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

  function producerOf(options: ProducerOptions): Producer {
    return new Producer({ maxBlockMs: 4000, logger: new RecordingLogger(), ...options })
  }

  async function refused(options: ProducerOptions, ...patterns: RegExp[]): Promise<void> {
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
    let renewals = 0
    await using producer = producerOf({
      bootstrapServers: secured.rig.bootstrapServers.SHORT,
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'SCRAM-SHA-256',
      saslCredentialsProvider: () => ({ username: USER, password: PASSWORD }),
      // Only of the connection the records go over.
      logger: { ...quiet, debug: text => void (/\(id 1\) again$/.test(text) && renewals++) },
    })
    const value = Buffer.alloc(100)
    const expected = new RecordDigest()
    expected.add({ key: null, value: Buffer.from('first'), headers: [] })
    let failed = 0
    let unsettled = 0
    const stalls = new Gaps()
    const turns = new Gaps()
    const onAck = (error: Error | null) => {
      unsettled--
      if (error !== null) failed++
      stalls.mark()
    }
    await producer.send({ topic, value: 'first' })
    const startedMs = performance.now()
    for (const gaps of [stalls, turns]) gaps.mark()
    let sent = 0
    while (sent < RECORDS || renewals < RENEWALS) {
      for (
        const due = (performance.now() - startedMs) * RECORDS_PER_MS;
        sent < due && unsettled < UNSETTLED_MAX;
      ) {
        value.writeUInt32BE(sent++)
        expected.add({ key: null, value, headers: [] })
        unsettled++
        producer.send({ topic, value }, onAck)
      }
      await sleep(2)
      turns.mark()
      assert.ok(stalls.currentMs < 30_000, 'nothing is acknowledged any more')
    }
    await producer.flush()
    const tookS = Math.round((performance.now() - startedMs) / 1000)
    t.diagnostic(
      `${sent} records, ${renewals} renewals of ${SESSION_MS} ms in ${tookS} s, longest stall ` +
        `${stalls.longestMs} ms, ${stalls.over(50)} over 50 ms; longest turn of the test ${turns.longestMs} ms`,
    )
    assert.equal(failed, 0)
    assert.equal(unsettled, 0)
    const [digest] = await java.digest(secured.kafka.bootstrapServers, topic)
    assert.equal(digest?.count, sent + 1)
    assert.equal(digest?.sha256, expected.hex())
    assert.ok(stalls.longestMs <= STALL_MS_MAX, `${stalls.longestMs} ms`)
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

  test('refuses client certificates that are missing or of another authority, also where it asks for SASL', async () => {
    const { MTLS, SASL_MTLS } = secured.rig.bootstrapServers
    const other = new Authority()
    const { cert, key } = other.issue({ commonName: 'stranger' })
    const stranger = { sslKeystoreKey: key, sslKeystoreCertificateChain: cert }
    const sasl = { saslMechanism: 'PLAIN', saslJaasConfig: jaas('plain.PlainLoginModule') }
    const listeners: ProducerOptions[] = [
      { bootstrapServers: MTLS, securityProtocol: 'SSL' },
      { bootstrapServers: SASL_MTLS, securityProtocol: 'SASL_SSL', ...sasl },
    ]
    for (const listener of listeners) {
      for (const sslEnabledProtocols of ['TLSv1.2', 'TLSv1.3'] as const) {
        const base = { ...listener, sslEnabledProtocols, sslTruststoreLocation: secured.rig.caFile }
        await refused(base, /client certificate|client's certificate/)
        await refused({ ...base, ...stranger }, /client's certificate/)
      }
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
