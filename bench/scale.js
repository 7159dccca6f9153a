// What many partitions, topics and brokers cost.
//
//     npm run bench -- scale [--repeat 3] [--cpu-ms 1000] [--idle-seconds 5]
//
// CPU per record and peak RSS of millrace on Node 24 with 1, 100 and 10,000 partitions; 1 and 1,000
// topics; 1, 3 and 30 brokers (ports of one discarding broker). Records of 100 bytes go to the partitions
// in turn, sixteen at a time, with batches that hold just sixteen, so that the fill of batches is the
// same everywhere and only the number of places differs; arrays of 1,024 records, linger.ms 0, at most
// 10,000 unsettled. CPU is measured as in compare.js. Idle CPU is that of the whole process after all
// that, when it has nothing to send.
//
// A run without options writes its table to bench/results.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { met } from './support/criteria.js'
import { machine } from './support/machine.js'
import { cpuMicrosOf, MeasuredProcess, peakRssBytesOf, quietMachine } from './support/measured-process.js'
import { writePayloads } from './support/payload-file.js'
import { letterRing } from './support/payloads.js'
import { disturbance, median, table } from './support/report.js'
import { commandOf } from './support/runtimes.js'
import { makeShipped } from './support/shipped.js'

const MIB = 1024 * 1024
const RECORD_BYTES = 100
const RECORDS_PER_BATCH = 16
/** 61 bytes of header and sixteen records of 109; a seventeenth does not fit. */
const BATCH_BYTES = 1850
const UNSETTLED_MAX = 10_000
const WARM_UP_CPU_MS = 1000
const PARTITIONS_RATIO_MAX = 1.3
const IDLE_PERCENT_MAX = 0.5
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))
const client = fileURLToPath(new URL('support/scale-client.js', import.meta.url))

const { values: options } = parseArgs({
  options: {
    repeat: { type: 'string', default: '3' },
    'cpu-ms': { type: 'string', default: '1000' },
    'idle-seconds': { type: 'string', default: '5' },
  },
})
await makeShipped()
const rows = [
  { topics: 1, partitions: 1, nodes: 1 },
  { topics: 1, partitions: 100, nodes: 1 },
  { topics: 1, partitions: 10_000, nodes: 1 },
  { topics: 1000, partitions: 10, nodes: 1 },
  { topics: 1, partitions: 100, nodes: 3 },
  { topics: 1, partitions: 100, nodes: 30 },
].map(row => ({ ...row, runs: [] }))

async function idlePercentOf(pid) {
  const before = cpuMicrosOf(pid)
  const startMs = performance.now()
  await sleep(Number(options['idle-seconds']) * 1000)
  return (cpuMicrosOf(pid) - before) / (performance.now() - startMs) / 10
}

async function measure({ topics, partitions, nodes }, payloads) {
  const broker = await startDiscardBroker([`--partitions=${partitions}`, `--nodes=${nodes}`])
  const process = new MeasuredProcess(commandOf('node24', client), {
    bootstrapServers: broker.bootstrapServers,
    ...{ topic: 'scale', topics, partitions, payloads, recordsPerBatch: RECORDS_PER_BATCH },
    ...{ unsettledMax: UNSETTLED_MAX, lingerMs: 0, batchBytes: BATCH_BYTES },
  })
  try {
    await process.ready()
    // The first visit to each partition opens it.
    await process.run(topics * partitions * RECORDS_PER_BATCH)
    const perRecord = await process.warmUp(WARM_UP_CPU_MS)
    await quietMachine()
    await broker.reset()
    const records = Math.ceil((Number(options['cpu-ms']) * 1000) / perRecord)
    const run = await process.run(records, [broker.pid])
    const counts = await broker.counts()
    if (counts.records !== records) throw new Error(`${counts.records} of ${records} records arrived`)
    const idlePercent = await idlePercentOf(process.pid)
    const peakRssBytes = peakRssBytesOf(process.pid)
    await process.end()
    return {
      cpuMicrosPerRecord: run.cpuMicros / records,
      recordsPerSecond: (records / run.wallMs) * 1000,
      recordsPerBatch: counts.records / counts.batches,
      batchesPerRequest: counts.batches / counts.requests,
      peakRssBytes,
      idlePercent,
      othersShare: run.othersShare,
    }
  } finally {
    process.kill()
    await broker.stop()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const payloads = join(folder, 'letters')
try {
  const values = letterRing(RECORD_BYTES)
  writePayloads(payloads, { keys: values.map(() => undefined), values })
  for (let round = 1; round <= Number(options.repeat); round++) {
    for (const row of rows) {
      const { topics, partitions, nodes } = row
      console.error(`round ${round}: ${topics} topics of ${partitions} partitions on ${nodes} nodes`)
      row.runs.push(await measure(row, payloads))
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

const figure = ({ runs }, name) => median(runs.map(run => run[name]))
const count = value => value.toLocaleString('en')
const [, hundred, tenThousand, thousandTopics] = rows
function goalOf(row) {
  if (row === tenThousand) {
    const ratio = figure(row, 'cpuMicrosPerRecord') / figure(hundred, 'cpuMicrosPerRecord')
    const is = met(ratio <= PARTITIONS_RATIO_MAX)
    return `${ratio.toFixed(2)} × 100 partitions, ≤ ${PARTITIONS_RATIO_MAX}: ${is}`
  }
  if (row !== thousandTopics) return ''
  return `idle ≤ ${IDLE_PERCENT_MAX} %: ${met(figure(row, 'idlePercent') <= IDLE_PERCENT_MAX)}`
}

const places = ['topics', 'partitions of each', 'brokers']
const costs = [
  'CPU µs/record',
  '1,000 records/s',
  'records/batch',
  'batches/request',
  'peak RSS MiB',
  'idle CPU',
]
const lines = rows.map(row => [
  count(row.topics),
  count(row.partitions),
  row.nodes,
  figure(row, 'cpuMicrosPerRecord').toFixed(3),
  count(Math.round(figure(row, 'recordsPerSecond') / 1000)),
  figure(row, 'recordsPerBatch').toFixed(1),
  figure(row, 'batchesPerRequest').toFixed(1),
  (Math.max(...row.runs.map(run => run.peakRssBytes)) / MIB).toFixed(0),
  `${figure(row, 'idlePercent').toFixed(2)} %`,
  goalOf(row),
])
const disturbed = disturbance(rows.flatMap(({ runs }) => runs.map(run => run.othersShare)))
const facts = `- Machine: ${machine()}.\n- Medians of ${options.repeat}. ${disturbed}.`
const title = '# Many partitions, topics and brokers\n\nPrinted by `npm run bench -- scale`.'
const text = `${title}\n\n${facts}\n\n${table([...places, ...costs, 'goal'], lines)}\n`
console.log(text)
if (process.argv.length === 2) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'scale.md'), text)
}
