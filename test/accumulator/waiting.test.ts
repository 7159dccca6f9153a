// Records that wait, for memory or for metadata: copies in order, deadlines, and flushes that wait for them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AppendableRecord,
  EncodedHeaders,
  type WaitingRecord,
} from '../../dist/accumulator/append/appendable-record.js'
import type { Delivery } from '../../dist/accumulator/append/delivery.js'
import { WaitingBudget } from '../../dist/accumulator/append/waiting-budget.js'
import { CHUNK_BYTES, WaitingChunk } from '../../dist/accumulator/append/waiting-chunk.js'
import { WaitingQueue } from '../../dist/accumulator/append/waiting-queue.js'
import { FlushBarrier } from '../../dist/accumulator/batch/flush-barrier.js'
import { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { TimeoutError } from '../../dist/errors/index.js'

const TOPIC = new TopicState('t', 0)
const NOBODY: Delivery = { attach: () => {}, fail: () => {} }

function record(fields: Partial<AppendableRecord> = {}): AppendableRecord {
  return { topic: TOPIC, partition: 3, timestampMs: 1234.5, key: null, value: null, headers: null, ...fields }
}

/** What a record says, read now: its bytes are views. */
function shown({ topic, partition, timestampMs, key, value, headers, ordinal, deadlineMs }: WaitingRecord) {
  const plain = (bytes: unknown) =>
    bytes instanceof Uint8Array ? `bytes ${Buffer.from(bytes).toString('hex')}` : bytes
  const encoded = Buffer.alloc(headers?.byteLength ?? 0)
  headers?.writeTo(encoded, 0)
  const shownHeaders = headers === null ? null : plain(encoded)
  return [topic, partition, timestampMs, plain(key), plain(value), shownHeaders, ordinal, deadlineMs]
}

function take(queue: WaitingQueue) {
  const head = queue.peek() as WaitingRecord
  const seen = shown(head)
  queue.shift()
  return seen
}

/** Whether the flush is over, once all that is due has happened. */
async function isDone(barrier: FlushBarrier): Promise<boolean> {
  let done = false
  void barrier.done.then(() => {
    done = true
  })
  await new Promise<void>(resolve => setImmediate(resolve))
  return done
}

/** A queue whose records have these deadlines, their ordinals counted from 0, and the ordinals that failed. */
function queueOf(deadlines: readonly number[]) {
  const queue = new WaitingQueue(new WaitingBudget(Number.POSITIVE_INFINITY))
  const failed: number[] = []
  const delivery: Delivery = { attach: () => {}, fail: (_, ordinal) => failed.push(ordinal) }
  for (const [ordinal, deadlineMs] of deadlines.entries()) queue.push(record(), delivery, ordinal, deadlineMs)
  return { queue, failed, delivery }
}

const late = () => new TimeoutError('late')

describe('WaitingQueue', () => {
  it('gives records back as they came, whatever they hold, over many chunks and while others come', () => {
    let seed = 99
    const below = (limit: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return (seed >>> 8) % limit
    }
    const bytes = (max: number) => Buffer.alloc(below(max), below(256))
    const field = () => [null, undefined, 'a string', Buffer.alloc(0), bytes(40), bytes(9000)][below(6)]
    const queue = new WaitingQueue(new WaitingBudget(Number.POSITIVE_INFINITY))
    const expected: unknown[] = []
    const seen: unknown[] = []
    for (let ordinal = 0; ordinal < 5000; ordinal++) {
      const headerBytes = below(3) ? null : bytes(50)
      const headers = headerBytes === null ? null : new EncodedHeaders(headerBytes)
      const made = record({
        partition: below(9) - 2,
        timestampMs: below(1e9) / 8,
        key: field(),
        value: field(),
        headers,
      })
      const deadlineMs = ordinal + 0.25
      expected.push(shown({ ...made, delivery: NOBODY, ordinal, deadlineMs }))
      queue.push(made, NOBODY, ordinal, deadlineMs)
      for (const part of [made.key, made.value, headerBytes]) if (part instanceof Uint8Array) part.fill(0xee)
      const taken = ordinal < 3000 ? below(2) : below(4)
      for (let i = 0; i < taken && queue.length > 0; i++) seen.push(take(queue))
    }
    while (queue.length > 0) seen.push(take(queue))
    assert.deepEqual(seen, expected)
    assert.equal(queue.peek(), undefined)
  })

  it('takes a record that is larger than a chunk', () => {
    const queue = new WaitingQueue(new WaitingBudget(Number.POSITIVE_INFINITY))
    const value = Buffer.alloc(CHUNK_BYTES * 2 + 3, 7)
    queue.push(record(), NOBODY, 0, 1)
    queue.push(record({ value }), NOBODY, 1, 2)
    queue.push(record({ key: 'after' }), NOBODY, 2, 3)
    queue.shift()
    assert.deepEqual(queue.peek()?.value, value)
    queue.shift()
    assert.equal(queue.peek()?.key, 'after')
  })

  it('uses its memory again instead of asking for more', () => {
    const queue = new WaitingQueue(new WaitingBudget(Number.POSITIVE_INFINITY))
    const memories = new Set<ArrayBufferLike>()
    const value = Buffer.alloc(1000, 1)
    for (let i = 0; i < 20_000; i++) {
      queue.push(record({ value }), NOBODY, i, i)
      const head = queue.peek() as WaitingRecord
      memories.add((head.value as Uint8Array).buffer)
      if (queue.length > 500) queue.shift()
    }
    assert.ok(memories.size <= 8, `${memories.size} chunks for 500 records of 1,000 bytes`)
  })

  it('keeps a detached view as it is, for the appender to refuse', () => {
    const value = new Uint8Array(8)
    structuredClone(value.buffer, { transfer: [value.buffer] })
    const queue = new WaitingQueue(new WaitingBudget(Number.POSITIVE_INFINITY))
    queue.push(record({ value }), NOBODY, 0, 1)
    assert.equal(queue.peek()?.value, value)
  })

  it('fails what is late, in order, and keeps the rest', () => {
    const { queue, failed } = queueOf([10, 20, 20, 30])
    assert.equal(queue.nextDeadlineMs, 10)
    queue.expire(9, late)
    assert.deepEqual(failed, [])
    queue.expire(20, late)
    assert.deepEqual(failed, [0, 1, 2])
    assert.equal(queue.length, 1)
    assert.equal(queue.nextDeadlineMs, 30)
  })

  it('fails what is late behind records with more time, and those keep their order', () => {
    const { queue, failed } = queueOf([50, 10, 40, 20])
    assert.equal(queue.nextDeadlineMs, 10)
    queue.expire(20, late)
    assert.deepEqual(failed, [1, 3])
    assert.equal(queue.nextDeadlineMs, 40)
    assert.deepEqual(
      [take(queue), take(queue)].map(fields => fields[6]),
      [0, 2],
    )
  })

  it('holds a flush until the last record that was there before it has left', async () => {
    const { queue, delivery } = queueOf([10, 20])
    const flush = new FlushBarrier()
    queue.joinBarrier(flush)
    flush.leave()
    queue.push(record(), delivery, 2, 30)
    assert.deepEqual(queue.headBarriers, [flush])
    queue.shift()
    assert.equal(await isDone(flush), false)
    queue.shift()
    assert.equal(await isDone(flush), true)
    assert.deepEqual(queue.headBarriers, [])
  })

  for (const [order, deadlines] of Object.entries({ sorted: [10, 20, 30], unsorted: [30, 10, 20] })) {
    it(`ends a flush after the failure of the last record it waited for, deadlines ${order}`, async () => {
      const events: string[] = []
      const { queue } = queueOf([])
      const delivery: Delivery = { attach: () => {}, fail: () => events.push('failed') }
      for (const deadlineMs of deadlines) queue.push(record(), delivery, 0, deadlineMs)
      const flushes = [new FlushBarrier(), new FlushBarrier()] as const
      for (const flush of flushes) {
        queue.joinBarrier(flush)
        flush.leave()
        void flush.done.then(() => events.push('flushed'))
      }
      queue.push(record(), delivery, 0, 99)
      queue.expire(20, late)
      assert.equal(await isDone(flushes[0]), false)
      queue.expire(30, late)
      assert.equal(await isDone(flushes[1]), true)
      assert.deepEqual(events, ['failed', 'failed', 'failed', 'flushed', 'flushed'])
      assert.equal(queue.length, 1)
    })
  }

  it('empties itself for good, even of what is pushed again meanwhile, and lets flushes go last', async () => {
    const { queue, delivery } = queueOf([10, 20, 30])
    const flush = new FlushBarrier()
    queue.joinBarrier(flush)
    flush.leave()
    queue.push(record(), delivery, 3, 40)
    const seen: [number, number][] = []
    let wasHeld = false
    queue.empty(
      ({ ordinal, deadlineMs }, barriers) => {
        seen.push([ordinal, barriers.length])
        queue.push(record(), delivery, ordinal + 10, deadlineMs)
      },
      () => {
        wasHeld = seen.length === 4
      },
    )
    assert.deepEqual(seen, [
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 0],
    ])
    assert.equal(wasHeld, true)
    assert.equal(await isDone(flush), true)
    assert.equal(queue.length, 4)
    assert.equal(queue.peek()?.ordinal, 10)
  })
})

describe('WaitingChunk', () => {
  it('is full when entries and bytes meet, and can be used again', () => {
    const chunk = WaitingChunk.for(0)
    const value = Buffer.alloc(60, 1)
    let records = 0
    for (; chunk.hasRoom(value.length); records++) chunk.push(record({ value }), NOBODY, records, records)
    assert.equal(records, Math.floor(CHUNK_BYTES / 100))
    for (let i = 0; i < records; i++, chunk.shift()) {
      assert.equal(chunk.headOrdinal, i)
      assert.deepEqual(chunk.peek().value, value)
    }
    chunk.clear()
    assert.equal(chunk.length, 0)
    assert.ok(chunk.hasRoom(CHUNK_BYTES - 40))
    assert.equal(chunk.hasRoom(CHUNK_BYTES - 39), false)
  })
})
