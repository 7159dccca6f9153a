import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type LineRecordsOptions,
  numberAt,
  type RecordArray,
  recordsOfLines,
} from '../../dist/cli/records.js'

interface Outcome {
  arrays: RecordArray[]
  bad: [number: number, message: string][]
  bytesRead: number
}

async function read(
  chunks: readonly (string | Buffer)[],
  options: Partial<LineRecordsOptions> = {},
): Promise<Outcome> {
  const outcome: Outcome = { arrays: [], bad: [], bytesRead: 0 }
  async function* source() {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  const records = recordsOfLines(source(), {
    template: { topic: 't' },
    keyField: undefined,
    arrayLength: 1_000,
    arrayBytes: 1_000_000,
    onBadLine: (number, message) => outcome.bad.push([number, message]),
    onBytesRead: bytes => {
      outcome.bytesRead += bytes
    },
    ...options,
  })
  for await (const array of records) outcome.arrays.push(array)
  return outcome
}

const plain = ({ arrays }: Outcome) =>
  arrays.flatMap(array =>
    array.records.map((record, index) => [
      numberAt(array, index),
      record.key,
      Buffer.from(record.value as Uint8Array).toString(),
    ]),
  )

test('the value is the line as it stands', async () => {
  const outcome = await read(['{ "a" : 1.50 }\r\n[1]\n"grüße"\n 7'])
  assert.deepEqual(plain(outcome), [
    [1, null, '{ "a" : 1.50 }'],
    [2, null, '[1]'],
    [3, null, '"grüße"'],
    [4, null, ' 7'],
  ])
  assert.deepEqual(outcome.bad, [])
})

test('lines that are not JSON are reported with their numbers and the others are unharmed', async () => {
  const outcome = await read([
    '{"a":1}\n{"a":\n\n',
    '{"a":2}\nü\n{"a":3} x\n',
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    '4',
  ])
  assert.deepEqual(
    plain(outcome).map(([number]) => number),
    [1, 4, 8],
  )
  assert.deepEqual(
    outcome.bad.map(([number]) => number),
    [2, 5, 6, 7],
  )
  for (const [number, message] of outcome.bad) {
    assert.match(message, number === 7 ? /^not valid UTF-8$/ : /^not JSON: /)
  }
})

test('a message about a line quotes it in its own characters', async () => {
  const outcome = await read(['{"straße":}\n'])
  assert.doesNotMatch(outcome.bad[0]?.[1] ?? '', /Ã/)
})

test('blank lines are passed over but counted', async () => {
  const outcome = await read(['\n \t\n{}\n\n'])
  assert.deepEqual(plain(outcome), [[3, null, '{}']])
  assert.deepEqual(outcome.bad, [])
})

test('the key is the field, by name or by path; without the field there is none', async () => {
  const lines = [
    '{"user":{"id":"a"}}',
    '{"user.id":"b","user":{"id":"c"}}',
    '{"user":{"id":7}}',
    '{"user":{"id":true}}',
    '{"user":{"id":null}}',
    '{"user":{}}',
    '{"user":"x"}',
    '["user"]',
    'null',
    '{"user":{"id":"ключ"}}',
    '{"user":{"id":""}}',
  ]
  const outcome = await read([lines.join('\n')], { keyField: 'user.id' })
  assert.deepEqual(
    plain(outcome).map(([, key]) => key),
    ['a', 'b', '7', 'true', null, null, null, null, null, 'ключ', ''],
  )
  assert.deepEqual(outcome.bad, [])
})

test('a path may lead through names that have dots themselves', async () => {
  const outcome = await read(['{"a.b":{"c":"1"},"a":{"b":{"d":"2"}}}'], { keyField: 'a.b.c' })
  assert.equal(outcome.arrays[0]?.records[0]?.key, '1')
})

test('inherited names are no fields', async () => {
  const outcome = await read(['{"a":1}'], { keyField: 'constructor.name' })
  assert.equal(outcome.arrays[0]?.records[0]?.key, null)
})

test('a key field that is an object or an array fails its line', async () => {
  const outcome = await read(['{"k":{}}\n{"k":[1]}\n{"k":"ok"}\n'], { keyField: 'k' })
  assert.deepEqual(outcome.bad, [
    [1, 'the key field k is not a string but an object'],
    [2, 'the key field k is not a string but an array'],
  ])
  assert.deepEqual(plain(outcome), [[3, 'ok', '{"k":"ok"}']])
})

test('arrays end at their length, at their bytes, and with the chunk', async () => {
  const lines = (count: number) => '{"n":123456}\n'.repeat(count)
  const lengths = async (chunks: string[], options: Partial<LineRecordsOptions>) =>
    (await read(chunks, options)).arrays.map(array => array.records.length)
  assert.deepEqual(await lengths([lines(25)], { arrayLength: 10 }), [10, 10, 5])
  assert.deepEqual(await lengths([lines(10)], { arrayBytes: 30 }), [3, 3, 3, 1])
  assert.deepEqual(await lengths([lines(2), lines(3)], {}), [2, 3])
  assert.deepEqual(await lengths(['{"n":', '1}', '\n'], {}), [1])
  assert.deepEqual(await lengths(['', '\n\n'], {}), [])
})

test('bytes of the input and of the records are counted', async () => {
  const outcome = await read(['{"k":"é"}\n{"k":"ab"}\n'], { keyField: 'k' })
  assert.equal(outcome.bytesRead, Buffer.byteLength('{"k":"é"}\n{"k":"ab"}\n'))
  assert.equal(outcome.arrays[0]?.bytes, Buffer.byteLength('{"k":"é"}{"k":"ab"}') + 2 + 2)
})

test('every record carries what all have in common', async () => {
  const headers = [['source', Buffer.from('file')]] as const
  const outcome = await read(['1\n2\n'], { template: { topic: 'orders', partition: 3, headers } })
  for (const record of outcome.arrays[0]?.records ?? []) {
    assert.equal(record.topic, 'orders')
    assert.equal(record.partition, 3)
    assert.equal(record.headers, headers)
  }
})
