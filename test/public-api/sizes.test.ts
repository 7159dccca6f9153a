// What is far too large is refused by its size, before it is copied, hashed or kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidRecordError, Producer, RecordTooLargeError } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

const MIB = 1024 * 1024

/** The shortest time of several attempts, in ms. */
async function shortestOf(attempt: () => Promise<unknown>): Promise<number> {
  let shortestMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const startedMs = performance.now()
    await attempt()
    shortestMs = Math.min(shortestMs, performance.now() - startedMs)
  }
  return shortestMs
}

const huge = new Uint8Array(256 * MIB)
const text = 'x'.repeat(256 * MIB)
const records: [title: string, record: object][] = [
  ['by a header', { headers: { large: huge } }],
  ['by a header of text', { headers: { large: text } }],
  ['by many headers', { headers: Array.from({ length: 256 }, () => ['h', huge.subarray(0, MIB)]) }],
  ['by its key', { key: huge }],
  ['by its key of text', { key: text }],
  ['by its value', { value: huge }],
]
for (const [title, record] of records) {
  test(`a record that is far too large is refused in no time: ${title}`, async () => {
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers })
    await producer.send({ topic: 't', value: 'first' })
    const before = process.memoryUsage()
    const ms = await shortestOf(() =>
      assert.rejects(
        producer.send({ topic: 't', value: 'v', ...record }),
        (error: Error) =>
          error instanceof RecordTooLargeError && /bytes, more than max\.request\.size/.test(error.message),
      ),
    )
    assert.ok(ms <= 20, `${ms} ms`)
    const { arrayBuffers, external } = process.memoryUsage()
    assert.ok(
      arrayBuffers - before.arrayBuffers < 16 * MIB,
      `${arrayBuffers - before.arrayBuffers} bytes kept`,
    )
    assert.ok(external - before.external < 16 * MIB, `${external - before.external} bytes kept`)
    await producer.send({ topic: 't', value: 'last', headers: { small: 'x' } })
    assert.equal([...broker.records('t')].length, 2)
  })
}

test('a record that is far too large is refused in no time: by headers without end', async () => {
  function* endless(): Generator<[string, string]> {
    for (;;) yield ['name', 'value']
  }
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers })
  await assert.rejects(producer.send({ topic: 't', value: 'v', headers: endless() }), RecordTooLargeError)
})

test('headers that take more than is kept are written whole, and so are those of a record within another', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers })
  const bytes = Uint8Array.from({ length: 10_000 }, (_, at) => at)
  const inner: Promise<unknown>[] = []
  const headers = {
    *[Symbol.iterator](): Generator<[string, Uint8Array | string | null]> {
      yield ['ä', 'first']
      inner.push(producer.send({ topic: 't', value: 'inner', headers: { i: 'n' } }))
      yield ['bytes', bytes]
      yield ['none', null]
    },
  }
  await producer.send({ topic: 't', value: 'outer', headers })
  await Promise.all(inner)
  const records = [...broker.records('t')].map(({ value, headers: read }) => [
    String(value && Buffer.from(value)),
    read.map(([name, each]) => [name, each && Buffer.from(each)]),
  ])
  const outer = [
    ['ä', Buffer.from('first')],
    ['bytes', Buffer.from(bytes)],
    ['none', null],
  ]
  assert.deepEqual(Object.fromEntries(records), { inner: [['i', Buffer.from('n')]], outer })
})

test('what is no header value is refused with its name printable', async () => {
  await using producer = new Producer({ bootstrapServers: '127.0.0.1:1', maxBlockMs: 10 })
  await assert.rejects(
    producer.send({ topic: 't', value: 'v', headers: { 'a\u001b': {} } as never }),
    (error: Error) => error instanceof InvalidRecordError && /"a\\u001b"/.test(error.message),
  )
})
