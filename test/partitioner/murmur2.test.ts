// The hash in JavaScript is that of native code, which is checked against Java's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadAddon } from '../../dist/native/load.js'
import { murmur2, partitionOfKey } from '../../dist/partitioner/murmur2.js'

test('murmur2 in JavaScript equals the native one for every length and all byte values', () => {
  const addon = loadAddon()
  for (let length = 1; length < 300; length++) {
    const key = Uint8Array.from({ length }, (_, at) => (at * 167 + length * 31) & 0xff)
    const expected = addon.murmur2(key)
    assert.equal(murmur2(key, 0, length), expected)
    assert.equal(murmur2(key), expected)
    assert.equal(
      murmur2(Buffer.concat([Buffer.from('left'), key, Buffer.from('right')]), 4, length),
      expected,
    )
  }
})

test('the partition of a key is the one that Java chooses', () => {
  for (const [key, partition] of [
    ['21', 0],
    ['foobar', 6],
    ['abc', 3],
    ['a', 4],
  ] as const) {
    assert.equal(partitionOfKey(Buffer.from(key), 0, key.length, 12), partition)
  }
})
