import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ConfigError,
  listSerializer,
  Producer,
  RecordHeaders,
  SerializationError,
  serializers,
  stringSerializer,
} from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array | string).toString('hex')

describe('the list serializer', () => {
  test('writes elements of one length without their lengths', () => {
    const { serialize } = listSerializer(serializers.integer)
    assert.equal(hex(serialize('t', [1, -1])), '00' + '00000000' + '00000002' + '00000001' + 'ffffffff')
    const withNulls = '00' + '00000002' + '0000000000000002' + '00000003' + '00000005'
    assert.equal(hex(serialize('t', [null, 5, null])), withNulls)
    assert.equal(hex(serialize('t', [])), '00' + '00000000' + '00000000')
    assert.equal(serialize('t', null), null)
  })

  test('writes others with their lengths, and -1 for null', () => {
    const { serialize } = listSerializer(serializers.string)
    assert.equal(
      hex(serialize('t', ['a', null, 'é'])),
      '01' + '00000003' + '0000000161' + 'ffffffff' + '00000002c3a9',
    )
    const own = listSerializer((_: string, data: number) => Buffer.alloc(data, 7))
    assert.equal(hex(own.serialize('t', [2, 0])), '01' + '00000002' + '000000020707' + '00000000')
  })

  test('refuses what is no list, and what its elements are not', () => {
    const { serialize } = listSerializer(serializers.integer)
    assert.throws(() => serialize('t', 'text' as never), SerializationError)
    assert.throws(() => serialize('t', ['text' as never]), SerializationError)
  })
})

describe('the string serializer', () => {
  test('writes the charsets that every JVM has', () => {
    const one = (encoding: string, text: string) => hex(stringSerializer(encoding).serialize('t', text))
    assert.equal(one('UTF-8', 'é'), 'c3a9')
    assert.equal(one('utf-16be', 'é'), '00e9')
    assert.equal(one('UTF-16LE', 'é'), 'e900')
    assert.equal(one('UTF-16', 'é'), 'feff00e9')
    assert.equal(one('UTF-16', ''), '')
    assert.equal(one('ISO-8859-1', 'é€'), 'e93f')
    assert.equal(one('US-ASCII', 'aé😀b'), '613f3f62')
    assert.equal(stringSerializer('UTF-16').serialize('t', null), null)
  })

  test('refuses other charsets and other data', () => {
    assert.throws(() => stringSerializer('EBCDIC'), ConfigError)
    assert.throws(() => stringSerializer('UTF-16').serialize('t', 5 as never), SerializationError)
  })
})

test('RecordHeaders are built step by step and sent as they are', async () => {
  const headers = new RecordHeaders({ a: ['1', '2'], b: null }).add('a', Buffer.from('3')).add('c', 'x')
  assert.deepEqual(headers.lastHeader('a'), ['a', Buffer.from('3')])
  assert.equal(headers.lastHeader('none'), undefined)
  assert.deepEqual(
    headers.headers('a').map(([, value]) => String(value)),
    ['1', '2', '3'],
  )
  headers.remove('c').remove('none')
  assert.deepEqual(
    headers.toArray().map(([name]) => name),
    ['a', 'a', 'b', 'a'],
  )
  assert.deepEqual(new RecordHeaders(headers).toArray(), headers.toArray())
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers })
  await producer.send({ topic: 't', value: 'v', headers })
  const stored = broker.records('t')[0]?.headers ?? []
  assert.deepEqual(
    Array.from(stored as Iterable<readonly [string, unknown]>, ([name, value]) => [
      name,
      value === null ? null : String(value),
    ]),
    [
      ['a', '1'],
      ['a', '2'],
      ['b', null],
      ['a', '3'],
    ],
  )
})
