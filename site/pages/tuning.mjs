// tuning.md: its table of levers, from what site/levers.mjs has measured. The rest of the page is written by hand.
import { readFileSync } from 'node:fs'
import { code, source, table } from './support.mjs'

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

export function tuningPage() {
  const { machine, groups } = JSON.parse(readFileSync(new URL('../levers.json', import.meta.url), 'utf8'))
  const text = [
    `Measured by ${code('npm run docs -- --measure')}: CPU time of the client's process for each record, beside the first row of its table.
The broker reads and discards. ${machine}`,
    ...groups.map(groupTable),
  ].join('\n\n')
  const page = source('docs/tuning.md')
  if (!MARKED.test(page)) throw new Error('docs/tuning.md has lost the marks of its generated part')
  return page.replace(MARKED, (_, begin, end) => `${begin}\n${text}\n\n${end}`)
}
