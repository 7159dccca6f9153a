import assert from 'node:assert/strict'
import { test } from 'node:test'

import { STAGED_RECORDS_MAX } from '../../dist/accumulator/append/staged-places.js'
import { CAPACITY_BYTES, type StagedRun, Staging } from '../../dist/accumulator/append/staging.js'

const run: StagedRun = {
  touchBase: 0,
  attachStaged() {},
  deliveryAt: () => null,
  ordinalAt: () => 0,
  clear() {},
}

test('a run takes no record that its memory has no room for, with nulls among them or not', () => {
  for (const [key, value] of [
    [null, 277],
    [277, null],
    [100, 177],
  ] as const) {
    const staging = new Staging(0, 1_048_576)
    const bytesOf = (length: number | null) => (length === null ? null : new Uint8Array(length).fill(1))
    staging.begin(run, 0, 0, -1, 0)
    let count = 0
    while (staging.extend(run, count, bytesOf(key), bytesOf(value), null)) count++
    assert.equal(count, Math.floor(CAPACITY_BYTES / 277))
    assert.ok(count < STAGED_RECORDS_MAX)
    // What is left is filled to the last byte, and then one byte is too many.
    const left = CAPACITY_BYTES - count * 277
    assert.equal(staging.extend(run, count, bytesOf(null), bytesOf(left + 1), null), false)
    assert.equal(staging.extend(run, count, bytesOf(null), bytesOf(left), null), true)
    assert.equal(staging.used, CAPACITY_BYTES)
  }
})
