import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeRequest } from '../../dist/protocol/header.js'
import { Produce } from '../../dist/protocol/produce.js'
import {
  encodeProduceFrame,
  type ProducePartition,
  type ProduceTopic,
} from '../../dist/protocol/produce-frame.js'
import { randomOf } from './schema-codec.js'

const GUARD_BYTES = 40
const GUARD = 0xee

/** Records in the middle of memory that belongs to others, but for the rooms. */
function placed(index: number, records: Uint8Array, roomBefore: number, roomAfter: number): ProducePartition {
  const offset = GUARD_BYTES + roomBefore
  const memory = new Uint8Array(offset + records.length + roomAfter + GUARD_BYTES).fill(GUARD)
  memory.set(records, offset)
  return { index, memory: memory.buffer, offset, bytes: records.length, roomBefore, roomAfter }
}

function recordsOf({ memory, offset, bytes }: ProducePartition): Uint8Array {
  return new Uint8Array(memory, offset, bytes)
}

function topicsOf(random: () => number, count: number, rooms: readonly number[] = [0]): ProduceTopic[] {
  const one = (of: readonly number[]) => of[Math.floor(random() * of.length)] as number
  return Array.from({ length: count }, (_, topic) => ({
    name: topic % 3 === 0 ? `topic-${'ü'.repeat(topic * 40)}` : `topic-${topic}`,
    id: Buffer.alloc(16, topic + 1),
    partitions: Array.from({ length: 1 + Math.floor(random() * 5) }, (_, index) => {
      const records = Buffer.alloc(one([1, 126, 127, 128, 20_000]), index + 1)
      return placed(index * 1000, records, one(rooms), one(rooms))
    }),
  }))
}

function expectedFrame(
  version: number,
  clientId: string | null,
  transactionalId: string | null,
  topics: ProduceTopic[],
): Buffer {
  const topicData = topics.map(topic => ({
    name: topic.name,
    topicId: topic.id,
    partitionData: topic.partitions.map(partition => ({
      index: partition.index,
      records: recordsOf(partition),
    })),
  }))
  const body = { transactionalId, acks: -1, timeoutMs: 30_000, topicData }
  return Buffer.from(encodeRequest(Produce, version, 0x12345678, clientId, body))
}

/** Nothing but the records and their rooms has been written to, and the records are as they were. */
function assertUntouched(topics: readonly ProduceTopic[]): void {
  for (const { partitions } of topics) {
    for (const partition of partitions) {
      const guards = [
        new Uint8Array(partition.memory, 0, GUARD_BYTES),
        new Uint8Array(partition.memory, partition.memory.byteLength - GUARD_BYTES),
      ]
      for (const guard of guards) assert.ok(guard.every(byte => byte === GUARD))
      assert.ok(recordsOf(partition).every(byte => byte === partition.index / 1000 + 1))
    }
  }
}

describe('encodeProduceFrame', () => {
  it('makes the same bytes as the codec, in every version and whatever room records have around them', () => {
    const random = randomOf(8)
    for (let version = Produce.minVersion; version <= Produce.maxVersion; version++) {
      for (const count of [0, 1, 2, 7]) {
        for (const rooms of [[0], [0, 1, 3, 9, 10, 11, 60, 500], [500]]) {
          for (const [clientId, transactionalId] of [
            [null, null],
            ['', ''],
            ['clïent', 'transäction'],
            ['c'.repeat(200), 't'.repeat(200)],
          ] as const) {
            const topics = topicsOf(random, count, rooms)
            const id = clientId === null ? null : Buffer.from(clientId)
            const expected = expectedFrame(version, clientId, transactionalId, topics)
            const chunks = encodeProduceFrame(version, 0x12345678, id, transactionalId, -1, 30_000, topics)
            assert.equal(Buffer.compare(Buffer.concat(chunks), expected), 0, `v${version}, ${count} topics`)
            assertUntouched(topics)
          }
        }
      }
    }
  })

  it('hands the records on without copying them', () => {
    for (const rooms of [[0], [500]]) {
      const topics = topicsOf(randomOf(9), 3, rooms)
      const chunks = encodeProduceFrame(13, 1, null, null, 1, 100, topics)
      for (const { partitions } of topics) {
        for (const { memory, offset, bytes } of partitions) {
          const holds = (chunk: Uint8Array) =>
            chunk.buffer === memory &&
            chunk.byteOffset <= offset &&
            chunk.byteOffset + chunk.length >= offset + bytes
          assert.equal(chunks.filter(holds).length, 1)
        }
      }
    }
  })

  it('makes one chunk of each batch that has room for what stands around it', () => {
    const topics = [1, 2].map(topic => ({
      name: `topic-${topic}`,
      id: new Uint8Array(16),
      partitions: [0, 1, 2].map(index => placed(index, Buffer.alloc(100), 128, 10)),
    }))
    for (const version of [3, 8, 9, 13]) {
      assert.equal(encodeProduceFrame(version, 1, Buffer.from('client'), null, 1, 100, topics).length, 6)
    }
  })

  it('needs no chunk after the last records where nothing follows them', () => {
    const topic = { name: 't', id: new Uint8Array(16), partitions: [placed(0, Buffer.from('r'), 0, 0)] }
    assert.equal(encodeProduceFrame(8, 1, null, null, 1, 100, [topic]).length, 2)
    assert.equal(encodeProduceFrame(9, 1, null, null, 1, 100, [topic]).length, 3)
  })

  it('refuses a frame beyond the size its int32 can say', () => {
    const partition = { ...placed(0, Buffer.alloc(1), 0, 0), bytes: 0x7fffffff }
    const topic = { name: 't', id: new Uint8Array(16), partitions: [partition] }
    assert.throws(() => encodeProduceFrame(13, 1, null, null, 1, 100, [topic]), { code: 'INTERNAL' })
  })
})
