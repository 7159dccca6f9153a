// The native functions one by one, on every runtime that is installed (`node scripts/setup.mjs --runtimes`).
//
//     npm run bench [-- micro [--runtime node24,bun,…]]
//
// Each figure is the median of mitata's samples, in a process of its own for each runtime; a sample appends
// 4,096 records of a 12-byte key and a 100-byte value (1,000 where it says so) to 6 partitions, by hash of
// the key. "append" is all that is paid to get a record into its batch:
//   staged    JS copies key and value into the shared memory, one native call for 256 records hashes and
//             appends them, JS reads back where each went;
//   direct    a native call each, with two Buffers or with two strings, JS reads back where it went.
// Batches of 128 KiB close as they fill, and are settled, so the pool never runs out: that turnover is inside
// the figures (a call for each 1,000 records). "encode" is the staged append and, for each full batch, the
// header with its CRC32C: all the native work that a record gets.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { availableRuntimes, checkRuntime, runOn } from './support/runtimes.js'

const { values: options } = parseArgs({ options: { runtime: { type: 'string' } } })
const runtimes = options.runtime?.split(',') ?? availableRuntimes()
for (const runtime of runtimes) checkRuntime(runtime)

const nanoseconds = value => value.toFixed(1)
/** From nanoseconds a byte. */
const gigabytesPerSecond = value => (1 / value).toFixed(1)

/** `limit` is the criterion on Node 24, in the unit that is shown. */
const rows = [
  { name: 'murmur2 bytes', title: 'murmur2, 12 B Buffer, ns' },
  { name: 'murmur2 string', title: 'murmur2, 12-character string, ns' },
  { name: 'crc32c', title: 'CRC32C, 128 KiB, GB/s', show: gigabytesPerSecond, limit: 10, isFloor: true },
  { name: 'lz4Block', title: 'LZ4, 64 KiB of JSON, GB/s', show: gigabytesPerSecond },
  { name: 'staged', title: 'append staged, ns/record', limit: 90 },
  { name: 'direct bytes', title: 'append direct, two Buffers, ns/record', limit: 150 },
  { name: 'direct strings', title: 'append direct, two strings, ns/record', limit: 150 },
  { name: 'encode', title: 'encode (staged, header, CRC32C), ns/record' },
  { name: 'staged 1000', title: 'append staged, 1,000 B, ns/record' },
  { name: 'direct 1000', title: 'append direct, 1,000 B Buffers, ns/record' },
]

const results = []
for (const runtime of runtimes) results.push(await runOn(runtime, 'micro-client.js', {}))

function criterionOf({ name, show = nanoseconds, limit, isFloor = false }) {
  if (limit === undefined) return ''
  const wanted = `${isFloor ? '≥' : '≤'} ${limit} on Node 24`
  const node24 = results.find(({ runtime }) => runtime.startsWith('Node 24.'))
  if (node24 === undefined) return wanted
  const shown = Number(show(node24.figures[name]))
  return `${(isFloor ? shown >= limit : shown <= limit) ? 'met' : 'NOT MET'}: ${wanted}`
}

console.log(`${cpus()[0]?.model}; CRC32C by ${results[0].crc32cImplementation}\n`)
const head = ['', ...results.map(({ runtime }) => runtime), 'criterion']
console.log(`| ${head.join(' | ')} |`)
console.log(`|---|${results.map(() => '---:|').join('')}---|`)
for (const row of rows) {
  const { name, title, show = nanoseconds } = row
  const cells = [title, ...results.map(({ figures }) => show(figures[name])), criterionOf(row)]
  console.log(`| ${cells.join(' | ')} |`)
}
