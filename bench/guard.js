// A minute's look at whether a change has made millrace slower: the CPU per record of a few loads on Node 24,
// over that of the floor (the native core alone, case A) in the same run, beside the ratios that were stored.
//
//     npm run bench -- guard [--rounds 3] [--cpu-ms 700] [--store]
//
// Cases, modes and how a run is measured are those of bench/compare.js, with a shorter warm-up. Rounds go
// over all loads, so that what disturbs the machine disturbs them alike, and are fewer where they would take
// more than a minute; a figure is their median. A ratio counts on the processor it was measured on:
// bench/results/guard.json has a list for each. The bench says what is more than 15 % slower than stored and
// is no test: run it again before you believe it, and with --store once a change is meant to stay.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ratiosOf, slowerThan } from './support/guard-ratios.js'
import { machine, processor } from './support/machine.js'
import { Bench } from './support/measurement.js'
import { clients } from './support/peers.js'
import { disturbance, table } from './support/report.js'

const LOADS = ['A many', 'A record', 'B many', 'F many', 'H many']
const FLOOR = 'floor'
const UNSETTLED_MAX = 10_000
const ALL_ROUNDS_MS_MAX = 60_000
const WARM_UP_MS = { node24: 1000, floor: 300 }
const STORED = fileURLToPath(new URL('results/guard.json', import.meta.url))

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    'cpu-ms': { type: 'string', default: '700' },
    store: { type: 'boolean', default: false },
  },
})

const rowOf = (name, caseName, mode) => ({
  ...{ name, caseName, mode, unsettledMax: UNSETTLED_MAX, runs: [] },
})

async function measureAll(rows) {
  const bench = new Bench()
  const how = { cpuMs: Number(options['cpu-ms']) }
  const startMs = Date.now()
  try {
    for (let round = 1; round <= Number(options.rounds); round++) {
      for (const row of rows) {
        console.error(`round ${round} of ${options.rounds}: ${row.name} ${row.caseName} ${row.mode}`)
        row.runs.push(await bench.measure(row, { ...how, warmUpMs: WARM_UP_MS[row.name] }))
      }
      const roundMs = (Date.now() - startMs) / round
      if (roundMs * (round + 1) > ALL_ROUNDS_MS_MAX) break
    }
  } finally {
    await bench.close()
  }
}

function report(ratios, stored, rows) {
  const lines = Object.entries(ratios).map(([load, { micros, ratio }]) => {
    const before = stored?.[load]
    const change = before === undefined ? '–' : `${((ratio / before - 1) * 100).toFixed(0)} %`
    return [load, micros.toFixed(3), ratio.toFixed(2), before?.toFixed(2) ?? '–', change]
  })
  const shares = rows.flatMap(({ runs }) => runs.map(({ othersShare }) => othersShare))
  console.log(`${machine()}\nMedians of ${rows[0].runs.length}. ${disturbance(shares)}.\n`)
  console.log(table(['load', 'CPU µs/record', '× floor', 'stored', 'change'], lines))
}

const stored = existsSync(STORED) ? JSON.parse(readFileSync(STORED, 'utf8')) : {}
const floor = rowOf(FLOOR, 'A', 'many')
const loads = LOADS.map(load => rowOf('node24', ...load.split(' ')))
for (const name of [FLOOR, 'node24']) await clients[name].setUp()
const startMs = Date.now()
await measureAll([floor, ...loads])
const ratios = ratiosOf(floor, loads)
const known = stored[processor()]
report(ratios, known, [floor, ...loads])
const slower = slowerThan(known, ratios)
for (const { load, percent } of slower) console.log(`\n${load} is ${percent} % slower than stored`)
if (known === undefined) console.log('\nNothing is stored for this processor: --store keeps these ratios.')
else if (slower.length === 0) console.log('\nNothing is more than 15 % slower than stored.')
console.log(`${((Date.now() - startMs) / 1000).toFixed(0)} s`)
if (options.store) {
  const own = Object.fromEntries(
    Object.entries(ratios).map(([load, { ratio }]) => [load, Number(ratio.toFixed(3))]),
  )
  writeFileSync(STORED, `${JSON.stringify({ ...stored, [processor()]: own }, null, 2)}\n`)
}
