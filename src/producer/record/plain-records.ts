import type { Appender } from '../../accumulator/append/appender.js'
import type { StagedRun } from '../../accumulator/append/staging.js'
import type { TopicState } from '../../accumulator/partition/topic-state.js'
import { isTypedArray } from '../../common/views.js'
import type { Bytes, Headers } from '../../serialization/index.js'
import type { ProducerState } from '../producer-state.js'
import type { ProducerRecord } from '../types.js'
import type { HeaderFields } from './header-fields.js'
import type { RecordReader } from './record-reader.js'

/**
 * The short way for most records: to the topic of the one before, which is known, with nothing but key,
 * value and simple headers. They are staged in runs, without an object each. Everything else is for
 * {@link RecordReader}.
 */
export class PlainRecords {
  private readonly reader: RecordReader
  private readonly appender: Appender
  private readonly state: ProducerState
  private readonly isPlain: boolean
  private readonly keyedPartition: number
  private readonly fields: HeaderFields

  constructor(reader: RecordReader, appender: Appender, state: ProducerState) {
    this.reader = reader
    this.appender = appender
    this.state = state
    this.isPlain = reader.isPlain
    this.fields = reader.fields
    this.keyedPartition = reader.keyedPartition
  }

  /**
   * Stages one record. The topic, or null where the record needs a closer look; then nothing is done. Throws
   * what the record's getters throw.
   */
  stage(
    record: ProducerRecord<unknown, unknown>,
    nowMs: number,
    run: StagedRun,
    ordinal: number,
  ): TopicState | null {
    const topic = this.reader.lastTopic
    if (topic === null || !this.isPlain || record?.topic !== topic.name || topic.partitionCount === 0)
      return null
    const { partition, timestamp, headers, key, value } = record
    if (partition !== undefined || timestamp !== undefined || value === undefined) return null
    let fields: HeaderFields | null = null
    if (headers !== undefined) {
      if (!this.readHeaders(headers, key, value)) return null
      fields = this.fields
    }
    // Not before: reading the record may have run code of the caller's.
    if (!this.state.takesRecords) return null
    const { keyedPartition } = this
    const isStaged = this.appender.stage(
      topic,
      keyedPartition,
      nowMs,
      key as Bytes,
      value as Bytes,
      fields,
      run,
      ordinal,
    )
    return isStaged ? topic : null
  }

  /**
   * Stages records of an array from `from` on. Answers the first one that needs a closer look, or `end`.
   * Code of the caller's may run in between.
   */
  stageMany(
    records: readonly ProducerRecord<unknown, unknown>[],
    nowMs: number,
    run: StagedRun,
    from: number,
    end: number,
  ): number {
    let ordinal = from
    try {
      while (ordinal < end) {
        const topic = this.stage(records[ordinal] as ProducerRecord, nowMs, run, ordinal)
        if (topic === null) break
        ordinal = this.extendRun(records, topic, run, ordinal + 1, end)
      }
    } catch {
      // A getter of the record threw. Asked again, it throws where its error is dealt with.
    }
    return ordinal
  }

  /**
   * Adds records to a run that has begun, as long as they are of its kind and it stands as the last one has
   * left it: whatever else the caller's code may do in between drains it first. Answers the first one left.
   * `topic` is the run's. The topic sent to last may be another by now, for a getter may have sent.
   */
  private extendRun(
    records: readonly ProducerRecord<unknown, unknown>[],
    { name }: TopicState,
    run: StagedRun,
    from: number,
    end: number,
  ): number {
    const { state } = this
    const { staging } = this.appender
    let { count } = staging
    let ordinal = from
    try {
      for (; ordinal < end; ordinal++) {
        const record = records[ordinal] as ProducerRecord<Bytes, Bytes>
        if (record?.topic !== name) break
        const { partition, timestamp, headers, key, value } = record
        if (partition !== undefined || timestamp !== undefined || value === undefined) break
        if (headers === undefined && typeof key !== 'string' && typeof value !== 'string') {
          if (!state.takesRecords || !staging.extendBytes(run, count, key, value)) break
        } else {
          if (headers !== undefined && !this.readHeaders(headers, key, value)) break
          const fields = headers === undefined ? null : this.fields
          if (!state.takesRecords || !staging.extend(run, count, key, value, fields)) break
        }
        count++
      }
    } catch {
      // As above.
    }
    return ordinal
  }

  /**
   * Reads a record's headers. False where they need a closer look, or key or value do: looking at those may
   * run code that reads the headers of another record.
   */
  private readHeaders(headers: unknown, key: unknown, value: unknown): boolean {
    return isSimple(key) && isSimple(value) && this.fields.read(headers as Headers)
  }
}

function isSimple(bytes: unknown): boolean {
  return typeof bytes === 'string' || bytes === null || bytes === undefined || isTypedArray(bytes)
}
