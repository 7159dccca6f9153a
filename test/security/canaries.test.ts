// Every secret is a canary here. Whatever goes wrong, none may be found in anything the library says.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { type SaslAnswer, startBroker } from '../../dist/testing/index.js'
import { Authority, openssl, opensslSkip } from '../helpers/certificates.js'
import { SecretListener } from '../helpers/secret-listener.js'

const canary = (name: string) => `c4nary-${name}/+ü`

const CANARIES = {
  password: canary('password'),
  token: Buffer.from('c4nary-token-of-oauth').toString('base64'),
  clientSecret: canary('client-secret'),
  keyPassword: canary('key-password'),
  storePassword: canary('store-password'),
  assertion: canary('assertion-passphrase'),
}

const login = (module: string, password = CANARIES.password) =>
  `org.apache.kafka.common.security.${module} required username="alice" password="${password}";`

/** Makes a producer and sends with it, and listens to everything while that succeeds or fails. */
async function exercise(listener: SecretListener, options: ProducerOptions): Promise<void> {
  let producer: Producer
  try {
    producer = new Producer({
      maxBlockMs: 400,
      requestTimeoutMs: 300,
      deliveryTimeoutMs: 500,
      logger: listener.logger,
      ...options,
    })
  } catch (error) {
    listener.hear(error)
    return
  }
  // Its inside, too, although `inspect` of the producer itself does not show that.
  listener.hear(producer, { ...producer })
  const outcomes = await Promise.allSettled([
    producer.send({ topic: 't', value: 'v' }),
    producer.sendMany([{ topic: 't', value: 'v' }]),
    producer.partitionsFor('t'),
  ])
  for (const outcome of outcomes) {
    listener.hear(outcome.status === 'rejected' ? outcome.reason : outcome.value)
  }
  listener.hear(producer, { ...producer })
  await producer.close({ timeoutMs: 100 })
  listener.hear(producer)
}

const mechanisms: Record<string, Partial<ProducerOptions>> = {
  PLAIN: { saslJaasConfig: login('plain.PlainLoginModule') },
  'SCRAM-SHA-256': { saslJaasConfig: login('scram.ScramLoginModule') },
  'SCRAM-SHA-512': {
    saslCredentialsProvider: () => ({ username: 'alice', password: CANARIES.password }),
  },
  OAUTHBEARER: { saslOauthTokenProvider: () => CANARIES.token },
}

/** What a broker may do: some send back what they were sent. */
const brokers: Record<string, (answer: SaslAnswer) => SaslAnswer> = {
  'is honest': answer => answer,
  refuses: answer => withError(answer, 58, 'no'),
  'repeats the secret': answer => {
    const secret = secretOf(answer)
    const forms = [secret, Buffer.from(`x${secret}`).toString('base64'), encodeURIComponent(secret)]
    return withError(answer, 58, forms.join(' '))
  },
  'has an error nobody knows': answer => withError(answer, 999, secretOf(answer)),
  'sends nonsense': answer => withBytes(answer, Buffer.from(`e=${secretOf(answer)}`)),
  'offers what it likes': answer =>
    answer.step === 0
      ? { ...answer, handshake: { errorCode: 33, mechanisms: ['X'.repeat(5000), 'a\nb'] } }
      : answer,
}

/** What the client has sent, or proved that it knows. */
function secretOf({ mechanism }: SaslAnswer): string {
  return mechanism === 'OAUTHBEARER' ? CANARIES.token : CANARIES.password
}

function withError(answer: SaslAnswer, errorCode: number, errorMessage: string): SaslAnswer {
  const { authenticate } = answer
  return authenticate === undefined
    ? answer
    : { ...answer, authenticate: { ...authenticate, errorCode, errorMessage } }
}

function withBytes(answer: SaslAnswer, authBytes: Uint8Array): SaslAnswer {
  const { authenticate } = answer
  return authenticate === undefined ? answer : { ...answer, authenticate: { ...authenticate, authBytes } }
}

describe('no secret of SASL is told', () => {
  for (const [behaviour, tamper] of Object.entries(brokers)) {
    for (const [saslMechanism, options] of Object.entries(mechanisms)) {
      test(`${saslMechanism}, when the broker ${behaviour}`, async () => {
        const listener = new SecretListener()
        const hear = (message: unknown) => listener.hear(message)
        for (const channel of ['net.client.socket', 'millrace', 'net.server.socket']) subscribe(channel, hear)
        const sasl = {
          users: { alice: behaviour === 'refuses' ? 'other' : CANARIES.password },
          acceptsToken: (token: string) => token === CANARIES.token,
          tamper,
        }
        await using broker = await startBroker({ quiet: true, sasl })
        const connection = {
          bootstrapServers: broker.bootstrapServers,
          securityProtocol: 'SASL_PLAINTEXT' as const,
        }
        await exercise(listener, { ...connection, saslMechanism, ...options })
        for (const channel of ['net.client.socket', 'millrace', 'net.server.socket'])
          unsubscribe(channel, hear)
        listener.assertSilent([CANARIES.password, CANARIES.token])
      })
    }
  }
})

describe('no secret of TLS is told', { skip: opensslSkip() }, () => {
  test('whether connections succeed or fail', async () => {
    const authority = new Authority()
    const client = authority.issue({ commonName: 'client' })
    const encrypted = openssl([
      'pkcs8',
      '-topk8',
      '-in',
      client.keyFile,
      '-passout',
      `pass:${CANARIES.keyPassword}`,
    ])
    const p12 = authority.pkcs12(client, CANARIES.storePassword)
    const slow = authority.pkcs12(client, CANARIES.storePassword, '-iter', '20000')
    const { cert, key } = authority.issue()
    const required = { cert, key, ca: authority.ca.cert, requestCert: true, rejectUnauthorized: true }
    await using broker = await startBroker({ quiet: true, tls: required })
    const listener = new SecretListener()
    const trust = { sslTruststoreLocation: authority.ca.certFile, securityProtocol: 'SSL' as const }
    const base = { bootstrapServers: broker.bootstrapServers, ...trust }
    const chain = { sslKeystoreCertificateChain: client.cert }
    const p12Options = { sslKeystoreLocation: p12, sslKeystorePassword: CANARIES.storePassword }
    const variants: Partial<ProducerOptions>[] = [
      { ...chain, sslKeystoreKey: client.key },
      { ...chain, sslKeystoreKey: encrypted, sslKeyPassword: CANARIES.keyPassword },
      { ...chain, sslKeystoreKey: encrypted, sslKeyPassword: `${CANARIES.keyPassword} wrong` },
      p12Options,
      { ...p12Options, sslKeystorePassword: `${CANARIES.storePassword} wrong` },
      { ...p12Options, sslKeystoreType: 'PEM' },
      { ...p12Options, sslKeystoreLocation: slow },
      { sslKeystoreLocation: slow, sslKeystorePassword: `${CANARIES.storePassword} wrong` },
      { sslKeystoreLocation: client.key },
      { ...p12Options, sslKeystoreType: encrypted as never },
      { tls: { checkServerIdentity: () => CANARIES.keyPassword as never } },
      { tls: { checkServerIdentity: async () => undefined } as never },
      { tls: { cert: client.cert, key: encrypted, passphrase: CANARIES.keyPassword } },
      { tls: { cert: client.cert, key: encrypted, passphrase: `${CANARIES.keyPassword} wrong` } },
      { tls: () => ({ cert: client.cert, key: client.key, servername: 'wrong.example' }) },
      { ...chain, sslKeystoreKey: client.key, sslTruststoreLocation: null },
      { sslTruststoreLocation: null, sslTruststoreCertificates: CANARIES.storePassword },
    ]
    for (const variant of variants) await exercise(listener, { ...base, ...variant } as ProducerOptions)
    // The middle of a key: its first bytes are the same for all keys of a kind.
    const keyText = client.key.split('\n')[2] as string
    const encryptedText = encrypted.split('\n')[4] as string
    listener.assertSilent([CANARIES.keyPassword, CANARIES.storePassword, keyText, encryptedText])
    authority.remove()
  })
})

test('no secret is told by the constructor when options are wrong', async () => {
  const listener = new SecretListener()
  const wrong: object[] = [
    { saslJaasConfig: `Module required password="${CANARIES.password}"` },
    { saslJaasConfig: `Module required password="${CANARIES.password}` },
    { saslJaasConfig: login('unknown.Module') },
    { saslMechanism: 'GSSAPI', saslJaasConfig: login('plain.PlainLoginModule') },
    { saslMechanism: 'PLAIN', saslJaasConfig: login('plain.PlainLoginModule'), 'sasl.jaas.config': 'other' },
    { saslMechanism: 'PLAIN', saslJaasConfig: { password: CANARIES.password } },
    {
      saslMechanism: 'PLAIN',
      saslJaasConfig: login('plain.PlainLoginModule'),
      saslCredentialsProvider: () => ({}),
    },
    { securityProtocol: 'PLAINTEXT', saslJaasConfig: login('plain.PlainLoginModule') },
    { saslOauthbearerAssertionPrivateKeyPassphrase: CANARIES.assertion },
    {
      saslMechanism: 'OAUTHBEARER',
      saslOauthbearerTokenEndpointUrl: `https://u:${CANARIES.clientSecret}@x/`,
      saslOauthbearerClientCredentialsClientSecret: CANARIES.clientSecret,
    },
    {
      saslMechanism: 'OAUTHBEARER',
      saslOauthbearerTokenEndpointUrl: 'https://127.0.0.1:1/',
      saslOauthbearerClientCredentialsClientId: 'id',
      saslOauthbearerClientCredentialsClientSecret: CANARIES.clientSecret,
    },
    { saslPassword: CANARIES.password },
  ]
  for (const options of wrong) {
    const all = { bootstrapServers: '127.0.0.1:1', securityProtocol: 'SASL_PLAINTEXT', ...options }
    await exercise(listener, all as ProducerOptions)
  }
  listener.assertSilent(Object.values(CANARIES))
})
