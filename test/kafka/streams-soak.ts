// A large file through each sink of `millrace/streams` on each runtime, into a real Kafka that takes 20 MB/s:
//   node streams-soak.js BYTES SINK,SINK… RUNTIME=PROGRAM…
// Prints a row of a table for each run; ends with 1 unless memory stays bounded and every line is stored once and
// in order.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { startKafka } from './broker.js'
import { RecordDigest } from './digest.js'
import { JavaClient } from './java-client.js'

const MAIN = fileURLToPath(new URL('../streams/pump-main.js', import.meta.url))
const CLIENT_ID = 'streams'
const BYTES_PER_SECOND = 20_000_000
/** Of what the issue asks: Node's `toWritable`. Other runtimes take more before they send anything. */
const PEAK_MIB: Readonly<Record<string, number>> = { toWritable: 200 }
const PEAK_MIB_OTHERS = 300
interface Pumped {
  records: number
  beforeMiB: number
  peakMiB: number
  ms: number
}

/** Lines of 20 to 2,000 bytes, none like another. */
function* linesOf(bytes: number): Generator<string> {
  let total = 0
  for (let i = 0; total < bytes; i++) {
    const line = `${i} `.padEnd(20 + ((i * 7919) % 1981), 'abcdefghij')
    total += line.length + 1
    yield line
  }
}

/** Writes the file, and says what it has. */
async function writeFile(path: string, bytes: number): Promise<{ count: number; sha256: string }> {
  const digest = new RecordDigest()
  function* chunks() {
    let chunk: string[] = []
    for (const line of linesOf(bytes)) {
      digest.add({ key: null, value: Buffer.from(line) })
      if (chunk.push(line) < 1000) continue
      yield `${chunk.join('\n')}\n`
      chunk = []
    }
    if (chunk.length > 0) yield `${chunk.join('\n')}\n`
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path))
  return { count: digest.count, sha256: digest.hex() }
}

async function pump(program: string, args: readonly string[]): Promise<Pumped> {
  const words = program.endsWith('deno') ? ['run', '-A', MAIN] : [MAIN]
  const child = spawn(program, [...words, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const [output, [status]] = await Promise.all([json(child.stdout) as Promise<Pumped>, once(child, 'exit')])
  process.off('exit', kill)
  if (status !== 0) throw new Error(`${program} ended with ${status}`)
  return output
}

const [bytesWord = '', sinks = '', ...runtimes] = process.argv.slice(2)
const bytes = Number(bytesWord)
const folder = mkdtempSync(join(tmpdir(), 'millrace-streams-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'lines')
const expected = await writeFile(path, bytes)
await using java = new JavaClient()
let failures = 0
for (const runtime of runtimes) {
  const [name = '', program = ''] = runtime.split('=')
  for (const sink of sinks.split(',')) {
    // Each run has a broker of its own, so that the disk holds one topic at a time.
    await using kafka = await startKafka()
    const { bootstrapServers } = kafka
    await java.createTopic(bootstrapServers, 'lines')
    await java.setQuota(bootstrapServers, CLIENT_ID, BYTES_PER_SECOND)
    const { records, beforeMiB, peakMiB, ms } = await pump(program, [
      bootstrapServers,
      'lines',
      sink,
      `file:${path}`,
    ])
    const [stored] = await java.digest(bootstrapServers, 'lines')
    const isSame = stored?.count === expected.count && stored.sha256 === expected.sha256
    const isBounded =
      peakMiB <= (name.startsWith('Node') ? (PEAK_MIB[sink] ?? PEAK_MIB_OTHERS) : PEAK_MIB_OTHERS)
    if (!isSame || !isBounded || records !== expected.count) failures++
    const rate = (bytes / 1e6 / (ms / 1000)).toFixed(1)
    const verdict = isSame ? `${stored.count}, once and in order` : `${stored?.count} of ${expected.count}`
    console.log(`${name} | \`${sink}\` | ${bytes / 1e6} | ${verdict} | ${rate} | ${beforeMiB} | ${peakMiB} |`)
  }
}
process.exitCode = failures > 0 ? 1 : 0
