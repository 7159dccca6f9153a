// Side by side with other producers: CPU of the client process per record, against a broker that accepts
// and discards.
//
//     npm run bench -- compare [--case A,F1,…] [--mode record,callback,many] [--client node24,librdkafka,…]
//                              [--repeat 5] [--records N] [--cpu-ms 1000] [--unsettled 10000] [--verify]
//                              [--write NAME]
//
// Clients are child processes: millrace on Node 24 (promises also with a smaller young generation), Bun
// and Deno, and its entry for kafkajs; kafka-clients (Java), librdkafka (C), franz-go (Go), kafkajs,
// @platformatic/kafka and @confluentinc/kafka-javascript; and as the floor millrace's native core alone,
// without JavaScript. All send the same bytes from one file to the same partitions of one broker process,
// all with idempotence (but the floor), acks=all and the case's linger, batch size and codec where they have
// such options. Modes: `record` is a promise for each record, `callback` a callback for each, `many` a call
// for 1,000 records. At most 10,000 records are unsettled, fewer where values are large; Java's bound is its
// own buffer.memory. What it costs to make the record objects and to hear of the outcomes is counted. What
// the cases are and who gets what in them: bench/README.md.
//
// Each figure comes from a process of its own, warmed up with 0.7 s of CPU (JavaScript: 2 s, Java: 5 s).
// The timed part sends as many records as take about 1 s of CPU (--cpu-ms, or --records for a fixed
// number), from the first call to the last acknowledgement. CPU is user and system time of the whole
// process, read from /proc by the bench, so it needs Linux; records/s are by the clock. Repetitions go
// round all clients, so that what disturbs the machine for a while disturbs them alike, and a run waits a
// little for a quiet moment. A row is the median by CPU, peak RSS the largest. × is the CPU over that of
// the case's best peer, of any language and mode.
//
// Every run is checked: the broker must have counted the very number of records, and with TLS have had the
// cipher that was meant. With --verify it checks all CRCs and sequences, and how many bytes of keys and
// values and how many headers the records have: that is for correctness, not for speed.
//
// A run of everything (A to E, and F, H, FH and T at 100 B; an hour) writes its tables and a chart to
// bench/results; a part of it only prints, or writes bench/results/NAME.md and NAME.svg with --write NAME.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { caseNamesOf, cases } from './support/cases.js'
import { chart } from './support/chart.js'
import { verdicts } from './support/criteria.js'
import { Bench } from './support/measurement.js'
import { clients, modesOf } from './support/peers.js'
import { report, withRatios } from './support/report.js'

const MANY_UNSETTLED = 100_000
const WHOLE_NAME = 'compare'
/** Goals are ratios to the best of these, in runs that are long enough to tell. */
const JUDGES = ['java', 'librdkafka', 'franz-go']
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: caseNamesOf(({ inWhole }) => inWhole).join(',') },
    mode: { type: 'string', default: 'many,callback,record' },
    client: { type: 'string' },
    repeat: { type: 'string', default: '5' },
    records: { type: 'string' },
    'cpu-ms': { type: 'string', default: '1000' },
    unsettled: { type: 'string', default: '10000' },
    verify: { type: 'boolean', default: false },
    write: { type: 'string' },
  },
})
const isWhole = process.argv.length === 2
const chosenCases = listOf('case', Object.keys(cases))
const chosenModes = listOf('mode', ['many', 'callback', 'record'])
const chosenClients =
  options.client === undefined ? Object.keys(clients) : listOf('client', Object.keys(clients))

function listOf(name, known) {
  const names = options[name].split(',')
  for (const each of names) {
    if (!known.includes(each)) throw new Error(`--${name} ${each}: ${known.join(', ')}`)
  }
  return names
}

/** What is measured, in the order of the tables; `runs` is filled by and by. */
function rowsToMeasure() {
  const rows = []
  for (const caseName of chosenCases) {
    const unsettledMax = Math.min(Number(options.unsettled), cases[caseName].unsettledMax)
    for (const name of chosenClients) {
      if (isWhole && !clients[name].whole.includes(caseName)) continue
      for (const mode of modesOf(name, caseName)) {
        if (!chosenModes.includes(mode)) continue
        rows.push({ caseName, name, mode, unsettledMax, runs: [] })
        if (name !== 'node24' || caseName !== 'A' || mode !== 'record') continue
        if (unsettledMax < MANY_UNSETTLED)
          rows.push({ ...rows.at(-1), unsettledMax: MANY_UNSETTLED, runs: [] })
      }
    }
  }
  return rows
}

/** Round after round over all rows, so that a row's repetitions are far apart in time. */
async function measureAll(rows) {
  const bench = new Bench({ verify: options.verify })
  const repeat = Number(options.repeat)
  const records = options.records === undefined ? undefined : Number(options.records)
  try {
    for (let round = 1; round <= repeat; round++) {
      for (const row of rows) {
        const { caseName, name, mode } = row
        console.error(`round ${round} of ${repeat}: ${caseName} ${name} ${mode}`)
        row.runs.push(await bench.measure(row, { records, cpuMs: Number(options['cpu-ms']) }))
      }
    }
  } finally {
    await bench.close()
  }
}

async function main() {
  const rows = rowsToMeasure()
  for (const name of new Set(rows.map(row => row.name))) await clients[name].setUp()
  await measureAll(rows)
  const measured = withRatios(rows)
  const isJudged = options.records === undefined && JUDGES.every(each => chosenClients.includes(each))
  const text = report(measured, isJudged ? verdicts(measured) : [])
  console.log(text)
  const name = options.write ?? (isWhole ? WHOLE_NAME : undefined)
  if (name === undefined) return
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, `${name}.md`), text)
  writeFileSync(join(RESULTS, `${name}.svg`), chart(measured))
}

await main()
