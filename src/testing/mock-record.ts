import { bytesAdvice } from '../common/bytes-advice.js'
import { hasBytes } from '../common/views.js'
import type { Partition, Partitioner, PartitionerCluster, PluginPartition } from '../config/index.js'
import { ConfigError, InvalidRecordError, RecordTooLargeError } from '../errors/index.js'
import { partitionOfKey } from '../partitioner/murmur2.js'
import { headerPairs } from '../producer/record/headers.js'
import { checkPartition, checkTimestamp, checkTopic } from '../producer/record/record-checks.js'
import type { ProducerRecord } from '../producer/types.js'
import {
  type Bytes,
  type GuardedSerializer,
  guardSerializer,
  type Headers,
  type Prepare,
  type SerializerLike,
  storedBytes,
} from '../serialization/index.js'

/** The plug-ins of a mock, as its options have them. */
export interface MockPlugins<K, V> {
  readonly keySerializer?: SerializerLike<K> | null | undefined
  readonly valueSerializer?: SerializerLike<V> | null | undefined
  readonly partitioner?: Partitioner | Partition | null | undefined
  readonly topics?: Readonly<Record<string, number>> | null | undefined
}

/** A record that has been read and checked, but not serialized. */
export interface CopiedRecord<K, V> {
  /** A copy, which keeps what the caller's buffers held. */
  readonly record: ProducerRecord<K, V>
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
}

/** A record as a mock has taken it. */
export interface TakenRecord<K, V> {
  /** A copy, which keeps what the caller's buffers hold now. */
  readonly record: ProducerRecord<K, V>
  readonly partition: number
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** -1 for null. */
  readonly keyBytes: number
  /** -1 for null. */
  readonly valueBytes: number
}

/** Takes records as a producer does: checks, serializes and places them. */
export class MockRecordTaker<K, V> {
  /** Of the serializers that want to be asked. */
  readonly preparers: readonly Prepare[]
  private readonly keySerializer: GuardedSerializer | null
  private readonly valueSerializer: GuardedSerializer | null
  private readonly addsHeaders: boolean
  private readonly partitioner: Partitioner | null
  private readonly cluster: MockCluster

  constructor({ keySerializer, valueSerializer, partitioner, topics }: MockPlugins<K, V>) {
    this.keySerializer = serializerOf('keySerializer', keySerializer, 'key')
    this.valueSerializer = serializerOf('valueSerializer', valueSerializer, 'value')
    const serializers = [this.keySerializer, this.valueSerializer]
    this.addsHeaders = serializers.some(each => each?.addsHeaders)
    this.preparers = serializers.flatMap(each => each?.prepare ?? [])
    this.partitioner = partitionerOf(partitioner)
    this.cluster = new MockCluster(topics ?? {})
  }

  /** Reads the record. Throws what is wrong with it, as far as that can be seen without its serializers. */
  copy(given: ProducerRecord<K, V>): CopiedRecord<K, V> {
    if (given === null || typeof given !== 'object') {
      throw new InvalidRecordError('A record must be an object with at least a topic.')
    }
    const record = copyOf(given)
    const { topic, timestamp, headers } = record
    checkTopic(topic)
    const timestampMs =
      timestamp === undefined || timestamp === null ? Date.now() : checkTimestamp(timestamp, topic)
    if (record.value === undefined) {
      throw new InvalidRecordError(
        `A record to topic ${topic} has no value; null is the value of a tombstone.`,
        { topic },
      )
    }
    if (headers !== undefined && headers !== null) pairsOf(headers, topic)
    return { record, timestampMs }
  }

  /** Serializes and places it. Throws what is wrong with it. */
  place({ record: copied, timestampMs }: CopiedRecord<K, V>): TakenRecord<K, V> {
    const { topic } = copied
    // An array of its own, to which serializers may add.
    const record = this.addsHeaders ? { ...copied, headers: pairsOf(copied.headers ?? [], topic) } : copied
    const key = this.serialize(this.keySerializer, record.key ?? null, record)
    const value = this.serialize(this.valueSerializer, record.value, record)
    if (this.addsHeaders) pairsOf(record.headers ?? [], topic)
    return {
      record,
      partition: this.partitionOf(record, key, value),
      timestampMs,
      keyBytes: sizeOf(key),
      valueBytes: sizeOf(value),
    }
  }

  partitionsFor(topic: string): readonly PluginPartition[] {
    return this.cluster.describes(topic) ? this.cluster.partitionsForTopic(topic) : []
  }

  private serialize<T>(
    serializer: GuardedSerializer | null,
    data: T | null,
    { topic, headers }: ProducerRecord<unknown, unknown>,
  ): Bytes {
    const bytes: unknown =
      serializer === null ? data : serializer.serialize(topic, data, (headers ?? undefined) as Headers)
    if (bytes === null || typeof bytes === 'string') return bytes
    if (typeof bytes === 'object' && hasBytes(bytes)) return bytes
    throw new InvalidRecordError(
      `Key and value of a record to topic ${topic} must be a string, a Uint8Array or null; ` +
        `${bytesAdvice(bytes) || 'set keySerializer or valueSerializer for anything else'}.`,
      { topic },
    )
  }

  private partitionOf({ topic, partition }: ProducerRecord<K, V>, key: Bytes, value: Bytes): number {
    const { cluster } = this
    const chosen =
      partition !== undefined && partition !== null
        ? checkPartition(partition, topic)
        : this.choose(topic, key, value)
    if (!cluster.describes(topic) || chosen < cluster.partitionCountForTopic(topic)) return chosen
    throw new InvalidRecordError(
      `A record goes to partition ${chosen} of topic ${topic}, which has ` +
        `${cluster.partitionCountForTopic(topic)}.`,
      { topic, partition: chosen },
    )
  }

  private choose(topic: string, key: Bytes, value: Bytes): number {
    const { cluster, partitioner } = this
    if (partitioner === null) {
      if (key === null) return 0
      const bytes = typeof key === 'string' ? Buffer.from(key) : key
      return partitionOfKey(bytes, 0, bytes.byteLength, cluster.partitionCountForTopic(topic))
    }
    let answer: unknown
    try {
      answer = partitioner.partition(topic, storedBytes(key), storedBytes(value), cluster)
    } catch (cause) {
      throw new InvalidRecordError(`The custom partitioner threw for a record to topic ${topic}.`, {
        topic,
        cause,
      })
    }
    return checkPartition(answer, topic, 'The custom partition')
  }
}

/** Topics with partitions that all have a leader; one that is not described has one partition. */
class MockCluster implements PartitionerCluster {
  private readonly counts: ReadonlyMap<string, number>

  constructor(topics: Readonly<Record<string, number>>) {
    this.counts = new Map(Object.entries(topics))
    for (const [topic, count] of this.counts) {
      if (Number.isInteger(count) && count >= 1) continue
      throw new ConfigError(
        `topics: ${JSON.stringify(topic)} must have a whole number of partitions, at least 1, not ${count}.`,
        'topics',
      )
    }
  }

  describes(topic: string): boolean {
    return this.counts.has(topic)
  }

  partitionCountForTopic(topic: string): number {
    return this.counts.get(topic) ?? 1
  }

  partitionsForTopic(topic: string): readonly PluginPartition[] {
    const count = this.partitionCountForTopic(topic)
    return Array.from({ length: count }, (_, partition) => ({ topic, partition, leader: LEADER_ID }))
  }

  availablePartitionsForTopic(topic: string): readonly PluginPartition[] {
    return this.partitionsForTopic(topic)
  }
}

const LEADER_ID = 1
/** A record's length is an int32. */
const RECORD_BYTES_MAX = 2 ** 31 - 1

/**
 * Throws what is wrong with them. A mock has no `max.request.size`: headers may be as large as those of any
 * record.
 */
function pairsOf(headers: Headers, topic: string): (readonly [string, Bytes])[] {
  return headerPairs(headers, RECORD_BYTES_MAX, bytes => {
    throw new RecordTooLargeError(`A record to topic ${topic} has headers of ${bytes} bytes.`, { topic })
  })
}

function serializerOf<T>(
  option: string,
  given: SerializerLike<T> | null | undefined,
  field: 'key' | 'value',
): GuardedSerializer | null {
  if (given === null || given === undefined) return null
  if (typeof given === 'function' || typeof given.serialize === 'function')
    return guardSerializer(given as SerializerLike<unknown>, field)
  throw new ConfigError(`${option} must be a function or an object with a method serialize.`, option)
}

function partitionerOf(given: Partitioner | Partition | null | undefined): Partitioner | null {
  if (given === null || given === undefined) return null
  if (typeof given === 'function') return { partition: given }
  if (typeof given.partition === 'function') return given
  throw new ConfigError('partitioner must be a function or an object with a method partition.', 'partitioner')
}

/** Reads every field once. Bytes and headers are copied; what a serializer takes is kept as it is. */
function copyOf<K, V>(given: ProducerRecord<K, V>): ProducerRecord<K, V> {
  const record = { ...given }
  if (record.key !== undefined) record.key = copyOfBytes(record.key)
  if (record.value !== undefined) record.value = copyOfBytes(record.value)
  if (record.headers !== undefined && record.headers !== null) record.headers = copyOfHeaders(record.headers)
  return record
}

function copyOfBytes<T>(part: T): T {
  if (typeof part !== 'object' || part === null || !hasBytes(part)) return part
  return (Buffer.isBuffer(part) ? Buffer.from(part) : part.slice()) as T
}

function copyOfHeaders(headers: Headers): Headers {
  if (typeof headers !== 'object') return headers
  if (Symbol.iterator in headers) {
    return Array.from(headers, pair =>
      Array.isArray(pair) ? ([pair[0], copyOfBytes(pair[1])] as const) : (pair as never),
    )
  }
  const copies = Object.entries(headers).map(([name, values]) => [
    name,
    Array.isArray(values) ? values.map(copyOfBytes) : copyOfBytes(values),
  ])
  return Object.fromEntries(copies)
}

function sizeOf(bytes: Bytes): number {
  if (bytes === null) return -1
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength
}
