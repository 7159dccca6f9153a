// Side by side with other producers: CPU of the client process per record, against a broker that accepts
// and discards.
//
//     npm run bench -- compare [--case A,B,…] [--mode record,callback,many] [--client node24,librdkafka,…]
//                              [--repeat 5] [--records N] [--cpu-ms 1000] [--unsettled 10000] [--verify]
//
// Clients are child processes: millrace on Node 24 (promises also with a smaller young generation), Bun
// and Deno; kafka-clients (Java), librdkafka (C), franz-go (Go), kafkajs, @platformatic/kafka and
// @confluentinc/kafka-javascript; and as the floor millrace's native core alone, without JavaScript. All
// send the same bytes from one file to the same six partitions of one broker process, all with idempotence
// (but the floor), acks=all and the case's linger, batch size and codec where they have such options.
// Modes: `record` is a promise for each record, `callback` a callback for each, `many` a call for 1,000
// records. At most 10,000 records are unsettled; Java's bound is its own buffer.memory. What it costs to
// make the record objects and to hear of the outcomes is counted.
//
// Each figure comes from a process of its own, warmed up with 0.7 s of CPU (JavaScript: 2 s, Java: 5 s).
// The timed part sends as many records as take about 1 s of CPU (--cpu-ms, or --records for a fixed
// number), from the first call to the last acknowledgement. CPU is user and system time of the whole
// process, read from /proc by the bench, so it needs Linux; records/s are by the clock. Repetitions go
// round all clients, so that what disturbs the machine for a while disturbs them alike, and a run waits a
// little for a quiet moment. A row is the median by CPU, peak RSS the largest. × is the CPU over that of
// the case's best peer, of any language and mode.
//
// Every run is checked: the broker must have counted the very number of records. With --verify it checks
// all CRCs and sequences, too: that is for correctness, not for speed.
//
// A run of everything writes its tables and a chart to bench/results; a part of it only prints.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { cases, payloadsOf } from './support/cases.js'
import { chart } from './support/chart.js'
import { verdicts } from './support/criteria.js'
import { MeasuredProcess, peakRssBytesOf, quietMachine } from './support/measured-process.js'
import { writePayloads } from './support/payload-file.js'
import { clients } from './support/peers.js'
import { report, withRatios } from './support/report.js'

const PARTITIONS = 6
const MANY_UNSETTLED = 100_000
const WARM_UP_CPU_MS = 700
const RUN_MS_MAX = 120_000
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: Object.keys(cases).join(',') },
    mode: { type: 'string', default: 'many,callback,record' },
    client: { type: 'string', default: Object.keys(clients).join(',') },
    repeat: { type: 'string', default: '5' },
    records: { type: 'string' },
    'cpu-ms': { type: 'string', default: '1000' },
    unsettled: { type: 'string', default: '10000' },
    verify: { type: 'boolean', default: false },
  },
})
const isWhole = process.argv.length === 2
const chosenCases = listOf('case', Object.keys(cases))
const chosenModes = listOf('mode', ['many', 'callback', 'record'])
const chosenClients = listOf('client', Object.keys(clients))

function listOf(name, known) {
  const names = options[name].split(',')
  for (const each of names) {
    if (!known.includes(each)) throw new Error(`--${name} ${each}: ${known.join(', ')}`)
  }
  return names
}

/** What is measured, in the order of the tables; `runs` is filled by and by. */
function rowsToMeasure() {
  const unsettledMax = Number(options.unsettled)
  const rows = []
  for (const caseName of chosenCases) {
    for (const name of chosenClients) {
      for (const mode of chosenModes) {
        if (!clients[name].cases.includes(caseName) || !clients[name].modes.includes(mode)) continue
        rows.push({ caseName, name, mode, unsettledMax, runs: [] })
        if (name !== 'node24' || caseName !== 'A' || mode !== 'record') continue
        if (unsettledMax < MANY_UNSETTLED)
          rows.push({ ...rows.at(-1), unsettledMax: MANY_UNSETTLED, runs: [] })
      }
    }
  }
  return rows
}

async function timedRun(client, records, broker, isIdempotent) {
  await quietMachine()
  await broker.reset()
  const run = await client.run(records, [broker.pid])
  const counts = await broker.counts()
  if (counts.errors > 0) throw new Error(`${counts.errors} errors seen by the broker: ${counts.firstError}`)
  if (counts.batchesWithoutProducer > 0 && isIdempotent) throw new Error('batches without a producer id')
  if (counts.records !== records) throw new Error(`${counts.records} of ${records} records arrived`)
  return {
    cpuMicrosPerRecord: run.cpuMicros / records,
    recordsPerSecond: (records / run.wallMs) * 1000,
    peakRssBytes: peakRssBytesOf(client.pid),
    recordsPerBatch: counts.records / counts.batches,
    bytesPerRecord: counts.wireBytes / counts.records,
    brokerMicrosPerRecord: counts.cpuMicros / counts.records,
    othersShare: run.othersShare,
  }
}

async function measure({ caseName, name, mode, unsettledMax }, payloads, broker, serial) {
  const { command, warmUpMs = WARM_UP_CPU_MS } = clients[name]
  const { options: wanted } = cases[caseName]
  const client = new MeasuredProcess(command(), {
    bootstrapServers: broker.bootstrapServers,
    topic: `bench-${serial}`,
    partitions: PARTITIONS,
    payloads,
    mode,
    unsettledMax,
    lingerMs: wanted['linger.ms'],
    batchBytes: wanted['batch.size'],
    compression: wanted['compression.type'] ?? 'none',
    zstdLevel: wanted['compression.zstd.level'] ?? 3,
  })
  const limit = setTimeout(() => client.kill(), RUN_MS_MAX)
  try {
    await client.ready()
    const perRecord = await client.warmUp(options.records ? 0 : warmUpMs)
    const records = Number(options.records ?? Math.ceil((Number(options['cpu-ms']) * 1000) / perRecord))
    const figures = await timedRun(client, records, broker, name !== 'floor')
    await client.end()
    return { ...figures, version: client.version }
  } catch (error) {
    client.kill()
    throw new Error(`${name}, case ${caseName}, ${mode}: ${error.message}`, { cause: error })
  } finally {
    clearTimeout(limit)
  }
}

/** Round after round over all rows, so that a row's repetitions are far apart in time. */
async function measureAll(rows, folder) {
  const broker = await startDiscardBroker([
    `--partitions=${PARTITIONS}`,
    ...(options.verify ? ['--verify'] : []),
  ])
  let serial = 0
  const repeat = Number(options.repeat)
  try {
    for (let round = 1; round <= repeat; round++) {
      for (const row of rows) {
        const { caseName, name, mode } = row
        console.error(`round ${round} of ${repeat}: ${caseName} ${name} ${mode}`)
        row.runs.push(await measure(row, join(folder, caseName), broker, serial++))
      }
    }
  } finally {
    await broker.stop()
  }
}

async function main() {
  const rows = rowsToMeasure()
  for (const name of new Set(rows.map(row => row.name))) await clients[name].setUp()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    for (const caseName of chosenCases) writePayloads(join(folder, caseName), payloadsOf(cases[caseName]))
    await measureAll(rows, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
  const measured = withRatios(rows)
  const text = report(measured, isWhole ? verdicts(measured) : [])
  console.log(text)
  if (!isWhole) return
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'compare.md'), text)
  writeFileSync(join(RESULTS, 'compare.svg'), chart(measured))
}

await main()
