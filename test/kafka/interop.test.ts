import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Producer, type ProducerRecord, type RecordMetadata } from '../../dist/index.js'
import { type Kafka, startKafka } from './broker.js'
import { kafkaSkip } from './java.js'
import { findKcat, JavaClient, type ReadRecord } from './java-client.js'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const ACKS = ['0', '1', 'all'] as const
const PARTITIONS = 3
const MEGABYTE = 1 << 20
const ACKS_0_PATIENCE_MS = 20_000

type Header = [name: string, value: Buffer | null]

interface Sent {
  topic: string
  partition: number
  timestamp?: number
  key: Buffer | null
  value: Buffer | null
  headers: Header[]
}

/** Half of it random, half not: a codec has something to gain and something it cannot shrink. */
function bytes(length: number): Buffer {
  return Buffer.concat([randomBytes(length >> 1), Buffer.alloc(length - (length >> 1), 'millrace ')])
}

const thousandHeaders: Header[] = Array.from({ length: 1000 }, (_, i) => [
  `header-${i % 10}`,
  i % 7 === 0 ? null : Buffer.from(`value ${i}`),
])
const HEADERS: readonly Header[][] = [[], [['é', Buffer.from([0, 255])]], thousandHeaders]
const KEYS = [null, Buffer.alloc(0), Buffer.from('user-42')]
const VALUES = [null, Buffer.alloc(0), bytes(1), bytes(100)]

/** Every key with every value and every number of headers, two values of 1 MB, a timestamp on every other record. */
function matrix(topic: string): Sent[] {
  const parts: Pick<Sent, 'key' | 'value' | 'headers'>[] = [
    { key: null, value: bytes(MEGABYTE), headers: [] },
  ]
  for (const key of KEYS) {
    for (const value of VALUES) for (const headers of HEADERS) parts.push({ key, value, headers })
  }
  parts.push({ key: Buffer.from('large'), value: bytes(MEGABYTE), headers: thousandHeaders })
  return parts.map((part, i) => ({
    topic,
    partition: i % PARTITIONS,
    ...(i % 2 === 0 ? {} : { timestamp: 1_600_000_000_000 + i }),
    ...part,
  }))
}

/** What was sent to each partition, in the order of the calls, against what is stored there. */
function assertStored(sent: readonly Sent[], stored: readonly ReadRecord[], fromMs: number): void {
  assert.equal(stored.length, sent.length)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const expected = sent.filter(record => record.partition === partition)
    const actual = stored.filter(record => record.partition === partition)
    assert.equal(actual.length, expected.length, `partition ${partition}`)
    expected.forEach((record, offset) => {
      const found = actual[offset] as ReadRecord
      const where = `partition ${partition}, offset ${offset}`
      assert.equal(found.offset, offset, where)
      assert.ok(sameBytes(found.key, record.key), `${where}: key`)
      assert.ok(sameBytes(found.value, record.value), `${where}: value`)
      assert.deepEqual(found.headers, record.headers, where)
      assert.equal(found.timestampType, 'CreateTime')
      if (record.timestamp !== undefined) assert.equal(found.timestamp, record.timestamp, where)
      else assert.ok(found.timestamp >= fromMs && found.timestamp <= Date.now(), where)
    })
  }
}

/** Without the difference being printed: a megabyte of it helps nobody. */
function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b)
}

function assertMetadata(sent: readonly Sent[], metadata: readonly RecordMetadata[], acks: string): void {
  const next = new Array<bigint>(PARTITIONS).fill(0n)
  metadata.forEach((each, i) => {
    const { topic, partition, key, value, timestamp } = sent[i] as Sent
    const offset = acks === '0' ? -1n : (next[partition] as bigint)
    next[partition] = (next[partition] as bigint) + 1n
    assert.deepEqual([each.topic, each.partition, each.offset], [topic, partition, offset], `record ${i}`)
    assert.equal(each.serializedKeySize, key?.length ?? -1)
    assert.equal(each.serializedValueSize, value?.length ?? -1)
    if (timestamp !== undefined) assert.equal(each.timestamp, timestamp)
  })
}

/** Where a batch has its codec, in the low bits of its attributes; the ids are the positions in CODECS. */
const BATCH_LENGTH_AT = 8
const BATCH_ATTRIBUTES_AT = 21
const CODEC_MASK = 7

/** The codecs of the batches that the broker has on its disk: a batch that does not shrink is stored as it is. */
function storedCodecs(kafka: Kafka, topic: string): Set<string> {
  const codecs = new Set<string>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const log = readFileSync(
      join(kafka.folder, 'data-1', `${topic}-${partition}`, '00000000000000000000.log'),
    )
    for (let at = 0; at < log.length; at += 12 + log.readInt32BE(at + BATCH_LENGTH_AT)) {
      codecs.add(CODECS[log.readInt16BE(at + BATCH_ATTRIBUTES_AT) & CODEC_MASK] as string)
    }
  }
  return codecs
}

/** With acks 0 nobody says when the broker has stored what it was sent, so the reading is repeated. */
async function readAll(java: JavaClient, bootstrapServers: string, topic: string, count: number) {
  const deadlineMs = Date.now() + ACKS_0_PATIENCE_MS
  for (;;) {
    const records = await java.read(bootstrapServers, topic)
    if (records.length >= count || Date.now() > deadlineMs) return records
    await setTimeout(100)
  }
}

const TEXT = ['a', 'z', '0', 'é', 'ß', 'д', '水', '語', '€', '😀', '𝄞']

function randomText(bytesMax: number): string {
  let text = ''
  for (let left = Math.floor(Math.random() * (bytesMax + 1)); left > 0; ) {
    const character = TEXT[Math.floor(Math.random() * TEXT.length)] as string
    left -= Buffer.byteLength(character)
    if (left >= 0) text += character
  }
  return text
}

const skip = kafkaSkip()

describe('millrace and a real Apache Kafka', { skip, timeout: 300_000 }, () => {
  let kafka: Kafka
  let java: JavaClient

  before(async () => {
    java = new JavaClient()
    kafka = await startKafka()
  })
  after(async () => {
    await java?.close()
    await kafka?.stop()
  })

  const options = (more: Record<string, unknown> = {}) => ({
    'bootstrap.servers': kafka.bootstrapServers,
    'max.request.size': 4 * MEGABYTE,
    ...more,
  })

  for (const codec of CODECS) {
    for (const acks of ACKS) {
      test(`the Java consumer reads what was sent with ${codec} and acks=${acks}, byte for byte`, async () => {
        const topic = `matrix-${codec}-${acks}`
        await java.createTopic(kafka.bootstrapServers, topic, { partitions: PARTITIONS })
        const fromMs = Date.now()
        const sent = matrix(topic)
        await using producer = new Producer(options({ 'compression.type': codec, acks }))
        const metadata = await Promise.all(sent.map(record => producer.send(record)))
        await producer.close()
        assertMetadata(sent, metadata, acks)
        assertStored(sent, await readAll(java, kafka.bootstrapServers, topic, sent.length), fromMs)
        const codecs = storedCodecs(kafka, topic)
        assert.ok(codecs.delete(codec), `no batch is stored with ${codec}`)
        codecs.delete('none')
        assert.deepEqual([...codecs], [])
      })
    }

    const kcat = findKcat()
    test(`kcat reads what was sent with ${codec}`, {
      skip: kcat === undefined && 'kcat is not installed',
    }, () => {
      const topic = `matrix-${codec}-all`
      const format = ['-f', '%p\t%o\t%K\t%S\n']
      const args = ['-C', '-e', '-q', '-b', kafka.bootstrapServers, '-t', topic, '-o', 'beginning', ...format]
      const { status, stdout, stderr } = spawnSync(kcat as string, args, { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      const next = new Array<number>(PARTITIONS).fill(0)
      const expected = matrix(topic).map(({ partition, key, value }) => {
        const offset = next[partition] as number
        next[partition] = offset + 1
        return [partition, offset, key?.length ?? -1, value?.length ?? -1].join('\t')
      })
      assert.deepEqual(stdout.trimEnd().split('\n').sort(), expected.sort())
    })
  }

  test('strings, callbacks, sendMany and headers given as an object arrive as they were meant', async () => {
    const topic = 'forms'
    await java.createTopic(kafka.bootstrapServers, topic)
    const producer = new Producer(options())
    await producer.send({
      topic,
      key: 'clé',
      value: '水 €',
      headers: { one: 'ü', many: ['1', null, Buffer.from('3')] },
    })
    await new Promise<void>((resolve, reject) =>
      producer.send({ topic, value: new Uint8Array([1, 2]) }, (error, { offset }) => {
        if (error) reject(error)
        else resolve(assert.equal(offset, 1n))
      }),
    )
    const report = await producer.sendMany([
      { topic, key: 'a', value: null },
      { topic, value: null },
      { topic, value: '' },
    ])
    assert.deepEqual(
      Array.from(report, each => each.offset),
      [2n, 3n, 4n],
    )
    await producer.close()
    const stored = await java.read(kafka.bootstrapServers, topic)
    assert.deepEqual(
      stored.map(({ key, value }) => [key?.toString() ?? null, value?.toString('latin1') ?? null]),
      [
        ['clé', Buffer.from('水 €').toString('latin1')],
        [null, '\x01\x02'],
        ['a', null],
        [null, null],
        [null, ''],
      ],
    )
    assert.deepEqual(stored[0]?.headers, [
      ['one', Buffer.from('ü')],
      ['many', Buffer.from('1')],
      ['many', null],
      ['many', Buffer.from('3')],
    ])
  })

  test("100,000 random keys of 0 to 200 bytes sit where Java's partitioner puts them", async () => {
    const topic = 'keys'
    const partitions = 17
    await java.createTopic(kafka.bootstrapServers, topic, { partitions })
    const keys = Array.from({ length: 100_000 }, (_, i) =>
      i % 2 === 0 ? randomBytes(Math.floor(Math.random() * 201)) : randomText(200),
    )
    await using producer = new Producer(options({ 'linger.ms': 5 }))
    const told: number[] = []
    for (let from = 0; from < keys.length; from += 10_000) {
      const records: ProducerRecord[] = keys
        .slice(from, from + 10_000)
        .map((key, i) => ({ topic, key, value: String(from + i) }))
      for (const { partition } of await producer.sendMany(records)) told.push(partition)
    }
    await producer.close()

    const encoded = keys.map(key => Buffer.from(key as string))
    const wanted = await java.partitionsOf(encoded, partitions)
    assert.equal(new Set(wanted).size, partitions)
    assert.deepEqual(told, wanted)
    const stored = await java.read(kafka.bootstrapServers, topic)
    assert.equal(stored.length, keys.length)
    const seen = new Set<number>()
    for (const { partition, key, value } of stored) {
      const index = Number(value?.toString())
      seen.add(index)
      if (partition !== wanted[index] || !sameBytes(key, encoded[index] as Buffer)) {
        assert.fail(
          `key ${index} (${encoded[index]?.toString('hex')}) is stored in ${partition}, not ${wanted[index]}`,
        )
      }
    }
    assert.equal(seen.size, keys.length)
  })

  test('a topic with LogAppendTime gives the time of the broker', async () => {
    const topic = 'append-time'
    const configs = { 'message.timestamp.type': 'LogAppendTime' }
    await java.createTopic(kafka.bootstrapServers, topic, { configs })
    await using producer = new Producer(options())
    const fromMs = Date.now()
    const { timestamp } = await producer.send({ topic, value: 'x', timestamp: 1000 })
    const [stored] = await java.read(kafka.bootstrapServers, topic)
    assert.equal(stored?.timestampType, 'LogAppendTime')
    assert.equal(timestamp, stored?.timestamp)
    assert.ok(timestamp >= fromMs)
  })

  test('a topic is made on first use, with the partitions of the broker', async () => {
    await using producer = new Producer(options())
    const { offset } = await producer.send({ topic: 'made-on-first-use', value: 'x' })
    assert.equal(offset, 0n)
    const partitions = await producer.partitionsFor('made-on-first-use')
    assert.equal(partitions.length, 4)
  })
})
