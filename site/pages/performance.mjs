// performance.md: the tables of bench/results, shortened, with what they mean and what is not reached.
import { code, generatedBy, source, table, tablesOf } from './support.mjs'

const CASES = {
  A: 'A: 100-byte value, 12-byte key, batches of 128 KiB',
  B: 'B: 100-byte value, no key, batches of 16 KiB',
  C: 'C: 1,000-byte value, 12-byte key, batches of 128 KiB',
  D: 'D: as C, JSON, lz4',
  E: 'E: as C, JSON, zstd level 3',
  F: 'F: as A, key and value as strings',
  H: 'H: as A, with the headers `traceparent` and `content-type`',
  FH: 'FH: as A, strings and headers',
  T: 'T: as A, over TLS 1.3',
}
const OURS = 'millrace, Node 24'
const MODES = { many: '`sendMany`', callback: '`send`, callback', record: '`send`, promise' }

const column = (found, row, name) => row[found.head.indexOf(name)]

/** One case: a row for each client and way to send, the best first. */
function caseTable(found) {
  const rows = found.rows
    .filter(([client]) => !/floor|Bun|Deno|--max/.test(client))
    .map(row => {
      const [client, mode, cpu] = row
      return { client, mode, cpu: Number(cpu), row }
    })
    .filter(({ mode }) => MODES[mode])
    .sort((one, other) => one.cpu - other.cpu)
  return table(
    ['client', 'way', 'CPU, µs per record', '1,000 records/s', 'peak memory, MiB'],
    rows.map(({ client, mode, row }) => [
      client === OURS ? '**millrace**' : client,
      client === OURS
        ? MODES[mode]
        : mode === 'record'
          ? 'one promise each'
          : mode === 'many'
            ? 'arrays'
            : 'callbacks',
      column(found, row, 'CPU µs/record'),
      column(found, row, '1,000 records/s'),
      column(found, row, 'peak RSS MiB'),
    ]),
  )
}

/** Goals of a results page that were not met: the page, and what its row says. */
function missed(name) {
  return source(`bench/results/${name}.md`)
    .split('\n')
    .filter(line => line.startsWith('|') && line.includes('NOT MET'))
    .map(line =>
      line
        .split('|')
        .map(each => each.trim())
        .filter(each => each !== '' && each !== 'NOT MET'),
    )
    .map(cells => [name, cells.join('; ')])
}

function compared() {
  const text = source('bench/results/compare.md')
  const tables = [...tablesOf(text)]
  const caseOf = letter => tables.find(([heading]) => heading.startsWith(`${letter}:`))[1]
  const fact = name => new RegExp(`^- ${name}: (.*)$`, 'm').exec(text)[1]
  const versions = fact('Versions')
    .replace(/\.$/, '')
    .split('; ')
    .map(each => /^(.*?) (\d.*)$/.exec(each))
    .filter(Boolean)
    .map(([, client, version]) => [client, version])
  const runtimes = caseOf('A').rows.filter(
    ([client, mode]) => /^millrace, (Node 24|Bun|Deno)$/.test(client) && MODES[mode],
  )
  const [, runs] = /^- Medians of (\d+)/m.exec(text)
  return { caseOf, machine: fact('Machine'), versions, runtimes, runs }
}

function cpuSections() {
  const { caseOf, runtimes, runs } = compared()
  return [
    '## CPU beside other clients',
    `CPU time of the client's process for each record, and how many records it sent in a second. All clients sent to the same
broker, which reads and discards. Medians of ${runs} runs. Less CPU is better.`,
    '![CPU per record of each client](../bench/results/compare.svg)',
    ...Object.entries(CASES).flatMap(([letter, title]) => [`### ${title}`, caseTable(caseOf(letter))]),
    `[All figures](../bench/results/compare.md), with their spread, bytes on the wire and the other runtimes.`,
    '## Node, Bun and Deno',
    `Case A, the same code on each runtime. CPU in µs per record.`,
    table(
      ['runtime', 'way', 'CPU, µs per record'],
      runtimes.map(([client, mode, cpu]) => [client.replace('millrace, ', ''), MODES[mode], cpu]),
    ),
  ]
}

function latencySections() {
  const tables = [...tablesOf(source('bench/results/latency.md'))]
  const rowsOf = name => tables.find(([heading]) => heading.startsWith(name))[1].rows
  return [
    '## Latency',
    `Time from \`send\` to the acknowledgement at 50,000 records a second, with a real Apache Kafka on the same machine.`,
    table(
      ['client', '`linger.ms`', 'p50 ms', 'p99 ms', 'p99.9 ms', 'CPU'],
      rowsOf('Acknowledgement').map(([client, linger, p50, p99, p999, , , cpu]) => [
        ...[client, linger, p50, p99, p999, cpu],
      ]),
    ),
    '## Does it hold the event loop?',
    'How long other work of the process waits while 200,000 records a second are sent.',
    table(
      ['`compression.type`', 'p50 ms', 'p99 ms', 'longest ms', 'CPU'],
      rowsOf('Event-loop').map(([codec, , p50, p99, max, , cpu]) => [codec, p50, p99, max, cpu]),
    ),
  ]
}

const WAYS = { transactions: 'transactions', flush: '`flush` instead of a commit', free: 'neither' }

function transactionSections() {
  const [[heading, { rows }]] = tablesOf(source('bench/results/transactions.md'))
  return [
    '## Transactions',
    `${heading}.`,
    table(
      ['protocol of transactions', 'client', 'way', '1,000 records/s'],
      rows.map(([version, , client, mode, rate]) => [
        version === '2' ? "Kafka 4's" : 'the older one',
        client,
        WAYS[mode] ?? mode,
        rate,
      ]),
    ),
  ]
}

export async function performancePage() {
  const { machine, versions } = compared()
  const misses = ['compare', 'latency', 'scale', 'transactions'].flatMap(missed)
  const parts = [
    '# Performance',
    generatedBy('bench/results'),
    `Every figure here was measured by a command of this repository, on one machine. It tells how clients compare, and not
what your cluster does.

Machine: ${machine}`,
    ...cpuSections(),
    ...latencySections(),
    ...transactionSections(),
    '## What is not reached',
    misses.length === 0
      ? 'Every goal of the results pages is met.'
      : table(['page', 'goal, and what was measured'], misses),
    `- Brokers, disks and networks set the limit of most services, not the client. Here the broker is on the same machine.
- A promise for each record keeps more memory than the other ways: the JavaScript heap holds the promises. Node's
  ${code('--max-semi-space-size=16')} brings it down, as the full table shows.
- Other clients may be faster with options that they do not have by default. Each ran with batches of the same size.`,
    '## How to reproduce',
    `In a checkout of the repository, on a machine that does nothing else:`,
    '```sh\nnpm ci\nnpm run build\nnpm run bench -- compare\nnpm run bench -- latency\nnpm run bench -- scale\nnpm run bench -- transactions\n```',
    `Each prints its tables. ${code('--client node24,kafkajs')} chooses clients for the first. To measure your own cluster use
[\`millrace perf\`](command-line.md).`,
    '### Versions',
    table(['client or runtime', 'version'], versions),
  ]
  return `${parts.join('\n\n')}\n`
}
