import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { opensslSkip } from '../helpers/certificates.js'
import { kafkaSkip } from './java.js'
import { JavaClient } from './java-client.js'
import { JAAS_PASSWORD, type SecuredKafka, startSecuredKafka, USER } from './secured-kafka.js'

const skip = kafkaSkip() || opensslSkip()
const runner = fileURLToPath(new URL('../../test/runtimes/run.mjs', import.meta.url))
const suite = fileURLToPath(new URL('security-matrix.suite.js', import.meta.url))

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']
const COMBINATIONS = [
  ...['PLAINTEXT', 'SSL', 'mTLS-PEM', 'mTLS-PKCS12', 'mTLS-tls'],
  ...MECHANISMS.flatMap(mechanism =>
    ['SASL_PLAINTEXT', 'SASL_SSL', 'SASL_MTLS'].map(listener => `${listener}-${mechanism}`),
  ),
]
const RUNTIMES = ['current', 'bun', 'deno']
const RECORDS = 40

describe('a real Kafka takes records over every kind of listener', { skip, timeout: 300_000 }, () => {
  let secured: SecuredKafka
  let java: JavaClient

  before(async () => {
    java = new JavaClient()
    secured = await startSecuredKafka()
  })
  after(async () => {
    await java?.close()
    await secured?.[Symbol.asyncDispose]()
  })

  for (const runtime of RUNTIMES) {
    test(`from ${runtime}, and the Java consumer reads them back`, async () => {
      const rig = JSON.stringify({ ...secured.rig, user: USER, jaasPassword: JAAS_PASSWORD })
      const env = { ...process.env, MILLRACE_SECURED_RIG: rig }
      const child = spawn(process.execPath, [runner, '--suite', suite, runtime], { env })
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
      const [status] = await once(child, 'close')
      assert.equal(status, 0, output)
      for (const name of COMBINATIONS) {
        const read = await java.read(secured.kafka.bootstrapServers, `${runtime}-${name}`)
        const values = read.map(({ value }) => String(value)).sort()
        const expected = Array.from({ length: RECORDS }, (_, i) => `${name} ${i}`).sort()
        assert.deepEqual(values, expected, name)
      }
    })
  }
})
