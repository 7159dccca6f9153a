// What it costs that a producer observes itself: CPU per record with metrics on, as they are by default, and
// with a subscriber on every diagnostics channel, over that of a producer whose observer does nothing.
//
//     npm run bench -- observer [--case A,B,C] [--mode many,callback,record] [--rounds 7] [--cpu-ms 1000]
//                               [--memory]
//
// Runs are those of bench/compare.js on Node 24, in turns, each in a process of its own. A figure is the
// median of the ratios within rounds, so that what disturbs the machine for a while disturbs both alike; in
// brackets the quartiles. `channels` has a subscriber on every channel but those of single calls
// (`tracing:millrace.send:*`), `calls` on those, too.
//
// --memory: instead, what the metrics of 10,000 topics add to the memory in use, after a collection of last
// resort. The limit of 20 MiB is for the heap: resident memory differs more from run to run.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { machine } from './support/machine.js'
import { Bench } from './support/measurement.js'
import { median, table } from './support/report.js'
import { commandOf, runOn } from './support/runtimes.js'
import { makeShipped } from './support/shipped.js'

const UNSETTLED_MAX = 10_000
const WARM_UP_MS = 1500
const EMPTY = 'empty'
const OBSERVED = ['metrics', 'channels', 'calls']
const TOPICS = 10_000
const MIB = 1024 * 1024
const MEMORY_LIMIT_MIB = 20
/** What V8 keeps for new objects is as large as it was once needed, and would hide what stays. */
const SMALL_YOUNG = ['--max-semi-space-size=1']

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'A,B,C' },
    mode: { type: 'string', default: 'many,callback,record' },
    rounds: { type: 'string', default: '7' },
    'cpu-ms': { type: 'string', default: '1000' },
    memory: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)

function observedCommand(observer) {
  const file = fileURLToPath(new URL('support/observer-client.js', import.meta.url))
  const { program, args } = commandOf('node24', file)
  return { program, args: [...args, `observer=${observer}`] }
}

const percent = ratio => `${((ratio - 1) * 100).toFixed(1)} %`

function costOf(empty, runs) {
  const ratios = runs.map((run, round) => run / empty[round]).sort((one, other) => one - other)
  const quartile = share => percent(ratios[Math.floor((ratios.length - 1) * share)])
  return `${percent(median(ratios))} (${quartile(0.25)} – ${quartile(0.75)})`
}

async function measureLoad(bench, caseName, mode) {
  const runs = Object.fromEntries([EMPTY, ...OBSERVED].map(observer => [observer, []]))
  for (let round = 0; round < rounds; round++) {
    // Every other round goes backwards, so that nobody is always the last.
    const turn = round % 2 === 0 ? [EMPTY, ...OBSERVED] : [...OBSERVED.toReversed(), EMPTY]
    for (const observer of turn) {
      console.error(`${caseName} ${mode}, round ${round + 1} of ${rounds}: ${observer}`)
      const row = { caseName, name: observer, mode, unsettledMax: UNSETTLED_MAX }
      const how = { cpuMs: Number(options['cpu-ms']), warmUpMs: WARM_UP_MS }
      runs[observer].push((await bench.measure(row, how)).cpuMicrosPerRecord)
    }
  }
  const costs = OBSERVED.map(observer => costOf(runs[EMPTY], runs[observer]))
  return [`${caseName} ${mode}`, median(runs[EMPTY]).toFixed(3), ...costs]
}

async function measureCpu() {
  const bench = new Bench({ commandOf: observedCommand })
  const head = ['load', 'without, CPU µs/record', ...OBSERVED.map(observer => `${observer}, dearer by`)]
  console.log(`${machine()}. Median of ${rounds} rounds.\n\n${table(head, [])}`)
  try {
    for (const caseName of options.case.split(',')) {
      for (const mode of options.mode.split(','))
        console.log(`| ${(await measureLoad(bench, caseName, mode)).join(' | ')} |`)
    }
  } finally {
    await bench.close()
  }
}

async function measureMemory() {
  await makeShipped()
  const sizes = { [EMPTY]: [], metrics: [] }
  for (let round = 0; round < rounds; round++) {
    for (const observer of Object.keys(sizes)) {
      const broker = await startDiscardBroker(['--partitions=1'])
      try {
        const { bootstrapServers } = broker
        const task = { bootstrapServers, observer, topics: TOPICS }
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
    range(EMPTY, key),
    range('metrics', key),
    (mebibytes('metrics', key) - mebibytes(EMPTY, key)).toFixed(1),
  ])
  const head = ['MiB', 'without', 'with metrics', 'difference']
  console.log(`${TOPICS} topics; median of ${rounds} processes each.\n\n${table(head, lines)}`)
  if (mebibytes('metrics', 'heapUsed') - mebibytes(EMPTY, 'heapUsed') > MEMORY_LIMIT_MIB) {
    console.error(`more than ${MEMORY_LIMIT_MIB} MiB`)
    process.exitCode = 1
  }
}

await (options.memory ? measureMemory() : measureCpu())
