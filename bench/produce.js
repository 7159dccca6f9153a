// End to end: CPU of the client process per record, against a broker that accepts and discards.
//
//     npm run bench -- produce [--case A,B,…] [--mode record,callback,many] [--runtime current,node24,bun,…]
//                              [--records N] [--warm-up N] [--repeat N] [--unsettled N] [--partitions N]
//                              [--nodes N] [--property key=value]… [--verify] [--cpu-prof FOLDER]
//
// Every figure comes from a process of its own on the runtime asked for, with a broker of its own. After a
// warm-up the client sends its records as fast as at most 10,000 records without an outcome allow, and waits
// for the last acknowledgement; CPU is user and system time of the whole process (all its threads) over that
// part, divided by the records. Creating the record objects and listening to the outcomes is included. Peak
// RSS is that of the whole life of the process, warm-up included. A row is the median by CPU of the
// repetitions, RSS the largest. The broker's own CPU per record, its start included, is shown to tell that it
// was not what limited the client. Its count of records must be right, and with --verify every CRC32C and
// sequence: else the bench fails. Cases and what they send are those of bench/compare.js; without --case A to
// E, and without --partitions as many as the case has.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { cases } from './support/cases.js'
import { certificateFiles, makeCertificates } from './support/certificates.js'
import { tlsProperties } from './support/client-options.js'
import { loads } from './support/loads.js'
import { checkRuntime, runOn } from './support/runtimes.js'
import { makeShipped } from './support/shipped.js'

const MIB = 1024 * 1024
/** What is promised: µs of CPU a record, by case and mode, and peak RSS with it. */
const CPU_LIMITS = { 'A record': 1.0, 'A many': 0.4 }
const RSS_LIMIT_MIB = 200

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'A,B,C,D,E' },
    mode: { type: 'string', default: Object.keys(loads).join(',') },
    runtime: { type: 'string', default: 'current' },
    records: { type: 'string' },
    'warm-up': { type: 'string' },
    repeat: { type: 'string', default: '3' },
    unsettled: { type: 'string', default: '10000' },
    partitions: { type: 'string' },
    nodes: { type: 'string', default: '1' },
    property: { type: 'string', multiple: true, default: [] },
    verify: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
  },
})
await makeShipped()

function listOf(name, known) {
  const names = options[name].split(',')
  for (const each of names) {
    if (known[each] === undefined) throw new Error(`--${name} ${each}: ${Object.keys(known).join(', ')}`)
  }
  return names
}

function taskOf(caseName, mode, bootstrapServers) {
  const records = Number(options.records ?? cases[caseName].records)
  const warmUp = Number(options['warm-up'] ?? Math.min(records, cases[caseName].records / 4))
  const properties = {
    ...(cases[caseName].tls ? tlsProperties(certificateFiles(certificates).ca) : {}),
    ...Object.fromEntries(options.property.map(each => each.split(/=(.*)/s, 2))),
  }
  const unsettledMax = Math.min(Number(options.unsettled), cases[caseName].unsettledMax)
  return { case: caseName, mode, bootstrapServers, records, warmUp, unsettledMax, properties }
}

/** One process of the client against one of the broker. */
async function measure(caseName, mode, runtime) {
  const { nodes, verify } = options
  const { tls, partitions } = cases[caseName]
  const flags = options['cpu-prof'] ? ['--cpu-prof', `--cpu-prof-dir=${options['cpu-prof']}`] : []
  const broker = await startDiscardBroker([
    `--partitions=${options.partitions ?? partitions}`,
    `--nodes=${nodes}`,
    ...(tls ? [`--certificates=${certificates}`] : []),
    ...(verify ? ['--verify'] : []),
  ])
  const task = taskOf(caseName, mode, broker.bootstrapServers)
  let figures
  let counts
  try {
    figures = await runOn(runtime, 'produce-client.js', task, flags)
  } finally {
    counts = await broker.stop()
  }
  const expected = task.records + task.warmUp
  if (counts.errors > 0) throw new Error(`${counts.errors} errors seen by the broker: ${counts.firstError}`)
  if (counts.records !== expected) throw new Error(`${counts.records} of ${expected} records arrived`)
  if (!figures.freeAfter) throw new Error('memory is still in use after the last acknowledgement')
  return {
    ...figures,
    brokerMicrosPerRecord: counts.cpuMicros / counts.records,
    recordsPerBatch: counts.records / counts.batches,
    bytesPerRecord: counts.wireBytes / counts.records,
  }
}

async function medianOf(caseName, mode, runtime) {
  const runs = []
  for (let i = 0; i < Number(options.repeat); i++) runs.push(await measure(caseName, mode, runtime))
  runs.sort((a, b) => a.cpuMicrosPerRecord - b.cpuMicrosPerRecord)
  return { ...runs[runs.length >> 1], peakRssBytes: Math.max(...runs.map(run => run.peakRssBytes)) }
}

function verdict(name, { cpuMicrosPerRecord, peakRssBytes }) {
  const limit = CPU_LIMITS[name]
  if (limit === undefined) return ''
  const isMet = cpuMicrosPerRecord <= limit && peakRssBytes <= RSS_LIMIT_MIB * MIB
  return `${isMet ? 'met' : 'NOT MET'}: ≤ ${limit.toFixed(2)} µs, ≤ ${RSS_LIMIT_MIB} MiB`
}

function row(runtime, caseName, mode, figures) {
  const cells = [
    runtime,
    caseName,
    mode,
    figures.cpuMicrosPerRecord.toFixed(3),
    Math.round(figures.recordsPerSecond / 1000).toLocaleString('en'),
    (figures.peakRssBytes / MIB).toFixed(0),
    figures.recordsPerBatch.toFixed(0),
    figures.bytesPerRecord.toFixed(0),
    figures.brokerMicrosPerRecord.toFixed(3),
    verdict(`${caseName} ${mode}`, figures),
  ]
  return `| ${cells.join(' | ')} |`
}

const caseNames = listOf('case', cases)
const modes = listOf('mode', loads)
const runtimes = options.runtime.split(',')
for (const runtime of runtimes) checkRuntime(runtime)
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const certificates = join(folder, 'certificates')
if (caseNames.some(name => cases[name].tls)) makeCertificates(certificates)

for (const name of caseNames) console.log(`${name}: ${cases[name].title}`)
const head =
  'runtime|case|mode|CPU µs/record|krecords/s|peak RSS MiB|records/batch|wire B/record|broker µs|criterion'
console.log(`\n| ${head.split('|').join(' | ')} |`)
console.log(`|${head.replace(/[^|]+/g, '---')}|`)
for (const runtime of runtimes) {
  for (const caseName of caseNames) {
    for (const mode of modes) {
      const figures = await medianOf(caseName, mode, runtime)
      console.log(row(figures.runtime, caseName, mode, figures))
    }
  }
}
