import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const support = (name: string) => import(new URL(`../../bench/support/${name}.js`, import.meta.url).href)
const { cases, payloadsOf } = await support('cases')
const { chart } = await support('chart')
const { readPayloads, writePayloads } = await support('payload-file')
const { report, withRatios } = await support('report')
const { verdicts } = await support('criteria')

/** One row of three runs that cost `micros` and twice and three times as much. */
function rowOf(name: string, mode: string, micros: number, caseName = 'A', unsettledMax = 10_000) {
  const runs = [3, 1, 2].map(factor => ({
    cpuMicrosPerRecord: micros * factor,
    recordsPerSecond: 1e6 / factor,
    peakRssBytes: factor * 2 ** 20,
    recordsPerBatch: 100,
    bytesPerRecord: 120,
    brokerMicrosPerRecord: 0.05,
    othersShare: 0,
    version: name,
  }))
  return { caseName, name, mode, unsettledMax, runs }
}

test('what is written to a payload file is read from it, with and without keys', t => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['A', 'B', 'D', 'FH']) {
    const payloads = payloadsOf(cases[name])
    writePayloads(join(folder, name), payloads)
    const read = readPayloads(join(folder, name))
    assert.deepEqual(read.values, payloads.values)
    assert.deepEqual(read.keys, payloads.keys)
    assert.deepEqual(read.traces, payloads.traces.map(String))
    const text = readPayloads(join(folder, name), { isText: true })
    assert.deepEqual(
      text.keys,
      payloads.keys.map((key: Buffer | undefined) => key?.toString()),
    )
  }
})

test('trace contexts are 55 characters of the form of the W3C, and differ', () => {
  const { traces, keys } = payloadsOf(cases.H)
  assert.equal(keys.length, 65_536)
  for (const trace of traces) assert.match(String(trace), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  assert.equal(new Set(traces.map(String)).size, 65_536)
})

test('values that are compressed differ from each other, so that no batch repeats one', () => {
  const { values } = payloadsOf(cases.D)
  assert.equal(new Set(values.map(String)).size, values.length)
})

test('a row is the median by CPU, with the largest memory, over the best peer of the same case', () => {
  const rows = withRatios([
    rowOf('node24', 'many', 0.1),
    rowOf('librdkafka', 'callback', 0.4),
    rowOf('franz-go', 'callback', 0.8),
    rowOf('librdkafka', 'callback', 0.01, 'B'),
    rowOf('floor', 'many', 0.001),
  ])
  const [millrace] = rows
  assert.equal(millrace.cpuMicrosPerRecord, 0.2)
  assert.equal(millrace.peakRssBytes, 3 * 2 ** 20)
  assert.equal(millrace.ratio, 0.25)
  assert.equal(millrace.speedRatio, 1)
})

test('a case without peers has no ratio, and its report says so', () => {
  const rows = withRatios([rowOf('node24', 'many', 0.1)])
  assert.ok(Number.isNaN(rows[0].ratio))
  assert.match(report(rows, []), /\| millrace, Node 24 \| many \| 0\.200 \| 0\.10 – 0\.30 \| – \|/)
})

test('the chart leaves out what is more than ten times the best peer', () => {
  const rows = withRatios([
    rowOf('node24', 'many', 0.1),
    rowOf('librdkafka', 'callback', 0.4),
    rowOf('kafkajs', 'record', 150),
  ])
  const svg = chart(rows)
  assert.match(svg, /millrace, Node 24: many/)
  assert.match(svg, /librdkafka \(C\): callback/)
  assert.doesNotMatch(svg, /kafkajs/)
})

test('goals are judged by the ratios, one line each', () => {
  const modes = ['many', 'callback', 'record']
  const own = ['A', 'B', 'C', 'D', 'E'].flatMap(caseName =>
    modes.map(mode => rowOf('node24', mode, mode === 'record' && caseName === 'C' ? 2 : 0.1, caseName)),
  )
  const peers = ['A', 'B', 'C', 'D', 'E'].map(caseName => rowOf('librdkafka', 'callback', 1, caseName))
  const young = [rowOf('node24-young8', 'record', 0.1), rowOf('node24-young16', 'record', 1)]
  const rows = withRatios([...own, rowOf('node24', 'record', 0.2, 'A', 100_000), ...young, ...peers])
  const found = verdicts(rows)
  const isMet = (goal: string) => found.find((each: { goal: string }) => each.goal.startsWith(goal)).met
  assert.equal(isMet('many, A: ×'), 'met')
  assert.equal(isMet('record, C: ×'), 'NOT MET')
  assert.equal(isMet('record, A, --max-semi-space-size=8: ×'), 'met')
  assert.equal(isMet('record, A, --max-semi-space-size=16: ×'), 'NOT MET')
  assert.equal(isMet('record, A: 100,000 unsettled'), 'NOT MET')
  assert.equal(isMet('many, B: records/s'), 'NOT MET')
})
