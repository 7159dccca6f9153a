// Texts of brokers, endpoints and files: no secret, no control character and no flood comes through.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { inspect } from 'node:util'
import { Secret } from '../../dist/common/secret.js'
import { ConfigError, KafkaError, Producer, type ProducerOptions, parseProperties } from '../../dist/index.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { apis } from '../../dist/protocol/apis.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { SaslAuthenticate } from '../../dist/protocol/sasl-authenticate.js'
import { SaslHandshake } from '../../dist/protocol/sasl-handshake.js'
import { clientCredentialsProvider } from '../../dist/security/sasl/oidc.js'
import { type FailOptions, startBroker } from '../../dist/testing/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import {
  apiVersionsResponse,
  type MetadataShape,
  metadataResponse,
  ScriptedBroker,
} from '../helpers/scripted-broker.js'
import { SecretListener } from '../helpers/secret-listener.js'

const PASSWORD = 'c4nary-of-the-password'
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
/** A title for the terminal, a line of its own in a log, the C1 form of an escape, writing turned around. */
const HOSTILE = 'x\u001b]0;owned\u0007\r\nFORGED line\u009b2J\u202egnirts\u2028FORGED'
/** As long as a string may be. */
const LONG = `${HOSTILE} ${PASSWORD} ${Buffer.from(`x${PASSWORD}`).toString('base64')} `
  .repeat(400)
  .slice(0, 16_000)

const sasl = {
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslJaasConfig: `${PLAIN} required username="alice" password="${PASSWORD}";`,
} as const

function options(bootstrapServers: string, listener: SecretListener): ProducerOptions {
  return {
    bootstrapServers,
    logger: listener.logger,
    maxBlockMs: 1_000,
    requestTimeoutMs: 1_000,
    deliveryTimeoutMs: 1_500,
    retries: 2,
    retryBackoffMs: 10,
    retryBackoffMaxMs: 50,
    lingerMs: 0,
    ...sasl,
  }
}

async function settle(producer: Producer, listener: SecretListener): Promise<string[]> {
  const outcomes = await Promise.allSettled([
    producer.send({ topic: 't', value: 'v' }),
    producer.sendMany([
      { topic: 't', value: 'v' },
      { topic: 't', value: 'w' },
    ]),
  ])
  await producer.close({ timeoutMs: 200 })
  return outcomes.map(outcome => {
    assert.equal(outcome.status, 'rejected')
    const { reason } = outcome as PromiseRejectedResult
    assert.ok(reason instanceof KafkaError, inspect(reason))
    listener.hear(reason)
    return reason.message
  })
}

describe('a text of a broker is shown without secrets, controls and floods:', () => {
  const faults: [title: string, fault: FailOptions][] = [
    ['that of a partition in Produce', { api: 'Produce', error: 'POLICY_VIOLATION', message: LONG }],
    [
      'that of a record in Produce',
      {
        api: 'Produce',
        error: 'INVALID_RECORD',
        recordErrors: [{ batchIndex: 0, batchIndexErrorMessage: LONG }],
      },
    ],
    [
      'those of ten thousand records in Produce',
      {
        api: 'Produce',
        error: 'INVALID_RECORD',
        recordErrors: Array.from({ length: 10_000 }, (_, batchIndex) => ({
          batchIndex,
          batchIndexErrorMessage: `${HOSTILE} ${PASSWORD} ${batchIndex}`,
        })),
      },
    ],
  ]
  for (const [title, fault] of faults) {
    test(title, async () => {
      const listener = new SecretListener()
      await using broker = await startBroker({ quiet: true, sasl: { users: { alice: PASSWORD } } })
      broker.fail({ times: Number.POSITIVE_INFINITY, ...fault })
      const messages = await settle(new Producer(options(broker.bootstrapServers, listener)), listener)
      assert.match(messages.join('\n'), /x\\u001b\]0;owned\\u0007\\r\\nFORGED line\\u009b2J\\u202e/)
      for (const message of messages) assert.ok(message.length < 6_000, `${message.length} characters`)
      listener.assertSilent([PASSWORD])
      listener.assertPrintable()
    })
  }

  test('that of the coordinator in FindCoordinator', async () => {
    const listener = new SecretListener()
    await using broker = await startBroker({ quiet: true, sasl: { users: { alice: PASSWORD } } })
    broker.fail({
      api: 'FindCoordinator',
      error: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      message: LONG,
      times: Number.POSITIVE_INFINITY,
    })
    await using producer = new Producer({
      ...options(broker.bootstrapServers, listener),
      transactionalId: 'x',
    })
    const error = await producer.initTransactions().then(
      () => assert.fail('it was initialised'),
      (thrown: unknown) => thrown,
    )
    listener.hear(error)
    assert.match(String(error), /x\\u001b/)
    listener.assertSilent([PASSWORD])
    listener.assertPrintable()
  })

  const hosts: [title: string, shape: (port: number) => MetadataShape][] = [
    ['hosts with controls', () => ({ brokers: [{ id: 1, host: HOSTILE, port: 9092 }] })],
    [
      'a host that is the password',
      () => ({ brokers: [{ id: 1, host: `${PASSWORD}.invalid`, port: 9092 }] }),
    ],
    ['a host of 30 KB', () => ({ brokers: [{ id: 1, host: 'h'.repeat(30_000), port: 9092 }] })],
  ]
  for (const [title, shape] of hosts) {
    test(`${title} in Metadata`, async () => {
      const listener = new SecretListener()
      const broker = await ScriptedBroker.start(request => {
        if (request.apiKey === ApiVersions.key) {
          request.reply(
            ApiVersions,
            apiVersionsResponse(apis.map(({ key, minVersion, maxVersion }) => [key, minVersion, maxVersion])),
          )
        } else if (request.apiKey === SaslHandshake.key) {
          request.reply(SaslHandshake, { errorCode: 0, mechanisms: ['PLAIN', HOSTILE] })
        } else if (request.apiKey === SaslAuthenticate.key) {
          request.reply(SaslAuthenticate, {
            errorCode: 0,
            errorMessage: null,
            authBytes: Buffer.alloc(0),
            sessionLifetimeMs: 0n,
          })
        } else if (request.apiKey === Metadata.key) {
          request.reply(
            Metadata,
            metadataResponse({ ...shape(broker.port), topics: { t: { leaders: [1] } } }),
          )
        }
        return true
      })
      try {
        await settle(new Producer(options(`127.0.0.1:${broker.port}`, listener)), listener)
        assert.ok(listener.longestLogged() < 2_000, `${listener.longestLogged()} characters`)
        listener.assertSilent([PASSWORD])
        listener.assertPrintable()
      } finally {
        await broker.close()
      }
    })
  }

  test('the mechanisms it offers', async () => {
    const listener = new SecretListener()
    await using broker = await startBroker({
      quiet: true,
      sasl: {
        users: { alice: PASSWORD },
        tamper: answer => ({
          ...answer,
          handshake: { errorCode: 33, mechanisms: [HOSTILE, PASSWORD, LONG] },
        }),
      },
    })
    await settle(new Producer(options(broker.bootstrapServers, listener)), listener)
    listener.assertSilent([PASSWORD])
    listener.assertPrintable()
  })
})

describe('the token endpoint', { skip: opensslSkip() }, () => {
  test('leaves nothing of an answer that cannot be parsed in an error, its cause included', async () => {
    const authority = new Authority()
    const token = 'c4nary-of-the-token'
    const server = createTlsServer(authority.issue(), socket => {
      socket.on('error', () => {})
      socket.on('data', () =>
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\n{"access_token":"${token}"}`),
      )
    }).unref()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const listener = new SecretListener()
    try {
      const fetching = clientCredentialsProvider({
        tokenEndpoint: new URL(`https://127.0.0.1:${port}/`),
        clientId: 'id',
        clientSecret: new Secret(PASSWORD),
        scope: null,
        urlEncodesHeader: false,
        connectTimeoutMs: 10_000,
        readTimeoutMs: 500,
        retryBackoffMs: 1,
        retryBackoffMaxMs: 1,
        extensions: {},
        ca: [authority.ca.cert],
      })()
      await Promise.resolve(fetching).then(
        () => assert.fail('there was a token'),
        (error: unknown) => listener.hear(error),
      )
      listener.assertSilent([token, PASSWORD])
    } finally {
      server.close()
      authority.remove()
    }
  })
})

describe('a configuration error does not show what may be a secret:', () => {
  const body = Array.from({ length: 3 }, (_, at) =>
    Buffer.from(`c4nary-of-the-key-${at}-${'k'.repeat(25)}`).toString('base64'),
  )
  const pem = ['-----BEGIN PRIVATE KEY-----', ...body, '-----END PRIVATE KEY-----'].join('\n')
  const secrets = [...body, PASSWORD, 'c4nary-of-the-key']
  const attempts: [title: string, options: () => object, reason: RegExp][] = [
    [
      'a PEM text in a properties file without backslashes',
      () => parseProperties(`bootstrap.servers=a:1\nssl.keystore.key=${pem}\nacks=all\n`),
      /PEM text of ssl\.keystore\.key that goes on without a backslash/,
    ],
    ['a piece of it as the name of an option', () => ({ [body[0] as string]: '' }), /name of \d+ characters/],
    [
      'a short last piece of it',
      () => ({ [`${(body[0] as string).slice(0, 30)}==`]: '' }),
      /name of 32 characters/,
    ],
    [
      'a key as the location of a store',
      () => ({ securityProtocol: 'SSL', sslKeystoreLocation: pem }),
      /a text of \d+ characters/,
    ],
    [
      'a key on one line as the location of a store',
      () => ({ securityProtocol: 'SSL', sslTruststoreLocation: body.join('') }),
      /a text of \d+ characters/,
    ],
    [
      'a key as the type of a store',
      () => ({ securityProtocol: 'SSL', sslKeystoreType: pem }),
      /ssl\.keystore\.type = \[a text of \d+ characters\]/,
    ],
    ['a key as a number', () => ({ lingerMs: body[0] }), /linger\.ms = \[a text of/],
    ['a key as a cipher suite', () => ({ securityProtocol: 'SSL', sslCipherSuites: body[0] }), /a text of/],
    [
      'user and password among the bootstrap servers',
      () => ({ bootstrapServers: `kafka://alice:${PASSWORD}@host:9092` }),
      /bootstrap\.servers: \[a text of/,
    ],
    [
      'user and password in another URL',
      () => ({ sslProvider: `https://alice:${PASSWORD}@host/` }),
      /not available/,
    ],
    [
      'a password as the login module',
      () => ({
        securityProtocol: 'SASL_SSL',
        saslMechanism: 'PLAIN',
        saslJaasConfig: `${body.join('')} required;`,
      }),
      /login module \[a text of/,
    ],
  ]
  for (const [title, make, reason] of attempts) {
    test(title, () => {
      const listener = new SecretListener()
      let thrown: unknown
      try {
        new Producer({ bootstrapServers: '127.0.0.1:1', logger: listener.logger, ...make() })
      } catch (error) {
        thrown = error
      }
      assert.ok(thrown instanceof ConfigError, inspect(thrown))
      assert.match(thrown.message, reason)
      listener.hear(thrown)
      listener.assertSilent(secrets)
      listener.assertPrintable()
    })
  }

  test('but says what is misspelt, and what a short value is', () => {
    const refused = (given: object, pattern: RegExp) =>
      assert.throws(() => new Producer({ bootstrapServers: 'a:1', ...given } as ProducerOptions), pattern)
    refused({ 'linger.mss': 5 }, /unknown option "linger\.mss"; the nearest known one is linger\.ms/)
    refused({ saslJaasConfg: 'x' }, /unknown option "saslJaasConfg"/)
    refused({ lingerMs: 'five' }, /linger\.ms = "five" is not valid/)
    const ssl = { securityProtocol: 'SSL', sslTruststoreLocation: '/no/such/kafka-2.client.trust.p12' }
    refused(ssl, /the store file "\/no\/such\/kafka-2\.client\.trust\.p12" cannot be read: ENOENT/)
  })
})

test('names and values of the caller are shown printable and cut', async () => {
  const listener = new SecretListener()
  await using producer = new Producer({ bootstrapServers: '127.0.0.1:1', logger: listener.logger })
  const hear = (error: unknown) => listener.hear(error)
  await producer.send({ topic: HOSTILE, value: 'v' }).catch(hear)
  await producer.send({ topic: HOSTILE.repeat(10_000), value: 'v' }).catch(hear)
  await producer.send({ topic: 't', value: 'v', headers: { [HOSTILE]: {} } as never }).catch(hear)
  try {
    new Producer({ bootstrapServers: HOSTILE })
  } catch (error) {
    hear(error)
  }
  assert.equal(listener.errors, 4)
  listener.assertPrintable()
})
