import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { opensslSkip } from '../helpers/certificates.js'

const bench = new URL('../../bench/', import.meta.url)
const support = (name: string) => import(new URL(`support/${name}.js`, bench).href)
const { cases } = await support('cases')
const { Bench, check } = await support('measurement')
const { modesOf } = await support('peers')

const RECORDS = 1500
const MODES = ['many', 'callback', 'record']

const optionsOf = (caseName: string) => ({
  timeout: 60_000,
  skip: cases[caseName].tls ? opensslSkip() : false,
})

/** Those that need no more than this project's own packages, on the Node that runs the tests. */
const scripts: Record<string, string> = {
  node24: 'support/compare-client.js',
  'kafkajs-entry': 'support/kafkajs-entry-client.js',
  kafkajs: 'peers/node/kafkajs.js',
}
const commandOf = (name: string) => ({
  program: process.execPath,
  args: [fileURLToPath(new URL(scripts[name] as string, bench))],
})
const runs = new Bench({ verify: true, commandOf })
after(() => runs.close())

/** Sends a few records; the run fails unless the broker finds what it should in each of them. */
async function runOnce(name: string, caseName: string, mode: string) {
  const unsettledMax = Math.min(10_000, cases[caseName].unsettledMax)
  const records = Math.min(RECORDS, unsettledMax)
  return runs.measure({ caseName, name, mode, unsettledMax }, { records, isHurried: true })
}

for (const [at, caseName] of Object.keys(cases).entries()) {
  const mode = MODES[at % MODES.length] as string
  test(`millrace sends what case ${caseName} asks for (${mode})`, optionsOf(caseName), async () => {
    const { bytesPerRecord, recordsPerBatch } = await runOnce('node24', caseName, mode)
    assert.ok(bytesPerRecord > 0 && recordsPerBatch >= 1)
  })
}

for (const name of ['kafkajs-entry', 'kafkajs']) {
  for (const [at, caseName] of ['F', 'H', 'FH', 'T', 'A12', 'Zg'].entries()) {
    const mode = at % 2 === 0 ? 'many' : 'record'
    test(`${name} sends what case ${caseName} asks for (${mode})`, optionsOf(caseName), async () => {
      const { bytesPerRecord } = await runOnce(name, caseName, mode)
      assert.ok(bytesPerRecord > 0)
    })
  }
}

test('a run is refused where headers, bytes, records or the cipher are not those of the case', () => {
  const sums = { records: 10, keyBytes: 120, valueBytes: 1000, headers: 20, headerBytes: 940 }
  const counts = { errors: 0, batchesWithoutProducer: 0, records: 10, cipher: null, sums }
  const how = { verify: true, isIdempotent: true }
  check(counts, 10, cases.H, how)
  assert.throws(() => check({ ...counts, records: 9 }, 10, cases.H, how), /9 of 10 records arrived/)
  assert.throws(
    () => check({ ...counts, sums: { ...sums, headers: 10 } }, 10, cases.H, how),
    /headers: 10 instead of 20/,
  )
  assert.throws(
    () => check({ ...counts, sums: { ...sums, valueBytes: 150 } }, 10, cases.H, how),
    /valueBytes: 150 instead of 1000/,
  )
  assert.throws(() => check(counts, 10, cases.A, how), /headers: 20 instead of 0/)
  assert.throws(() => check(counts, 10, cases.T, how), /the connection has null/)
  const weak = 'TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'
  assert.throws(() => check({ ...counts, cipher: weak }, 10, cases.T, how), /TLSv1\.2/)
})

test('a client has the cases and modes that its interface can do', () => {
  assert.deepEqual(modesOf('librdkafka', 'A'), ['many', 'callback'])
  assert.deepEqual(modesOf('librdkafka', 'FH1'), ['callback'])
  assert.deepEqual(modesOf('kafkajs', 'Zs'), [])
  assert.deepEqual(modesOf('kafkajs', 'Zg'), ['many', 'record'])
  assert.deepEqual(modesOf('floor', 'H'), [])
  for (const name of ['node24', 'bun', 'deno']) {
    for (const caseName of Object.keys(cases)) assert.deepEqual(modesOf(name, caseName), MODES)
  }
})
