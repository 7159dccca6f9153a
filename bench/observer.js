// What it costs that a producer observes itself: CPU per record with metrics on, as they are by default, and
// with a subscriber on every diagnostics channel, over that of a producer whose observer does nothing.
//
//     npm run bench -- observer [--case A,B,C] [--mode many,callback,record] [--rounds 60] [--slice-ms 40]
//                               [--memory]
//
// One process on Node 24 sends as in bench/compare.js, and who observes it changes with every slice: two
// processes of the same code differ by more than what is looked for. A figure is the median of the ratios
// within rounds; in brackets the quartiles. `channels` has a subscriber on every channel but those of single
// calls (`tracing:millrace.send:*`), `calls` on those, too.
//
// --memory: instead, what the metrics of 10,000 topics add to the memory in use, after a collection of last
// resort. The limit of 20 MiB is for the heap: resident memory differs more from run to run.
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { cases } from './support/cases.js'
import { machine } from './support/machine.js'
import { median, table } from './support/report.js'
import { runOn } from './support/runtimes.js'
import { makeShipped } from './support/shipped.js'

const OBSERVED = ['metrics', 'channels', 'calls']
const TOPICS = 10_000
const MEMORY_ROUNDS = 7
const MIB = 1024 * 1024
const MEMORY_LIMIT_MIB = 20
/** What V8 keeps for new objects is as large as it was once needed, and would hide what stays. */
const SMALL_YOUNG = ['--max-semi-space-size=1']

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'A,B,C' },
    mode: { type: 'string', default: 'many,callback,record' },
    rounds: { type: 'string', default: '60' },
    'slice-ms': { type: 'string', default: '40' },
    memory: { type: 'boolean', default: false },
  },
})

const percent = ratio => `${((ratio - 1) * 100).toFixed(1)} %`

function costOf(empty, slices) {
  const ratios = slices.map((micros, round) => micros / empty[round]).sort((one, other) => one - other)
  const quartile = share => percent(ratios[Math.floor((ratios.length - 1) * share)])
  return `${percent(median(ratios))} (${quartile(0.25)} – ${quartile(0.75)})`
}

async function measureLoad(caseName, mode) {
  const broker = await startDiscardBroker([`--partitions=${cases[caseName].partitions}`])
  try {
    const { bootstrapServers } = broker
    const [rounds, sliceMs] = [Number(options.rounds), Number(options['slice-ms'])]
    const task = { bootstrapServers, caseName, mode, rounds, sliceMs }
    const slices = await runOn('node24', 'observer-client.js', task)
    const costs = OBSERVED.map(observer => costOf(slices.empty, slices[observer]))
    return [`${caseName} ${mode}`, median(slices.empty).toFixed(3), ...costs]
  } finally {
    await broker.stop()
  }
}

async function measureCpu() {
  await makeShipped()
  const head = ['load', 'without, CPU µs/record', ...OBSERVED.map(observer => `${observer}, dearer by`)]
  console.log(`${machine()}. Median of ${options.rounds} rounds.\n\n${table(head, [])}`)
  for (const caseName of options.case.split(',')) {
    for (const mode of options.mode.split(','))
      console.log(`| ${(await measureLoad(caseName, mode)).join(' | ')} |`)
  }
}

async function measureMemory() {
  await makeShipped()
  const sizes = { without: [], metrics: [] }
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    for (const observer of Object.keys(sizes)) {
      const broker = await startDiscardBroker(['--partitions=1'])
      try {
        const { bootstrapServers } = broker
        const task = { bootstrapServers, isObserved: observer === 'metrics', topics: TOPICS }
        sizes[observer].push(await runOn('node24', 'observer-memory-client.js', task, SMALL_YOUNG))
      } finally {
        await broker.stop()
      }
    }
  }
  const mebibytes = (observer, key) => median(sizes[observer].map(size => size[key])) / MIB
  const range = (observer, key) => {
    const sorted = sizes[observer].map(size => (size[key] / MIB).toFixed(1)).sort((one, other) => one - other)
    return `${mebibytes(observer, key).toFixed(1)} (${sorted[0]} – ${sorted.at(-1)})`
  }
  const lines = ['heapUsed', 'rss'].map(key => [
    key,
    range('without', key),
    range('metrics', key),
    (mebibytes('metrics', key) - mebibytes('without', key)).toFixed(1),
  ])
  const head = ['MiB', 'without', 'with metrics', 'difference']
  console.log(`${TOPICS} topics; median of ${MEMORY_ROUNDS} processes each.\n\n${table(head, lines)}`)
  if (mebibytes('metrics', 'heapUsed') - mebibytes('without', 'heapUsed') > MEMORY_LIMIT_MIB) {
    console.error(`more than ${MEMORY_LIMIT_MIB} MiB`)
    process.exitCode = 1
  }
}

await (options.memory ? measureMemory() : measureCpu())
