import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeRequest } from '../../dist/protocol/header.js'
import { Produce } from '../../dist/protocol/produce.js'
import { encodeProduceFrame, type ProduceTopic } from '../../dist/protocol/produce-frame.js'
import { randomOf } from './schema-codec.js'

function topicsOf(random: () => number, count: number): ProduceTopic[] {
  return Array.from({ length: count }, (_, topic) => ({
    name: topic % 3 === 0 ? `topic-${'ü'.repeat(topic * 40)}` : `topic-${topic}`,
    id: Buffer.alloc(16, topic + 1),
    partitions: Array.from({ length: 1 + Math.floor(random() * 5) }, (_, index) => ({
      index: index * 1000,
      records: Buffer.alloc([1, 126, 127, 128, 20_000][Math.floor(random() * 5)] as number, index + 1),
    })),
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
    partitionData: topic.partitions,
  }))
  const body = { transactionalId, acks: -1, timeoutMs: 30_000, topicData }
  return Buffer.from(encodeRequest(Produce, version, 0x12345678, clientId, body))
}

describe('encodeProduceFrame', () => {
  it('makes the same bytes as the codec, in every version', () => {
    const random = randomOf(8)
    for (let version = Produce.minVersion; version <= Produce.maxVersion; version++) {
      for (const count of [0, 1, 2, 7]) {
        for (const [clientId, transactionalId] of [
          [null, null],
          ['', ''],
          ['clïent', 'transäction'],
          ['c'.repeat(200), 't'.repeat(200)],
        ] as const) {
          const topics = topicsOf(random, count)
          const id = clientId === null ? null : Buffer.from(clientId)
          const chunks = encodeProduceFrame(version, 0x12345678, id, transactionalId, -1, 30_000, topics)
          const expected = expectedFrame(version, clientId, transactionalId, topics)
          assert.equal(Buffer.compare(Buffer.concat(chunks), expected), 0, `v${version}, ${count} topics`)
        }
      }
    }
  })

  it('hands the records on without copying them', () => {
    const topics = topicsOf(randomOf(9), 3)
    const chunks = new Set(encodeProduceFrame(13, 1, null, null, 1, 100, topics))
    for (const { partitions } of topics) {
      for (const { records } of partitions) assert.ok(chunks.has(records))
    }
  })

  it('needs no chunk after the last records where nothing follows them', () => {
    const topic = { name: 't', id: new Uint8Array(16), partitions: [{ index: 0, records: Buffer.from('r') }] }
    assert.equal(encodeProduceFrame(8, 1, null, null, 1, 100, [topic]).length, 2)
    assert.equal(encodeProduceFrame(9, 1, null, null, 1, 100, [topic]).length, 3)
  })

  it('refuses a frame beyond the size its int32 can say', () => {
    const records = { length: 0x7fffffff } as Uint8Array
    const topic = { name: 't', id: new Uint8Array(16), partitions: [{ index: 0, records }] }
    assert.throws(() => encodeProduceFrame(13, 1, null, null, 1, 100, [topic]), { code: 'INTERNAL' })
  })
})
