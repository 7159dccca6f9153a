// Throughput with transactions against without, beside Java's, on one real Apache Kafka node.
//
//     npm run bench -- transactions [--transactions 150] [--repeat 5] [--generation 2,1] [--producers 1]
//                                   [--record-bytes 1024] [--batch-bytes 16384] [--partitions 1]
//                                   [--per-transaction 1000] [--broker NAME=VALUE]…
//
// Three ways of sending the same records with the same options (idempotent, acks=all): `transactions` of
// 1,000 records, one after the other; `flush`, which waits for the records where the first would commit;
// `free`, which never waits. With every transaction come an end that the coordinator logs, and markers that
// it has written before it lets the next begin: a few milliseconds on the broker's side, however large the
// transaction is. So what transactions cost depends on what else limits the throughput, which here is the
// broker: with records of 100 bytes a single producer spends most of its time waiting for the ends, and
// several have to work side by side (--producers). Each run is a process of its own that warms up first;
// clients and modes take turns; figures are medians. `generation` is the cluster's transaction.version. The
// broker has its defaults but for what --broker says and the output repeats.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { met } from './support/criteria.js'
import { machine } from './support/machine.js'
import { MeasuredProcess, quietMachine } from './support/measured-process.js'
import { writePayloads } from './support/payload-file.js'
import { letterRing } from './support/payloads.js'
import { disturbance, median, table } from './support/report.js'
import { commandOf } from './support/runtimes.js'
import { built, setUpPeer } from './support/setup-peers.js'
import { makeShipped } from './support/shipped.js'

const MODES = ['transactions', 'flush', 'free']
const RATIO_MIN = 0.8
const LINGER_MS = 5
const UNSETTLED_MAX = 10_000
const MILLRACE = 'millrace'

const { values: options } = parseArgs({
  options: {
    transactions: { type: 'string', default: '150' },
    repeat: { type: 'string', default: '5' },
    generation: { type: 'string', default: '2,1' },
    producers: { type: 'string', default: '1' },
    'record-bytes': { type: 'string', default: '1024' },
    'batch-bytes': { type: 'string', default: '16384' },
    partitions: { type: 'string', default: '1' },
    'per-transaction': { type: 'string', default: '1000' },
    broker: { type: 'string', multiple: true, default: [] },
  },
})
await makeShipped()
const perTransaction = Number(options['per-transaction'])
const versions = new Set()
const othersShares = []

const clientFile = fileURLToPath(new URL('support/transactions-client.js', import.meta.url))
const clients = {
  [MILLRACE]: () => commandOf('node24', clientFile),
  'kafka-clients (Java)': () => ({ program: 'java', args: ['-cp', built.javaClassPath, 'PeerTransactions'] }),
}

/** Records a second of one process. */
async function measure(command, given, brokerPids) {
  const producers = Number(given.producers)
  const records = Math.ceil(Number(options.transactions) / producers) * producers * perTransaction
  const client = new MeasuredProcess(command(), {
    ...{ lingerMs: LINGER_MS, batchBytes: options['batch-bytes'], compression: 'none', zstdLevel: 3 },
    ...{ partitions: options.partitions, unsettledMax: UNSETTLED_MAX, perTransaction },
    ...given,
  })
  try {
    await client.ready()
    versions.add(client.version)
    await client.run(records)
    await quietMachine()
    const { wallMs, othersShare } = await client.run(records, brokerPids)
    othersShares.push(othersShare)
    await client.end()
    return records / (wallMs / 1000)
  } catch (error) {
    client.kill()
    throw error
  }
}

/** Every client in every mode, `--repeat` times, on a broker of the generation. */
async function measureGeneration(generation, payloads) {
  const [{ startKafka }, { JavaClient }] = await Promise.all([
    import('../dist-test/kafka/broker.js'),
    import('../dist-test/kafka/java-client.js'),
  ])
  const properties = Object.fromEntries(options.broker.map(each => each.split(/=(.*)/s, 2)))
  const kafka = await startKafka({ features: { 'transaction.version': Number(generation) }, properties })
  const rows = options.producers
    .split(',')
    .flatMap(producers =>
      Object.keys(clients).flatMap(name =>
        MODES.map(mode => ({ generation, producers, name, mode, runs: [] })),
      ),
    )
  try {
    const java = new JavaClient()
    await java.createTopic(kafka.bootstrapServers, 'bench', { partitions: Number(options.partitions) })
    await java.close()
    for (let round = 1; round <= Number(options.repeat); round++) {
      for (const { name, mode, producers, runs } of rows) {
        console.error(`transaction.version ${generation}, round ${round}: ${name}, ${mode}, ${producers}`)
        const given = { bootstrapServers: kafka.bootstrapServers, topic: 'bench', payloads, mode, producers }
        runs.push(await measure(clients[name], given, kafka.pids))
      }
    }
  } finally {
    await kafka.stop()
  }
  return rows.map(row => ({ ...row, rate: median(row.runs) }))
}

function linesOf(rows) {
  return rows.map(row => {
    const of = (name, mode) =>
      rows.find(
        each =>
          each.generation === row.generation &&
          each.producers === row.producers &&
          each.name === name &&
          each.mode === mode,
      ).rate
    const goals = []
    let ratios = ['', '']
    if (row.mode === 'transactions') {
      const [toFlush, toFree] = [row.rate / of(row.name, 'flush'), row.rate / of(row.name, 'free')]
      ratios = [toFlush.toFixed(2), toFree.toFixed(2)]
      const others = Object.keys(clients).filter(name => name !== MILLRACE)
      const isAbove = others.every(name => row.rate > of(name, 'transactions'))
      if (row.name === MILLRACE) {
        goals.push(`≥ ${RATIO_MIN} × without: ${met(toFree >= RATIO_MIN)}`, `above Java’s: ${met(isAbove)}`)
      }
    }
    const spread = [Math.min(...row.runs), Math.max(...row.runs)].map(rate => Math.round(rate / 1000))
    return [
      row.generation,
      row.producers,
      row.name,
      row.mode,
      (row.rate / 1000).toFixed(1),
      spread.join(' – '),
      ...ratios,
      goals.join('; '),
    ]
  })
}

await setUpPeer('java')
const folder = mkdtempSync(join(tmpdir(), 'millrace-transactions-'))
try {
  const payloads = join(folder, 'letters')
  writePayloads(payloads, { keys: [], values: letterRing(Number(options['record-bytes'])) })
  const rows = []
  for (const generation of options.generation.split(',')) {
    rows.push(...(await measureGeneration(generation, payloads)))
  }
  const head = ['transaction.version', 'producers', 'client', 'mode', '1,000 records/s', '(from – to)']
  const title =
    `Transactions of ${perTransaction.toLocaleString('en')} records of ${options['record-bytes']} bytes, ` +
    `${options.partitions} partition(s), batches of ${options['batch-bytes']} bytes`
  console.log(`\n${title}\n`)
  console.log(table([...head, '× flush', '× free', 'goals'], linesOf(rows)))
  console.log(`\n- Machine: ${machine()}.\n- Versions: ${[...versions].join('; ')}.`)
  console.log(`- Broker: Kafka's defaults${options.broker.map(each => `, ${each}`).join('')}.`)
  console.log(`- Medians of ${options.repeat}. ${disturbance(othersShares)}.`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
