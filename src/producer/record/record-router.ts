import type { RecordAccumulator } from '../../accumulator/accumulator.js'
import type { StagedRun } from '../../accumulator/append/staging.js'
import type { AppendableRecord } from '../../accumulator/append/waiting-queue.js'
import { TopicState } from '../../accumulator/partition/topic-state.js'
import type { MetadataCache } from '../../cluster/metadata-cache.js'
import type { ProducerConfig } from '../../config/index.js'
import { InternalError, InvalidRecordError, KafkaError } from '../../errors/index.js'
import { PARTITION_BY_KEY, PARTITION_STICKY } from '../../native/addon.js'
import type { Bytes, Serialize } from '../../serialization/index.js'
import type { ProducerRecord } from '../types.js'
import { encodeHeaders } from './headers.js'
import { PartitionerView } from './partitioner-view.js'
import { checkPartition, checkTimestamp, checkTopic } from './record-checks.js'

/** The custom partitioner is to be asked once the topic is known. */
export const PARTITION_BY_PARTITIONER = -3

/** The record in hand: written over by the next one, so that no record costs an object. */
type RoutedRecord = { -readonly [Field in keyof AppendableRecord]: AppendableRecord[Field] }

/** Turns what users send into what can be appended; knows the topics and the plug-ins. */
export class RecordRouter {
  private readonly accumulator: RecordAccumulator
  private readonly metadata: MetadataCache
  private readonly topics = new Map<string, TopicState>()
  private readonly keySerializer: Serialize<unknown> | null
  private readonly valueSerializer: Serialize<unknown> | null
  private readonly partitioner: PartitionerView | null
  /** Where records with a key go when neither they nor a custom partitioner say. */
  private readonly keyedPartition: number
  private readonly isPlain: boolean
  private lastTopic: TopicState | null = null
  /** One for all records: the answer of `route`. */
  private readonly routed: RoutedRecord = {
    topic: new TopicState('', -1),
    partition: PARTITION_STICKY,
    timestampMs: Number.NaN,
    key: undefined,
    value: undefined,
    headers: null,
  }
  private metadataVersion = -1

  constructor(config: ProducerConfig, accumulator: RecordAccumulator, metadata: MetadataCache) {
    this.accumulator = accumulator
    this.metadata = metadata
    this.keySerializer = config.keySerializer
    this.valueSerializer = config.valueSerializer
    this.keyedPartition = config.partitionerIgnoreKeys ? PARTITION_STICKY : PARTITION_BY_KEY
    this.isPlain =
      config.keySerializer === null && config.valueSerializer === null && config.partitioner === null
    this.partitioner = config.partitioner === null ? null : new PartitionerView(config.partitioner, metadata)
  }

  /**
   * Reads and checks a record: what it is to be appended as, valid until the next call. `nowMs` is its
   * timestamp if it has none. Throws what is wrong with the record.
   */
  route(record: ProducerRecord<unknown, unknown>, nowMs: number): AppendableRecord {
    if (record === null || typeof record !== 'object') {
      throw new InvalidRecordError('A record must be an object with at least a topic.')
    }
    const { topic: name, timestamp } = record
    const topic = name === this.lastTopic?.name ? this.lastTopic : this.topicOf(name)
    this.lastTopic = topic
    const timestampMs =
      timestamp === undefined || timestamp === null ? nowMs : checkTimestamp(timestamp, name)
    const key =
      this.keySerializer === null
        ? (record.key as Bytes | undefined)
        : this.keySerializer(name, record.key ?? null, record.headers ?? undefined)
    const value =
      this.valueSerializer === null
        ? (record.value as Bytes | undefined)
        : this.valueSerializer(name, record.value ?? null, record.headers ?? undefined)
    const partition = this.partitionOf(record.partition, topic, key, value)
    // Last, because the plug-ins above may send records of their own.
    const headers =
      record.headers === undefined || record.headers === null ? null : encodeHeaders(record.headers)
    return this.answer(topic, partition, timestampMs, key, value, headers)
  }

  /**
   * Stages records of an array from `from` on, as long as `takesRecords`: code of the caller's may run in
   * between. Answers the first one that `route` has to look at, or `end`.
   */
  stageMany(
    records: readonly ProducerRecord<unknown, unknown>[],
    nowMs: number,
    run: StagedRun,
    from: number,
    end: number,
    takesRecords: () => boolean,
  ): number {
    let ordinal = from
    try {
      while (ordinal < end) {
        const topic = this.stagePlain(records[ordinal] as ProducerRecord, nowMs, run, ordinal, takesRecords)
        if (topic === null) break
        ordinal++
        ordinal = this.extendRun(records, topic, run, ordinal, end, takesRecords)
      }
    } catch {
      // A getter of the record threw; asked again, it throws where its error is dealt with. Nothing of ours
      // throws here: what goes wrong in a drain is told to the records that were staged.
    }
    return ordinal
  }

  /**
   * Adds records to a run that has begun, as long as they are of its kind and it stands as the last one has
   * left it: whatever else the caller's code may do in between drains it first. Answers the first one left.
   * `topic` is the run's; the topic sent to last may be another by now, for a getter may have sent.
   */
  private extendRun(
    records: readonly ProducerRecord<unknown, unknown>[],
    { name }: TopicState,
    run: StagedRun,
    from: number,
    end: number,
    takesRecords: () => boolean,
  ): number {
    const { staging, appender } = this.accumulator
    const { stagedBytesMax } = appender
    let { count } = staging
    let ordinal = from
    try {
      for (; ordinal < end; ordinal++) {
        const record = records[ordinal] as ProducerRecord<Bytes, Bytes>
        if (record?.topic !== name) break
        const { partition, timestamp, headers, key, value } = record
        if (partition !== undefined || timestamp !== undefined || headers !== undefined) break
        if (!takesRecords() || !staging.extend(run, count, key, value, stagedBytesMax)) break
        count++
      }
    } catch {
      // As above.
    }
    return ordinal
  }

  /** As {@link stageMany}, for one record. */
  stageOne(
    record: ProducerRecord<unknown, unknown>,
    nowMs: number,
    run: StagedRun,
    ordinal: number,
    takesRecords: () => boolean,
  ): boolean {
    try {
      return this.stagePlain(record, nowMs, run, ordinal, takesRecords) !== null
    } catch {
      return false
    }
  }

  /**
   * The short way for most records: to the topic of the one before, which is known, with nothing but key and
   * value. The topic, or null where `route` has to look closer.
   */
  private stagePlain(
    record: ProducerRecord<unknown, unknown>,
    nowMs: number,
    run: StagedRun,
    ordinal: number,
    takesRecords: () => boolean,
  ): TopicState | null {
    const topic = this.lastTopic
    if (topic === null || !this.isPlain || record?.topic !== topic.name || topic.partitionCount === 0)
      return null
    const { partition, timestamp, headers, key, value } = record
    if (partition !== undefined || timestamp !== undefined || headers !== undefined) return null
    // Not before: reading the record may have run code of the caller's.
    if (!takesRecords()) return null
    const { appender } = this.accumulator
    const { keyedPartition } = this
    const isStaged = appender.stage(topic, keyedPartition, nowMs, key as Bytes, value as Bytes, run, ordinal)
    return isStaged ? topic : null
  }

  /** Where a record without a partition goes when no custom partitioner decides. */
  private builtInPartition(key: unknown): number {
    return key !== undefined && key !== null ? this.keyedPartition : PARTITION_STICKY
  }

  /** The topic of this name; new to the producer at first use. */
  topicOf(name: unknown): TopicState {
    const known = this.topics.get(name as string)
    if (known !== undefined) return known
    checkTopic(name)
    const topic = this.accumulator.addTopic(name)
    this.topics.set(name, topic)
    this.takeMetadata(topic)
    return topic
  }

  /** The custom partitioner's choice. Throws where that is no partition of the topic. */
  askPartitioner({ topic, key, value }: Pick<AppendableRecord, 'topic' | 'key' | 'value'>): number {
    return (this.partitioner as PartitionerView).choose(topic, key ?? null, value ?? null)
  }

  /** Takes over metadata that has changed since the last call. False if none has. */
  followMetadata(): boolean {
    if (this.metadata.version === this.metadataVersion) return false
    this.metadataVersion = this.metadata.version
    let hasMoved = false
    for (const topic of this.topics.values()) if (this.takeMetadata(topic)) hasMoved = true
    if (hasMoved) this.accumulator.leadersChanged()
    return true
  }

  private partitionOf(
    explicit: number | null | undefined,
    topic: TopicState,
    key: Bytes | undefined,
    value: Bytes | undefined,
  ): number {
    if (explicit !== undefined && explicit !== null) return checkPartition(explicit, topic.name)
    if (this.partitioner !== null) {
      return topic.partitionCount === 0
        ? PARTITION_BY_PARTITIONER
        : this.askPartitioner({ topic, key, value })
    }
    return this.builtInPartition(key)
  }

  private answer(
    topic: TopicState,
    partition: number,
    timestampMs: number,
    key: Bytes | undefined,
    value: Bytes | undefined,
    headers: Uint8Array | null,
  ): AppendableRecord {
    const { routed } = this
    routed.topic = topic
    routed.partition = partition
    routed.timestampMs = timestampMs
    routed.key = key
    routed.value = value
    routed.headers = headers
    return routed
  }

  /** True if the topic's leaders have moved. */
  private takeMetadata(topic: TopicState): boolean {
    const metadata = this.metadata.topic(topic.name)
    if (metadata === undefined || metadata === topic.metadata) return false
    return this.accumulator.updateTopic(topic, metadata)
  }
}

/** Whether the record's partition, or enough to choose it, is known. */
export function isPlaceable({ topic, partition }: AppendableRecord): boolean {
  return topic.partitionCount > 0 && partition < topic.partitionCount
}

/** Where a failed record was to go, as far as it can be read. */
export function placeOf(record: unknown): { topic: string; partition: number } {
  try {
    const { topic, partition } = record as ProducerRecord
    return {
      topic: typeof topic === 'string' ? topic : '',
      partition: Number.isInteger(partition) ? (partition as number) : -1,
    }
  } catch {
    return { topic: '', partition: -1 }
  }
}

/** What a caller's getter, iterator or plug-in threw becomes a coded error with its cause. */
export function asKafkaError(error: unknown, topic: string): KafkaError {
  try {
    return coded(error, topic)
  } catch {
    // What was thrown throws when it is looked at; nobody else should have to try.
    return new InvalidRecordError(`The record to topic ${topic} could not be read.`, { topic })
  }
}

function coded(error: unknown, topic: string): KafkaError {
  if (error instanceof KafkaError) return error
  const message = error instanceof Error ? error.message : String(error)
  const details = { topic, cause: error }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new InvalidRecordError(`The record to topic ${topic} could not be read: ${message}`, details)
  }
  return new InternalError(`The record to topic ${topic} could not be sent: ${message}`, details)
}
