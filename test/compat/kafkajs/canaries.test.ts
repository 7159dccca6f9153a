// KafkaJS's way to write secrets: in `sasl` and `ssl`, with its loggers at their most verbose.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Kafka, type KafkaConfig, type LogEntry, logLevel } from '../../../dist/compat/kafkajs/index.js'
import { startBroker } from '../../../dist/testing/index.js'
import { Authority, openssl, opensslSkip } from '../../helpers/certificates.js'
import { pemSecrets, SecretListener, secretForms } from '../../helpers/secret-listener.js'

const PASSWORD = 'c4nary-password/+ü&'
const KEY_PASSWORD = 'c4nary-key-password/+ü&'
const TOKEN = 'c4nary.of-the.token'
const HOSTILE = '\u001b]0;owned\u0007\r\nFORGED\u009b2J\u202e'

const logins: Record<string, object> = {
  plain: { mechanism: 'plain', username: 'alice', password: PASSWORD },
  'scram-sha-512': { mechanism: 'scram-sha-512', username: 'alice', password: PASSWORD },
  oauthbearer: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: TOKEN }) },
  'an unknown mechanism': { mechanism: PASSWORD, username: 'alice', password: PASSWORD },
  'a provider that throws': {
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => {
      throw new Error('no token today')
    },
  },
  aws: { mechanism: 'aws', authorizationIdentity: 'x', accessKeyId: 'x', secretAccessKey: PASSWORD },
  'no password': { mechanism: 'plain', username: PASSWORD },
}

/** Connects, sends and ends with it, and listens to errors, events and the log. */
async function exercise(listener: SecretListener, config: object): Promise<void> {
  try {
    const kafka = new Kafka({
      clientId: 'app',
      ...{ connectionTimeout: 500, requestTimeout: 500, authenticationTimeout: 500 },
      retry: { retries: 1, initialRetryTime: 10, maxRetryTime: 100 },
      logLevel: logLevel.DEBUG,
      logCreator: () => (entry: LogEntry) => listener.logger.debug(entry.log.message, entry),
      ...config,
    } as unknown as KafkaConfig)
    const producer = kafka.producer()
    for (const event of Object.values(producer.events)) {
      producer.on(event as never, (payload: unknown) => listener.hear(payload))
    }
    const messages = [{ value: 'v' }]
    const steps = [
      () => producer.connect(),
      () => producer.send({ topic: 't', messages }),
      () => producer.sendBatch({ topicMessages: [{ topic: 't', messages }] }),
    ]
    for (const step of steps) await step().catch((error: unknown) => listener.hear(error))
    listener.hear(kafka, producer)
    await producer.disconnect().catch((error: unknown) => listener.hear(error))
  } catch (error) {
    listener.hear(error)
  }
}

describe('the entry for KafkaJS tells no secret', { skip: opensslSkip() }, () => {
  for (const [name, sasl] of Object.entries(logins)) {
    test(`of ${name}, whether it is let in or not`, async () => {
      const listener = new SecretListener()
      const authority = new Authority()
      const client = authority.issue({ commonName: 'client' })
      const key = openssl(['pkcs8', '-topk8', '-in', client.keyFile, '-passout', `pass:${KEY_PASSWORD}`])
      const { cert, key: serverKey } = authority.issue()
      const tls = { cert, key: serverKey, ca: authority.ca.cert, requestCert: true, rejectUnauthorized: true }
      const secret = name === 'oauthbearer' ? TOKEN : PASSWORD
      const message = `${HOSTILE} ${secretForms(secret).join(' ')}`
      const ways = [true, false].map(async isLetIn => {
        const users = { alice: isLetIn ? PASSWORD : 'other' }
        const options = { quiet: true, tls, sasl: { users, acceptsToken: () => isLetIn } }
        await using broker = await startBroker(options)
        for (const api of ['Produce', 'SaslAuthenticate', 'InitProducerId'] as const) {
          if (api === 'SaslAuthenticate' && isLetIn) continue
          broker.fail({ api, error: 'CLUSTER_AUTHORIZATION_FAILED', message, times: 1000 })
        }
        const brokers = [broker.bootstrapServers]
        const ssl = { ca: [authority.ca.cert], cert: client.cert, key, passphrase: KEY_PASSWORD }
        await exercise(listener, { brokers, sasl, ssl })
        await exercise(listener, { brokers, sasl, ssl: { ...ssl, passphrase: `${KEY_PASSWORD}x` } })
        await exercise(listener, { brokers, sasl, ssl: { ...ssl, ca: undefined } })
        await exercise(listener, { brokers: [`kafka://alice:${PASSWORD}@h:1`], sasl })
        await exercise(listener, { brokers: () => Promise.reject(new Error('none today')), sasl })
      })
      await Promise.all(ways)
      authority.remove()
      assert.ok(listener.errors >= 10, `${listener.errors} errors`)
      listener.assertSilent([PASSWORD, KEY_PASSWORD, TOKEN, ...[client.key, key].flatMap(pemSecrets)])
    })
  }
})
