import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseProducerOptions, parseProperties } from '../../dist/config/index.js'
import { ConfigError } from '../../dist/errors/index.js'

/** Entries, because the result has no prototype and deepEqual would compare that too. */
const entries = (text: string) => Object.entries(parseProperties(text))

describe('parseProperties', () => {
  test('takes =, : and blanks as separators and drops the blanks around them', () => {
    assert.deepEqual(entries('a=1\nb: 2\nc 3\nd\t =\f4\n  e   =   5'), [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4'],
      ['e', '5'],
    ])
  })

  test('keeps only the first separator and the blanks at the end', () => {
    assert.deepEqual(entries('a==1\nb = c:d = e \nc : = x'), [
      ['a', '=1'],
      ['b', 'c:d = e '],
      ['c', '= x'],
    ])
  })

  test('skips comments and blank lines, and ends lines at any of the three line ends', () => {
    assert.deepEqual(entries('# one\r\n  ! two\r\n\r \t\f\na=1\rb=2\n#c=3\\\nd=4'), [
      ['a', '1'],
      ['b', '2'],
      ['d', '4'],
    ])
  })

  test('joins continued lines without their leading blanks', () => {
    assert.deepEqual(entries('hosts=a:1,\\\n    b:2,\\\r\n\tc:3\nnext=1'), [
      ['hosts', 'a:1,b:2,c:3'],
      ['next', '1'],
    ])
    assert.deepEqual(entries('a=1\\\n# not a comment'), [['a', '1# not a comment']])
    assert.deepEqual(entries('a=1\\\n\nb=2'), [
      ['a', '1'],
      ['b', '2'],
    ])
    assert.deepEqual(entries('a=1\\'), [['a', '1']])
    assert.deepEqual(entries('\\\n\n'), [])
  })

  test('continues a line only after an odd number of backslashes', () => {
    assert.deepEqual(entries('a=x\\\\\nb=y\\\\\\\nz'), [
      ['a', 'x\\'],
      ['b', 'y\\z'],
    ])
  })

  test('decodes escapes in keys and values', () => {
    assert.deepEqual(entries('a\\ b\\:c\\=d=\\t\\n\\r\\f\\u00e9\\u20AC\\q\\\\'), [
      ['a b:c=d', '\t\n\r\fé€q\\'],
    ])
    assert.deepEqual(entries('a=\\\\u0041'), [['a', '\\u0041']])
  })

  test('refuses a malformed \\u escape', () => {
    for (const text of ['a=\\u12', 'a=\\uzzzz', 'a\\u=1'])
      assert.throws(() => parseProperties(text), ConfigError, text)
  })

  test('takes keys without a value, and the last of equal keys', () => {
    assert.deepEqual(entries('a\nb=\na=2'), [
      ['a', '2'],
      ['b', ''],
    ])
    assert.deepEqual(entries(''), [])
  })

  test('keeps __proto__ a plain key, which is then refused as unknown', () => {
    const properties = parseProperties('__proto__=x')
    assert.deepEqual(Object.keys(properties), ['__proto__'])
    assert.throws(() => parseProducerOptions(properties), /unknown option "__proto__"/)
  })

  test('reads a whole producer.properties as the Java tools have it', () => {
    const config = parseProducerOptions(
      parseProperties(`
# list of brokers used for bootstrapping
bootstrap.servers=one:9092, two:9093
acks = all
compression.type=zstd
linger.ms : 20
enable.idempotence=TRUE
max.block.ms=9223372036854775807
key.serializer=org.apache.kafka.common.serialization.IntegerSerializer
value.serializer=org.apache.kafka.common.serialization.StringSerializer
security.protocol=PLAINTEXT
client.id=from-file\\u0021
`),
    )
    assert.deepEqual(config.bootstrapServers, [
      { host: 'one', port: 9092 },
      { host: 'two', port: 9093 },
    ])
    assert.equal(config.acks, -1)
    assert.equal(config.compressionType, 'zstd')
    assert.equal(config.compressionLevel, 3)
    assert.equal(config.lingerMs, 20)
    assert.equal(config.enableIdempotence, true)
    assert.equal(config.maxBlockMs, Number.MAX_SAFE_INTEGER)
    assert.equal(config.clientId, 'from-file!')
    assert.deepEqual(config.keySerializer?.serialize('t', 1, undefined), Uint8Array.of(0, 0, 0, 1))
    assert.equal(config.valueSerializer?.serialize('t', 'text', undefined), 'text')
  })
})
