// All secrets that a producer can have are canaries at once, and everything fails that can. Peers send back
// whatever they have been sent.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { awsMskIamTokenProvider, Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { Authority, type Certificate, openssl, opensslSkip } from '../helpers/certificates.js'
import { pemSecrets, SecretListener, secretForms } from '../helpers/secret-listener.js'

const canary = (name: string) => `c4nary-${name}/+ü&`

const PASSWORD = canary('password')
const CLIENT_SECRET = canary('client-secret')
const KEY_PASSWORD = canary('key-password')
const STORE_PASSWORD = canary('store-password')
const ASSERTION_PASSWORD = canary('assertion-password')
const SECRET_ACCESS_KEY = canary('secret-access-key')
const TOKEN = 'c4nary.of-the.token'

const OAUTH = 'org.apache.kafka.common.security.oauthbearer'
const login = (module: string, more: string) => `org.apache.kafka.common.security.${module} required ${more};`

type Options = Partial<ProducerOptions>

/** How a peer treats what it is sent. */
type Peer = (socket: Socket) => void

const HOSTILE_TEXT = '\u001b]0;owned\u0007\r\nFORGED\u009b2J\u202e'

const framed = (bytes: Uint8Array) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

const peers: Record<string, Peer> = {
  'closes at once': socket => socket.destroy(),
  'says nothing': socket => socket.resume(),
  'sends everything back': socket => socket.on('data', data => socket.write(data)),
  'sends everything back as the answer': socket =>
    socket.on('data', (data: Buffer) => {
      // With the number of the request, which stands behind its length, key and version.
      socket.write(framed(Buffer.concat([data.subarray(8, 12), data])))
    }),
  'answers in HTTP with what it was sent': socket =>
    socket.on('data', data => {
      socket.end(`HTTP/1.1 400 ${data.toString('base64')}\r\nx: ${data.toString('latin1')}\r\n\r\n${data}`)
    }),
  'announces too much': socket => socket.on('data', () => socket.write(Buffer.alloc(64, 0x7f))),
  'answers with nothing but noughts': socket => socket.on('data', () => socket.write(Buffer.alloc(4096))),
}

/** What brokers say where they may say something: the secret in every form, and what terminals obey. */
const repeated = (secret: string) => `${HOSTILE_TEXT} ${secretForms(secret).join(' ')}`

describe('with canaries for secrets, whatever fails', { skip: opensslSkip() }, () => {
  let authority: Authority
  let server: Certificate
  let client: Certificate
  let tls: Options
  const closing: Server[] = []
  /** Of each way to prove who one is. */
  let logins: Record<string, Options>
  let secrets: string[]

  before(() => {
    authority = new Authority()
    server = authority.issue()
    client = authority.issue({ commonName: 'client' })
    const encrypted = openssl(['pkcs8', '-topk8', '-in', client.keyFile, '-passout', `pass:${KEY_PASSWORD}`])
    const signing = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: {
        ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' },
        passphrase: ASSERTION_PASSWORD,
      },
    }).privateKey
    const p12 = authority.pkcs12(client, STORE_PASSWORD)
    tls = {
      sslTruststoreLocation: authority.ca.certFile,
      sslKeystoreCertificateChain: client.cert,
      sslKeystoreKey: encrypted,
      sslKeyPassword: KEY_PASSWORD,
    }
    const assertion = {
      saslOauthbearerAssertionPrivateKeyFile: authority.file(signing),
      saslOauthbearerAssertionPrivateKeyPassphrase: ASSERTION_PASSWORD,
      saslOauthbearerAssertionClaimIss: 'me',
      saslOauthbearerAssertionClaimSub: 'me',
      saslOauthbearerAssertionClaimAud: 'you',
    }
    const credentials = async () => ({
      ...{ accessKeyId: 'AKIA', secretAccessKey: SECRET_ACCESS_KEY, sessionToken: canary('session') },
    })
    logins = {
      PLAIN: {
        saslMechanism: 'PLAIN',
        saslJaasConfig: login('plain.PlainLoginModule', `username="alice" password="${PASSWORD}"`),
      },
      'SCRAM-SHA-256': {
        saslMechanism: 'SCRAM-SHA-256',
        saslCredentialsProvider: () => ({ username: 'alice', password: PASSWORD }),
      },
      token: { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: () => TOKEN },
      'Amazon MSK': {
        saslMechanism: 'OAUTHBEARER',
        saslOauthTokenProvider: awsMskIamTokenProvider({ region: 'eu-central-1', credentials }),
      },
      'client secret': {
        saslMechanism: 'OAUTHBEARER',
        saslOauthbearerClientCredentialsClientId: 'id',
        saslOauthbearerClientCredentialsClientSecret: CLIENT_SECRET,
        saslJaasConfig: login(
          'oauthbearer.OAuthBearerLoginModule',
          `ssl.truststore.location="${authority.ca.certFile}" ssl.truststore.password="${STORE_PASSWORD}"`,
        ),
        saslLoginRetryBackoffMaxMs: 1,
      },
      assertion: {
        saslMechanism: 'OAUTHBEARER',
        saslOauthbearerJwtRetrieverClass: `${OAUTH}.JwtBearerJwtRetriever`,
        saslJaasConfig: login(
          'oauthbearer.OAuthBearerLoginModule',
          `ssl.truststore.location="${authority.ca.certFile}"`,
        ),
        ...assertion,
        saslLoginRetryBackoffMaxMs: 1,
      },
      'key store': { sslKeystoreLocation: p12, sslKeystorePassword: STORE_PASSWORD },
    }
    const words = [PASSWORD, CLIENT_SECRET, KEY_PASSWORD, STORE_PASSWORD, ASSERTION_PASSWORD, TOKEN]
    const store = readFileSync(p12).subarray(100, 160).toString('base64').slice(2, -4)
    const keys = [client.key, encrypted, signing].flatMap(pemSecrets)
    secrets = [...words, SECRET_ACCESS_KEY, canary('session'), ...keys, store]
  })
  after(async () => {
    for (const each of closing.splice(0)) each.close()
    authority?.remove()
  })

  async function listen(peer: Peer, options: TlsOptions | null): Promise<number> {
    const take = (socket: Socket) => {
      socket.on('error', () => {})
      peer(socket)
    }
    const made = options === null ? createServer(take) : createTlsServer(options, take)
    closing.push(made.unref())
    await new Promise<void>(resolve => made.listen(0, '127.0.0.1', resolve))
    return (made.address() as AddressInfo).port
  }

  /** Sends, asks and closes with it; everything that is said is heard. */
  async function exercise(listener: SecretListener, options: Options): Promise<void> {
    let producer: Producer
    try {
      producer = await Producer.create({
        ...{
          maxBlockMs: 300,
          requestTimeoutMs: 200,
          deliveryTimeoutMs: 400,
          retryBackoffMs: 10,
          lingerMs: 0,
        },
        ...{ socketConnectionSetupTimeoutMs: 200, socketConnectionSetupTimeoutMaxMs: 200 },
        logger: listener.logger,
        ...options,
      } as ProducerOptions)
    } catch (error) {
      listener.hear(error)
      return
    }
    const { transactionalId } = options
    const outcomes = await Promise.allSettled([
      producer.connect({ timeoutMs: 300 }),
      ...(transactionalId === undefined ? [] : [producer.initTransactions()]),
      producer.send({ topic: 't', value: 'v' }),
      producer.sendMany([{ topic: 't', value: 'v' }]),
      producer.partitionsFor('u'),
      producer.flush(),
    ])
    for (const outcome of outcomes) if (outcome.status === 'rejected') listener.hear(outcome.reason)
    listener.hear(producer, producer.health(), producer.metrics())
    await producer.close({ timeoutMs: 50 }).catch((error: unknown) => listener.hear(error))
  }

  for (const [behaviour, peer] of Object.entries(peers)) {
    test(`a peer that ${behaviour}`, async () => {
      const listener = new SecretListener()
      const plain = await listen(peer, null)
      const required = { requestCert: true, rejectUnauthorized: true, ca: authority.ca.cert }
      const secured = await listen(peer, { ...server, ...required })
      const stranger = await listen(peer, { ...authority.selfSigned('127.0.0.1') })
      const endpoint = await listen(peer, server)
      const way = (port: number, sasl: Options, more: Options) => {
        const name = sasl.saslMechanism === undefined ? '' : 'SASL_'
        return exercise(listener, {
          bootstrapServers: `127.0.0.1:${port}`,
          securityProtocol: `${name}${port === plain ? 'PLAINTEXT' : 'SSL'}` as 'SASL_SSL',
          ...(sasl.saslLoginRetryBackoffMaxMs === undefined
            ? {}
            : { saslOauthbearerTokenEndpointUrl: `https://127.0.0.1:${endpoint}/` }),
          ...more,
          ...sasl,
        })
      }
      await Promise.all(
        Object.values(logins).flatMap(sasl => [
          way(plain, sasl, {}),
          way(
            secured,
            sasl,
            'sslKeystoreLocation' in sasl ? { sslTruststoreLocation: authority.ca.certFile } : tls,
          ),
          way(stranger, sasl, 'sslKeystoreLocation' in sasl ? {} : tls),
        ]),
      )
      assert.ok(listener.errors > 30, `${listener.errors} errors`)
      listener.assertSilent(secrets)
    })
  }

  const refusals: [title: string, plan: (broker: TestBroker, message: string) => void][] = [
    ...(['POLICY_VIOLATION', 'TOPIC_AUTHORIZATION_FAILED', 'UNKNOWN_SERVER_ERROR', 999] as const).map(
      (error): (typeof refusals)[number] => [
        `Produce with ${error}`,
        (broker, message) => {
          const recordErrors = [{ batchIndex: 0, batchIndexErrorMessage: message }]
          broker.fail({ api: 'Produce', error, message, recordErrors, times: Number.POSITIVE_INFINITY })
        },
      ],
    ),
    ...(['FindCoordinator', 'InitProducerId', 'Metadata', 'ApiVersions', 'SaslHandshake'] as const).map(
      (api): (typeof refusals)[number] => [
        `${api} with CLUSTER_AUTHORIZATION_FAILED`,
        (broker, message) =>
          broker.fail({
            api,
            error: 'CLUSTER_AUTHORIZATION_FAILED',
            message,
            times: Number.POSITIVE_INFINITY,
          }),
      ],
    ),
    [
      'every request with bytes it was sent',
      (broker, message) =>
        broker.mutateReply((_api, _version, reply) =>
          Buffer.concat([reply.subarray(0, 8), Buffer.from(message)]),
        ),
    ],
  ]
  for (const [title, plan] of refusals) {
    test(`a broker that refuses ${title} and repeats all it knows`, async () => {
      const listener = new SecretListener()
      const attempt = async (name: string, secret: string, options: TlsOptions | null) => {
        const sasl = { users: { alice: PASSWORD }, acceptsToken: () => true }
        await using broker = await startBroker({
          quiet: true,
          sasl,
          ...(options === null ? {} : { tls: options }),
        })
        plan(broker, repeated(secret))
        await exercise(listener, {
          bootstrapServers: broker.bootstrapServers,
          securityProtocol: options === null ? 'SASL_PLAINTEXT' : 'SASL_SSL',
          ...(title.startsWith('Produce') ? {} : { transactionalId: 'x' }),
          ...(options === null ? {} : tls),
          ...logins[name],
        })
      }
      const required = { requestCert: true, rejectUnauthorized: true, ca: authority.ca.cert }
      const ways = { PLAIN: PASSWORD, 'SCRAM-SHA-256': PASSWORD, token: TOKEN }
      await Promise.all(
        Object.entries(ways).flatMap(([name, secret]) => [
          attempt(name, secret, null),
          attempt(name, secret, { ...server, ...required }),
        ]),
      )
      assert.ok(listener.errors > 5, `${listener.errors} errors`)
      listener.assertSilent(secrets)
    })
  }

  const answers: [title: string, answer: (secret: string) => string][] = [
    [
      'refuses with an error',
      s => http(401, JSON.stringify({ error: s, error_description: s, error_uri: s })),
    ],
    ['refuses in its status line', s => `HTTP/1.1 401 ${s}\r\ncontent-length: 0\r\n\r\n`],
    ['redirects', s => `HTTP/1.1 302 Found\r\nlocation: https://x/${s}\r\ncontent-length: 0\r\n\r\n`],
    ['has no token', s => http(200, JSON.stringify({ token: s }))],
    ['is no JSON', s => http(200, `{"access_token": ${s}`)],
    ['has headers that are none', s => `HTTP/1.1 200 OK\r\ncontent-length: ${s}\r\n\r\n{}`],
    ['is no HTTP', s => `${s}\r\n\r\n`],
    ['has a token of control characters', s => http(200, JSON.stringify({ access_token: `${s}\r\n\u001b` }))],
    ['has a lifetime that is none', s => http(200, JSON.stringify({ access_token: TOKEN, expires_in: s }))],
    ['is cut', s => `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"access_token":"${s}`],
  ]
  for (const [title, answer] of answers) {
    test(`a token endpoint whose answer ${title}, with the secrets in it`, async () => {
      const listener = new SecretListener()
      await using broker = await startBroker({ quiet: true, sasl: { acceptsToken: () => false } })
      const ways = (['client secret', 'assertion'] as const).map(async name => {
        const endpoint = await listen(socket => {
          socket.on('data', data => {
            const seen = `${data}`.replace(/\s/g, ' ')
            socket.end(answer(`${CLIENT_SECRET} ${TOKEN} ${seen}`))
          })
        }, server)
        await exercise(listener, {
          bootstrapServers: broker.bootstrapServers,
          securityProtocol: 'SASL_PLAINTEXT',
          saslOauthbearerTokenEndpointUrl: `https://127.0.0.1:${endpoint}/`,
          ...logins[name],
        })
      })
      await Promise.all(ways)
      assert.ok(listener.errors > 3, `${listener.errors} errors`)
      listener.assertSilent(secrets)
    })
  }
})

function http(status: number, body: string): string {
  return `HTTP/1.1 ${status} x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
