// What each lever of docs/tuning.md does, measured: `npm run docs -- --measure` writes site/levers.json.
// The settings of a group run in turns, so that a machine that gets slower or faster changes all alike.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { measureAwaited } from './awaited.mjs'
import { ROOT, SITE } from './stage.mjs'

const ROUNDS = 5
const run = promisify(execFile)

/** `case` is one of bench/support/cases.js; options of a setting go before those of the case. */
const groups = [
  {
    title: 'The way to send',
    told: 'Records of 100 bytes with a key, in batches of up to 128 KiB.',
    case: 'A',
    records: 1_000_000,
    settings: [
      ['send with a promise', 'record', {}],
      ['send with a callback', 'callback', {}],
      ['sendMany', 'many', {}],
    ],
  },
  {
    title: 'Size of batches',
    told: 'Records of 1,000 bytes with a key, to six partitions, by `sendMany`, as fast as possible.',
    case: 'C',
    records: 300_000,
    settings: [16384, 65536, 131072, 524288].map(size => [
      `batch.size=${size}`,
      'many',
      { 'batch.size': size, 'linger.ms': 5 },
    ]),
  },
  {
    title: 'Acknowledgements',
    told: 'Records of 100 bytes with a key, by `sendMany`. A broker with replicas takes longer to answer where `acks=all`. This one answers at once.',
    case: 'A',
    records: 1_000_000,
    settings: [
      { acks: 'all', 'enable.idempotence': true },
      { acks: 'all', 'enable.idempotence': false },
      { acks: '1', 'enable.idempotence': false },
      { acks: '0', 'enable.idempotence': false },
    ].map(properties => [listed(properties), 'many', properties]),
  },
  {
    title: 'Codecs',
    told: 'JSON values of 1,000 bytes that are alike, in batches of up to 128 KiB, by `sendMany`. Your own records compress otherwise.',
    case: 'D',
    records: 150_000,
    settings: ['none', 'snappy', 'lz4', 'zstd', 'gzip'].map(codec => [
      `compression.type=${codec}`,
      'many',
      { 'compression.type': codec },
    ]),
  },
  {
    title: 'Many partitions',
    told: 'Records of 1,000 bytes with a key, by `sendMany`; at most 10,000 without an outcome.',
    case: 'C',
    records: 200_000,
    settings: [1, 6, 100, 1000].map(partitions => [
      `${partitions} partition${partitions === 1 ? '' : 's'}`,
      'many',
      {},
      partitions,
    ]),
  },
]

function listed(properties) {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}

async function measure(group, [, mode, properties, partitions = 6]) {
  const given = Object.entries({ 'enable.metrics.push': false, ...properties })
  const options = given.flatMap(([key, value]) => ['--property', `${key}=${value}`])
  const args = [
    '--case',
    group.case,
    '--mode',
    mode,
    '--records',
    String(group.records),
    '--repeat',
    '1',
    '--runtime',
    'node24',
  ]
  const { stdout } = await run(
    process.execPath,
    [join(ROOT, 'bench/produce.js'), ...args, '--partitions', String(partitions), ...options],
    { cwd: ROOT },
  )
  const cells = stdout
    .split('\n')
    .findLast(line => line.startsWith('|'))
    .split('|')
    .map(each => each.trim())
  const [cpuMicros, , , recordsPerBatch, wireBytes] = cells
    .slice(4)
    .map(each => Number(each.replaceAll(',', '')))
  return { cpuMicros, recordsPerBatch, wireBytes }
}

const medianOf = (rows, name) => rows.map(row => row[name]).sort((a, b) => a - b)[rows.length >> 1]

async function measureGroup(group) {
  const seen = group.settings.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, setting] of group.settings.entries()) seen[i].push(await measure(group, setting))
  }
  const rows = group.settings.map(([setting], i) => ({
    setting,
    ...Object.fromEntries(
      ['cpuMicros', 'recordsPerBatch', 'wireBytes'].map(name => [name, medianOf(seen[i], name)]),
    ),
  }))
  console.log(group.title, rows)
  return { title: group.title, told: group.told, rows }
}

export async function measureLevers() {
  const awaited = await measureAwaited()
  console.log(awaited)
  const measured = []
  for (const group of groups) measured.push(await measureGroup(group))
  const machine = `Medians of ${ROUNDS} runs in turns, Node 24, ${availableParallelism()} cores that other work shared.`
  writeFileSync(
    join(SITE, 'levers.json'),
    `${JSON.stringify({ machine, groups: measured, awaited }, null, 2)}\n`,
  )
}
