// Promises made ahead of their records: each record gets its own, and those left over are heard of by nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeOf } from '../../dist/accumulator/batch/arena.js'
import { Batch } from '../../dist/accumulator/batch/batch.js'
import { PartitionState } from '../../dist/accumulator/partition/partition-state.js'
import { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { KafkaError } from '../../dist/errors/index.js'
import type { RecordMetadata } from '../../dist/index.js'
import { PromiseGroup } from '../../dist/producer/send/promise-group.js'

const NOW_MS = 1_700_000_000_000
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

function batchesOf(partition: PartitionState) {
  let handle = 0
  return () => new Batch(handle++, wholeOf(new ArrayBuffer(64)), partition, 0, true)
}

test('every record gets a promise of its own, whatever the sizes of the batches before', async () => {
  const next = batchesOf(new PartitionState(new TopicState('t', 0), 3))
  for (const count of [1, 2, 300, 290, 1, 333, 64, 65]) {
    const batch = next()
    const promises = Array.from({ length: count }, (_, index) =>
      PromiseGroup.of(batch, NOW_MS, null).add(index, index + 1, -1, NOW_MS + index),
    )
    assert.equal(new Set(promises).size, count)
    batch.outcome.baseOffset = 1000n
    batch.tell()
    const told = await Promise.all(promises)
    told.forEach((metadata, index) => {
      assert.equal(metadata.offset, 1000n + BigInt(index))
      assert.equal(metadata.serializedKeySize, index + 1)
      assert.equal(metadata.timestamp, NOW_MS + index)
    })
  }
})

test('when a batch fails, its records reject, and the promises that no record has taken do not', async () => {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  try {
    const next = batchesOf(new PartitionState(new TopicState('t', 0), 0))
    const many = next()
    for (let index = 0; index < 1000; index++) PromiseGroup.of(many, NOW_MS, null).add(index, -1, 5, NOW_MS)
    many.tell()
    const batch = next()
    const settled = Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        PromiseGroup.of(batch, NOW_MS, null).add(index, -1, 5, NOW_MS),
      ),
    )
    const error = new KafkaError('TIMED_OUT', 'late')
    batch.outcome.error = error
    batch.tell()
    for (const result of await settled) {
      assert.equal(result.status === 'rejected' && result.reason, error)
    }
    await nextTurn()
    assert.deepEqual(unhandled, [])
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
})

test('records of one batch whose times are too far apart for one table have their own promises, too', async () => {
  const batch = batchesOf(new PartitionState(new TopicState('t', 0), 0))()
  const times = [NOW_MS, NOW_MS + 2 ** 33, NOW_MS, 0]
  const promises = times.map((timestampMs, index) =>
    PromiseGroup.of(batch, timestampMs, null).add(index, -1, 5, timestampMs),
  )
  batch.tell()
  assert.deepEqual(
    (await Promise.all(promises)).map(({ timestamp }) => timestamp),
    times,
  )
})

const VIEW = {
  resultOf: ({ offset }: RecordMetadata) => `at ${offset}`,
  errorOf: (error: unknown) => new Error(`seen: ${(error as KafkaError).message}`),
}

test('a view makes the values of its own promises only', async () => {
  const batch = batchesOf(new PartitionState(new TopicState('t', 0), 0))()
  const views = [null, VIEW, VIEW, null, VIEW]
  const promises = views.map((view, index) =>
    PromiseGroup.of<unknown>(batch, NOW_MS, view).add(index, -1, 5, NOW_MS),
  )
  batch.outcome.baseOffset = 10n
  batch.tell()
  const told = await Promise.all(promises)
  told.forEach((value, index) => {
    if (views[index] === null) assert.equal((value as RecordMetadata).offset, 10n + BigInt(index))
    else assert.equal(value, `at ${10 + index}`)
  })
})

test('a view makes the errors of its own promises only', async () => {
  const batch = batchesOf(new PartitionState(new TopicState('t', 0), 0))()
  const plain = PromiseGroup.of(batch, NOW_MS, null).add(0, -1, 5, NOW_MS)
  const seen = PromiseGroup.of(batch, NOW_MS, VIEW).add(1, -1, 5, NOW_MS)
  const error = new KafkaError('TIMED_OUT', 'late')
  batch.outcome.error = error
  batch.tell()
  const [first, second] = await Promise.allSettled([plain, seen])
  assert.equal(first.status === 'rejected' && first.reason, error)
  assert.equal(second.status === 'rejected' && second.reason.message, 'seen: late')
})

test('the view of a promise outlives a split of its batch', async () => {
  const next = batchesOf(new PartitionState(new TopicState('t', 0), 0))
  const [whole, part] = [next(), next()]
  const group = PromiseGroup.of(whole, NOW_MS, VIEW)
  const stored = group.add(0, -1, 5, NOW_MS)
  const refused = group.add(1, -1, 5, NOW_MS)
  whole.outcome.recordErrors = new Map([[1, new KafkaError('RECORD_TOO_LARGE', 'alone too large')]])
  group.followParts([{ batch: part, firstIndex: 0, recordCount: 1 }], whole.outcome)
  part.outcome.baseOffset = 7n
  part.tell()
  assert.equal(await stored, 'at 7')
  await assert.rejects(refused, /^Error: seen: alone too large$/)
})
