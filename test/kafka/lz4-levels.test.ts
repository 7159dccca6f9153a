import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { Producer } from '../../dist/index.js'
import { loadAddon } from '../../dist/native/load.js'
import { type Kafka, startKafka } from './broker.js'
import { contents } from './codec-contents.js'
import { kafkaSkip, startJava } from './java.js'
import { JavaClient } from './java-client.js'

const BLOCK_BYTES = 64 * 1024
/** What Java's library writes at the same level, and so much more. */
const RATIO_MAX: Readonly<Record<number, number>> = { 1: 1, 2: 1, 9: 1.02, 12: 1.001, 17: 1.001 }
/** Levels in between, of which only the order is promised. */
const RATIO_MAX_ELSE = 1.04

/** Bytes and nanoseconds of a level. */
type Result = readonly [bytes: number, nanoseconds: number]

async function javaResults(file: string): Promise<Map<number, Result>> {
  const child = startJava('Lz4Sizes', [file], { heapMb: 256, stderr: 'inherit', isLongLived: true })
  const results = new Map<number, Result>()
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', line => {
    const [level = 0, bytes = 0, nanoseconds = 0] = line.split(' ').map(Number)
    results.set(level, [bytes, nanoseconds])
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  return results
}

function ownResults(content: Buffer): Map<number, Result> {
  const addon = loadAddon()
  const encode = addon.createLz4HcEncoder()
  const output = Buffer.alloc(BLOCK_BYTES + 1024)
  const results = new Map<number, Result>()
  for (let level = 1; level <= 17; level++) {
    let total = 0
    const { user } = process.cpuUsage()
    const start = performance.now()
    for (let at = 0; at < content.length; at += BLOCK_BYTES) {
      const block = content.subarray(at, at + BLOCK_BYTES)
      total += Math.min(block.length, encode(block, output, level))
    }
    const took = Math.min(performance.now() - start, (process.cpuUsage().user - user) / 1000)
    results.set(level, [total, took * 1e6])
  }
  return results
}

describe('the levels of LZ4', { skip: kafkaSkip(), timeout: 300_000 }, () => {
  let folder: string
  let kafka: Kafka
  let java: JavaClient

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-lz4-'))
    kafka = await startKafka()
    java = new JavaClient()
  })
  after(async () => {
    await java?.close()
    await kafka?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const [name, content] of contents()) {
    test(`write as little of ${name} as Java's library`, async t => {
      const file = join(folder, 'content')
      writeFileSync(file, content)
      const [theirs, own] = [await javaResults(file), ownResults(content)]
      for (const [level, [bytes, nanoseconds]] of own) {
        const [javaBytes, javaNanoseconds] = theirs.get(level) as Result
        const ratio = bytes / javaBytes
        const speed = (ns: number) => `${((content.length / ns) * 1000).toFixed(0)} MB/s`
        t.diagnostic(
          `level ${level}: ${(content.length / bytes).toFixed(3)}, ${ratio.toFixed(4)} of Java's bytes, ` +
            `${speed(nanoseconds)} beside ${speed(javaNanoseconds)}`,
        )
        assert.ok(ratio <= (RATIO_MAX[level] ?? RATIO_MAX_ELSE), `level ${level}: ${ratio}`)
      }
    })
  }

  test('are read by a Java consumer', async () => {
    const value = 'the quick brown fox, the quick red fox, the quicker brown fox; '.repeat(40)
    for (const compressionLz4Level of [1, 9, 12, 17]) {
      const topic = `level-${compressionLz4Level}`
      await java.createTopic(kafka.bootstrapServers, topic, { partitions: 1 })
      await using producer = new Producer({
        ...{ bootstrapServers: kafka.bootstrapServers, compressionType: 'lz4', lingerMs: 20 },
        compressionLz4Level,
      })
      await producer.sendMany(Array.from({ length: 100 }, (_, at) => ({ topic, value: `${at} ${value}` })))
      const records = await java.read(kafka.bootstrapServers, topic)
      assert.equal(records.length, 100)
      assert.equal(String(records[99]?.value), `99 ${value}`)
    }
  })
})
