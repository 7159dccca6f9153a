// The codecs with encoders of our own: Java reads what they write, and they read what Java writes.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { codecById } from '../../dist/compression/index.js'
import { contents } from './codec-contents.js'
import { kafkaSkip, startJava } from './java.js'

/** Of Java's bytes, at most so many times as much: gzip beside zlib's level 6. */
const RATIO_MAX = { gzip: 1.1, snappy: 1.03 }
/** And so many more for each 64 KiB: what gzip's blocks begin with. */
const SLACK_BYTES = 100
const SIZES = [0, 1, 2, 9, 60, 61, 64, 256, 257, 1000, 32_767, 32_768, 32_769, 65_536, 200_000]

function inputs(): Map<string, Buffer> {
  const all = new Map<string, Buffer>()
  for (const [name, content] of contents()) {
    const label = name.replaceAll(' ', '-')
    all.set(label, content)
    for (const size of SIZES) all.set(`${label}-${size}`, content.subarray(0, size))
  }
  for (const size of SIZES) {
    all.set(`noise-${size}`, randomBytes(size))
    all.set(`run-${size}`, Buffer.alloc(size, 'ab'))
  }
  // More than is compressed before the event loop has a turn.
  all.set('large', Buffer.concat(Array.from({ length: 5 }, () => all.get('orders') as Buffer)))
  return all
}

describe('streams of', { skip: kafkaSkip(), timeout: 240_000 }, () => {
  for (const [id, type] of [
    [1, 'gzip'],
    [2, 'snappy'],
  ] as const) {
    test(`${type} are read by Java, are hardly longer than its own, and its own are read`, async t => {
      const codec = codecById(id)
      const folder = mkdtempSync(join(tmpdir(), `millrace-${type}-`))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      const all = inputs()
      for (const [name, content] of all) {
        writeFileSync(join(folder, `${name}.plain`), content)
        writeFileSync(join(folder, `${name}.stream`), await codec.compress(content))
      }
      const java = startJava('CodecStreams', [type, folder, ...all.keys()], {
        heapMb: 128,
        stderr: 'inherit',
      })
      const [output, [code]] = await Promise.all([
        text(java.stdout as NodeJS.ReadableStream),
        once(java, 'close'),
      ])
      assert.equal(code, 0)
      const lines = output.trim().split('\n')
      assert.equal(lines.length, all.size)
      for (const line of lines) {
        const [name = '', isEqual, javaBytes] = line.split(' ')
        assert.equal(isEqual, 'equal', name)
        const content = all.get(name) as Buffer
        const theirs = readFileSync(join(folder, `${name}.java`))
        assert.equal(Buffer.compare(codec.decompress(theirs, content.length), content), 0, name)
        const own = readFileSync(join(folder, `${name}.stream`)).length
        if (content.length < 32_767) continue
        t.diagnostic(`${name}: ${(own / Number(javaBytes)).toFixed(4)} of Java's bytes`)
        const limit = Number(javaBytes) * RATIO_MAX[type] + SLACK_BYTES * Math.ceil(content.length / 65_535)
        assert.ok(own <= limit, `${name}: ${own} bytes, Java ${javaBytes}`)
      }
    })
  }
})
