// Runs on every runtime, through test/runtimes/run.mjs, against the KDC and the Kafka of kerberos.test.ts.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthenticationError, Producer, type ProducerOptions } from '../../dist/index.js'
import { RecordDigest } from '../kafka/digest.js'

/** What the test has started, as JSON can carry it. */
export interface KerberosRig {
  /** The listener by the name that is in the broker's principal, and by its address. */
  readonly byName: string
  readonly byAddress: string
  readonly topic: string
  readonly kinit: string
  readonly principal: string
  readonly keytab: string
  /** Whose tickets last as long as the test. */
  readonly steady: string
  readonly steadyKeytab: string
  readonly renewals: number
  readonly resultFile: string
}

/** What the records under load came to. */
export interface KerberosResult {
  readonly sent: number
  readonly sha256: string
  readonly renewals: number
  readonly longestMs: number
}

const { MILLRACE_KERBEROS_RIG } = process.env
const rig = JSON.parse(MILLRACE_KERBEROS_RIG as string) as KerberosRig

const UNSETTLED_MAX = 10_000
const LOAD_MS_MAX = 180_000
const KRB5_MODULE = 'com.sun.security.auth.module.Krb5LoginModule required'
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const base = (): ProducerOptions => ({
  bootstrapServers: rig.byName,
  securityProtocol: 'SASL_PLAINTEXT',
  saslKerberosServiceName: 'kafka',
  saslKerberosKinitCmd: rig.kinit,
  maxBlockMs: 30_000,
  logger: quiet,
})
const keytab = (principal = rig.principal) =>
  `${KRB5_MODULE} useKeyTab=true storeKey=true keyTab="${rig.keytab}" principal="${principal}";`

async function refused(options: ProducerOptions, pattern: RegExp): Promise<void> {
  await using producer = new Producer(options)
  await assert.rejects(producer.send({ topic: 'never', value: 'v' }), (error: Error) => {
    assert.ok(error instanceof AuthenticationError, String(error))
    assert.match(error.message, pattern)
    return true
  })
}

test('tickets and sessions are renewed while records flow', async () => {
  let renewals = 0
  await using producer = new Producer({
    ...base(),
    // GSSAPI is the default of sasl.mechanism.
    saslJaasConfig: keytab(),
    saslKerberosMinTimeBeforeRelogin: 1000,
    saslKerberosTicketRenewWindowFactor: 0.5,
    logger: { ...quiet, debug: text => void (/\(id 1\) again$/.test(text) && renewals++) },
  })
  const { topic } = rig
  const value = Buffer.alloc(100)
  const expected = new RecordDigest()
  let failed: Error | null = null
  let [sent, unsettled, longestMs] = [0, 0, 0]
  let lastAt = performance.now()
  const endsAt = Date.now() + LOAD_MS_MAX
  while (renewals < rig.renewals) {
    assert.ok(Date.now() < endsAt, `${renewals} renewals so far`)
    assert.equal(failed, null)
    for (let more = 0; more < 100 && unsettled < UNSETTLED_MAX; more++) {
      value.writeUInt32BE(sent++)
      expected.add({ key: null, value, headers: [] })
      unsettled++
      producer.send({ topic, value }, error => {
        unsettled--
        failed ??= error
        const now = performance.now()
        longestMs = Math.max(longestMs, Math.round(now - lastAt))
        lastAt = now
      })
    }
    await sleep(10)
  }
  await producer.flush()
  assert.equal(failed, null)
  assert.equal(unsettled, 0)
  const result: KerberosResult = { sent, sha256: expected.hex(), renewals, longestMs }
  writeFileSync(rig.resultFile, JSON.stringify(result))
})

/** What somebody else does for the process: the cache has a ticket that lasts. */
function fillCache(): void {
  execFileSync('kinit', ['-k', '-t', rig.steadyKeytab, rig.steady])
}

test('tickets that are there already are used, without a login of ours', async () => {
  fillCache()
  await using producer = new Producer({ ...base(), saslMechanism: 'GSSAPI', saslKerberosKinitCmd: '/none' })
  const { offset } = await producer.send({ topic: `${rig.topic}-given`, value: 'v' })
  assert.equal(offset, 0n)
})

test('tickets of a cache are renewed', async () => {
  fillCache()
  await using producer = new Producer({
    ...base(),
    saslJaasConfig: `${KRB5_MODULE} useTicketCache=true principal="${rig.steady}";`,
    saslKerberosTicketRenewWindowFactor: 0,
    saslKerberosTicketRenewJitter: 0,
  })
  const { offset } = await producer.send({ topic: `${rig.topic}-renewed`, value: 'v' })
  assert.equal(offset, 0n)
})

test('an address becomes the name that the broker has a key for', async () => {
  fillCache()
  const byAddress = { ...base(), bootstrapServers: rig.byAddress }
  await refused(byAddress, /by GSSAPI failed: .*not found in Kerberos database/)
  await using producer = new Producer({
    ...byAddress,
    clientDnsLookup: 'resolve_canonical_bootstrap_servers_only',
  })
  const { offset } = await producer.send({ topic: `${rig.topic}-canonical`, value: 'v' })
  assert.equal(offset, 0n)
})

test('what the KDC refuses is said in its words', async () => {
  fillCache()
  await refused({ ...base(), saslKerberosServiceName: 'other' }, /not found in Kerberos database/)
  await refused({ ...base(), saslJaasConfig: keytab('nobody@MILLRACE.TEST') }, /kinit -k failed: .*nobody/)
})
