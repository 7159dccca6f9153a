import assert from 'node:assert/strict'
import type { Producer, ProducerRecord, RecordMetadata } from '../../dist/index.js'
import type { BrokerRecord, TestBroker } from '../../dist/testing/index.js'
import type { Random } from './random.js'

export const WITNESS_TOPIC = 'witness'
/** Few, so that records that name one often meet those that do not. */
export const WITNESS_PARTITIONS = 4
/** Sound calls that follow one another at most. */
const CALLS_IN_A_ROW_MAX = 12
/** Records of one array at most. */
const ARRAY_MAX = 6
/** One record in so many is large. */
const LARGE_ONCE_IN = 10
/** With batches of 4 KiB one or two of them make the topic change its sticky partition. */
const LARGE_BYTES_MAX = 9_000
const TIMESTAMPS_FROM = 1_700_000_000_000

type AnyProducer = Producer<unknown, unknown>

/** What one sound record was sent with, and what the producer said of it. */
interface Witness {
  key: string | null
  value: string
  header: string | null
  partition: number | null
  timestamp: number | null
  told: Place | null
}

/** All that metadata say. */
interface Place {
  topic: string
  partition: number
  offset: bigint
  timestamp: number
  serializedKeySize: number
  serializedValueSize: number
}

function placeOf(metadata: RecordMetadata): Place {
  const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } = metadata
  return { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize }
}

/**
 * Sound records of one producer, sent in every way and of every kind in turn. Each says which one it is, so
 * that a byte that changes, a record that moves and a place that is not the record's are all seen.
 */
export class Witnesses {
  private readonly random: Random
  private readonly broker: TestBroker
  private readonly all: Witness[] = []

  constructor(random: Random, broker: TestBroker) {
    this.random = random
    this.broker = broker
  }

  /** Makes a few sound calls, one after the other; the promises reject where a record fails. */
  send(producer: AnyProducer): Promise<void>[] {
    const calls = 1 + this.random.below(CALLS_IN_A_ROW_MAX)
    return Array.from({ length: calls }, () => this.sendOnce(producer))
  }

  /** Compares the log with what was sent and what the producer said: once, unchanged, in place, in order. */
  check(): void {
    const stored = this.readStored()
    assert.equal(stored.size, this.all.length, 'sound records are stored nowhere')
    for (const [number, witness] of this.all.entries()) {
      const record = stored.get(number) as BrokerRecord
      const text = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString() : null)
      const { key, value, header, partition, timestamp, told } = witness
      assert.equal(text(record.value), value)
      assert.equal(text(record.key), key)
      const headers = record.headers.map(([name, bytes]) => [name, text(bytes)])
      assert.deepEqual(headers, header === null ? [] : [['h', header]])
      if (partition !== null) assert.equal(record.partition, partition)
      if (timestamp !== null) assert.equal(record.timestamp, timestamp)
      const place: Place = {
        topic: WITNESS_TOPIC,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        serializedKeySize: key === null ? -1 : Buffer.byteLength(key),
        serializedValueSize: Buffer.byteLength(value),
      }
      assert.deepEqual(told, place, `sound record ${number} is not stored where the producer says`)
    }
  }

  /** All that the topic holds, by the records' numbers. */
  private readStored(): Map<number, BrokerRecord> {
    const stored = new Map<number, BrokerRecord>()
    const last = new Map<number, number>()
    for (const record of this.broker.records(WITNESS_TOPIC)) {
      const text = Buffer.from(record.value ?? []).toString('utf8', 0, 40)
      const number = Number(/^witness (\d+) /.exec(text)?.[1])
      assert.ok(number < this.all.length, `what nobody has sent is stored: ${text}`)
      assert.ok(!stored.has(number), `sound record ${number} is stored twice`)
      const before = last.get(record.partition) ?? -1
      assert.ok(number > before, `sound record ${number} stands after ${before}`)
      last.set(record.partition, number)
      stored.set(number, record)
    }
    return stored
  }

  private async sendOnce(producer: AnyProducer): Promise<void> {
    const first = this.all.length
    const [told, reusable] = this.call(producer)
    // The producer has copied what it needs.
    for (const bytes of reusable) bytes.fill(0xee)
    let metadata: readonly RecordMetadata[]
    try {
      metadata = await told
    } catch (error) {
      throw new Error(`sound record ${first} or one sent with it has failed`, { cause: error })
    }
    for (const [i, each] of metadata.entries()) (this.all[first + i] as Witness).told = placeOf(each)
  }

  /** One call of the producer; answers what it will tell, and memory that may be used again at once. */
  private call(producer: AnyProducer): [told: Promise<readonly RecordMetadata[]>, reusable: Buffer[]] {
    const { random } = this
    const records: ProducerRecord<unknown, unknown>[] = []
    const reusable: Buffer[] = []
    const isMany = random.once(3)
    for (let left = isMany ? 1 + random.below(ARRAY_MAX) : 1; left > 0; left--) {
      const record = this.make()
      records.push(record)
      for (const bytes of [record.key, record.value]) if (Buffer.isBuffer(bytes)) reusable.push(bytes)
    }
    if (isMany) return [producer.sendMany(records).then(report => [...report]), reusable]
    const [record] = records as [ProducerRecord<unknown, unknown>]
    if (random.once(2)) return [producer.send(record).then(metadata => [metadata]), reusable]
    const told = new Promise<readonly RecordMetadata[]>((resolve, reject) => {
      producer.send(record, (error, metadata) => (error === null ? resolve([metadata]) : reject(error)))
    })
    return [told, reusable]
  }

  /** The next record: half of them have nothing but a value, for those take the shortest way. */
  private make(): ProducerRecord<unknown, unknown> {
    const { random } = this
    const number = this.all.length
    const isPlain = random.once(2)
    const bytes = random.once(LARGE_ONCE_IN) ? random.below(LARGE_BYTES_MAX) : random.below(300)
    const witness: Witness = {
      key: !isPlain && random.once(2) ? `key ${number}` : null,
      value: `witness ${number} ${'.'.repeat(bytes)} end of ${number}`,
      header: !isPlain && random.once(3) ? `h${number}` : null,
      partition: !isPlain && random.once(3) ? random.below(WITNESS_PARTITIONS) : null,
      timestamp: !isPlain && random.once(6) ? TIMESTAMPS_FROM + number : null,
      told: null,
    }
    this.all.push(witness)
    const { key, header, partition, timestamp } = witness
    const asText = random.once(5)
    const given = (text: string) => (asText ? text : Buffer.from(text))
    return {
      topic: WITNESS_TOPIC,
      value: given(witness.value),
      ...(key !== null && { key: given(key) }),
      ...(header !== null && { headers: random.once(2) ? { h: header } : [['h', Buffer.from(header)]] }),
      ...(partition !== null && { partition }),
      ...(timestamp !== null && { timestamp }),
    }
  }
}
