// Interceptors hear the outcome with the headers that the record was sent with (KIP-512).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Headers, Producer, type ProducerOptions, type ProducerRecord } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'

const WAYS = {
  promise: (producer: Producer, record: ProducerRecord) => producer.send(record).catch(() => {}),
  signal: (producer: Producer, record: ProducerRecord) =>
    producer.send(record, { signal: new AbortController().signal }).catch(() => {}),
  callback: (producer: Producer, record: ProducerRecord) =>
    new Promise(resolve => producer.send(record, resolve)),
  many: (producer: Producer, record: ProducerRecord) => producer.sendMany([record]).catch(() => {}),
}

/** What an interceptor is shown with each outcome, as pairs of text. */
function shown(headers: Headers | undefined): string[][] {
  assert.ok(headers !== undefined)
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers)
  return pairs.map(([name, value]) => [name, String(value)])
}

async function outcomes(
  broker: TestBroker,
  way: keyof typeof WAYS,
  records: ProducerRecord[],
  options: Partial<ProducerOptions> = {},
) {
  const seen: { headers: string[][]; failed: boolean }[] = []
  const interceptors = [
    {
      onAcknowledgement: (_: object, error: Error | null, headers: Headers) =>
        seen.push({ headers: shown(headers), failed: error !== null }),
    },
  ]
  const { bootstrapServers } = broker
  await using producer = new Producer({ bootstrapServers, interceptors, lingerMs: 0, ...options })
  for (const record of records) await WAYS[way](producer, record)
  return seen
}

for (const way of Object.keys(WAYS) as (keyof typeof WAYS)[]) {
  test(`acknowledgements come with the headers of the record (${way})`, async () => {
    await using broker = await startBroker({ quiet: true })
    function* once(): Generator<[string, string]> {
      yield ['a', '1']
      yield ['a', '2']
    }
    const seen = await outcomes(broker, way, [
      { topic: 't', value: 'v', headers: { trace: 'x' } },
      { topic: 't', value: 'v', headers: [['trace', 'y']] },
      { topic: 't', value: 'v', headers: once() },
      { topic: 't', value: 'v' },
      { topic: 't', value: 'v', partition: -5, headers: { trace: 'bad' } },
    ])
    assert.deepEqual(
      seen.map(({ headers }) => headers),
      [
        [['trace', 'x']],
        [['trace', 'y']],
        [
          ['a', '1'],
          ['a', '2'],
        ],
        [],
        [['trace', 'bad']],
      ],
    )
    assert.deepEqual(
      seen.map(({ failed }) => failed),
      [false, false, false, false, true],
    )
    const [, , third] = broker.records('t')
    assert.equal(third?.headers.length, 2, 'what can be gone through once was sent all the same')
  })

  test(`headers that a serializer adds are among them, and those of onSend (${way})`, async () => {
    await using broker = await startBroker({ quiet: true })
    const valueSerializer = {
      addsHeaders: true,
      prepare: () => new Promise<void>(resolve => setTimeout(resolve, 5)),
      serialize: (_: string, data: string, headers?: Headers) => {
        ;(headers as [string, string][]).push(['schema', '7'])
        return data
      },
    }
    const records = [1, 2].map(() => ({ topic: 't', value: 'v', headers: { trace: 'x' } }))
    const seen = await outcomes(broker, way, records, { valueSerializer } as never)
    const expected = [
      ['trace', 'x'],
      ['schema', '7'],
    ]
    assert.deepEqual(
      seen.map(({ headers }) => headers),
      [expected, expected],
    )
    for (const { headers } of broker.records('t')) assert.equal(headers.length, 2)
  })

  test(`bad headers are refused as they are without interceptors (${way})`, async () => {
    await using broker = await startBroker({ quiet: true })
    function* bad(): Generator<[string, string]> {
      yield ['a', '1']
      yield ['b', 5 as never]
    }
    const records = [bad(), 5 as never, { a: new Date() as never }].map(headers => ({
      ...{ topic: 't', value: 'v', headers },
    }))
    const seen = await outcomes(broker, way, records)
    assert.ok(seen.every(({ failed }) => failed))
    assert.equal(seen.length, 3)
    assert.equal(broker.records('t').length, 0)
  })
}
