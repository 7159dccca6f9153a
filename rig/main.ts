import { parseArgs } from 'node:util'
import { CLASS_NAMES } from './checker/checker.js'
import { CLIENT_NAMES, type ClientName } from './client-process.js'
import { CONTROLS, runControl } from './controls.js'
import { cutOff } from './lanes/cut-off.js'
import { cuts } from './lanes/cuts.js'
import { exhaust } from './lanes/exhaust.js'
import { fencing } from './lanes/fencing.js'
import { forgotten } from './lanes/forgotten.js'
import { fullDisk } from './lanes/full-disk.js'
import { heldEnd } from './lanes/held-end.js'
import { kills } from './lanes/kills.js'
import type { Lane } from './lanes/lane.js'
import { moves } from './lanes/moves.js'
import { pauses } from './lanes/pauses.js'
import { restarts } from './lanes/restarts.js'
import { rights } from './lanes/rights.js'
import { slow } from './lanes/slow.js'
import { topics } from './lanes/topics.js'
import { transactions } from './lanes/transactions.js'
import { unreachable } from './lanes/unreachable.js'
import { upgrade } from './lanes/upgrade.js'
import { describeResult, type LaneResult, recordResult, recordTable } from './result.js'
import { runTransactionControls } from './transactions/controls.js'
import { GENERATIONS, type Generation } from './transactions/generations.js'
import { describeTransactions, type TransactionResult } from './transactions/result.js'

const LANES: Readonly<Record<string, Lane>> = {
  ...{ kills, pauses, moves, cuts, slow, exhaust },
  ...{ restarts, unreachable, forgotten, topics, rights, upgrade },
  ...{ 'cut-off': cutOff, 'full-disk': fullDisk },
}
/** Lanes of transactions, on both generations of the protocol and for this client alone. */
const TRANSACTION_LANES = { transactions, 'held-end': heldEnd, fencing }

const USAGE = `npm run chaos -- LANE [options]

Lanes: ${[...Object.keys(LANES), ...Object.keys(TRANSACTION_LANES)].join(', ')}; and controls and
transaction-controls: planted bugs that must be caught.

  --small                 a minute or two instead of half an hour
  --client NAME[,NAME…]   ${CLIENT_NAMES.join(', ')}, or all; default millrace
  --seed N                repeats a run's choices; default: by chance
  --records N             records to send at least
  --faults N              kills (of the client, in transactions), pauses of each length, elections, cuts, races,
                          rounds of restarts, outages, quiets, deletions, revocations,
                          full disks or upgrades
  --seconds N             of each measurement (slow) or of overload (exhaust)
  --rate N                records a second, 0 for as fast as it goes
  --generation N[,N]      transaction.version of the lanes of transactions; default 2,1
  --partitions N[,N…]     of the lane transactions; default 1,4
  --service               what services send: text, headers, zstd, TLS with SCRAM, 24 partitions, three topics
  --serial                one send at a time per partition, for clients that keep no order else
  --record                appends the result to rig/results/LANE.ndjson`

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name} is ${text}; a whole number is needed`)
  return value
}

function clientsOf(text: string): ClientName[] {
  const names = text === 'all' ? [...CLIENT_NAMES] : text.split(',')
  for (const name of names) {
    if (!(CLIENT_NAMES as readonly string[]).includes(name)) throw new Error(`no client is called ${name}`)
  }
  return names as ClientName[]
}

function generationsOf(text: string | undefined): readonly Generation[] | undefined {
  return text?.split(',').map(each => {
    const generation = GENERATIONS.find(known => String(known) === each)
    if (generation === undefined)
      throw new Error(`--generation is ${each}; known are ${GENERATIONS.join(', ')}`)
    return generation
  })
}

async function runControls(seed: number): Promise<boolean> {
  let isProven = true
  for (const control of CONTROLS) {
    const clean = await runControl(control, seed, false)
    const planted = await runControl(control, seed, true)
    const isSound = CLASS_NAMES.every(name => clean.verdict.classes[name] === 0)
    const isCaught = planted.verdict.classes[control.shows] > 0
    if (!isSound || !isCaught) isProven = false
    const found = CLASS_NAMES.filter(name => planted.verdict.classes[name] > 0)
      .map(name => `${name} ${planted.verdict.classes[name]}`)
      .join(', ')
    console.log(
      `${isSound && isCaught ? 'ok  ' : 'MISS'} ${control.plant}: ${found || 'nothing found'}; without it ${
        isSound ? 'all zeros' : JSON.stringify(clean.verdict.classes)
      }`,
    )
  }
  return isProven
}

async function runTransactions(
  name: keyof typeof TRANSACTION_LANES,
  options: Parameters<typeof transactions>[0],
  isRecorded: boolean,
): Promise<boolean> {
  const onResult = (result: TransactionResult) => {
    console.log(describeTransactions(result))
    console.log(JSON.stringify(result))
    if (isRecorded) console.log(`appended to ${recordResult(result)}`)
  }
  const results = await TRANSACTION_LANES[name]({ ...options, onResult })
  return results.every(({ ok }) => ok)
}

/** Clients side by side, as the README shows them. */
function table(results: readonly LaneResult[]): string {
  const heads = ['client', 'version', 'records', ...CLASS_NAMES, 'failed', 'longest stall ms', 'ok']
  const own: Readonly<Record<ClientName, string>> = {
    millrace: 'millrace',
    java: 'kafka-clients',
    confluent: '@confluentinc/kafka-javascript',
    kafkajs: 'kafkajs',
    'kafkajs-entry': 'millrace',
    platformatic: '@platformatic/kafka',
  }
  const rows = results.map(result => [
    result.client,
    result.versions[own[result.client]] ?? '',
    result.records,
    ...CLASS_NAMES.map(name => result.classes[name]),
    result.refused + result.ambiguous,
    Number.isNaN(result.longestStallMs) ? 'its process died' : result.longestStallMs,
    result.ok ? 'yes' : 'no',
  ])
  return [heads, heads.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      small: { type: 'boolean', default: false },
      client: { type: 'string', default: 'millrace' },
      seed: { type: 'string' },
      records: { type: 'string' },
      faults: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      generation: { type: 'string' },
      partitions: { type: 'string' },
      serial: { type: 'boolean', default: false },
      service: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [name] = positionals
  if (values.help) {
    console.log(USAGE)
    return
  }
  if (name === undefined || positionals.length > 1) throw new Error(USAGE)
  const seed = wholeNumber('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
  if (name === 'controls') {
    if (!(await runControls(seed))) process.exitCode = 1
    return
  }
  const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
  if (name === 'transaction-controls') {
    if (!(await runTransactionControls(seed, say))) process.exitCode = 1
    return
  }
  if (name in TRANSACTION_LANES) {
    const options = {
      seed,
      isSmall: values.small,
      records: wholeNumber('records', values.records),
      faults: wholeNumber('faults', values.faults),
      generations: generationsOf(values.generation),
      partitions: values.partitions?.split(',').map(each => wholeNumber('partitions', each) as number),
      say,
    }
    const isPassed = await runTransactions(name as keyof typeof TRANSACTION_LANES, options, values.record)
    if (!isPassed) process.exitCode = 1
    return
  }
  const lane = LANES[name]
  if (lane === undefined) throw new Error(`no lane is called ${name}\n\n${USAGE}`)
  const results: LaneResult[] = []
  for (const client of clientsOf(values.client)) {
    const result = await lane({
      client,
      seed,
      isSmall: values.small,
      isSerial: values.serial,
      isService: values.service,
      records: wholeNumber('records', values.records),
      seconds: wholeNumber('seconds', values.seconds),
      faults: wholeNumber('faults', values.faults),
      recordsPerSecond: wholeNumber('rate', values.rate),
      say,
    })
    results.push(result)
    console.log(describeResult(result))
    console.log(JSON.stringify(result))
    if (values.record) console.log(`appended to ${recordResult(result)}`)
  }
  if (results.length > 1) {
    console.log(table(results))
    if (values.record) console.log(`written to ${recordTable(name, table(results))}`)
  }
  // What peers do is told, not judged.
  if (results.some(({ client, ok }) => client === 'millrace' && !ok)) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
