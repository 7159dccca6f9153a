// A process of its own that sends lines through one sink and says how much memory it took:
//   node pump-main.js BOOTSTRAP TOPIC SINK file:PATH | lines:COUNT:BYTES
import { createReadStream, readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Producer } from '../../dist/index.js'
import { sendAll, toTransform, toWritable, toWritableStream } from '../../dist/streams/index.js'

const [bootstrapServers = '', topic = '', sink = '', from = ''] = process.argv.slice(2)

/** Lines of a stream of bytes; the last one needs no end. */
async function* split(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    let begin = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      const part = chunk.subarray(begin, end)
      yield rest.length === 0 ? part : Buffer.concat([rest, part])
      rest = Buffer.alloc(0)
      begin = end + 1
    }
    rest = Buffer.concat([rest, chunk.subarray(begin)])
  }
  if (rest.length > 0) yield rest
}

function* generated(count: number, bytes: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `line ${i} `.padEnd(bytes, 'x')
}

function sourceOf(): NodeJS.ReadableStream | AsyncIterable<unknown> {
  const [kind, first = '', second = ''] = from.split(/:(?=[^:]*)/)
  if (kind === 'file') return createReadStream(from.slice('file:'.length), { highWaterMark: 1 << 18 })
  return Readable.from(generated(Number(first), Number(second)))
}

/** The lines, as a stage of a pipeline where there is something to split. */
function lines(): AsyncIterable<Buffer | string> {
  const source = sourceOf()
  return from.startsWith('file:') ? split(source as AsyncIterable<Buffer>) : (source as AsyncIterable<string>)
}

async function send(producer: Producer): Promise<number> {
  switch (sink) {
    case 'toWritable': {
      const end = toWritable(producer, { topic })
      if (from.startsWith('file:')) await pipeline(sourceOf(), split, end)
      else await pipeline(sourceOf(), end)
      return end.counts.acknowledged
    }
    case 'toWritableStream': {
      let count = 0
      const toRecord = (value: Buffer | string) => {
        count++
        return { value }
      }
      const source = Readable.toWeb(Readable.from(lines(), { highWaterMark: 16 }))
      await source.pipeTo(toWritableStream(producer, { topic, toRecord }))
      return count
    }
    case 'toTransform': {
      let count = 0
      await pipeline(lines(), toTransform(producer, { topic }), async outcomes => {
        for await (const { error } of outcomes) if (error === null) count++
      })
      return count
    }
    case 'sendAll': {
      const { records, failed } = await sendAll(producer, lines(), { topic })
      return records - failed
    }
    default:
      throw new Error(`no sink ${sink}`)
  }
}

/** The most memory that the process has had, in MiB; as the kernel has it, for all runtimes alike. */
function peakMiB(): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}

const startedAt = performance.now()
const beforeMiB = peakMiB()
const producer = new Producer({ bootstrapServers, clientId: 'streams', batchSize: 524_288 })
const records = await send(producer)
await producer.close()
const ms = Math.round(performance.now() - startedAt)
process.stdout.write(`${JSON.stringify({ records, beforeMiB, peakMiB: peakMiB(), ms })}\n`)
