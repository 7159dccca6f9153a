// What the first record costs: importing the client, until then, and the memory after it.
//
//     npm run bench -- cold [--repeat 10] [--client NAME …] [--runtime NAME …]
//
// Of millrace the packed package is measured, as `npm run package -- --host` makes it, installed into a
// folder of its own. Each client starts in a process of its own and sends one record of 100 bytes,
// idempotently, to the discarding broker. Clients take turns, and the medians count. The goal: no more than
// kafkajs on Node 20 and 24.
//
// A run without options writes its table to bench/results.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { npm, root } from '../scripts/commands.mjs'
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

/** One cold start; undefined where the client does not run on the runtime. */
function startOf(client, runtime, folder, bootstrapServers) {
  const { program, args } = commandOf(runtime, script)
  const words = args.filter(word => !word.includes('expose-gc'))
  const child = spawn(program, [...words, client, folder, bootstrapServers], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: RUN_MS,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      const line = output.split('\n').find(each => each.startsWith('{'))
      resolve(line === undefined ? undefined : JSON.parse(line))
    })
  })
}

/** Clients that are there: confluent's addon is built by `npm run bench -- compare`, which takes minutes. */
function clientsThere(folder) {
  const built = existsSync(
    join(PEERS, `node_modules/${CONFLUENT}/build/Release/confluent-kafka-javascript.node`),
  )
  return options.client
    .filter(name => name !== CONFLUENT || built)
    .map(name => ({ name, folder: name === 'millrace' ? folder : PEERS }))
}

function summary(runs) {
  const of = name => median(runs.map(run => run[name]))
  return { importMs: of('importMs'), firstRecordMs: of('firstRecordMs'), rssBytes: of('rssBytes') }
}

/** Medians by runtime and client. */
async function measure(clients, runtimes, bootstrapServers) {
  const rows = runtimes.flatMap(runtime => clients.map(client => ({ runtime, client, runs: [] })))
  for (let turn = 0; turn < Number(options.repeat); turn++) {
    for (const { runtime, client, runs } of rows) {
      const run = await startOf(client.name, runtime, client.folder, bootstrapServers)
      if (run !== undefined) runs.push(run)
    }
  }
  return rows
    .filter(({ runs }) => runs.length > 0)
    .map(({ runtime, client, runs }) => ({
      runtime,
      client: client.name,
      runs: runs.length,
      ...summary(runs),
    }))
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
  const rows = await measure(clientsThere(folder), runtimes, broker.bootstrapServers)
  const shown = rows.map(row => [
    ...[row.runtime, row.client, row.importMs.toFixed(0), row.firstRecordMs.toFixed(0)],
    ...[(row.rssBytes / MIB).toFixed(0), row.runs],
  ])
  const head = ['runtime', 'client', 'import, ms', 'to the first acknowledged record, ms', 'RSS, MiB', 'runs']
  const text = `${table(head, shown)}\n\n${verdicts(rows).join('\n')}\n`
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
