// `npm run brokers [-- --only WORD] [--record]`: one conformance suite on every broker of the matrix, or on those
// whose name or version contains the word. `--record` writes the table to test/brokers/results.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { entries, type Row, runEntry, table } from './matrix.js'
import { ROOT } from './process.js'

const { values } = parseArgs({
  options: { only: { type: 'string' }, record: { type: 'boolean', default: false } },
})
const wanted = entries().filter(({ name, version }) => `${name} ${version}`.includes(values.only ?? ''))
if (wanted.length === 0) throw new Error(`no broker's name or version contains ${values.only}`)

const rows: Row[] = []
for (const entry of wanted) rows.push(await runEntry(entry, line => console.log(line)))
console.log(`\n${table(rows)}`)

const failed = rows.flatMap(({ entry, outcomes }) =>
  [...outcomes].filter(([, problem]) => problem !== null).map(([name]) => `${entry.name}: ${name}`),
)
if (values.record) record(rows)
console.log(failed.length === 0 ? 'all green' : `failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

function record(made: readonly Row[]): void {
  const file = join(ROOT, 'test/brokers/results.md')
  const text = readFileSync(file, 'utf8')
  const at = text.indexOf('\n## ')
  const date = new Date().toISOString().slice(0, 10)
  const section = `\n## ${date}, Node ${process.versions.node}\n\n${table(made)}\n`
  writeFileSync(file, at < 0 ? `${text}${section}` : `${text.slice(0, at)}${section}${text.slice(at)}`)
  console.log('written to test/brokers/results.md')
}
