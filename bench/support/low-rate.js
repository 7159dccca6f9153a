// The part `low` of bench/latency.js: what a record costs, and how long it takes, in a service that sends one
// at a time.
import { join } from 'node:path'
import { startDiscardBroker } from './broker-process.js'
import { met } from './criteria.js'
import { writePayloads } from './payload-file.js'
import { keyRing, LARGE_RING_RECORDS, letterRing } from './payloads.js'
import { clients } from './peers.js'
import { median, table } from './report.js'
import { built } from './setup-peers.js'

const RATE = 1000
const RECORD_BYTES = 100
const OWN = 'node24'
const NAMES = [OWN, 'java', 'librdkafka', 'franz-go', 'confluent', 'platformatic', 'kafkajs']
const PACED_JAVA = { program: 'java', args: ['-cp', built.javaClassPath, 'PeerPaced'] }
/** CPU a record of ours over that of a peer, at most. */
const CPU_RATIO_LIMITS = { java: 1, librdkafka: 1.2, kafkajs: 0.7 }

/** A real broker, or the discarding one, which takes no time of its own. */
async function startBroker(kind) {
  if (kind === 'discard') {
    const broker = await startDiscardBroker()
    return { title: 'the discarding broker', ...broker, pids: [broker.pid] }
  }
  const { startKafka } = await import('../../dist-test/kafka/broker.js')
  const kafka = await startKafka()
  const { bootstrapServers, pids } = kafka
  return { title: 'Apache Kafka', bootstrapServers, pids, stop: () => kafka.stop() }
}

function goalsOf(rows) {
  const own = rows.find(({ name }) => name === OWN)
  const peers = rows.filter(row => row !== own)
  const cpu = Object.entries(CPU_RATIO_LIMITS).map(([name, limit]) => {
    const ratio = own.micros / peers.find(row => row.name === name).micros
    return [`CPU a record ≤ ${limit} × ${clients[name].title}`, ratio.toFixed(2), met(ratio <= limit)]
  })
  const times = ['p50', 'p99'].map(each => {
    const best = Math.min(...peers.map(row => row[each]))
    const is = `${own[each].toFixed(2)}, ${best.toFixed(2)}`
    return [`${each} ≤ that of all others`, is, met(own[each] <= best)]
  })
  return table(['goal', 'measured', ''], [...cpu, ...times])
}

/** `measure(command, given, brokerPids)` and `rounds(rows)` as in bench/latency.js; gives the section. */
export async function lowRatePart(folder, { measure, rounds, broker: kind }) {
  for (const name of NAMES) await clients[name].setUp()
  const payloads = join(folder, 'low')
  writePayloads(payloads, { keys: keyRing(LARGE_RING_RECORDS), values: letterRing(RECORD_BYTES) })
  const broker = await startBroker(kind)
  const given = {
    ...{ bootstrapServers: broker.bootstrapServers, topic: 'low', payloads, compression: 'none' },
    ...{ mode: 'paced', rate: RATE, unsettledMax: 1, arrayLength: 1, lingerMs: 0 },
  }
  const commandOf = name => (name === 'java' ? PACED_JAVA : clients[name].command())
  const rows = NAMES.map(name => ({
    name,
    title: `${RATE} records/s, ${name}`,
    runs: [],
    measure: () => measure(commandOf(name), given, broker.pids),
  }))
  try {
    await rounds(rows)
  } finally {
    await broker.stop()
  }
  const figures = rows.map(({ name, runs }) => {
    const of = pick => median(runs.map(pick))
    return {
      name,
      rate: of(run => run.rate),
      micros: of(run => run.cpuMicros / run.records),
      ...{ p50: of(run => run.latency.p50), p99: of(run => run.latency.p99) },
    }
  })
  const lines = figures.map(({ name, rate, micros, p50, p99 }) => [
    ...[clients[name].title, Math.round(rate).toLocaleString('en'), micros.toFixed(0)],
    ...[p50.toFixed(2), p99.toFixed(2)],
  ])
  const head = ['client', 'records/s', 'CPU µs/record', 'p50 ms', 'p99 ms']
  const title = `## One record at a time, ${RATE.toLocaleString('en')} a second, ${broker.title}`
  return `${title}\n\n${goalsOf(figures)}\n\n${table(head, lines)}`
}
