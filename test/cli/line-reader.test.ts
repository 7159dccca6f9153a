import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UsageError } from '../../dist/cli/arguments.js'
import { delimiterOf, LineReader, type ParsedLine, readerOptions } from '../../dist/cli/line-reader.js'

const own = { keyOptional: false, emptyAsNull: false, fixedKey: null }

function read(line: string | Buffer, properties: Record<string, string>, options: Partial<typeof own> = {}) {
  return plain(
    new LineReader({ ...readerOptions(properties), ...own, ...options }).read(Buffer.from(line), 7),
  )
}

const text = (bytes: string | Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

function plain({ key, value, headers }: ParsedLine) {
  const pairs = headers?.map(([name, bytes]) => [name, text(bytes)])
  return pairs === undefined ? [text(key), text(value)] : [text(key), text(value), pairs]
}

const BOTH = { 'parse.key': 'true', 'parse.headers': 'true' }

describe("the reader of Kafka's console producer", () => {
  test('by default a line is a value as it stands', () => {
    assert.deepEqual(read('a\tb', {}), [null, 'a\tb'])
    assert.deepEqual(read('', {}), [null, ''])
    const bytes = Buffer.from([0xff, 0x00, 0xfe])
    const reader = new LineReader({ ...readerOptions({}), ...own })
    assert.deepEqual(reader.read(bytes, 1).value, bytes, 'bytes that are not UTF-8 are left alone')
  })

  test('key, headers and both are parted at the first separator', () => {
    assert.deepEqual(read('k\tv\tw', { 'parse.key': ' TRUE ' }), ['k', 'v\tw'])
    assert.deepEqual(read('k::v', { 'parse.key': 'true', 'key.separator': '::' }), ['k', 'v'])
    assert.deepEqual(read('\tv', { 'parse.key': 'true' }), ['', 'v'])
    assert.deepEqual(read('a:1,b:2\tv', { 'parse.headers': 'true' }), [
      null,
      'v',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ])
    assert.deepEqual(read('a:1\tk\tv', BOTH), ['k', 'v', [['a', '1']]])
    assert.deepEqual(read('a:1:2|k\tv', { ...BOTH, 'headers.delimiter': '|' }), ['k', 'v', [['a', '1:2']]])
  })

  test('headers are split by a regular expression of Java', () => {
    const headers = (block: string, separator: string) =>
      read(`${block}\tv`, { 'parse.headers': 'true', 'headers.separator': separator })[2]
    assert.deepEqual(headers('a:1 ;  b:2', '\\s*;\\s*'), [
      ['a', '1'],
      ['b', '2'],
    ])
    assert.deepEqual(headers('a:1|b:2', '\\|'), [
      ['a', '1'],
      ['b', '2'],
    ])
    assert.deepEqual(headers('a:1.b:2', '\\Q.\\E'), [
      ['a', '1'],
      ['b', '2'],
    ])
    assert.deepEqual(
      headers('a:1-b:2', '(-)'),
      [
        ['a', '1'],
        ['b', '2'],
      ],
      'what is captured is no header',
    )
    assert.deepEqual(headers('a:1,,', ','), [['a', '1']], 'nothing empty at the end')
    assert.deepEqual(headers(',', ','), [])
    assert.throws(() => headers('', '('), UsageError)
  })

  test('a part that is missing is an error with the number of the line', () => {
    assert.throws(
      () => read('kv', { 'parse.key': 'true' }),
      /^Error: No key separator found on line number 7: 'kv'$/,
    )
    assert.throws(() => read('kv', BOTH), /No headers delimiter found on line number 7: 'kv'/)
    assert.throws(() => read('a:1\tkv', BOTH), /No key separator found on line number 7: 'a:1\tkv'/)
    assert.throws(() => read('a\tk\tv', BOTH), /No header key separator found in pair 'a' on line number 7/)
    assert.throws(() => read('\tk\tv', BOTH), /No header key separator found in pair '' on line number 7/)
  })

  test('with ignore.error a part that is missing is left out', () => {
    const lenient = { ...BOTH, 'ignore.error': 'true' }
    assert.deepEqual(read('kv', lenient), [null, 'kv'])
    assert.deepEqual(read('a\tkv', lenient), [null, 'kv', [['a', null]]])
    assert.deepEqual(read('a\tk\tv', lenient), ['k', 'v', [['a', null]]])
  })

  test('the null marker makes null of a key, a value, a header and all headers', () => {
    const marked = { ...BOTH, 'null.marker': 'NULL' }
    assert.deepEqual(read('NULL\tNULL\tNULL', marked), [null, null])
    assert.deepEqual(read('a:NULL,b:2\tk\tv', marked), [
      'k',
      'v',
      [
        ['a', null],
        ['b', '2'],
      ],
    ])
    assert.throws(() => read('NULL:1\tk\tv', marked), /should not be equal to the null marker 'NULL'/)
    assert.deepEqual(read('', { 'null.marker': '' }), [null, null])
  })

  test('separators that cannot be told apart, and unknown properties, are refused', () => {
    for (const [properties, why] of [
      [{ 'headers.delimiter': ',' }, /headers\.delimiter and headers\.separator may not be equal/],
      [{ 'headers.delimiter': ':' }, /headers\.delimiter and headers\.key\.separator/],
      [{ 'headers.separator': ':' }, /headers\.separator and headers\.key\.separator/],
      [{ 'null.marker': '\t' }, /null\.marker and key\.separator/],
      [{ 'null.marker': ',' }, /null\.marker and headers\.separator/],
      [{ 'null.marker': ':' }, /null\.marker and headers\.key\.separator/],
      [{ 'key.separator': '' }, /key\.separator may not be empty/],
      [{ 'parse.value': 'true' }, /"parse\.value": the reader has parse\.key, /],
    ] as const) {
      assert.throws(
        () => readerOptions(properties as Record<string, string>),
        (error: Error) => error instanceof UsageError && why.test(error.message),
      )
    }
  })
})

describe("kcat's ways", () => {
  const optional = { 'parse.key': 'true', 'key.separator': ':' }

  test('a line without the key delimiter has the fixed key, or none', () => {
    assert.deepEqual(read('nok', optional, { keyOptional: true }), [null, 'nok'])
    const fixedKey = Buffer.from('fix')
    const reader = new LineReader({ ...readerOptions(optional), ...own, keyOptional: true, fixedKey })
    assert.deepEqual(plain(reader.read(Buffer.from('nok'), 1)), ['fix', 'nok'])
    assert.deepEqual(plain(reader.read(Buffer.from('k:v'), 1)), ['k', 'v'])
    assert.deepEqual(plain(reader.read(Buffer.from(':v'), 1)), ['', 'v'])
  })

  test('empty keys and values are null with -Z', () => {
    const empty = { keyOptional: true, emptyAsNull: true }
    assert.deepEqual(read(':', optional, empty), [null, null])
    assert.deepEqual(read(':v', optional, empty), [null, 'v'])
    assert.deepEqual(read('k:', optional, empty), ['k', null])
  })

  test('delimiters are written with escapes', () => {
    const hex = (given: string) => delimiterOf('D', given).toString('hex')
    assert.deepEqual(['\\n', '\\t\\r', '\\x41\\x0', 'ab', '\\\\', '\\0', 'é', '\\q'].map(hex), [
      ...['0a', '090d', '4100', '6162', '5c', '00', 'c3a9', '5c71'],
    ])
    assert.throws(() => delimiterOf('D', ''), UsageError)
  })
})
