// `npm run soak:streams [-- --bytes N] [--runtime NAME] [--sink NAME]`: a file of 2 GB, line by line,
// through each sink of `millrace/streams` on Node, Bun and Deno into a real Kafka that takes 20 MB/s. Some 20
// minutes; adds its rows to test/streams/results.md.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { programs } from '../test/runtimes/programs.mjs'
import { main, readOptions, root, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

const RESULTS = join(root, 'test/streams/results.md')
const RUNTIMES = { node24: 'Node', bun: 'Bun', deno: 'Deno' }
const SINKS = 'toWritable,toWritableStream,sendAll'
const HEAD = `# A large file through each sink

\`npm run soak:streams\`: lines of 20 to 2,000 bytes, each a record, to one partition of an Apache Kafka 4.3
whose quota is 20 MB/s. The Java consumer has read the partition, and its digest is that of the file. Node's
\`toWritable\` may take 200 MiB, all others 300. The last two columns are the process's peak before its first
record and at its end (\`VmHWM\`). Linux x86-64, 2 cores that were busy with other work.

| date | source of | runtime | sink | MB | stored | MB/s | MiB before | MiB at most |
|---|---|---|---|---|---|---|---|---|
`

/** Numbers of the version a program says it has. */
function versionOf(program) {
  return /\d+\.\d+\.\d+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))[0]
}

await main(import.meta.url, async words => {
  const given = readOptions(words, ['--bytes', '--runtime', '--sink'])
  await setUp(['deps', 'native', 'typescript', 'tests', 'runtimes', 'kafka'])
  const runtimes = Object.entries(RUNTIMES)
    .filter(([key]) => given.runtime === undefined || key === given.runtime)
    .map(([key, name]) => `${name} ${versionOf(programs[key])}=${programs[key]}`)
  if (runtimes.length === 0) throw new StepError(`--runtime is one of ${Object.keys(RUNTIMES).join(', ')}`)
  const args = ['dist-test/kafka/streams-soak.js', given.bytes ?? '2000000000', given.sink ?? SINKS]
  const stdio = ['ignore', 'pipe', 'inherit']
  const child = spawn(process.execPath, [...args, ...runtimes], { cwd: root, stdio })
  child.stdout.on('data', chunk => process.stdout.write(chunk))
  const [rows, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const git = ['rev-parse', '--short', 'HEAD']
  const commit = execFileSync('git', git, { cwd: root, encoding: 'utf8' }).trim()
  if (!existsSync(RESULTS)) writeFileSync(RESULTS, HEAD)
  const date = new Date().toISOString().slice(0, 10)
  appendFileSync(RESULTS, rows.replace(/^(?=.)/gm, `| ${date} | ${commit} | `))
  if (status !== 0) throw new StepError(`soak:streams ended with ${status}; the last rows say why`)
})
