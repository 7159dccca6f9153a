// Under compression a batch is filled until it has `batch.size` in its compressed form, as Java does it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompressionEstimate } from '../../dist/accumulator/partition/compression-estimate.js'
import type { Codec } from '../../dist/compression/codec.js'
import { AccumulatorRig } from './support.js'

const BATCH_BYTES = 1024
const HEADER_BYTES = 61
const VALUE_BYTES = 90
/** Batches after which the estimate has come down from 1 to 0 in steps of 0.005. */
const BATCHES_TO_LEARN = 210

/** Leaves so much of what it is given. */
function codecOf(ratio: () => number): Codec {
  return {
    name: 'lz4',
    id: 3,
    compress: input => input.slice(0, Math.ceil(input.length * ratio())),
    decompress: () => assert.fail('nothing is split'),
  }
}

/** Sends records to one partition until `count` batches are sealed, compressed and settled; their records. */
function recordsPerBatch(rig: AccumulatorRig, topic = rig.topic('t', 1), count = BATCHES_TO_LEARN): number[] {
  const records: number[] = []
  while (records.length < count) {
    rig.send(topic, 0, VALUE_BYTES)
    for (const batch of rig.drain()) {
      records.push(batch.recordCount)
      rig.succeed([batch])
      rig.accumulator.appender.serveWaiting()
    }
  }
  return records
}

function newRig(codec: Codec, bufferBytes = 256 * 1024) {
  return new AccumulatorRig({ codec, bufferBytes, batchBytes: BATCH_BYTES, lingerMs: 1_000_000 })
}

test('the estimate moves as Java moves it: up at once, down in small steps', () => {
  const estimate = new CompressionEstimate()
  assert.equal(estimate.uncompressedBytes(16384), 16384, 'at first nothing is expected of the codec')
  estimate.observe(0.3)
  assert.equal(estimate.uncompressedBytes(16384), 16384, '0.995 with 5 % of caution')
  for (let i = 0; i < 99; i++) estimate.observe(0.3)
  assert.equal(estimate.uncompressedBytes(16384), Math.floor(HEADER_BYTES + 16323 / (0.5 * 1.05)))
  for (let i = 0; i < 99; i++) estimate.observe(0.3)
  assert.equal(estimate.uncompressedBytes(16384), Math.floor(HEADER_BYTES + 16323 / (0.3 * 1.05)))
  estimate.observe(0.31)
  assert.equal(estimate.uncompressedBytes(16384), Math.floor(HEADER_BYTES + 16323 / (0.35 * 1.05)))
  estimate.observe(0.9)
  assert.equal(estimate.uncompressedBytes(16384), Math.floor(HEADER_BYTES + 16323 / (0.9 * 1.05)))
  estimate.observe(0.2)
  estimate.distrust()
  assert.equal(estimate.uncompressedBytes(16384), 16384)
  estimate.observe(0)
  for (let i = 0; i < 300; i++) estimate.observe(0)
  assert.equal(estimate.uncompressedBytes(16384), 2 ** 31 - 1, 'no more than native code can count')
})

test('batches become as full as compression allows, up to 16 slabs', () => {
  for (const [ratio, expected] of [
    [1, 9],
    [0.5, 18],
    [0.25, 36],
    [0.01, 175],
  ] as const) {
    const records = recordsPerBatch(newRig(codecOf(() => ratio)))
    const [first] = records
    assert.equal(first, 9, 'nothing is known at first')
    const last = records.at(-1) as number
    assert.ok(last >= expected * 0.9 && last <= expected * 1.1, `${last} records at a ratio of ${ratio}`)
  }
})

test('a batch holds no more slabs than its compressed form needs, and gives all of them back', () => {
  const rig = newRig(codecOf(() => 0.25))
  const topic = rig.topic('t', 1)
  recordsPerBatch(rig, topic)
  assert.ok(rig.usedBytes >= BATCH_BYTES, 'of the open batch')
  const waiting = []
  let opened = 0
  while (waiting.length < 5) {
    rig.send(topic, 0, VALUE_BYTES)
    opened++
    for (const batch of rig.drain()) {
      if (opened > 100) waiting.push(batch)
      else rig.succeed([batch])
    }
  }
  const openBytes = topic.openBatch(0)?.memory.bytes ?? 0
  assert.equal(rig.usedBytes, 5 * BATCH_BYTES + openBytes)
  for (const batch of waiting) rig.succeed([batch])
  rig.accumulator.beginHurry()
  for (const batch of rig.drain()) rig.succeed([batch])
  assert.equal(rig.usedBytes, 0)
})

test('data that no longer compress end the growth at once', () => {
  let ratio = 0.25
  const rig = newRig(codecOf(() => ratio))
  const topic = rig.topic('t', 1)
  assert.ok((recordsPerBatch(rig, topic).at(-1) as number) > 30)
  ratio = 1.2
  const records = recordsPerBatch(rig, topic, 4)
  assert.deepEqual(records.slice(2), [9, 9], `${records}`)
})

test('where memory is scarce, batches take the slab that they get', () => {
  const rig = newRig(
    codecOf(() => 0.25),
    2 * BATCH_BYTES,
  )
  const records = recordsPerBatch(rig)
  assert.ok(Math.max(...records) <= 21, 'both slabs at most, and the margin between them')
  rig.accumulator.beginHurry()
  for (const batch of rig.drain()) rig.succeed([batch])
  assert.equal(rig.usedBytes, 0)
})

test('without a codec a batch never grows', () => {
  const rig = new AccumulatorRig({ batchBytes: BATCH_BYTES, lingerMs: 1_000_000 })
  assert.deepEqual([...new Set(recordsPerBatch(rig, rig.topic('t', 1), 20))], [9])
})
