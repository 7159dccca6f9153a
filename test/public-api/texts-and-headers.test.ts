// Texts and headers by every way to send, mixed with bytes: what is stored is their UTF-8, byte for byte.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Headers, Producer, type ProducerRecord, type RecordMetadata } from '../../dist/index.js'
import { type BrokerRecord, startBroker, type TestBroker } from '../../dist/testing/index.js'

const TOPIC = 't'
const WAYS = ['promise', 'callback', 'array'] as const
type Way = (typeof WAYS)[number]
type Given = string | Uint8Array | null
type Sent = ProducerRecord<Given, Given>

/** Pieces whose UTF-8 has one to four bytes a character, and halves of surrogate pairs. */
const PIECES = [
  '',
  'a',
  'key-',
  'é',
  'ß',
  'ж',
  '漢',
  '€',
  '🎈',
  '\ud83c',
  '\udf88',
  '\u0000',
  '\u007f',
  '\u0080',
]

function choices(seed: number) {
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % limit
  }
  const pick = <T>(list: readonly T[]) => list[below(list.length)] as T
  const text = (pieces: number) => {
    const isAscii = below(3) > 0
    let made = ''
    for (let i = below(pieces + 1); i > 0; i--) made += isAscii ? pick(['x', 'yz', 'ascii ']) : pick(PIECES)
    return made
  }
  const given = (pieces: number): Given => {
    const kind = below(8)
    if (kind === 0) return null
    if (kind === 1) return Buffer.from(text(pieces))
    return text(pick([3, 12, pieces]))
  }
  return { below, pick, text, given }
}

type Choices = ReturnType<typeof choices>

/** As most applications give them, and as few do. */
function headersOf({ below, pick, text, given }: Choices): Headers | null | undefined {
  const pair = (): [string, Given] => [
    pick(['traceparent', 'content-type', 'id', 'ж', '', text(5)]),
    given(40),
  ]
  switch (below(8)) {
    case 0:
      return undefined
    case 1:
      return null
    case 2:
      return {}
    case 3:
      return Array.from({ length: below(4) }, pair)
    case 4:
      return { list: ['a', Buffer.from('b'), null], 'content-type': 'text/plain' }
    case 5:
      return Object.fromEntries(Array.from({ length: below(40) }, pair))
    default:
      return {
        traceparent: `00-${text(20)}`,
        'content-type': pick(['application/json', 'text/plain', 'é'.repeat(40)]),
      }
  }
}

const bytesOf = (given: Given) =>
  typeof given === 'string' ? Buffer.from(given).toString('hex') : hex(given)
const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'))

function pairsOf(headers: Headers | null | undefined): (readonly [string, string | null])[] {
  const pairs =
    Symbol.iterator in (headers ?? [])
      ? [...((headers ?? []) as [string, Given][])]
      : Object.entries(headers ?? {})
  return pairs.flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      each => [String(Buffer.from(name)), bytesOf(each as Given)] as const,
    ),
  )
}

const expected = ({ key, value, headers }: Sent) => [bytesOf(key ?? null), bytesOf(value), pairsOf(headers)]
const stored = ({ key, value, headers }: BrokerRecord) => [
  hex(key),
  hex(value),
  headers.map(([name, bytes]) => [name, hex(bytes)]),
]

async function newBroker(): Promise<TestBroker> {
  const broker = await startBroker({ quiet: true, verify: 'strict' })
  broker.createTopic(TOPIC, { partitions: 3 })
  return broker
}

function send(producer: Producer, way: Way, records: readonly Sent[]): Promise<readonly RecordMetadata[]> {
  if (way === 'array') return producer.sendMany(records).then(report => [...report])
  const sent = records.map(record =>
    way === 'promise'
      ? producer.send(record)
      : new Promise<RecordMetadata>((resolve, reject) => {
          producer.send(record, (error, metadata) => (error === null ? resolve(metadata) : reject(error)))
        }),
  )
  return Promise.all(sent)
}

const serializedBytes = (given: Given | undefined) =>
  given === null || given === undefined ? -1 : Buffer.byteLength(given as string)

/** What the records are told is where the broker has them, with the sizes that they have there. */
function check(broker: TestBroker, records: readonly Sent[], told: readonly RecordMetadata[]): void {
  const places = new Map([...broker.records(TOPIC)].map(each => [`${each.partition}@${each.offset}`, each]))
  assert.equal(places.size, records.length)
  for (const [i, record] of records.entries()) {
    const { partition, offset, serializedKeySize, serializedValueSize } = told[i] as RecordMetadata
    const there = places.get(`${partition}@${offset}`)
    assert.ok(there, `record ${i}`)
    assert.deepEqual(stored(there), expected(record), `record ${i}`)
    assert.deepEqual(
      [serializedKeySize, serializedValueSize],
      [serializedBytes(record.key), serializedBytes(record.value)],
    )
  }
}

for (const seed of [1, 2, 3]) {
  for (const way of WAYS) {
    test(`any texts and headers are stored as they are given, by ${way}, seed ${seed}`, async () => {
      const chosen = choices(seed)
      await using broker = await newBroker()
      await using producer = new Producer({
        bootstrapServers: broker.bootstrapServers,
        batchSize: 4096,
        lingerMs: 1,
      })
      const all: Sent[] = []
      const told: RecordMetadata[] = []
      for (let round = 0; round < 8; round++) {
        const records = Array.from({ length: chosen.below(400) }, (): Sent => {
          const headers = headersOf(chosen)
          return {
            topic: TOPIC,
            key: chosen.given(10),
            value: chosen.given(200),
            ...(headers === undefined ? {} : { headers }),
          }
        })
        all.push(...records)
        told.push(...(await send(producer, way, records)))
      }
      check(broker, all, told)
    })
  }
}

for (const way of WAYS) {
  test(`a text's key goes where its bytes go, by ${way}`, async () => {
    await using broker = await newBroker()
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 1 })
    const keys = ['a', 'ключ', '漢字', '🎈', 'x'.repeat(500), 'é'.repeat(300)]
    const records = keys.flatMap(key => [
      { topic: TOPIC, key, value: 'text' },
      { topic: TOPIC, key: Buffer.from(key), value: 'bytes' },
    ])
    const told = await send(producer, way, records)
    check(broker, records, told)
    for (let i = 0; i < told.length; i += 2) assert.equal(told[i]?.partition, told[i + 1]?.partition)
  })

  test(`headers whose reading sends other records are the record's own, by ${way}`, async () => {
    await using broker = await newBroker()
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 1 })
    await producer.partitionsFor(TOPIC)
    const inner: Promise<unknown>[] = []
    const nested = (n: number) => ({ traceparent: `inner ${n}`, other: 'x'.repeat(30) })
    const outer = (n: number): Sent => ({
      topic: TOPIC,
      value: `outer ${n}`,
      headers: {
        'content-type': 'outer',
        get traceparent() {
          inner.push(
            ...WAYS.map(by =>
              send(producer, by, [{ topic: TOPIC, value: `inner ${n}`, headers: nested(n) }]),
            ),
          )
          return `outer ${n}`
        },
        last: 'outer',
      },
    })
    await send(
      producer,
      way,
      Array.from({ length: 20 }, (_, n) => outer(n)),
    )
    await Promise.all(inner)
    for (const { value, headers } of broker.records(TOPIC)) {
      const text = String(value)
      const shown = headers.map(([name, bytes]) => [name, String(bytes)])
      if (text.startsWith('inner'))
        assert.deepEqual(shown, [
          ['traceparent', text],
          ['other', 'x'.repeat(30)],
        ])
      else
        assert.deepEqual(shown, [
          ['content-type', 'outer'],
          ['traceparent', text],
          ['last', 'outer'],
        ])
    }
  })

  test(`what is no header is refused by name, by ${way}, and the records around it are stored`, async () => {
    await using broker = await newBroker()
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 1 })
    const good = { topic: TOPIC, value: 'good', headers: { id: '1' } }
    const bad: unknown[] = [
      1,
      'text',
      { id: 1 },
      { id: undefined },
      { id: {} },
      { id: ['a', 2] },
      [['id']],
      [1],
      { id: new Date() },
    ]
    for (const headers of bad) {
      const sent =
        WAYS.indexOf(way) === 2 ? producer.sendMany([good, { ...good, headers } as never, good]) : null
      if (sent !== null) await assert.rejects(sent, { code: 'SEND_MANY_FAILED' })
      else {
        const results = await Promise.allSettled(
          [good, { ...good, headers } as never, good].map(each => send(producer, way, [each])),
        )
        assert.deepEqual(
          results.map(({ status }) => status),
          ['fulfilled', 'rejected', 'fulfilled'],
        )
        assert.equal((results[1] as PromiseRejectedResult).reason.code, 'RECORD_INVALID')
      }
    }
    assert.equal([...broker.records(TOPIC)].length, 2 * bad.length)
  })
}

test('inherited names are no headers, those of an object without a prototype are', async () => {
  await using broker = await newBroker()
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 1 })
  const bare = Object.assign(Object.create(null), { own: 'a' })
  const child = Object.assign(Object.create({ inherited: 'x' }), { own: 'b' })
  const hidden = Object.defineProperty({ own: 'c' }, 'hidden', { value: 'x', enumerable: false })
  const records = [bare, child, hidden].flatMap(headers => [
    { topic: TOPIC, partition: 0, value: 'v', headers: headers as Headers },
    { topic: TOPIC, value: 'v', headers: headers as Headers },
  ])
  for (const way of WAYS) await send(producer, way, records)
  const names = [...broker.records(TOPIC)].map(({ headers }) => headers.map(([name]) => name).join())
  assert.deepEqual(new Set(names), new Set(['own']))
  assert.equal(names.length, 3 * records.length)
})
