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

export function tuningPage() {
  const { machine, groups } = JSON.parse(readFileSync(new URL('../levers.json', import.meta.url), 'utf8'))
  const text = [
    `Measured by ${code('npm run docs -- --measure')}: CPU time of the client's process for each record, beside the first row of its table.
The broker reads and discards. ${machine}`,
    ...groups.map(groupTable),
    lingerTable(),
  ].join('\n\n')
  const page = source('docs/tuning.md')
  if (!MARKED.test(page)) throw new Error('docs/tuning.md has lost the marks of its generated part')
  return page.replace(MARKED, (_, begin, end) => `${begin}\n${text}\n\n${end}`)
}
