// How many records a second each producer brings into a real Apache Kafka, at its best setting.
//
//     npm run bench -- kafka [--records 300000] [--repeat 3] [--client node24,java,…] [--unsettled 10000]
//
// One node with six partitions, on this machine: it takes more CPU than any client, so a client that takes
// less leaves more for it. Records and clients are those of case C of bench/compare.js, with acks=all and
// idempotence. Each client has a process for each setting of batch.size and linger.ms, warmed up as there;
// what counts is the median of its best setting and mode. The goal: no fewer than the best of Java,
// librdkafka and franz-go, each at its own best.
//
// A run without options writes its table to bench/results.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { arrayLengthOf, cases, payloadsOf } from './support/cases.js'
import { met } from './support/criteria.js'
import { machine } from './support/machine.js'
import { cpuMicrosOf, MeasuredProcess, quietMachine } from './support/measured-process.js'
import { writePayloads } from './support/payload-file.js'
import { clients } from './support/peers.js'
import { disturbance, median, table } from './support/report.js'
import { makeShipped } from './support/shipped.js'

const CASE = 'C'
const OURS = 'node24'
const SETTINGS = [
  { batchBytes: 16_384, lingerMs: 0 },
  { batchBytes: 131_072, lingerMs: 5 },
  { batchBytes: 524_288, lingerMs: 20 },
]
const WARM_UP_MS = 1500
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '300000' },
    repeat: { type: 'string', default: '3' },
    client: { type: 'string', default: `${OURS},java,librdkafka,franz-go` },
    unsettled: { type: 'string', default: '10000' },
  },
})
const records = Number(options.records)
const unsettledMax = Number(options.unsettled)

/** What the node needs so that the benches' records do not fill the disk. */
const PROPERTIES = {
  'num.partitions': cases[CASE].partitions,
  'log.segment.bytes': 32 * 1024 * 1024,
  'log.retention.bytes': 64 * 1024 * 1024,
  'log.retention.check.interval.ms': 1000,
  'log.segment.delete.delay.ms': 1000,
}

/** One process of a client: warmed up, then timed. */
async function measure({ name, mode, setting }, kafka, payloads) {
  const client = new MeasuredProcess(clients[name].command(), {
    bootstrapServers: kafka.bootstrapServers,
    topic: 'bench',
    partitions: cases[CASE].partitions,
    payloads,
    mode,
    unsettledMax,
    arrayLength: arrayLengthOf(unsettledMax),
    ...setting,
    compression: 'none',
    zstdLevel: 3,
  })
  const limit = setTimeout(() => client.kill(), 120_000)
  try {
    await client.ready()
    await client.warmUp(WARM_UP_MS)
    await quietMachine()
    const brokerMicros = () => kafka.pids.reduce((sum, pid) => sum + cpuMicrosOf(pid), 0)
    const before = brokerMicros()
    const run = await client.run(records, kafka.pids)
    await client.end()
    return {
      rate: (records / run.wallMs) * 1000,
      cpuMicros: run.cpuMicros / records,
      brokerMicros: (brokerMicros() - before) / records,
      othersShare: run.othersShare,
    }
  } finally {
    clearTimeout(limit)
  }
}

function rowsToMeasure() {
  return options.client
    .split(',')
    .flatMap(name =>
      clients[name].modes.flatMap(mode => SETTINGS.map(setting => ({ name, mode, setting, runs: [] }))),
    )
}

const rateOf = ({ runs }) => median(runs.map(({ rate }) => rate))

function report(rows) {
  const best = Math.max(...rows.filter(({ name }) => clients[name].isPeer).map(rateOf))
  const ourBest = Math.max(...rows.filter(({ name }) => name === OURS).map(rateOf))
  const lines = rows.map(row => {
    const isOurBest = row.name === OURS && rateOf(row) === ourBest
    return [
      clients[row.name].title,
      row.mode,
      row.setting.batchBytes,
      row.setting.lingerMs,
      Math.round(rateOf(row) / 1000),
      row.runs.map(({ rate }) => Math.round(rate / 1000)).join(', '),
      median(row.runs.map(({ cpuMicros }) => cpuMicros)).toFixed(2),
      median(row.runs.map(({ brokerMicros }) => brokerMicros)).toFixed(2),
      isOurBest ? `≥ the best peer: ${met(ourBest >= best)}` : '',
    ]
  })
  const head = ['client', 'mode', 'batch.size', 'linger.ms', '1,000 records/s', 'runs', 'CPU µs/record']
  const shares = rows.flatMap(({ runs }) => runs.map(({ othersShare }) => othersShare))
  return [
    '# Into a real Kafka',
    'Printed by `npm run bench -- kafka`. Records of 1,000 bytes with a key, acks=all, idempotent.',
    `- Machine: ${machine()}; the broker runs on it, too.\n` +
      `- Medians of ${options.repeat}. ${disturbance(shares)}.`,
    table([...head, 'CPU of the broker, µs/record', 'goal'], lines),
  ].join('\n\n')
}

const { startKafka } = await import('../dist-test/kafka/broker.js')
await makeShipped()
const rows = rowsToMeasure()
for (const name of new Set(rows.map(row => row.name))) await clients[name].setUp()
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-kafka-'))
const payloads = join(folder, 'payloads')
writePayloads(payloads, payloadsOf(cases[CASE]))
const kafka = await startKafka({ properties: PROPERTIES })
try {
  for (let round = 1; round <= Number(options.repeat); round++) {
    for (const row of rows) {
      console.error(`round ${round} of ${options.repeat}: ${row.name} ${row.mode} ${row.setting.batchBytes}`)
      row.runs.push(await measure(row, kafka, payloads))
    }
  }
} finally {
  await kafka.stop()
  rmSync(folder, { recursive: true })
}
const text = report(rows)
console.log(text)
if (process.argv.length === 2) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'kafka.md'), `${text}\n`)
}
