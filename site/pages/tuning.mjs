// tuning.md: its table of levers, from what site/levers.mjs has measured. The rest of the page is written by hand.
import { readFileSync } from 'node:fs'
import { code, source, table, tablesOf } from './support.mjs'

const MARKED = /(<!-- generated: levers -->\n)[\s\S]*?(<!-- end -->)/

const times = ratio => (ratio >= 0.995 && ratio < 1.005 ? '1' : ratio.toFixed(2))

function groupTable({ title, told, rows }) {
  const [base] = rows
  return [
    `### ${title}`,
    told,
    table(
      ['setting', 'CPU, × the first row', 'records in a batch', 'bytes on the wire, per record'],
      rows.map(({ setting, cpuMicros, recordsPerBatch, wireBytes }) => [
        setting.includes('=') ? code(setting) : setting,
        times(cpuMicros / base.cpuMicros),
        Math.round(recordsPerBatch),
        Math.round(wireBytes),
      ]),
    ),
  ].join('\n\n')
}

/** What linger.ms does is measured at a steady rate, with a real Kafka: bench/results/latency.md. */
function lingerTable() {
  const tables = [...tablesOf(source('bench/results/latency.md'))]
  const { rows } = tables.find(([heading]) => heading.startsWith('Acknowledgement'))[1]
  const ours = rows.filter(([client]) => client === 'millrace')
  return [
    '### Linger',
    'Time to the acknowledgement at 50,000 records a second, from [Performance](performance.md#latency).',
    table(
      ['setting', 'p50 ms', 'p99 ms', 'CPU'],
      ours.map(([, linger, p50, p99, , , , cpu]) => [code(`linger.ms=${linger}`), p50, p99, cpu]),
    ),
  ].join('\n\n')
}

const atLeast = value => (value >= 1_000 ? Math.round(value / 100) * 100 : Math.round(value))

/** One caller who waits, or does not: records in a second, not CPU. */
function awaitedTables({ node, rates, firsts }) {
  return [
    '### Awaiting each record',
    `One loop sends records of 100 bytes to one partition of the in-process broker, which runs in another thread. Node ${node}.`,
    table(
      ['what the loop does', 'records in a second'],
      rates.map(({ setting, value }) => [setting, atLeast(value).toLocaleString('en-US')]),
    ),
    '### The first record',
    'Time from the first `send` of a producer to its acknowledgement, with the same broker and `linger.ms=0`.',
    table(
      ['done at start-up', 'first record, ms'],
      firsts.map(({ setting, value }) => [setting, value.toFixed(1)]),
    ),
  ].join('\n\n')
}

/** What Node's flag does to a promise for each record: bench/results/compare.md, case A. */
function semiSpaceTable() {
  const found = [
    ...source('bench/results/compare.md').matchAll(
      /^\| millrace, Node 24( --max-semi-space-size=\d+)? \| record \|.*$/gm,
    ),
  ]
  const rows = found.slice(0, 3).map(([line, flag]) => {
    const cells = line.split('|').map(cell => cell.trim())
    return [flag === undefined ? 'none' : code(flag.trim()), cells[3], cells[7]]
  })
  return [
    '### Memory of promises',
    'One promise for each record of 100 bytes, as fast as possible, from [Performance](performance.md).',
    table(["Node's flag", 'CPU, µs per record', 'peak memory, MiB'], rows),
  ].join('\n\n')
}

export function tuningPage() {
  const { machine, groups, awaited } = JSON.parse(
    readFileSync(new URL('../levers.json', import.meta.url), 'utf8'),
  )
  const text = [
    `Measured by ${code('npm run docs -- --measure')}: CPU time of the client's process for each record, beside the first row of its table.
The broker reads and discards. ${machine}`,
    ...groups.map(groupTable),
    lingerTable(),
    awaitedTables(awaited),
    semiSpaceTable(),
  ].join('\n\n')
  const page = source('docs/tuning.md')
  if (!MARKED.test(page)) throw new Error('docs/tuning.md has lost the marks of its generated part')
  return page.replace(MARKED, (_, begin, end) => `${begin}\n${text}\n\n${end}`)
}
