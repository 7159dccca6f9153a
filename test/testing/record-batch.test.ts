import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressionTypes } from '../../dist/compression/index.js'
import { BatchError } from '../../dist/testing/batch-error.js'
import { crc32c } from '../../dist/testing/crc32c.js'
import {
  checkBatch,
  decodeRecords,
  putRight,
  readBatchHeader,
  withoutSurplus,
} from '../../dist/testing/record-batch.js'
import { refused, refusedHereOnly, taken } from './odd-batches.js'
import { BASE_TIMESTAMP, encodeBatch, numbered } from './support.js'

/**
 * Written by Kafka 4.3.0's own client: three records, timestamps 1700000000000, +5 and -10; k1/v1, null/"hello"
 * with the headers h="x" and n=null, k3/null.
 */
const golden = {
  none: '000000000000000000000058ffffffff022e087a100000000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100',
  transactional:
    '000000000000000000000058ffffffff028f88e9dd0010000000020000018bcfe568000000018bcfe568050000000000000fa000070000002a0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100',
  gzip: '00000000000000000000006cffffffff028db860830001000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff000000031f8b08000000000000ff1361606060c936642933645061e06262e4ca48cdc9c96761ca60aa60ca631460106661c9366664000047de77cf27000000',
  snappy:
    '00000000000000000000006effffffff023f3f7c0e0002000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000382534e4150505900000000010000000100000029279814000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100',
  lz4: '000000000000000000000067ffffffff02054afe330003000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000304224d186040822700008014000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b33010000000000',
  zstd: '000000000000000000000064ffffffff02939025c90004000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000328b52ffd005838010014000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100010000',
}

const bytesOf = (hex: string) => Buffer.from(hex, 'hex')

function plain(bytes: Uint8Array) {
  const text = (field: Uint8Array | null) => (field === null ? null : Buffer.from(field).toString())
  return Array.from(decodeRecords(bytes, 3), ({ key, value, headers, ...rest }) => ({
    ...rest,
    key: text(key),
    value: text(value),
    headers: headers.map(([name, header]) => [name, text(header)]),
  }))
}

function expected(producerId: bigint, epoch: number, firstSequence: number) {
  const base = Number(BASE_TIMESTAMP)
  const producer = (index: number) => ({
    partition: 3,
    offset: BigInt(index),
    producerId,
    epoch,
    sequence: firstSequence < 0 ? -1 : firstSequence + index,
  })
  return [
    { ...producer(0), timestamp: base, key: 'k1', value: 'v1', headers: [] },
    {
      ...producer(1),
      timestamp: base + 5,
      key: null,
      value: 'hello',
      headers: [
        ['h', 'x'],
        ['n', null],
      ],
    },
    { ...producer(2), timestamp: base - 10, key: 'k3', value: null, headers: [] },
  ]
}

for (const name of compressionTypes) {
  test(`a batch that Kafka's client wrote with compression ${name} passes all checks and decodes`, () => {
    const bytes = bytesOf(golden[name])
    checkBatch(bytes, readBatchHeader(bytes))
    assert.deepEqual(plain(bytes), expected(-1n, -1, -1))
  })
}

test('the producer fields of a transactional batch are read, and counted on for each record', () => {
  const bytes = bytesOf(golden.transactional)
  const header = readBatchHeader(bytes)
  checkBatch(bytes, header)
  assert.equal(header.transactional, true)
  assert.deepEqual(plain(bytes), expected(4000n, 7, 42))
})

test('sequences of records go on at 0 after 2147483647', () => {
  const bytes = encodeBatch(numbered(3), { producerId: 1n, producerEpoch: 0, baseSequence: 0x7ffffffe })
  assert.deepEqual(
    plain(bytes).map(record => record.sequence),
    [0x7ffffffe, 0x7fffffff, 0],
  )
})

test('timestamp deltas of every length decode exactly up to 2⁵³', () => {
  const deltas = [
    0,
    -1,
    63,
    64,
    -64,
    -65,
    8191,
    -8192,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 40 + 1,
    -(2 ** 50) - 1,
    2 ** 52 + 1,
  ]
  const bytes = encodeBatch(
    deltas.map(timestampDelta => ({ timestampDelta })),
    { baseTimestamp: 0n },
  )
  checkBatch(bytes, readBatchHeader(bytes))
  assert.deepEqual(
    plain(bytes).map(record => record.timestamp),
    deltas,
  )
})

for (const [name, batch, errorCode] of refused) {
  test(`a batch with ${name} is refused`, () => {
    assert.throws(
      () => checkBatch(batch, readBatchHeader(batch)),
      (error: unknown) => error instanceof BatchError && error.errorCode === errorCode,
    )
  })
}

for (const [name, batch] of taken) {
  test(`a batch with ${name} is taken, and what is stored is as it should be`, () => {
    const whole = withoutSurplus(batch)
    const right = putRight(whole, checkBatch(whole, readBatchHeader(whole)))
    const header = readBatchHeader(right)
    assert.equal(header.logAppendTime, false)
    assert.equal(header.maxTimestamp, BASE_TIMESTAMP)
    assert.deepEqual(
      plain(right).map(({ offset }) => offset),
      [0n],
    )
    const { oddities } = checkBatch(right, header)
    assert.ok(
      oddities.every(oddity => /epoch|lengths|records/.test(oddity)),
      oddities.join(),
    )
  })
}

for (const [name, batch, reason] of refusedHereOnly) {
  test(`a batch with ${name} is refused although Kafka takes it: ${reason}`, () => {
    assert.throws(() => checkBatch(batch, readBatchHeader(batch)), BatchError)
  })
}

test('no prefix and no single changed byte of a batch escapes the checks with other than a BatchError', () => {
  const batch = encodeBatch([{ key: 'k', value: 'v', headers: [['h', 'x']] }, {}])
  for (let length = 0; length < batch.length; length++) {
    const short = batch.subarray(0, length)
    assert.throws(() => checkBatch(short, readBatchHeader(short)), BatchError)
  }
  for (let position = 61; position < batch.length; position++) {
    for (let value = 0; value < 256; value++) {
      const changed = Buffer.from(batch)
      changed[position] = value
      changed.writeUInt32BE(crc32c(changed, 21), 17)
      try {
        checkBatch(changed, readBatchHeader(changed))
      } catch (error) {
        assert.ok(error instanceof BatchError, `byte ${position} = ${value}: ${error}`)
      }
    }
  }
})
