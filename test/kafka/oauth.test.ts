import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthenticationError, Producer, type ProducerOptions } from '../../dist/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { freePort } from '../helpers/free-ports.js'
import { OauthServer } from '../helpers/oauth-server.js'
import { type Kafka, startKafka } from './broker.js'
import { RecordDigest } from './digest.js'
import { kafkaSkip } from './java.js'
import { JavaClient } from './java-client.js'

const OAUTH = 'org.apache.kafka.common.security.oauthbearer'
const TOKEN_SECONDS = 6
const RENEWALS = 2
const UNSETTLED_MAX = 10_000
const skip = kafkaSkip() || opensslSkip()

/** A Kafka whose listener takes the tokens of an authorization server, by the keys it publishes. */
describe('a real Kafka that takes tokens of an OAuth server', { skip, timeout: 300_000 }, () => {
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  let authority: Authority
  let oauth: OauthServer
  let kafka: Kafka
  let java: JavaClient
  let bootstrapServers: string

  before(async () => {
    authority = new Authority()
    oauth = await OauthServer.start({
      certificate: authority.issue(),
      issuers: { app: signer.publicKey },
      clients: { me: 'secret' },
      lifetimeSeconds: TOKEN_SECONDS,
    })
    const saslPort = await freePort()
    bootstrapServers = `127.0.0.1:${saslPort}`
    const listener = 'listener.name.sasl_plaintext.oauthbearer'
    const sub = 'unsecuredLoginStringClaim_sub="broker"'
    const trust = `ssl.truststore.type="PEM" ssl.truststore.location="${authority.ca.certFile}"`
    kafka = await startKafka({
      systemProperties: { 'org.apache.kafka.sasl.oauthbearer.allowed.urls': oauth.jwksUrl },
      properties: ({ port, controllerPort }) => ({
        'listener.security.protocol.map':
          'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT',
        listeners:
          `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},` +
          `SASL_PLAINTEXT://${bootstrapServers}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://${bootstrapServers}`,
        'sasl.enabled.mechanisms': 'OAUTHBEARER',
        'connections.max.reauth.ms': 3_600_000,
        [`${listener}.sasl.jaas.config`]: `${OAUTH}.OAuthBearerLoginModule required ${sub} ${trust};`,
        [`${listener}.sasl.server.callback.handler.class`]: `${OAUTH}.OAuthBearerValidatorCallbackHandler`,
        [`${listener}.sasl.oauthbearer.jwks.endpoint.url`]: oauth.jwksUrl,
        [`${listener}.sasl.oauthbearer.expected.audience`]: oauth.audience,
        [`${listener}.sasl.oauthbearer.expected.issuer`]: oauth.issuer,
      }),
    })
    java = new JavaClient()
  })
  after(async () => {
    await java?.close()
    await kafka?.stop()
    await oauth?.[Symbol.asyncDispose]()
    authority?.remove()
  })

  const base = (): ProducerOptions => ({
    bootstrapServers,
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'OAUTHBEARER',
    saslOauthbearerTokenEndpointUrl: oauth.tokenUrl,
    saslJaasConfig: `${OAUTH}.OAuthBearerLoginModule required ssl.truststore.location="${authority.ca.certFile}";`,
    saslLoginRefreshMinPeriodSeconds: 1,
    saslLoginRefreshBufferSeconds: 1,
    maxBlockMs: 20_000,
    logger: new RecordingLogger(),
  })

  test('delivers under jwt-bearer, with tokens and sessions renewed while records flow', async t => {
    const topic = 'bearer'
    await java.createTopic(kafka.bootstrapServers, topic, { partitions: 1 })
    const key = signer.privateKey.export({ type: 'pkcs8', format: 'pem' })
    let sessions = 0
    const quiet = { debug() {}, info() {}, warn() {}, error() {} }
    await using producer = new Producer({
      ...base(),
      saslOauthbearerJwtRetrieverClass: `${OAUTH}.JwtBearerJwtRetriever`,
      saslOauthbearerAssertionAlgorithm: 'ES256',
      saslOauthbearerAssertionPrivateKeyFile: authority.file(String(key)),
      saslOauthbearerAssertionClaimIss: 'app',
      saslOauthbearerAssertionClaimSub: 'the-producer',
      saslOauthbearerAssertionClaimAud: oauth.tokenUrl,
      saslOauthbearerAssertionClaimJtiInclude: true,
      logger: { ...quiet, debug: text => void (/\(id 1\) again$/.test(text) && sessions++) },
    })
    const value = Buffer.alloc(100)
    const expected = new RecordDigest()
    let [sent, failed, unsettled] = [0, 0, 0]
    const until = Date.now() + 120_000
    while (sessions < RENEWALS || oauth.grants.length <= RENEWALS) {
      assert.ok(Date.now() < until, `${sessions} sessions and ${oauth.grants.length} tokens so far`)
      for (let more = 0; more < 200 && unsettled < UNSETTLED_MAX; more++) {
        value.writeUInt32BE(sent++)
        expected.add({ key: null, value, headers: [] })
        unsettled++
        producer.send({ topic, value }, error => {
          unsettled--
          if (error !== null) failed++
        })
      }
      await sleep(10)
    }
    await producer.flush()
    t.diagnostic(`${sent} records, ${oauth.grants.length} tokens, ${sessions} sessions renewed`)
    assert.equal(failed, 0)
    assert.equal(oauth.grants[0]?.client, 'the-producer')
    const [digest] = await java.digest(kafka.bootstrapServers, topic)
    assert.equal(digest?.count, sent)
    assert.equal(digest?.sha256, expected.hex())
  })

  test('delivers with the client-credentials grant', async () => {
    await using producer = new Producer({
      ...base(),
      saslOauthbearerClientCredentialsClientId: 'me',
      saslOauthbearerClientCredentialsClientSecret: 'secret',
    })
    assert.equal((await producer.send({ topic: 'credentials', value: 'v' })).offset, 0n)
    assert.equal(oauth.grants.at(-1)?.grantType, 'client_credentials')
  })

  test('refuses a token of another server', async () => {
    await using other = await OauthServer.start({ certificate: authority.issue(), clients: { me: 'secret' } })
    await using producer = new Producer({
      ...base(),
      maxBlockMs: 5000,
      saslOauthbearerTokenEndpointUrl: other.tokenUrl,
      saslOauthbearerClientCredentialsClientId: 'me',
      saslOauthbearerClientCredentialsClientSecret: 'secret',
    })
    await assert.rejects(producer.send({ topic: 'never', value: 'v' }), AuthenticationError)
  })
})
