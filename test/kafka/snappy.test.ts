// The streams of Snappy: Java reads what the addon writes, and the addon what Java writes.
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

/** Of Java's bytes, at most so many times as much. */
const RATIO_MAX = 1.03
const SIZES = [0, 1, 2, 9, 60, 61, 64, 256, 257, 1000, 32_767, 32_768, 32_769, 65_536, 200_000]
const snappy = codecById(2)

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

describe('streams of Snappy', { skip: kafkaSkip(), timeout: 120_000 }, () => {
  test('are read by Java, are hardly longer than its own, and its own are read', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-snappy-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const all = inputs()
    for (const [name, content] of all) {
      writeFileSync(join(folder, `${name}.plain`), content)
      writeFileSync(join(folder, `${name}.stream`), await snappy.compress(content))
    }
    const java = startJava('SnappyStreams', [folder, ...all.keys()], { heapMb: 128, stderr: 'inherit' })
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
      assert.equal(Buffer.compare(snappy.decompress(theirs, content.length), content), 0, name)
      const ratio = readFileSync(join(folder, `${name}.stream`)).length / Number(javaBytes)
      if (content.length >= 32_767) t.diagnostic(`${name}: ${ratio.toFixed(4)} of Java's bytes`)
      if (content.length >= 32_767) assert.ok(ratio <= RATIO_MAX, `${name}: ${ratio}`)
    }
  })
})
