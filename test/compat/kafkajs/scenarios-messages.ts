// Every shape of a message that code is known to pass.
import { outcome } from './observe.js'
import { type Scenario, scenario, untyped } from './scenario.js'

const sendOne =
  (message: object): Scenario['run'] =>
  async ({ producer, topic }) => {
    const { send } = await producer()
    return outcome(() => send({ topic, messages: [untyped(message)] }))
  }

const BYTES = Buffer.from([0, 1, 2, 0xff])
const UNTYPED_ARRAYS =
  'A Uint8Array that is no Buffer is bytes: KafkaJS writes its elements as text under a wrong length'

const values: Record<string, unknown> = {
  text: 'a value',
  'empty text': '',
  'text beyond ASCII': 'Grüße 😀',
  'a lone surrogate': 'a\ud800b',
  'a Buffer': BYTES,
  'an empty Buffer': Buffer.alloc(0),
  null: null,
  'a large text': 'x'.repeat(100_000),
  undefined: undefined,
  'a number': 5,
  zero: 0,
  NaN: Number.NaN,
  true: true,
  'a bigint': 5n,
  'an object': { a: 1 },
  'an array': ['a'],
  'a Date': new Date(0),
  'a function': () => 'x',
  'a symbol': Symbol('x'),
}

const keys: Record<string, unknown> = {
  text: 'user-42',
  'empty text': '',
  'text beyond ASCII': 'schlüssel',
  'a Buffer': BYTES,
  'an empty Buffer': Buffer.alloc(0),
  null: null,
  undefined: undefined,
  'a number': 42,
  'an object': { id: 1 },
  false: false,
}

const headers: Record<string, unknown> = {
  text: { a: 'b' },
  'a Buffer': { a: BYTES },
  'empty text': { a: '' },
  'an empty name': { '': 'b' },
  several: { a: '1', b: '2', c: '3' },
  'an array': { a: ['1', '2'] },
  'an array of both kinds': { a: ['1', BYTES] },
  'an empty array': { a: [] },
  'none at all': {},
  undefined: undefined,
  'null for all': null,
  'an undefined value': { a: undefined },
  'a null value': { a: null },
  'a number': { a: 1 },
  'an array with null': { a: ['1', null] },
  'a Map': new Map([['a', 'b']]),
  'names like numbers': { 2: 'b', 1: 'a' },
}

const timestamps: Record<string, unknown> = {
  text: '1700000000000',
  'a number': 1_700_000_000_000,
  'text of no number': 'yesterday',
  'a fraction': 1.5,
  'text of a fraction': '1.5',
}

const wrongPartition =
  'An explicit partition that does not exist rejects: KafkaJS resolves with [] and the message is lost'

export const messageScenarios: readonly Scenario[] = [
  ...Object.entries(values).map(([what, value]) => scenario(`a value: ${what}`, sendOne({ value }))),
  ...Object.entries(keys).map(([what, key]) =>
    scenario(`a key: ${what}`, sendOne({ key, value: 'v' }), { partitions: key == null ? 1 : 7 }),
  ),
  ...Object.entries(headers).map(([what, each]) =>
    scenario(`headers: ${what}`, sendOne({ value: 'v', headers: each })),
  ),
  ...Object.entries(timestamps).map(([what, timestamp]) =>
    scenario(`a timestamp: ${what}`, sendOne({ value: 'v', timestamp }), { comparesTimes: true }),
  ),
  ...[null, undefined, ''].map(timestamp =>
    scenario(`no timestamp: ${JSON.stringify(timestamp)}`, sendOne({ value: 'v', timestamp })),
  ),
  ...[0, false].map(timestamp =>
    scenario(`no timestamp: ${JSON.stringify(timestamp)}`, sendOne({ value: 'v', timestamp }), {
      onlyOnKafka: 'KafkaJS writes a wrong largest time into the batch, and the in-process broker is strict',
    }),
  ),
  scenario('a value: a Uint8Array', sendOne({ value: new Uint8Array([1, 2, 300]) }), {
    different: UNTYPED_ARRAYS,
    ignoresStored: true,
  }),
  scenario('no message at all', sendOne(untyped(null))),
  scenario('fields that nobody knows', sendOne({ value: 'v', topic: 'x', offset: '7' })),
  ...[0, 2, '1', '2'].map(partition =>
    scenario(`an explicit partition: ${JSON.stringify(partition)}`, sendOne({ value: 'v', partition }), {
      partitions: 3,
    }),
  ),
  ...[null, undefined].map(partition =>
    scenario(`no partition: ${partition}`, sendOne({ key: 'k', value: 'v', partition }), { partitions: 3 }),
  ),
  scenario('a key and an explicit partition', sendOne({ key: 'user-1', value: 'v', partition: 1 }), {
    partitions: 3,
  }),
  ...[99, -1, 'x', 1.5].map(partition =>
    scenario(
      `a partition that is not there: ${JSON.stringify(partition)}`,
      async ({ producer, topic }) => {
        const { send } = await producer({ retry: { retries: 1, initialRetryTime: 50 } })
        return outcome(() => send({ topic, messages: [{ value: 'v', partition: untyped(partition) }] }))
      },
      { partitions: 3, different: wrongPartition },
    ),
  ),
  ...['user-1', 'user-2', 'user-3', 'a', 'ab', 'abc', 'abcd', '', 'ключ', '😀'].map(key =>
    scenario(`the partition of the key ${JSON.stringify(key)}`, sendOne({ key, value: 'v' }), {
      partitions: 12,
    }),
  ),
  ...['user-1', 'a', 'abc', 'foobar', '😀'].map(key =>
    scenario(
      `the legacy partition of the key ${JSON.stringify(key)}`,
      async ({ producer, library, topic }) => {
        const { send } = await producer({ createPartitioner: library.Partitioners.LegacyPartitioner })
        return outcome(() => send({ topic, messages: [{ key, value: 'v' }] }))
      },
      { partitions: 12 },
    ),
  ),
]
