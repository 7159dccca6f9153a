// Runs on every runtime, through test/runtimes/run.mjs, against the hostile servers of tls-attack-rig.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError, Producer } from '../../dist/index.js'
import { SecretListener } from '../helpers/secret-listener.js'
import type { TlsAttack } from './tls-attack-rig.js'

const rig = JSON.parse(process.env.MILLRACE_TLS_ATTACKS as string) as {
  attacks: TlsAttack[]
  caFile: string
  canary: string
  secrets: string[]
  /** Options of a client with a key, which all have that need not be without. */
  store: object
}
const SETUP_TIMEOUT_MS = 1000
/** Long enough for a connection to be given up, late by what jitter and a busy machine add, and named. */
const MAX_BLOCK_MS = 3500
/** What a busy machine may add to any wait. */
const SLACK_MS = 4000
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'

for (const { title, port, code, reason, options } of rig.attacks) {
  test(`${title}: no record, no password, a named error in time`, async () => {
    const listener = new SecretListener()
    await using producer = new Producer({
      bootstrapServers: `127.0.0.1:${port}`,
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'PLAIN',
      saslJaasConfig: `${PLAIN} required username="alice" password="${rig.canary}";`,
      sslTruststoreLocation: rig.caFile,
      socketConnectionSetupTimeoutMs: SETUP_TIMEOUT_MS,
      socketConnectionSetupTimeoutMaxMs: SETUP_TIMEOUT_MS,
      maxBlockMs: MAX_BLOCK_MS,
      logger: listener.logger,
      ...rig.store,
      ...options,
    })
    const startedMs = performance.now()
    const error: unknown = await producer.send({ topic: 't', value: 'v' }).then(
      () => assert.fail('the record was delivered'),
      (thrown: unknown) => thrown,
    )
    const waitedMs = performance.now() - startedMs
    listener.hear(error, producer)
    listener.assertSilent(rig.secrets)
    // What may pass is tried again until max.block.ms, and is the cause of the time-out then.
    const named = (error as Error).cause instanceof KafkaError ? (error as Error).cause : error
    assert.ok(named instanceof KafkaError)
    const decisive = code === 'AUTHENTICATION_FAILED' ? error : named
    assert.equal((decisive as KafkaError).code, code, String(decisive))
    assert.match((decisive as KafkaError).message, new RegExp(reason))
    const expectedMs = code === 'AUTHENTICATION_FAILED' ? SETUP_TIMEOUT_MS : MAX_BLOCK_MS
    assert.ok(waitedMs < expectedMs + SLACK_MS, `${waitedMs} ms`)
  })
}
