// Latency and smoothness at a steady rate.
//
//     npm run bench -- latency [--seconds 5] [--repeat 3] [--part latency,low,loop] [--broker kafka|discard]
//
// `latency`: from the call of send to the callback, at 50,000 records/s of 100 bytes (12-byte keys, four
// partitions, acks=all), against one real Apache Kafka node, for millrace on Node 24 and for Java's
// producer, at linger.ms 0 and 5. Both send every millisecond what is due; how late their calls were is
// shown, too, as latency does not include it. `low`: 1,000 records/s, one at a time, each awaited, at
// linger.ms 0, beside all other producers: CPU a record, the load's own timer included, and latency; with
// --broker discard against the discarding broker instead. `loop`: the delay of millrace's event loop while it
// produces 200,000 records/s of 100 bytes of JSON, each with a callback, with each codec, against the
// discarding broker: what perf_hooks reads from a timer of 1 ms, which is part of the figure. Each run is
// a process of its own that warms up for half the time first; clients take turns. A row is the median of
// each figure.
//
// A run of everything writes its tables to bench/results.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { met } from './support/criteria.js'
import { lowRatePart } from './support/low-rate.js'
import { machine } from './support/machine.js'
import { MeasuredProcess, quietMachine } from './support/measured-process.js'
import { writePayloads } from './support/payload-file.js'
import { jsonRing, keyRing, letterRing } from './support/payloads.js'
import { disturbance, median, table } from './support/report.js'
import { commandOf } from './support/runtimes.js'
import { built, setUpPeer } from './support/setup-peers.js'
import { makeShipped } from './support/shipped.js'

const LATENCY_RATE = 50_000
const LOOP_RATE = 200_000
const RECORD_BYTES = 100
const BATCH_BYTES = 16384
const LINGERS = [0, 5]
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const LOOP_LIMIT_MS = { none: 5, gzip: 10, snappy: 5, lz4: 5, zstd: 5 }
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))
const millrace = () =>
  commandOf('node24', fileURLToPath(new URL('support/latency-client.js', import.meta.url)))
const java = () => ({ program: 'java', args: ['-cp', built.javaClassPath, 'PeerLatency'] })

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    repeat: { type: 'string', default: '3' },
    part: { type: 'string', default: 'latency,low,loop' },
    broker: { type: 'string', default: 'kafka' },
  },
})
await makeShipped()
const seconds = Number(options.seconds)
const versions = new Set()
const othersShares = []

async function measure(command, given, brokerPids) {
  const client = new MeasuredProcess(command, { batchBytes: BATCH_BYTES, zstdLevel: 3, ...given })
  try {
    await client.ready()
    versions.add(client.version)
    await client.run(Math.ceil((given.rate * seconds) / 2))
    await quietMachine()
    const run = await client.run(given.rate * seconds, brokerPids)
    othersShares.push(run.othersShare)
    await client.end()
    return { ...run, rate: run.records / (run.wallMs / 1000) }
  } catch (error) {
    client.kill()
    throw error
  }
}

/** The median of what `pick` gives of each run. */
const medianOf = (runs, pick) => median(runs.map(pick))
const ms = value => value.toFixed(2)
const percentOfCore = run => `${(run.cpuMicros / run.wallMs / 10).toFixed(0)} %`

/** Runs each row once a round. */
async function rounds(rows) {
  for (let round = 1; round <= Number(options.repeat); round++) {
    for (const row of rows) {
      console.error(`round ${round} of ${options.repeat}: ${row.title}`)
      row.runs.push(await row.measure())
    }
  }
}

async function latencyPart(folder) {
  const { startKafka } = await import('../dist-test/kafka/broker.js')
  await setUpPeer('java')
  const payloads = join(folder, 'letters')
  writePayloads(payloads, { keys: keyRing(), values: letterRing(RECORD_BYTES) })
  const kafka = await startKafka()
  const rows = LINGERS.flatMap(lingerMs =>
    Object.entries({ millrace: millrace(), 'kafka-clients (Java)': java() }).map(([name, command]) => ({
      name,
      lingerMs,
      title: `${name}, linger.ms ${lingerMs}`,
      runs: [],
      measure: () =>
        measure(
          command,
          {
            bootstrapServers: kafka.bootstrapServers,
            ...{ topic: 'latency', payloads, lingerMs, compression: 'none', rate: LATENCY_RATE },
          },
          kafka.pids,
        ),
    })),
  )
  try {
    await rounds(rows)
  } finally {
    await kafka.stop()
  }
  const p99Of = ({ runs }) => medianOf(runs, run => run.latency.p99)
  const javaOf = ({ lingerMs }) => rows.find(row => row.lingerMs === lingerMs && row.name !== 'millrace')
  const lines = rows.map(row => [
    row.name,
    row.lingerMs,
    ...['p50', 'p99', 'p999', 'max'].map(each => ms(medianOf(row.runs, run => run.latency[each]))),
    ms(medianOf(row.runs, run => run.lateness.p99)),
    percentOfCore(row.runs.at(-1)),
    row.name === 'millrace' ? `p99 ≤ Java’s: ${met(p99Of(row) <= p99Of(javaOf(row)))}` : '',
  ])
  const head = [
    'client',
    'linger.ms',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'max ms',
    'calls late, p99 ms',
    'CPU',
    'goal',
  ]
  const title = `## Acknowledgement at ${LATENCY_RATE.toLocaleString('en')} records/s, Apache Kafka`
  return `${title}\n\n${table(head, lines)}`
}

async function loopPart(folder) {
  const payloads = join(folder, 'json')
  const values = jsonRing(10 * RECORD_BYTES).map((value, i) => {
    const from = RECORD_BYTES * (i % 10)
    return value.subarray(from, from + RECORD_BYTES)
  })
  writePayloads(payloads, { keys: keyRing(), values })
  const broker = await startDiscardBroker()
  const rows = CODECS.map(compression => ({
    compression,
    title: compression,
    runs: [],
    measure: () =>
      measure(
        millrace(),
        {
          bootstrapServers: broker.bootstrapServers,
          ...{ topic: 'loop', payloads, lingerMs: 5, compression, rate: LOOP_RATE },
        },
        [broker.pid],
      ),
  }))
  try {
    await rounds(rows)
  } finally {
    await broker.stop()
  }
  const lines = rows.map(({ compression, runs }) => {
    const p99 = medianOf(runs, run => run.loopDelay.p99)
    const limit = LOOP_LIMIT_MS[compression]
    return [
      compression,
      Math.round(medianOf(runs, run => run.rate)).toLocaleString('en'),
      ...['p50', 'p99', 'max'].map(each => ms(medianOf(runs, run => run.loopDelay[each]))),
      ms(medianOf(runs, run => run.latency.p99)),
      percentOfCore(runs.at(-1)),
      `p99 ≤ ${limit} ms: ${met(p99 <= limit)}`,
    ]
  })
  const head = ['codec', 'records/s', 'p50 ms', 'p99 ms', 'max ms', 'acknowledged, p99 ms', 'CPU', 'goal']
  const title = `## Event-loop delay at ${LOOP_RATE.toLocaleString('en')} records/s`
  return `${title}\n\n${table(head, lines)}`
}

const lowPart = within => lowRatePart(within, { measure, rounds, broker: options.broker })
const parts = { latency: latencyPart, low: lowPart, loop: loopPart }
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const sections = []
try {
  for (const name of options.part.split(',')) sections.push(await parts[name](folder))
} finally {
  rmSync(folder, { recursive: true })
}
const facts = [
  `- Machine: ${machine()}; brokers run on it, too.`,
  `- Versions: ${[...versions].join('; ')}.`,
  `- Medians of ${options.repeat} runs of ${seconds} s. ${disturbance(othersShares)}.`,
]
const head = '# Latency and smoothness\n\nPrinted by `npm run bench -- latency`.'
const text = `${[head, facts.join('\n'), ...sections].join('\n\n')}\n`
console.log(text)
if (process.argv.length === 2) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'latency.md'), text)
}
