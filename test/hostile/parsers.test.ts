import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { parseProperties } from '../../dist/config/index.js'
import { deriveNow } from '../../dist/security/tls/derivation.js'
import { readPkcs12 } from '../../dist/security/tls/pkcs12.js'
import { corpusOf, ParserFuzz, TARGETS } from './parsers.js'

const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_130)
const CHANGED = 1_000

test(`${CHANGED} changed inputs of each parser are read or refused, printable and in 20 ms at most`, async () => {
  const fuzz = new ParserFuzz(SEED)
  await fuzz.run(Object.keys(TARGETS), CHANGED)
  const found = fuzz.findings.map(
    ({ target, input, what }) => `${target} ${input.toString('base64')}: ${what}`,
  )
  assert.deepEqual(found, [])
  assert.deepEqual([...fuzz.executions.keys()], Object.keys(TARGETS))
  assert.ok(fuzz.parsed > CHANGED && fuzz.refused > CHANGED, `${fuzz.parsed} read, ${fuzz.refused} refused`)
})

test('the corpus is of inputs that are read', () => {
  const certificates = corpusOf('pkcs12').map(file => {
    for (const password of ['x', 'xxxxxx', null]) {
      try {
        return deriveNow(readPkcs12(file, { password })).certificates.length
      } catch {
        // Another of them opens it.
      }
    }
    return 0
  })
  assert.deepEqual(certificates, [1, 1, 1, 1, 1])
  for (const text of corpusOf('properties')) assert.ok(Object.keys(parseProperties(String(text))).length > 4)
})

test('what these tests are to find is found: a slip, and what is slow', async () => {
  const target = TARGETS.jaas as { parse(input: Buffer): unknown }
  for (const parse of [
    () => (undefined as unknown as string).length,
    () => {
      const before = process.cpuUsage()
      while (process.cpuUsage(before).user < 60_000) for (let i = 0; i < 1e4; i++) Math.sqrt(i)
    },
    () => {
      throw new Error('a\u001b')
    },
  ]) {
    const broken = mock.method(target, 'parse', parse)
    try {
      const fuzz = new ParserFuzz(SEED)
      await fuzz.run(['jaas'], 1)
      assert.ok(fuzz.findings.length > 0)
    } finally {
      broken.mock.restore()
    }
  }
})
