import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadAddon } from '../../dist/native/load.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { decodeResponse, encodeRequest } from '../../dist/protocol/header.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { encodeProduceFrame } from '../../dist/protocol/produce-frame.js'

const support = (name: string) => import(new URL(`../../bench/support/${name}.js`, import.meta.url).href)
const { DiscardingCluster } = await support('discarding-cluster')
const { DiscardingConnection } = await support('discarding-connection')
const { crc32c } = loadAddon()

const RECORDS = 3
const BATCH_BYTES = 300
const PRODUCER_ID = 1000n

/** A batch whose records are never looked at. */
function batchOf(baseSequence: number): Buffer {
  const batch = Buffer.alloc(BATCH_BYTES, 'records')
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(BATCH_BYTES - 12, 8)
  batch[16] = 2
  batch.writeInt16BE(0, 21)
  batch.writeInt32BE(RECORDS - 1, 23)
  batch.writeBigInt64BE(PRODUCER_ID, 43)
  batch.writeInt16BE(0, 51)
  batch.writeInt32BE(baseSequence, 53)
  batch.writeInt32BE(RECORDS, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** The topic is asked for by name first: from version 13 on, batches name it by the id in the answer. */
function connect({ verify = true } = {}) {
  const cluster = new DiscardingCluster({
    partitionCount: 2,
    topicNames: null,
    crc32c: verify ? crc32c : null,
  })
  cluster.nodes.push({ host: '127.0.0.1', port: 1 })
  const answers: Uint8Array[] = []
  const socket = {
    on: () => {},
    write: (frame: Uint8Array) => answers.push(frame.subarray(4)),
    destroy: () => {},
  }
  const connection = new DiscardingConnection(socket, cluster)
  const topics = [{ topicId: new Uint8Array(16), name: 'orders' }]
  const asked = {
    topics,
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  connection.take(encodeRequest(Metadata, 13, 1, 'test', asked))
  const metadata = decodeResponse(Metadata, 13, answers.pop() as Uint8Array)
  const id = metadata.topics[0]?.topicId as Uint8Array
  return { cluster, connection, answers, id }
}

function frameOf(id: Uint8Array, batches: readonly Buffer[], version = 13): Buffer {
  const partitions = batches.map((records, index) => {
    const memory = new Uint8Array(records).buffer
    return { index, memory, offset: 0, bytes: records.length, roomBefore: 0, roomAfter: 0 }
  })
  const topics = [{ name: 'orders', id, partitions }]
  return Buffer.concat(encodeProduceFrame(version, 7, Buffer.from('client'), null, -1, 1000, topics))
}

for (const version of [3, 8, 9, 12, 13]) {
  test(`requests of version ${version} are read wherever the chunks of the socket are cut`, () => {
    for (const chunkBytes of [1, 7, 64, 311, 100_000]) {
      const { cluster, connection, answers, id } = connect()
      const frame = Buffer.concat([
        frameOf(id, [batchOf(0), batchOf(0)], version),
        frameOf(id, [batchOf(RECORDS)], version),
      ])
      // One buffer for all chunks, as the broker reads into.
      const buffer = Buffer.alloc(chunkBytes)
      for (let at = 0; at < frame.length; at += chunkBytes) {
        const bytes = frame.copy(buffer, 0, at, at + chunkBytes)
        connection.take(buffer.subarray(0, bytes))
      }
      const counts = cluster.counts()
      assert.equal(counts.firstError, null)
      assert.deepEqual([counts.records, counts.batches, counts.requests], [3 * RECORDS, 3, 2])
      const offsets = answers.map(answer =>
        decodeResponse(Produce, version, answer).responses[0]?.partitionResponses.map(
          ({ index, errorCode, baseOffset }) => [index, errorCode, baseOffset],
        ),
      )
      const first = [0, 0, 0n]
      assert.deepEqual(offsets, [[first, [1, 0, 0n]], [[0, 0, BigInt(RECORDS)]]])
    }
  })
}

const faults: Record<string, { batches: readonly Buffer[]; message: RegExp }> = {
  'a changed byte': { batches: [changed(batchOf(0), BATCH_BYTES - 1)], message: /orders-0: CRC32C/ },
  'a changed attribute': { batches: [changed(batchOf(0), 22)], message: /orders-0: CRC32C/ },
  'a gap in the sequence': {
    batches: [batchOf(0), batchOf(RECORDS + 1)],
    message: /sequence 4 instead of 3/,
  },
  'a repeated sequence': { batches: [batchOf(0), batchOf(0)], message: /sequence 0 instead of 3/ },
  'a length that is not the batch’s': { batches: [changed(batchOf(0), 11)], message: /not one batch/ },
}

function changed(batch: Buffer, at: number): Buffer {
  batch[at] = (batch[at] as number) ^ 1
  return batch
}

for (const [name, { batches, message }] of Object.entries(faults)) {
  test(`verifying finds ${name}`, () => {
    const { cluster, connection, id } = connect()
    for (const batch of batches) connection.take(frameOf(id, [batch]))
    assert.match(cluster.counts().firstError, message)
  })
}

test('a frame that ends within a batch is an error, not a wait', () => {
  const { cluster, connection, id } = connect({ verify: false })
  const frame = frameOf(id, [batchOf(0)])
  frame.writeInt32BE(frame.length - 4 - BATCH_BYTES, 0)
  connection.take(frame)
  assert.match(cluster.counts().firstError, /a frame ends within/)
})

test('a client that asks for too new a version of ApiVersions is told in version 0 what there is', () => {
  const { cluster, connection, answers } = connect()
  const request = { clientSoftwareName: 'client', clientSoftwareVersion: '1' }
  const frame = Buffer.from(encodeRequest(ApiVersions, ApiVersions.maxVersion, 9, 'test', request))
  frame.writeInt16BE(ApiVersions.maxVersion + 1, 6)
  connection.take(frame)
  const { errorCode, apiKeys } = decodeResponse(ApiVersions, 0, answers.pop() as Uint8Array)
  assert.equal(errorCode, 35)
  assert.equal(apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key)?.maxVersion, ApiVersions.maxVersion)
  assert.equal(cluster.counts().firstError, null)
})
