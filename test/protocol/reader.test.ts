import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../dist/errors/index.js'
import { Reader } from '../../dist/protocol/reader.js'

function readerOf(hex: string): Reader {
  return new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

describe('Reader', () => {
  it('reads integers in big-endian order with their sign', () => {
    const r = readerOf('ff 8000 7fff 80000000 ffffffff 01 00')
    assert.equal(r.int8(), -1)
    assert.equal(r.int16(), -32768)
    assert.equal(r.int16(), 32767)
    assert.equal(r.int32(), -2147483648)
    assert.equal(r.uint32(), 4294967295)
    assert.equal(r.bool(), true)
    assert.equal(r.bool(), false)
    assert.equal(r.remaining, 0)
  })

  it('reads int64 as bigint over its whole range', () => {
    const cases: [string, bigint][] = [
      ['0000000000000000', 0n],
      ['00000000ffffffff', 4294967295n],
      ['0000000100000000', 4294967296n],
      ['ffffffffffffffff', -1n],
      ['fffffffffffffffe', -2n],
      ['ffffffff00000000', -4294967296n],
      ['7fffffffffffffff', 9223372036854775807n],
      ['8000000000000000', -9223372036854775808n],
    ]
    for (const [hex, value] of cases) {
      assert.equal(readerOf(hex).int64(), value)
      assert.equal(readerOf(hex).int64Number(), Number(value))
    }
  })

  it('reads unsigned varints of one to five bytes', () => {
    const cases: [string, number][] = [
      ['00', 0],
      ['7f', 127],
      ['8001', 128],
      ['ff7f', 16383],
      ['808001', 16384],
      ['ffffff7f', 268435455],
      ['8080808001', 268435456],
      ['ffffffff07', 2147483647],
      ['ffffffff0f', 4294967295],
    ]
    for (const [hex, value] of cases) {
      const r = readerOf(hex)
      assert.equal(r.uvarint(), value)
      assert.equal(r.remaining, 0)
    }
  })

  it('hands out one list for int32 arrays that are alike, and never a list of other numbers', () => {
    const list = (...numbers: number[]) => {
      const bytes = Buffer.alloc(1 + 4 * numbers.length, numbers.length + 1)
      for (const [i, number] of numbers.entries()) bytes.writeInt32BE(number, 1 + 4 * i)
      return new Reader(bytes).int32Array(true)
    }
    assert.equal(list(1, 2, 3), list(1, 2, 3))
    assert.throws(() => (list(1, 2, 3) as number[]).push(4), TypeError)
    // Far more lists than are remembered, so that each takes the place of others.
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 10_000; i++) {
        assert.deepEqual(list(i, i % 7, -1), [i, i % 7, -1])
        assert.deepEqual(list(i, i % 7), [i, i % 7])
      }
    }
    const long = Array.from({ length: 100 }, (_, i) => i)
    assert.deepEqual(list(...long), long)
  })

  it('reads zigzag varints', () => {
    const cases: [string, number][] = [
      ['00', 0],
      ['01', -1],
      ['02', 1],
      ['feffffff0f', 2147483647],
      ['ffffffff0f', -2147483648],
    ]
    for (const [hex, value] of cases) {
      assert.equal(readerOf(hex).varint(), value)
      assert.equal(readerOf(hex).varlong(), BigInt(value))
    }
    assert.equal(readerOf('feffffffffffffffff01').varlong(), 9223372036854775807n)
    assert.equal(readerOf('ffffffffffffffffff01').varlong(), -9223372036854775808n)
  })

  it('refuses varints that are longer than their type', () => {
    assert.throws(() => readerOf('ffffffff10').uvarint(), ProtocolError)
    assert.throws(() => readerOf('808080808000').uvarint(), ProtocolError)
    assert.throws(() => readerOf('ffffffffffffffffff02').varlong(), ProtocolError)
    assert.throws(() => readerOf('8080808080808080808001').varlong(), ProtocolError)
    assert.throws(() => readerOf('80').uvarint(), ProtocolError)
  })

  it('reads strings and bytes, null and empty, in both encodings', () => {
    const r = readerOf('0003616263 0000 ffff 04616263 01 00 00000002beef ffffffff 03beef 00')
    assert.equal(r.string(), 'abc')
    assert.equal(r.string(), '')
    assert.equal(r.nullableString(), null)
    assert.equal(r.string(true), 'abc')
    assert.equal(r.nullableString(true), '')
    assert.equal(r.nullableString(true), null)
    assert.equal(Buffer.from(r.bytes()).toString('hex'), 'beef')
    assert.equal(r.nullableBytes(), null)
    assert.equal(Buffer.from(r.bytes(true)).toString('hex'), 'beef')
    assert.equal(r.nullableBytes(true), null)
    r.expectEnd()
  })

  it('refuses null where the field may not be null, and negative lengths', () => {
    assert.throws(() => readerOf('ffff').string(), ProtocolError)
    assert.throws(() => readerOf('00').string(true), ProtocolError)
    assert.throws(() => readerOf('ffffffff').bytes(), ProtocolError)
    assert.throws(() => readerOf('00').bytes(true), ProtocolError)
    assert.throws(() => readerOf('fffe').nullableString(), ProtocolError)
    assert.throws(() => readerOf('fffffffe').nullableBytes(), ProtocolError)
    assert.throws(() => readerOf('fffffffe').nullableArrayLength(false, 1), ProtocolError)
    assert.throws(() => readerOf('ffffffff').arrayLength(false, 1), ProtocolError)
    assert.throws(() => readerOf('00').arrayLength(true, 1), ProtocolError)
  })

  it('gives bytes as views of the frame and ids as copies', () => {
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 2, 1, 2]), Buffer.alloc(16, 9)])
    const r = new Reader(frame)
    const view = r.bytes()
    const id = r.uuid()
    frame.fill(0)
    assert.deepEqual([...view], [0, 0])
    assert.deepEqual([...id], Array(16).fill(9))
  })

  it('believes an array count only as far as the frame is long enough for it', () => {
    assert.equal(readerOf('00000002 0000000000000000').arrayLength(false, 4), 2)
    assert.throws(() => readerOf('00000003 0000000000000000').arrayLength(false, 4), ProtocolError)
    assert.throws(() => readerOf('7fffffff 00').arrayLength(false, 1), ProtocolError)
    assert.throws(() => readerOf('ffffffff0f 00').arrayLength(true, 1), ProtocolError)
    assert.throws(() => readerOf('05 00000001').int32Array(true), ProtocolError)
    assert.deepEqual(readerOf('03 00000001 00000002').int32Array(true), [1, 2])
  })

  it('stays within the part of the frame it was given', () => {
    const r = new Reader(Buffer.from([1, 2, 3, 4, 5, 6]), 1, 4)
    assert.equal(r.remaining, 3)
    assert.equal(r.int16(), 0x0203)
    assert.throws(() => r.int16(), ProtocolError)
    assert.equal(r.offset, 3)
    assert.throws(() => r.skip(-1), ProtocolError)
    assert.throws(() => r.raw(-1), ProtocolError)
    assert.equal(r.int8(), 4)
  })

  it('reads a plain Uint8Array that begins within its ArrayBuffer', () => {
    const whole = new Uint8Array([9, 9, 0, 1, 0x61])
    assert.equal(new Reader(whole.subarray(2)).string(), 'a')
  })

  it('passes over tagged fields it is not told to read', () => {
    const r = readerOf('02 05 03 aabbcc 8108 00 7f')
    r.skipTags()
    assert.equal(r.int8(), 0x7f)
    r.skipTags(false)
    assert.throws(() => readerOf('01 05 04 aabbcc').skipTags(), ProtocolError)
    assert.throws(() => readerOf('ffffffff0f 00 00').skipTags(), ProtocolError)
  })

  it('hands tagged fields over with their number and keeps them within their length', () => {
    const seen: number[][] = []
    const read = (target: number[][], tag: number, r: Reader): boolean => {
      if (tag !== 1) return false
      target.push([r.int8(), r.remaining])
      r.skip(r.remaining)
      return true
    }
    const r = readerOf('03 00 01 77 01 02 0a0b 02 00 55')
    r.tags(seen, 0, read)
    assert.deepEqual(seen, [[10, 1]])
    assert.equal(r.int8(), 0x55)
  })

  it('refuses a known tagged field that is longer or shorter than its content', () => {
    const read = (_target: null, _tag: number, r: Reader): boolean => r.int16() === 0
    assert.throws(() => readerOf('01 00 03 000000').tags(null, 0, read), ProtocolError)
    assert.throws(() => readerOf('01 00 01 00 00').tags(null, 0, read), ProtocolError)
    assert.throws(() => readerOf('01 00 05 0000').tags(null, 0, read), ProtocolError)
  })

  it('says what was wrong and where', () => {
    assert.throws(() => readerOf('0005 6162').string(), {
      name: 'ProtocolError',
      code: 'PROTOCOL',
      message: 'Malformed Kafka frame: the frame ends: 5 bytes expected, 2 left (at byte 2 of 4)',
    })
    assert.throws(() => readerOf('00').expectEnd(), /1 bytes are left after the end of the message/)
  })
})
