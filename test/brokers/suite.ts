// What millrace promises on every broker: the checks of the matrix. Each has topics of its own, and what is stored
// is read back by Kafka's own consumer.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Producer, ProducerFencedError, type ProducerOptions, type ProducerRecord } from '../../dist/index.js'
import type { Api } from '../../dist/protocol/api.js'
import { CreateTopics } from '../../dist/protocol/create-topics.js'
import { RecordDigest } from '../kafka/digest.js'
import type { JavaClient, ReadRecord } from '../kafka/java-client.js'
import { RawClient } from '../testing/support.js'

/** A broker under test and what reads it. */
export interface World {
  readonly bootstrapServers: string
  readonly java: JavaClient
}

/** A line of the matrix. */
export interface Check {
  readonly name: string
  run(world: World): Promise<void>
}

const PARTITIONS = 3
/** Spoken by every broker from 1.0 to 4.4. */
const CREATE_TOPICS_VERSION = 2
const PATIENCE_MS = 20_000
const RECORDS = 10_000
const BATCH_MAX_BYTES = 20_000
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const silent = { debug() {}, info() {}, warn() {}, error() {} }

let topics = 0

/** A topic, and producers that are closed at the end. */
class Scene implements AsyncDisposable {
  readonly world: World
  readonly topic: string
  private readonly producers: Producer[] = []

  private constructor(world: World) {
    this.world = world
    this.topic = `brokers-${process.pid}-${++topics}`
  }

  static async with(world: World, configs: Record<string, string | number> = {}): Promise<Scene> {
    const scene = new Scene(world)
    await createTopic(world.bootstrapServers, scene.topic, configs)
    return scene
  }

  producer(options: Partial<ProducerOptions> = {}): Producer {
    const { bootstrapServers } = this.world
    const producer = new Producer({ bootstrapServers, logger: silent, deliveryTimeoutMs: 40_000, ...options })
    this.producers.push(producer)
    return producer
  }

  async transactional(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = this.producer({ transactionalId: this.topic, ...options })
    await producer.initTransactions()
    return producer
  }

  /** The records that are stored once there are so many: with acks 0, and after a commit, that takes a moment. */
  async read(count: number, isolation: 'read_committed' | 'read_uncommitted' = 'read_uncommitted') {
    const endMs = performance.now() + PATIENCE_MS
    for (;;) {
      const records = await this.world.java.read(this.world.bootstrapServers, this.topic, isolation)
      if (records.length >= count || performance.now() > endMs) return records
      await setTimeout(50)
    }
  }

  async committed(count: number): Promise<string[]> {
    return textsOf(await this.read(count, 'read_committed'))
  }

  records(count: number, prefix: string): ProducerRecord[] {
    return Array.from({ length: count }, (_, i) => ({
      topic: this.topic,
      partition: 0,
      value: `${prefix}${i}`,
    }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.producers.map(producer => producer.close({ timeoutMs: 0 })))
  }
}

/** By the protocol itself: kfake's answers are more than Kafka's admin client can read. */
async function createTopic(
  bootstrapServers: string,
  name: string,
  configs: Record<string, string | number>,
): Promise<void> {
  using client = await connect(bootstrapServers)
  const { topics } = await client.request(CreateTopics, CREATE_TOPICS_VERSION, {
    topics: [
      {
        name,
        numPartitions: PARTITIONS,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value: String(value) })),
      },
    ],
    timeoutMs: PATIENCE_MS,
    validateOnly: false,
  })
  assert.equal(topics[0]?.errorCode, 0, `topic ${name} was not made`)
}

/** DeleteRecords, which millrace does not speak: version 1, up to the high watermark of a partition. */
const DeleteRecords: Api<{ topic: string; partition: number }, { errorCode: number }> = {
  name: 'DeleteRecords',
  key: 21,
  minVersion: 1,
  maxVersion: 1,
  flexibleFrom: 2,
  clientThrottlesFrom: 0,
  writeRequest(w, _version, { topic, partition }) {
    w.int32(1)
    w.string(topic)
    w.int32(1)
    w.int32(partition)
    w.int64(-1n)
    w.int32(PATIENCE_MS)
  },
  readRequest: () => assert.fail('nobody asks'),
  writeResponse: () => assert.fail('nobody answers'),
  readResponse(r) {
    r.int32()
    r.int32()
    r.nullableString()
    r.int32()
    r.int32()
    r.int64()
    return { errorCode: r.int16() }
  },
}

async function deleteRecords(bootstrapServers: string, topic: string, partition: number): Promise<void> {
  using client = await connect(bootstrapServers)
  const { errorCode } = await client.request(DeleteRecords, 1, { topic, partition })
  assert.equal(errorCode, 0, 'records could not be deleted')
}

function connect(bootstrapServers: string): Promise<RawClient> {
  const { hostname, port } = new URL(`kafka://${bootstrapServers}`)
  return RawClient.connect({ nodes: [{ host: hostname, port: Number(port) }] })
}

const textsOf = (records: readonly ReadRecord[]) => records.map(({ value }) => String(value))
const numbered = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** Half of it random: no codec makes it small, and none leaves it as it is. */
function bytes(length: number): Buffer {
  return Buffer.concat([randomBytes(length >> 1), Buffer.alloc(length - (length >> 1), 'millrace ')])
}

async function connects(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  const producer = scene.producer()
  const partitions = await producer.partitionsFor(scene.topic)
  assert.deepEqual(partitions.map(({ partition }) => partition).sort(), [0, 1, 2])
}

function acknowledges(acks: '0' | '1' | 'all') {
  return async (world: World): Promise<void> => {
    await using scene = await Scene.with(world)
    // With acks 0 a leader that has not taken office yet loses what it gets, and nobody hears of it.
    await scene.producer().send({ topic: scene.topic, partition: 0, value: 'first' })
    const producer = scene.producer({ acks })
    const sent = await Promise.all(scene.records(100, 'v').map(record => producer.send(record)))
    assert.deepEqual(
      sent.map(({ offset }) => offset),
      sent.map((_, i) => (acks === '0' ? -1n : BigInt(i + 1))),
    )
    assert.deepEqual(textsOf(await scene.read(101)), ['first', ...numbered(100, 'v')])
  }
}

async function keepsEveryByte(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  // Small batches, so that there are many sequences and five requests in flight.
  const producer = scene.producer({ batchSize: 4096, lingerMs: 1 })
  const expected = Array.from({ length: PARTITIONS }, () => new RecordDigest())
  const sends = Array.from({ length: RECORDS }, (_, i) => {
    const partition = i % PARTITIONS
    const record = { key: i % 5 === 0 ? null : bytes(i % 20), value: bytes(i % 400) }
    expected[partition]?.add(record)
    return producer.send({ topic: scene.topic, partition, ...record })
  })
  for (const [i, { offset }] of (await Promise.all(sends)).entries()) {
    assert.equal(offset, BigInt(Math.floor(i / PARTITIONS)))
  }
  const digests = await world.java.digest(world.bootstrapServers, scene.topic)
  assert.deepEqual(
    digests.map(({ count, sha256 }) => [count, sha256]),
    expected.map(digest => [digest.count, digest.hex()]),
  )
}

function compresses(compressionType: (typeof CODECS)[number]) {
  return async (world: World): Promise<void> => {
    await using scene = await Scene.with(world)
    const producer = scene.producer({ compressionType, lingerMs: 5 })
    const values = Array.from({ length: 300 }, (_, i) => bytes(10 + i))
    await producer.sendMany(values.map(value => ({ topic: scene.topic, partition: 1, value })))
    const stored = await scene.read(300)
    assert.ok(stored.every(({ value }, i) => value?.equals(values[i] as Buffer)))
    assert.equal(stored.length, 300)
  }
}

async function keepsHeadersAndNulls(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  const producer = scene.producer()
  const { topic } = scene
  const headers: [string, string | null][] = [
    ['a', 'x'],
    ['a', null],
    ['é', ''],
  ]
  await producer.send({ topic, partition: 0, key: null, value: '', headers, timestamp: 1_600_000_000_000 })
  await producer.send({ topic, partition: 0, key: '', value: null })
  const [first, second] = await scene.read(2)
  assert.deepEqual(first?.headers, [
    ['a', Buffer.from('x')],
    ['a', null],
    ['é', Buffer.alloc(0)],
  ])
  assert.deepEqual([first?.key, first?.value, first?.timestamp], [null, Buffer.alloc(0), 1_600_000_000_000])
  assert.deepEqual([second?.key, second?.value], [Buffer.alloc(0), null])
}

/** What the topic does not take fails with the broker's word; the records beside it are stored. */
async function refusesTooLarge(world: World): Promise<void> {
  await using scene = await Scene.with(world, { 'max.message.bytes': BATCH_MAX_BYTES })
  const producer = scene.producer({ lingerMs: 0 })
  const [before] = await Promise.allSettled([
    producer.send({ topic: scene.topic, partition: 0, value: 'before' }),
  ])
  const large = { topic: scene.topic, partition: 0, value: randomBytes(BATCH_MAX_BYTES + 1) }
  await assert.rejects(producer.send(large), { name: 'RecordTooLargeError' })
  await producer.send({ topic: scene.topic, partition: 0, value: 'after' })
  assert.equal(before?.status, 'fulfilled')
  assert.deepEqual(textsOf(await scene.read(2)), ['before', 'after'])
}

/** A batch that is too large only as a whole is split, and every record of it is stored in order. */
async function splits(world: World): Promise<void> {
  await using scene = await Scene.with(world, { 'max.message.bytes': BATCH_MAX_BYTES })
  const producer = scene.producer({ batchSize: 4 * BATCH_MAX_BYTES, lingerMs: 20 })
  const values = Array.from({ length: 60 }, (_, i) => `${i} ${'x'.repeat(1000)}`)
  const report = await producer.sendMany(values.map(value => ({ topic: scene.topic, partition: 0, value })))
  assert.deepEqual(
    Array.from(report, ({ offset }) => offset),
    values.map((_, i) => BigInt(i)),
  )
  assert.deepEqual(textsOf(await scene.read(60)), values)
}

async function transacts(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  const producer = await scene.transactional()
  for (const [prefix, end] of [
    ['a', 'commit'],
    ['b', 'abort'],
    ['c', 'commit'],
  ] as const) {
    producer.beginTransaction()
    await producer.sendMany(scene.records(20, prefix))
    await (end === 'commit' ? producer.commitTransaction() : producer.abortTransaction())
  }
  assert.deepEqual(await scene.committed(40), [...numbered(20, 'a'), ...numbered(20, 'c')])
  assert.equal((await scene.read(60)).length, 60)
}

async function commitsOffsets(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  const producer = await scene.transactional()
  const groupId = `${scene.topic}-group`
  const offsets = [{ topic: scene.topic, partition: 1, offset: 42 }]
  producer.beginTransaction()
  await producer.send({ topic: scene.topic, partition: 0, value: 'v' })
  await producer.sendOffsetsToTransaction(offsets, { groupId })
  await producer.abortTransaction()
  producer.beginTransaction()
  await producer.sendOffsetsToTransaction([{ ...offsets[0], offset: 43 } as (typeof offsets)[0]], { groupId })
  await producer.commitTransaction()
  const endMs = performance.now() + PATIENCE_MS
  let committed: Record<string, number> = {}
  while (performance.now() < endMs && committed[`${scene.topic}-1`] === undefined) {
    committed = await world.java.offsets(world.bootstrapServers, groupId)
  }
  assert.deepEqual(committed, { [`${scene.topic}-1`]: 43 })
}

/** Of two producers with one transactional id the older hears at the next call that it is fenced. */
async function fences(world: World): Promise<void> {
  for (const call of ['commitTransaction', 'abortTransaction'] as const) {
    await using scene = await Scene.with(world)
    const old = await scene.transactional()
    old.beginTransaction()
    await old.send({ topic: scene.topic, partition: 0, value: 'old' })
    const young = await scene.transactional()
    await young.transaction(() => young.send({ topic: scene.topic, partition: 0, value: 'young' }))
    await assert.rejects(old[call](), ProducerFencedError, call)
    assert.throws(() => old.beginTransaction(), ProducerFencedError)
    await young.transaction(() => young.send({ topic: scene.topic, partition: 0, value: 'younger' }))
    assert.deepEqual(await scene.committed(2), ['young', 'younger'])
  }
}

/** Where it sends first, that record fails and its transaction with it; the end tells that it is fenced. */
async function fencesSends(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  const old = await scene.transactional()
  old.beginTransaction()
  await old.send({ topic: scene.topic, partition: 0, value: 'old' })
  const young = await scene.transactional()
  await young.transaction(() => young.send({ topic: scene.topic, partition: 0, value: 'young' }))
  await assert.rejects(old.send({ topic: scene.topic, partition: 0, value: 'too late' }))
  await assert.rejects(old.commitTransaction())
  await assert.rejects(old.abortTransaction(), ProducerFencedError)
  assert.deepEqual(await scene.committed(1), ['young'])
}

/** A record that the broker refuses makes its transaction abortable; after the abort the producer goes on. */
async function survivesFailedRecord(world: World): Promise<void> {
  await using scene = await Scene.with(world, { 'max.message.bytes': BATCH_MAX_BYTES })
  const producer = await scene.transactional()
  await producer.transaction(() => producer.sendMany(scene.records(5, 'a')))
  for (let round = 0; round < 2; round++) {
    producer.beginTransaction()
    await producer.sendMany(scene.records(5, 'lost'))
    const large = { topic: scene.topic, partition: 0, value: randomBytes(BATCH_MAX_BYTES + 1) }
    await assert.rejects(producer.send(large), { name: 'RecordTooLargeError' })
    await assert.rejects(producer.commitTransaction(), { name: 'TransactionError', abortable: true })
    await producer.abortTransaction()
    await producer.transaction(() => producer.sendMany(scene.records(5, `b${round}-`)))
  }
  const expected = [numbered(5, 'a'), numbered(5, 'b0-'), numbered(5, 'b1-')].flat()
  assert.deepEqual(await scene.committed(expected.length), expected)
}

/** Brokers before 2.4 forget a producer with its last record; the next transaction, or the one after, lives. */
async function survivesDeletedRecords(world: World): Promise<void> {
  await using scene = await Scene.with(world)
  const producer = await scene.transactional()
  for (let round = 0; round < 3; round++) {
    await producer.transaction(() => producer.sendMany(scene.records(3, `a${round}-`)))
  }
  await deleteRecords(world.bootstrapServers, scene.topic, 0)
  const send = () => producer.transaction(() => producer.sendMany(scene.records(3, 'b')))
  await send().catch(send)
  await producer.transaction(() => producer.sendMany(scene.records(3, 'c')))
  assert.deepEqual(await scene.committed(6), [...numbered(3, 'b'), ...numbered(3, 'c')])
}

/** The same without a transaction: the next batches of an idempotent producer get right sequences. */
async function goesOnAfterRefusal(world: World): Promise<void> {
  await using scene = await Scene.with(world, { 'max.message.bytes': BATCH_MAX_BYTES })
  const producer = scene.producer({ lingerMs: 0 })
  const expected: string[] = []
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 50; i++) {
    if (i % 10 === 3) {
      const large = { topic: scene.topic, partition: 0, value: randomBytes(BATCH_MAX_BYTES + 1) }
      sends.push(assert.rejects(producer.send(large), { name: 'RecordTooLargeError' }))
    }
    expected.push(`v${i}`)
    sends.push(producer.send({ topic: scene.topic, partition: 0, value: `v${i}` }))
    await setTimeout(1)
  }
  await Promise.all(sends)
  assert.deepEqual(textsOf(await scene.read(50)), expected)
}

export const CHECKS: readonly Check[] = [
  { name: 'connect', run: connects },
  ...(['0', '1', 'all'] as const).map(acks => ({ name: `acks ${acks}`, run: acknowledges(acks) })),
  { name: '10,000 idempotent', run: keepsEveryByte },
  ...CODECS.map(codec => ({ name: codec, run: compresses(codec) })),
  { name: 'headers, nulls', run: keepsHeadersAndNulls },
  { name: 'too large', run: refusesTooLarge },
  { name: 'split', run: splits },
  { name: 'refused, then more', run: goesOnAfterRefusal },
  { name: 'transactions', run: transacts },
  { name: 'offsets', run: commitsOffsets },
  { name: 'fencing', run: fences },
  { name: 'fenced send', run: fencesSends },
  { name: 'failed record in a transaction', run: survivesFailedRecord },
  { name: 'deleted records', run: survivesDeletedRecords },
]
