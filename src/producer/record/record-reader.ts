import { isUint8Array } from 'node:util/types'
import { type AppendLimits, badTypeError, tooLargeError } from '../../accumulator/append/append-errors.js'
import {
  type AppendableRecord,
  type EncodableHeaders,
  EncodedHeaders,
  PARTITION_BY_KEY,
  PARTITION_BY_PARTITIONER,
  PARTITION_STICKY,
} from '../../accumulator/append/appendable-record.js'
import { TopicState } from '../../accumulator/partition/topic-state.js'
import type { MetadataCache } from '../../cluster/metadata-cache.js'
import type { ProducerConfig } from '../../config/index.js'
import { InvalidRecordError } from '../../errors/index.js'
import {
  type Bytes,
  type Headers,
  type Prepare,
  type Serialize,
  storedBytes,
} from '../../serialization/index.js'
import type { ProducerState } from '../producer-state.js'
import type { ProducerRecord } from '../types.js'
import { HeaderFields } from './header-fields.js'
import { encodeHeaders, headerPairs, type RefuseSize } from './headers.js'
import { PartitionerView } from './partitioner-view.js'
import { checkPartition, checkTimestamp, noValue } from './record-checks.js'
import type { Topics } from './topics.js'
import { copyOf } from './unserialized-record.js'

type HeaderPairs = (readonly [name: string, value: Bytes])[]

/** The record in hand: written over by the next one, so that no record costs an object. */
type ReadRecord = { -readonly [Field in keyof AppendableRecord]: AppendableRecord[Field] }

/** Turns what users send into what can be appended: checks it, asks serializers and the partitioner. */
export class RecordReader {
  private readonly topics: Topics
  private readonly state: ProducerState
  /** Of the serializers that want to be asked before the first record of a topic. */
  readonly preparers: readonly Prepare[]
  private readonly keySerializer: Serialize<unknown> | null
  private readonly valueSerializer: Serialize<unknown> | null
  /** Whether serializers add headers: each record's are copied for them. */
  readonly addsHeaders: boolean
  private readonly keptHeaders = new WeakSet<Headers>()
  private readonly partitioner: PartitionerView | null
  /** Where records with a key go when neither they nor a custom partitioner say. */
  readonly keyedPartition: number
  /** Records with nothing but key and value may be appended as they are. */
  readonly isPlain: boolean
  private last: TopicState | null = null
  /** One for all records: the answer of `read`. */
  private readonly record: ReadRecord = {
    topic: new TopicState('', -1),
    partition: PARTITION_STICKY,
    timestampMs: Number.NaN,
    key: undefined,
    value: undefined,
    headers: null,
  }

  /** The headers of most records. One for all, as is `record`. */
  readonly fields = new HeaderFields()
  private readonly limits: AppendLimits
  /** One for all records, as is `record`. */
  private readonly refuseHeaders: RefuseSize

  constructor(config: ProducerConfig, topics: Topics, metadata: MetadataCache, state: ProducerState) {
    this.topics = topics
    this.state = state
    const { maxRequestSize: maxRequestBytes, bufferMemory: bufferBytes, maxBlockMs } = config
    this.limits = { maxRequestBytes, bufferBytes, maxBlockMs }
    this.refuseHeaders = bytes => this.refuseSize(this.last?.name ?? '', bytes)
    const serializers = [config.keySerializer, config.valueSerializer]
    this.keySerializer = config.keySerializer?.serialize ?? null
    this.valueSerializer = config.valueSerializer?.serialize ?? null
    this.preparers = serializers.flatMap(each => each?.prepare ?? [])
    this.addsHeaders = serializers.some(each => each?.addsHeaders)
    this.keyedPartition = config.partitionerIgnoreKeys ? PARTITION_STICKY : PARTITION_BY_KEY
    this.isPlain =
      config.keySerializer === null && config.valueSerializer === null && config.partitioner === null
    this.partitioner = config.partitioner === null ? null : new PartitionerView(config.partitioner, metadata)
  }

  /** The topic of the last record. */
  get lastTopic(): TopicState | null {
    return this.last
  }

  /**
   * Reads and checks a record that is sent now: what it is to be appended as, valid until the next call.
   * `nowMs` is its timestamp if it has none. Throws what is wrong with the record, or why none can be sent.
   */
  read(record: ProducerRecord<unknown, unknown>, nowMs: number): AppendableRecord {
    const { state } = this
    state.checkSendable()
    const read = this.readTaken(record, nowMs)
    // Code of the caller's that ran meanwhile may have closed the producer or ended the transaction.
    state.checkSendable()
    return read
  }

  /** As {@link read}, for a record that the producer has taken before. */
  readTaken(record: ProducerRecord<unknown, unknown>, nowMs: number): AppendableRecord {
    if (record === null || typeof record !== 'object') {
      throw new InvalidRecordError('A record must be an object with at least a topic.')
    }
    const { topic: name, timestamp } = record
    const { last } = this
    const topic = last !== null && name === last.name ? last : this.topics.of(name)
    this.last = topic
    const timestampMs =
      timestamp === undefined || timestamp === null ? nowMs : checkTimestamp(timestamp, name)
    const added = this.addsHeaders ? this.ownHeaders(record.headers ?? []) : null
    let key =
      this.keySerializer === null
        ? (record.key as Bytes | undefined)
        : this.keySerializer(name, record.key ?? null, added ?? record.headers ?? undefined)
    const given = record.value
    if (given === undefined) throw this.refuseWithoutValue(record)
    let value =
      this.valueSerializer === null
        ? (given as Bytes)
        : this.valueSerializer(name, given, added ?? record.headers ?? undefined)
    const { partition: explicit } = record
    if (this.partitioner !== null && (explicit === undefined || explicit === null)) {
      // What the partitioner is asked with is what is stored.
      key = this.bytesOf(key, topic)
      value = this.bytesOf(value, topic)
    }
    const partition = this.partitionOf(explicit, topic, key, value)
    // Last, because the plug-ins above may send records of their own.
    const sent = added ?? record.headers
    const headers = sent === undefined || sent === null ? null : this.encodable(sent)
    return this.answer(topic, partition, timestampMs, key, value, headers)
  }

  private bytesOf(data: Bytes | undefined, { name }: TopicState): Uint8Array | null {
    const bytes = storedBytes(data)
    if (bytes === null || isUint8Array(bytes)) return bytes
    throw badTypeError(name, bytes)
  }

  /** The custom partitioner's choice. Throws where that is no partition of the topic. */
  askPartitioner({ topic, key, value }: Pick<AppendableRecord, 'topic' | 'key' | 'value'>): number {
    return (this.partitioner as PartitionerView).choose(topic, key, value)
  }

  /** What else is wrong with the record is the better answer. */
  private refuseWithoutValue(record: ProducerRecord<unknown, unknown>): InvalidRecordError {
    const { topic, partition, headers } = record
    if (partition !== undefined && partition !== null) checkPartition(partition, topic)
    if (headers !== undefined && headers !== null) this.encodable(headers)
    return noValue(record, topic)
  }

  /**
   * The headers of a record for the topic, in an array of its own with copies of their bytes, which is also
   * what serializers add to. Throws what is wrong with them.
   */
  keepHeaders(headers: Headers, topic: string): HeaderPairs {
    if (this.keptHeaders.has(headers)) return headers as HeaderPairs
    const pairs = this.headerPairs(headers, bytes => this.refuseSize(topic, bytes)).map(
      ([name, value]) => [name, copyOf(value) as Bytes] as const,
    )
    this.keptHeaders.add(pairs)
    return pairs
  }

  private ownHeaders(headers: Headers): HeaderPairs {
    if (this.keptHeaders.has(headers)) return headers as HeaderPairs
    return this.headerPairs(headers, this.refuseHeaders)
  }

  private headerPairs(headers: Headers, refuse: RefuseSize): HeaderPairs {
    return headerPairs(headers, this.limits.maxRequestBytes, refuse)
  }

  private refuseSize(topic: string, bytes: number): never {
    throw tooLargeError(topic, bytes, this.limits)
  }

  private encodable(headers: Headers): EncodableHeaders | null {
    if (this.fields.read(headers)) return this.fields
    const encoded = encodeHeaders(headers, this.limits.maxRequestBytes, this.refuseHeaders)
    return encoded === null ? null : new EncodedHeaders(encoded)
  }

  private partitionOf(
    explicit: number | null | undefined,
    topic: TopicState,
    key: Bytes | undefined,
    value: Bytes,
  ): number {
    if (explicit !== undefined && explicit !== null) return checkPartition(explicit, topic.name)
    if (this.partitioner === null)
      return key !== undefined && key !== null ? this.keyedPartition : PARTITION_STICKY
    // It has to be asked once the topic is known.
    if (topic.partitionCount === 0) return PARTITION_BY_PARTITIONER
    return this.askPartitioner({ topic, key, value })
  }

  private answer(
    topic: TopicState,
    partition: number,
    timestampMs: number,
    key: Bytes | undefined,
    value: Bytes | undefined,
    headers: EncodableHeaders | null,
  ): AppendableRecord {
    const { record } = this
    record.topic = topic
    record.partition = partition
    record.timestampMs = timestampMs
    record.key = key
    record.value = value
    record.headers = headers
    return record
  }
}
