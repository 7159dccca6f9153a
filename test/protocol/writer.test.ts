import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KafkaError } from '../../dist/errors/index.js'
import { Reader } from '../../dist/protocol/reader.js'
import { uvarintBytes, Writer } from '../../dist/protocol/writer.js'

function hexOf(write: (w: Writer) => void): string {
  const w = new Writer(1)
  write(w)
  return Buffer.from(w.finish()).toString('hex')
}

describe('Writer', () => {
  it('writes integers in big-endian order', () => {
    const hex = hexOf(w => {
      w.int8(-1)
      w.int16(-32768)
      w.int32(-2)
      w.uint32(4294967295)
      w.int64(-9223372036854775808n)
      w.bool(true)
    })
    assert.equal(hex, 'ff8000fffffffeffffffff800000000000000001')
  })

  it('writes strings and bytes, null and empty, in both encodings', () => {
    const hex = hexOf(w => {
      w.string('ß')
      w.string('')
      w.nullableString(null)
      w.string('ß', true)
      w.nullableString('', true)
      w.nullableString(null, true)
      w.bytes(Buffer.from('ab'))
      w.nullableBytes(null)
      w.bytes(Buffer.from('ab'), true)
      w.nullableBytes(null, true)
    })
    assert.equal(hex, '0002c39f0000ffff03c39f0100000000026162ffffffff03616200')
  })

  it('writes varints that the reader reads back, over their whole range', () => {
    for (const value of [0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455, 268435456, 4294967295]) {
      const bytes = Buffer.from(
        hexOf(w => w.uvarint(value)),
        'hex',
      )
      assert.equal(bytes.length, uvarintBytes(value))
      assert.equal(new Reader(bytes).uvarint(), value)
    }
    for (const value of [0, 1, -1, 63, -64, 64, 2147483647, -2147483648]) {
      assert.equal(
        new Reader(
          Buffer.from(
            hexOf(w => w.varint(value)),
            'hex',
          ),
        ).varint(),
        value,
      )
    }
    for (const value of [0n, -1n, 1n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      assert.equal(
        new Reader(
          Buffer.from(
            hexOf(w => w.varlong(value)),
            'hex',
          ),
        ).varlong(),
        value,
      )
    }
  })

  it('writes a zigzag varint in the fewest bytes', () => {
    assert.equal(
      hexOf(w => w.varint(-64)),
      '7f',
    )
    assert.equal(
      hexOf(w => w.varlong(-65n)),
      '8101',
    )
  })

  it('keeps what it wrote while it grows', () => {
    const w = new Writer(1)
    const expected = Buffer.alloc(4 * 5000)
    for (let i = 0; i < 5000; i++) {
      w.int32(i)
      expected.writeInt32BE(i, i * 4)
    }
    assert.equal(w.offset, expected.length)
    assert.equal(Buffer.compare(w.finish(), expected), 0)
  })

  it('fills in an int32 that was left open', () => {
    const w = new Writer(1)
    const at = w.reserveInt32()
    w.string('abc')
    w.patchInt32(at, w.offset - 4)
    assert.equal(Buffer.from(w.finish()).toString('hex'), '000000050003616263')
  })

  it('writes tagged fields with their sizes', () => {
    const hex = hexOf(w =>
      w.tags([
        { tag: 0, write: inner => inner.int16(5) },
        { tag: 300, write: inner => inner.string('x'.repeat(200), true) },
      ]),
    )
    assert.equal(hex, `02 00 02 0005 ac02 ca01 c901 ${'78'.repeat(200)}`.replaceAll(' ', ''))
    assert.equal(
      hexOf(w => w.noTags()),
      '00',
    )
    assert.equal(
      hexOf(w => w.noTags(false)),
      '',
    )
  })

  it('refuses what does not fit its field', () => {
    assert.throws(() => hexOf(w => w.string('x'.repeat(32768))), KafkaError)
    assert.throws(() => hexOf(w => w.uuid(new Uint8Array(15))), KafkaError)
    assert.throws(() => hexOf(w => w.int16(32768)), RangeError)
    assert.throws(() => hexOf(w => w.int64(2n ** 63n)), RangeError)
    assert.equal(hexOf(w => w.string('x'.repeat(32768), true)).length / 2, 32768 + 3)
  })
})
