import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../dist/testing/crc32c.js'

/** One bit after the other, straight from the polynomial. */
function bitwise(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)

const vectors: readonly [name: string, bytes: Uint8Array, crc: number][] = [
  ['nothing', new Uint8Array(0), 0],
  ['the digits 1 to 9', Buffer.from('123456789'), 0xe3069283],
  ['32 zero bytes', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes 0xff', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 bytes ascending', ascending, 0x46dd794e],
  ['32 bytes descending', Uint8Array.from(ascending).reverse(), 0x113fdb5c],
]

for (const [name, bytes, crc] of vectors) {
  test(`the CRC-32C of ${name} is that of RFC 3720`, () => assert.equal(crc32c(bytes), crc))
}

test('every length and start up to three slices agrees with the bitwise definition', () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i * 167 + 13) & 0xff)
  for (let start = 0; start < 20; start++) {
    for (let end = start; end <= bytes.length; end++) {
      assert.equal(crc32c(bytes, start, end), bitwise(bytes.subarray(start, end)), `[${start}, ${end})`)
    }
  }
})
