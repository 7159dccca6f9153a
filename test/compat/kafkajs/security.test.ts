// ssl and sasl in the forms people write, on kafkajs and on ours, against the in-process broker.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as ours from '../../../dist/compat/kafkajs/index.js'
import { type BrokerOptions, startBroker } from '../../../dist/testing/index.js'
import { Authority, type Certificate, opensslSkip } from '../../helpers/certificates.js'
import { original } from './compare.js'
import { outcome } from './observe.js'
import type { Library } from './scenario.js'
import { untyped } from './scenario.js'

const USERS = { users: { alice: 'secret' }, acceptsToken: (token: string) => token === 'good' }

interface Form {
  readonly name: string
  readonly config: () => object
  /** Names of the error, where the two are to be alike only in these. */
  readonly fails?: true
}

const password = (mechanism: string, given = 'secret') => ({
  sasl: { mechanism, username: 'alice', password: given },
})

/** PLAIN by a provider of the application's own, with lengths in front as KafkaJS has them. */
const ownProvider = (given: string) => ({
  sasl: {
    mechanism: 'plain',
    authenticationProvider: ({ host, port, logger, saslAuthenticate }: ours.AuthenticationProviderArgs) => ({
      authenticate: async () => {
        assert.equal(typeof host, 'string')
        assert.equal(typeof port, 'number')
        assert.equal(typeof logger.debug, 'function')
        const message = Buffer.from(`\0alice\0${given}`)
        const framed = Buffer.concat([Buffer.alloc(4), message])
        framed.writeInt32BE(message.length)
        const answer = await saslAuthenticate({
          request: { encode: () => framed },
          response: { decode: async (raw: Buffer) => raw, parse: (data: Buffer) => data.length },
        })
        // The empty answer of PLAIN, with its length in front.
        assert.equal(answer, 4)
      },
    }),
  },
})

const forms: readonly Form[] = [
  ...['plain', 'PLAIN', 'scram-sha-256', 'SCRAM-SHA-256', 'scram-sha-512', 'Scram-Sha-512'].map(
    mechanism => ({
      name: mechanism,
      config: () => password(mechanism),
    }),
  ),
  ...['plain', 'scram-sha-256', 'scram-sha-512'].map(mechanism => ({
    name: `${mechanism}, wrong password`,
    config: () => password(mechanism, 'wrong'),
    fails: true as const,
  })),
  {
    name: 'plain without a password',
    config: () => ({ sasl: { mechanism: 'plain', username: 'alice' } }),
    fails: true,
  },
  { name: 'a mechanism that does not exist', config: () => password('gssapi'), fails: true },
  {
    name: 'oauthbearer',
    config: () => ({
      sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: 'good' }) },
    }),
  },
  {
    name: 'oauthbearer without a provider',
    config: () => ({ sasl: { mechanism: 'oauthbearer' } }),
    fails: true,
  },
  { name: 'authenticationProvider', config: () => ownProvider('secret') },
  { name: 'authenticationProvider, refused', config: () => ownProvider('wrong'), fails: true },
]

async function deliver(library: Library, brokerOptions: BrokerOptions, config: object): Promise<unknown> {
  await using broker = await startBroker({ quiet: true, ...brokerOptions })
  const kafka = new library.Kafka({
    brokers: [broker.bootstrapServers],
    logLevel: library.logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 50 },
    ...untyped(config),
  })
  const producer = kafka.producer()
  const connected = (await outcome(producer.connect)) as { rejected?: { name: string; retriable: boolean } }
  if (connected.rejected !== undefined) {
    const { name, retriable } = connected.rejected
    await producer.disconnect()
    return { name, retriable }
  }
  const sent = await outcome(() => producer.send({ topic: 't', messages: [{ value: 'v' }] }))
  await producer.disconnect()
  return { sent, stored: [...broker.records('t')].length }
}

describe('sasl', () => {
  for (const { name, config, fails } of forms) {
    test(name, async () => {
      const theirs = await deliver(original, { sasl: USERS }, config())
      const own = await deliver(ours as Library, { sasl: USERS }, config())
      if (fails) {
        // KafkaJS lets a provider's own error pass; ours says that the authentication failed.
        assert.equal((own as { retriable?: boolean }).retriable, false, JSON.stringify(own))
        assert.equal((theirs as { stored?: number }).stored, undefined, JSON.stringify(theirs))
        assert.match(String((own as { name: string }).name), /SASLAuthentication|NonRetriable/)
      } else assert.deepEqual(own, theirs)
    })
  }

  test("'aws' is refused with the way out", async () => {
    const sasl = { mechanism: 'aws', authorizationIdentity: 'a', accessKeyId: 'b', secretAccessKey: 'c' }
    const kafka = new ours.Kafka({ brokers: ['127.0.0.1:1'], sasl: untyped(sasl) })
    await assert.rejects(kafka.producer().connect(), (error: Error) => {
      assert.ok(error instanceof ours.KafkaJSNotImplemented)
      assert.match(error.message, /awsMskIamTokenProvider/)
      return true
    })
  })

  test('a token that is refused', async () => {
    const config = { sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: 'bad' }) } }
    const own = (await deliver(ours as Library, { sasl: USERS }, config)) as { name: string }
    assert.equal(own.name, 'KafkaJSSASLAuthenticationError')
  })
})

describe('ssl', { skip: opensslSkip() }, () => {
  let authority: Authority
  let server: Certificate
  let client: Certificate
  before(() => {
    authority = new Authority()
    server = authority.issue()
    client = authority.issue({ commonName: 'client' })
  })
  after(() => authority.remove())

  const cases: Record<string, () => object> = {
    ca: () => ({ ssl: { ca: [authority.ca.cert] } }),
    'rejectUnauthorized: false': () => ({ ssl: { rejectUnauthorized: false } }),
    servername: () => ({ ssl: { ca: authority.ca.cert, servername: 'localhost' } }),
    'true, with an authority nobody knows': () => ({ ssl: true }),
    'true and sasl': () => ({ ssl: { ca: authority.ca.cert }, ...password('scram-sha-256') }),
  }
  for (const [name, config] of Object.entries(cases)) {
    test(name, async () => {
      const { cert, key } = server
      const options = { tls: { cert, key }, ...('sasl' in config() ? { sasl: USERS } : {}) }
      assert.deepEqual(
        await deliver(ours as Library, options, config()),
        await deliver(original, options, config()),
      )
    })
  }

  test('a client certificate', async () => {
    const tls = { cert: server.cert, key: server.key, ca: authority.ca.cert, requestCert: true }
    const config = { ssl: { ca: authority.ca.cert, cert: client.cert, key: client.key } }
    assert.deepEqual(
      await deliver(ours as Library, { tls }, config),
      await deliver(original, { tls }, config),
    )
  })
})
