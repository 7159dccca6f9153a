// An HTTP service in front of Kafka: what the producer costs it.
//
//     npm run bench -- http [--client none,millrace,…] [--seconds 5] [--repeat 3] [--connections 200,100,…]
//
// The service is examples/ingestion, each request answered when its record is acknowledged, on Node 24: with
// millrace, with each of the JavaScript peers in its place, and with none, where it answers at once. Load is
// autocannon, posting events of 1 KB of JSON; the broker accepts and discards. Both and the service share
// the machine. Of the numbers of connections, from the most to the fewest, the first one counts at which
// the p99 latency is at most 50 ms; where there is none, the last. CPU is that of the service's process, all
// its threads, for each answer; RSS is its peak. A row is the median run by CPU, RSS the largest.
//
// A run with all clients writes its table to bench/results/http.md.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { met } from './support/criteria.js'
import { machine } from './support/machine.js'
import { cpuMicrosOf, machineCpuMicros, peakRssBytesOf, quietMachine } from './support/measured-process.js'
import { disturbance, median, table } from './support/report.js'
import { nodeProgram } from './support/runtimes.js'
import { setUpPeer } from './support/setup-peers.js'

const MIB = 1024 * 1024
const P99_MS_MAX = 50
const SHARE_MICROS_MAX = 10
const RATE_SHARE_MIN = 0.88
const WARM_UP_SECONDS = 3
const WARM_UP_CONNECTIONS = 100
const PARTITIONS = 6
const TITLES = {
  none: 'no producer',
  millrace: 'millrace',
  confluent: '@confluentinc/kafka-javascript',
  platformatic: '@platformatic/kafka',
  kafkajs: 'kafkajs',
}
const script = path => fileURLToPath(new URL(path, import.meta.url))
const RESULTS = script('results/')

const { values: options } = parseArgs({
  options: {
    client: { type: 'string', default: Object.keys(TITLES).join(',') },
    seconds: { type: 'string', default: '5' },
    repeat: { type: 'string', default: '3' },
    connections: { type: 'string', default: '200,100,50,25,10' },
  },
})
const clients = options.client.split(',')
for (const client of clients) {
  if (TITLES[client] === undefined) {
    throw new Error(`no client is called ${client}: ${Object.keys(TITLES).join(', ')}`)
  }
}

async function startService(client, bootstrapServers) {
  const words = [`client=${client}`, `bootstrapServers=${bootstrapServers}`]
  const child = spawn(nodeProgram(), [script('support/http-service.js'), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise(resolve => child.once('exit', resolve))
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  if (value === undefined) throw new Error(`the service with ${client} has ended: ${await ended}`)
  const stop = async () => {
    child.stdin.end()
    await ended
    process.off('exit', kill)
  }
  return { pid: child.pid, stop, ...JSON.parse(value) }
}

async function load(port, connections, seconds) {
  const words = [script('peers/node/http-load.js'), `http://127.0.0.1:${port}/events`, connections, seconds]
  const child = spawn(nodeProgram(), words.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  return json(child.stdout)
}

/** What a service does with so many connections, and what it costs. */
async function run(service, broker, connections) {
  await quietMachine()
  const startMs = performance.now()
  const brokerBefore = cpuMicrosOf(broker.pid)
  const machineBefore = machineCpuMicros()
  const cpuBefore = cpuMicrosOf(service.pid)
  const seen = await load(service.port, connections, options.seconds)
  const cpuMicros = cpuMicrosOf(service.pid) - cpuBefore
  const ownMicros = cpuMicros + seen.cpuMicros + cpuMicrosOf(broker.pid) - brokerBefore
  const othersMicros = machineCpuMicros() - machineBefore - ownMicros
  if (seen.failures > 0) throw new Error(`${seen.failures} requests failed`)
  return {
    ...seen,
    connections,
    rate: seen.answers / seen.seconds,
    cpuMicrosPerAnswer: cpuMicros / seen.answers,
    peakRssBytes: peakRssBytesOf(service.pid),
    othersShare: othersMicros / 1000 / (performance.now() - startMs),
    version: service.version,
  }
}

/** One service, from the most connections to the first number at which its p99 is low enough. */
async function measure(client) {
  const broker = await startDiscardBroker([`--partitions=${PARTITIONS}`])
  const service = await startService(client, broker.bootstrapServers)
  await load(service.port, WARM_UP_CONNECTIONS, WARM_UP_SECONDS)
  let row
  for (const connections of options.connections.split(',')) {
    row = await run(service, broker, connections)
    const cost = `p99 ${row.p99Ms} ms, ${row.cpuMicrosPerAnswer.toFixed(1)} µs`
    console.error(`${client}: ${connections} connections, ${Math.round(row.rate)}/s, ${cost}`)
    if (row.p99Ms <= P99_MS_MAX) break
  }
  await service.stop()
  const counts = await broker.stop()
  if (counts.errors > 0) throw new Error(`${counts.errors} errors seen by the broker: ${counts.firstError}`)
  return row
}

await setUpPeer(clients.includes('confluent') ? 'confluent' : 'node')
const runs = new Map(clients.map(client => [client, []]))
for (let round = 0; round < Number(options.repeat); round++) {
  for (const client of clients) runs.get(client).push(await measure(client))
}

const rows = clients.map(client => {
  const sorted = runs.get(client).toSorted((a, b) => a.cpuMicrosPerAnswer - b.cpuMicrosPerAnswer)
  return {
    client,
    ...sorted[sorted.length >> 1],
    rate: median(sorted.map(({ rate }) => rate)),
    peakRssBytes: Math.max(...sorted.map(({ peakRssBytes }) => peakRssBytes)),
  }
})
const none = rows.find(({ client }) => client === 'none')
const shareOf = row => (none === undefined ? Number.NaN : row.cpuMicrosPerAnswer - none.cpuMicrosPerAnswer)
const rateShareOf = row => (none === undefined ? Number.NaN : row.rate / none.rate)

const head = [
  'producer',
  'connections',
  'answers/s',
  '× no producer',
  'p50 ms',
  'p99 ms',
  'CPU µs/request',
  'of it the producer',
  'peak RSS MiB',
]
const lines = rows.map(row => [
  TITLES[row.client],
  row.connections,
  Math.round(row.rate).toLocaleString('en'),
  rateShareOf(row).toFixed(2),
  row.medianMs,
  row.p99Ms,
  row.cpuMicrosPerAnswer.toFixed(1),
  row === none ? '–' : shareOf(row).toFixed(1),
  (row.peakRssBytes / MIB).toFixed(0),
])
const goalsOf = row => {
  const share = `${shareOf(row).toFixed(1)} µs a request, ≤ ${SHARE_MICROS_MAX}`
  const rate = `${rateShareOf(row).toFixed(2)} × the rate without a producer, ≥ ${RATE_SHARE_MIN}`
  const verdicts = [met(shareOf(row) <= SHARE_MICROS_MAX), met(rateShareOf(row) >= RATE_SHARE_MIN)]
  return `- millrace: ${share}: ${verdicts[0]}; ${rate}: ${verdicts[1]}.\n`
}
const goals = rows.filter(({ client }) => client === 'millrace' && none !== undefined).map(goalsOf)
const versions = [...rows.map(({ version }) => version).filter(Boolean), `autocannon ${rows[0].autocannon}`]
const command = ['npm run bench -- http', ...process.argv.slice(2)].join(' ')
const others = disturbance([...runs.values()].flat().map(({ othersShare }) => othersShare))
const text = `# An HTTP service in front of Kafka

Printed by \`${command}\`: examples/ingestion on Node 24,
1 KB of JSON a request, answered when the record is acknowledged. The broker discards; it, autocannon and the
service share the machine. Each row has the most connections at which p99 is at most
${P99_MS_MAX} ms, or else the fewest that were tried.

- Machine: ${machine()}.
- Versions: ${versions.join('; ')}.
- Medians of ${options.repeat}, ${options.seconds} s each. ${others}.
${goals.join('')}
${table(head, lines)}
`
console.log(text)
if (clients.length === Object.keys(TITLES).length) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}http.md`, text)
}
