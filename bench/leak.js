// Whether memory grows: resident memory after many records, and after many more.
//
//     npm run bench -- leak [--runtime current,node24,bun,…] [--records N] [--warm-up N]
//
// One producer sends 2,000,000 records to the discarding broker, flushes, and has the collector give back all
// that it can (on V8 by a collection of last resort); then 10,000,000 more. It changes between a promise
// each, a callback each and arrays of 1,000 every 250,000 records (12-byte keys, 100-byte values, batches of
// 128 KiB). The bench fails if resident memory has grown by more than 10 MB in between, or if any of
// `buffer.memory` is in use after a flush. The broker checks every CRC and sequence meanwhile.
import { parseArgs } from 'node:util'
import { startDiscardBroker } from './support/broker-process.js'
import { checkRuntime, runOn } from './support/runtimes.js'

const GROWTH_LIMIT_BYTES = 10_000_000

const { values: options } = parseArgs({
  options: {
    runtime: { type: 'string', default: 'current' },
    records: { type: 'string', default: '10000000' },
    'warm-up': { type: 'string', default: '2000000' },
  },
})
const runtimes = options.runtime.split(',')
for (const runtime of runtimes) checkRuntime(runtime)
const warmUp = Number(options['warm-up'])
const records = Number(options.records)
const megabytes = bytes => (bytes / 1e6).toFixed(1)

async function check(runtime) {
  const broker = await startDiscardBroker(['--verify'])
  let figures
  let counts
  try {
    figures = await runOn(runtime, 'leak-client.js', {
      bootstrapServers: broker.bootstrapServers,
      warmUp,
      records,
    })
  } finally {
    counts = await broker.stop()
  }
  const { before, after } = figures
  const growth = after.rss - before.rss
  const faults = []
  if (growth > GROWTH_LIMIT_BYTES) faults.push(`grown by more than ${megabytes(GROWTH_LIMIT_BYTES)} MB`)
  for (const { heldBytes } of [before, after]) {
    if (heldBytes !== 0) faults.push(`${heldBytes} bytes of buffer.memory in use after flush`)
  }
  if (counts.records !== warmUp + records) faults.push(`${counts.records} records arrived`)
  if (counts.errors > 0) faults.push(`${counts.errors} errors seen by the broker: ${counts.firstError}`)
  const cells = [
    figures.runtime,
    megabytes(before.rss),
    megabytes(after.rss),
    megabytes(growth),
    megabytes(before.heapUsed),
    megabytes(after.heapUsed),
    after.heldBytes,
    faults.length === 0 ? 'met' : `NOT MET: ${faults.join('; ')}`,
  ]
  console.log(`| ${cells.join(' | ')} |`)
  return faults.length === 0
}

console.log(
  `RSS in MB after ${warmUp.toLocaleString('en')} and after ${records.toLocaleString('en')} more records\n`,
)
console.log(
  '| runtime | RSS before | after | growth | heap before | after | held bytes | growth ≤ 10 MB, none held |',
)
console.log('|---|---:|---:|---:|---:|---:|---:|---|')
for (const runtime of runtimes) {
  if (!(await check(runtime))) process.exitCode = 1
}
