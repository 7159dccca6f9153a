// What the first record costs: importing the client, until then, and the memory after it.
//
//     npm run bench -- cold [--repeat 10] [--client NAME …] [--runtime NAME …]
//
// Of millrace the packed package is measured, as `npm run package -- --host` makes it, installed into a
// folder of its own. Each client starts in a process of its own and sends one record of 100 bytes,
// idempotently, to the discarding broker. Clients take turns, and the medians count. The goal: no more than
// kafkajs on Node 20 and 24.
//
// The addon of confluent's client is compiled for one Node, which takes minutes the first time: the package
// itself would download one. What cannot be built or does not run is named below the table, with the reason.
//
// A run without options writes its table to bench/results.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { npm, root, StepError } from '../scripts/commands.mjs'
import { makePackage } from '../scripts/package.mjs'
import { startDiscardBroker } from './support/broker-process.js'
import { machine } from './support/machine.js'
import { median, table } from './support/report.js'
import { availableRuntimes, commandOf } from './support/runtimes.js'
import { setUpPeer } from './support/setup-peers.js'

const MIB = 1024 * 1024
const RUNTIMES = ['node20', 'node24', 'bun', 'deno']
const GOAL_RUNTIMES = ['node20', 'node24']
const PEERS = join(root, 'bench/peers/node')
const CONFLUENT = '@confluentinc/kafka-javascript'
const CLIENTS = ['millrace', 'kafkajs', '@platformatic/kafka', CONFLUENT]
const RUN_MS = 60_000
const script = fileURLToPath(new URL('support/cold-client.js', import.meta.url))

const { values: options } = parseArgs({
  options: {
    repeat: { type: 'string', default: '10' },
    client: { type: 'string', multiple: true, default: CLIENTS },
    runtime: { type: 'string', multiple: true, default: RUNTIMES },
  },
})

/** The packed package in a folder of its own. */
async function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cold-'))
  const tarball = await makePackage({ host: true, folder })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  await npm(['install', ...flags, tarball], { cwd: folder })
  return folder
}

/** One cold start: its figures, or `failure`, why there are none. */
function startOf(client, runtime, folder, bootstrapServers) {
  const { program, args } = commandOf(runtime, script)
  const words = args.filter(word => !word.includes('expose-gc'))
  const child = spawn(program, [...words, client, folder, bootstrapServers], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    timeout: RUN_MS,
  })
  const said = { stdout: '', stderr: '' }
  for (const name of Object.keys(said)) {
    child[name].setEncoding('utf8').on('data', text => {
      said[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const line = said.stdout.split('\n').find(each => each.startsWith('{'))
      if (line !== undefined) resolve(JSON.parse(line))
      else resolve({ failure: reasonIn(said.stderr) ?? `it ended with ${signal ?? `exit code ${code}`}` })
    })
  })
}

/** The message of an uncaught error, with no path of this machine. */
function reasonIn(stderr) {
  const lines = stderr.split('\n')
  const first = lines.findIndex(line => /\b\w*error\b.*: /i.test(line))
  if (first < 0) return undefined
  const length = lines.slice(first).findIndex(line => line.trim() === '' || /^\s+at /.test(line))
  const message = lines.slice(first, length < 0 ? undefined : first + length)
  return message.join(' ').replaceAll(root, '.').trim()
}

/** Clients that can be had here, and for each other one why not. */
async function clientsThere(folder) {
  const left = []
  if (options.client.includes(CONFLUENT)) {
    try {
      await setUpPeer('confluent')
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      left.push(
        `- ${CONFLUENT} could not be built: ${error.message.replaceAll(root, '.').replace(/\s+/g, ' ')}`,
      )
    }
  }
  const clients = options.client
    .filter(name => name !== CONFLUENT || left.length === 0)
    .map(name => ({ name, folder: name === 'millrace' ? folder : PEERS }))
  return { clients, left }
}

function summary(runs) {
  const of = name => median(runs.map(run => run[name]))
  return { importMs: of('importMs'), firstRecordMs: of('firstRecordMs'), rssBytes: of('rssBytes') }
}

/** Medians by runtime and client, and why there are none. */
async function measure(clients, runtimes, bootstrapServers) {
  const all = runtimes.flatMap(runtime => clients.map(client => ({ runtime, client, runs: [] })))
  const failed = []
  for (let turn = 0; turn < Number(options.repeat); turn++) {
    for (const row of all.filter(each => !failed.includes(each))) {
      const { runtime, client, runs } = row
      const run = await startOf(client.name, runtime, client.folder, bootstrapServers)
      if (run.failure === undefined) runs.push(run)
      else failed.push(Object.assign(row, { failure: run.failure }))
    }
  }
  const rows = all
    .filter(({ runs }) => runs.length > 0)
    .map(({ runtime, client, runs }) => ({
      runtime,
      client: client.name,
      runs: runs.length,
      ...summary(runs),
    }))
  const left = failed.map(
    ({ runtime, client, runs, failure }) =>
      `- ${runtime}, ${client.name}: ${runs.length === 0 ? 'does not run' : 'failed'}: ${failure}`,
  )
  return { rows, left }
}

function verdicts(rows) {
  return GOAL_RUNTIMES.flatMap(runtime => {
    const of = name => rows.find(row => row.runtime === runtime && row.client === name)?.firstRecordMs
    const [ours, theirs] = [of('millrace'), of('kafkajs')]
    if (ours === undefined || theirs === undefined) return []
    const word = ours <= theirs ? 'met' : 'NOT met'
    return [`- ${runtime}: ${ours.toFixed(0)} ms, kafkajs ${theirs.toFixed(0)} ms: ${word}`]
  })
}

const folder = await installPacked()
await setUpPeer('node')
const broker = await startDiscardBroker()
try {
  const runtimes = options.runtime.filter(name => availableRuntimes().includes(name))
  const { clients, left } = await clientsThere(folder)
  const { rows, left: failed } = await measure(clients, runtimes, broker.bootstrapServers)
  const shown = rows.map(row => [
    ...[row.runtime, row.client, row.importMs.toFixed(0), row.firstRecordMs.toFixed(0)],
    ...[(row.rssBytes / MIB).toFixed(0), row.runs],
  ])
  const head = ['runtime', 'client', 'import, ms', 'to the first acknowledged record, ms', 'RSS, MiB', 'runs']
  const text = `${table(head, shown)}\n\n${[...verdicts(rows), ...left, ...failed].join('\n')}\n`
  console.log(text)
  if (process.argv.length === 2) {
    mkdirSync(join(root, 'bench/results'), { recursive: true })
    const title = '# The first record of a process\n\nWritten by `npm run bench -- cold`.'
    writeFileSync(join(root, 'bench/results/cold.md'), `${title} ${machine()}\n\n${text}`)
  }
} finally {
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
}
