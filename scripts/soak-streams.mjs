// `npm run soak:streams [-- --bytes N]`: a file of 2 GB, line by line, through each sink of `millrace/streams` on
// Node, Bun and Deno into a real Kafka that takes 20 MB/s. A quarter of an hour; writes test/streams/results.md.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { programs } from '../test/runtimes/programs.mjs'
import { main, readOptions, root, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

const RESULTS = 'test/streams/results.md'
const NAMES = { node24: 'Node', bun: 'Bun', deno: 'Deno' }

/** Numbers of the version a program says it has. */
function versionOf(program) {
  return /\d+\.\d+\.\d+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))[0]
}

await main(import.meta.url, async words => {
  const { bytes = 2_000_000_000 } = readOptions(words, ['--bytes'])
  await setUp(['deps', 'native', 'typescript', 'tests', 'runtimes', 'kafka'])
  const runtimes = Object.entries(NAMES).map(
    ([key, name]) => `${name} ${versionOf(programs[key])}=${programs[key]}`,
  )
  const args = ['dist-test/kafka/streams-soak.js', String(bytes), ...runtimes]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.on('data', chunk => process.stdout.write(chunk))
  const [rows, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (status !== 0) throw new StepError(`soak:streams ended with ${status}; ${RESULTS} is left as it is`)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  writeFileSync(
    join(root, RESULTS),
    `# A large file through each sink

\`npm run soak:streams\`, ${new Date().toISOString().slice(0, 10)}, source of ${commit}: ${Number(bytes) / 1e6} MB of
lines of 20 to 2,000 bytes, each a record, to one partition of an Apache Kafka 4.3 whose quota is 20 MB/s. The Java
consumer has read the partition, and its digest is that of the file. Node's \`toWritable\` may take 200 MiB, all others
300; the last two columns are the process's peak before its first record and at its end (\`VmHWM\`).

| runtime | sink | stored | MB/s | MiB before | MiB at most |
|---|---|---|---|---|---|
${rows}`,
  )
})
