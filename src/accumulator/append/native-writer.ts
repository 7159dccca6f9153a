import { InternalError, type KafkaError } from '../../errors/index.js'
import {
  AppendStatus,
  DRAIN_STATUS_BITS,
  type NativeBytes,
  type NativeCore,
  Result,
  Touched,
} from '../../native/addon.js'
import type { Batch } from '../batch/batch.js'
import type { PartitionState } from '../partition/partition-state.js'
import type { TopicState } from '../partition/topic-state.js'
import { type AppendLimits, refusalError, unallocatedError } from './append-errors.js'
import type { AppendableRecord } from './appendable-record.js'
import type { StagedRun, Staging } from './staging.js'

const STATUS_MASK = (1 << DRAIN_STATUS_BITS) - 1

export interface NativeWriterOptions extends AppendLimits {
  core: NativeCore
  staging: Staging
  topics: readonly TopicState[]
  choosePartition: (topic: TopicState) => number
  /** The first record of a new batch has been written; `large` is its memory where it is not a slab. */
  openBatch: (handle: number, partition: PartitionState, large: ArrayBuffer | null) => Batch
  batchOf: (handle: number) => Batch | undefined
}

/**
 * Has native code write records, gives it what it asks for (a sticky partition, memory for a large record),
 * and checks its answers: records are counted on both sides, and the counts must agree. Throws InternalError
 * where they do not; then nobody knows where the records are.
 */
export class NativeWriter {
  private readonly options: NativeWriterOptions
  private readonly core: NativeCore
  private readonly staging: Staging
  private lastStatus: number = AppendStatus.OK
  private large: ArrayBuffer | null = null
  /** Why the last memory that was asked for could not be had. */
  private allocationFailure: unknown = null

  constructor(options: NativeWriterOptions) {
    this.options = options
    this.core = options.core
    this.staging = options.staging
  }

  /** Writes one record directly. OK, or why it is not written. */
  write(record: AppendableRecord): number {
    const { core, staging } = this
    const { topic, partition, timestampMs, key, value, headers } = record
    // Headers pass through the memory of the staging, and what is staged was sent before this record.
    if (staging.count > 0) throw new InternalError('A record was to pass those that are staged.')
    // A text has as many bytes as characters at least. To count them, native code reads all of it.
    const characters = charactersOf(key) + charactersOf(value)
    if (characters > this.options.maxRequestBytes) {
      staging.result[Result.SIZE] = characters
      return AppendStatus.TOO_LARGE
    }
    let headerBytes = 0
    if (headers !== null) {
      headerBytes = headers.byteLength
      if (headerBytes > staging.bytes.length) {
        staging.result[Result.SIZE] = headerBytes
        return AppendStatus.TOO_LARGE
      }
      headers.writeTo(staging.bytes, 0)
    }
    for (;;) {
      const status = core.append(topic.handle, partition, timestampMs, key, value, headerBytes)
      if (!this.serve(status, topic)) return status
    }
  }

  /** The batch that the last `write` has written into. */
  writtenBatch(topic: TopicState): Batch {
    const { result } = this.staging
    const handle = result[Result.BATCH] as number
    const index = result[Result.INDEX] as number
    const batch =
      index === 0
        ? this.opened(handle, topic, result[Result.PARTITION] as number)
        : this.options.batchOf(handle)
    if (index !== batch?.recordCount) throw miscounted(handle, index, batch)
    batch.recordCount++
    return batch
  }

  /**
   * Writes staged records from `first` on, up to `count`, and connects them with their batches. Answers the
   * first one that is not written; `stopStatus` says why, OK if it is `count`.
   */
  drain(run: StagedRun, first: number, count: number): number {
    const { staging } = this
    let next = first
    for (;;) {
      const answer = staging.drain(this.core, next)
      const stopped = next + (answer >> DRAIN_STATUS_BITS)
      if (stopped > next) this.attachStaged(run, next, stopped)
      next = stopped
      this.lastStatus = answer & STATUS_MASK
      if (next === count || this.lastStatus === AppendStatus.OK) return next
      if (!this.serve(this.lastStatus, this.topicOf(next))) return next
    }
  }

  /** Why the last `drain` has stopped. */
  get stopStatus(): number {
    return this.lastStatus
  }

  /** The topic of a staged record. */
  topicOf(record: number): TopicState {
    return this.options.topics[this.staging.topicOf(record)] as TopicState
  }

  /** The error of a record that was refused. */
  refusal(status: number, topic: TopicState): KafkaError {
    const bytes = this.staging.result[Result.SIZE] as number
    if (status === AppendStatus.NEEDS_LARGE)
      return unallocatedError(topic.name, bytes, this.allocationFailure)
    return refusalError(status, topic.name, bytes, this.options)
  }

  /** Gives native code what it asks for. True if it is to be called again. */
  private serve(status: number, topic: TopicState): boolean {
    if (status === AppendStatus.CHOOSE_PARTITION) {
      this.core.setSticky(topic.handle, this.options.choosePartition(topic))
      return true
    }
    if (status !== AppendStatus.NEEDS_LARGE) return false
    try {
      this.large = new ArrayBuffer(this.staging.result[Result.SIZE] as number)
    } catch (cause) {
      // The system has no memory left, though the budget has. The record is refused for that.
      this.allocationFailure = cause
      return false
    }
    this.core.provideLarge(this.large)
    return true
  }

  /** Connects the batches that the native call has touched with their records. */
  private attachStaged(run: StagedRun, first: number, end: number): void {
    const { staging, options } = this
    const { touched, batches } = staging
    const count = staging.touchedCount
    let written = 0
    for (let touch = 0; touch < count; touch++) {
      const at = touch * Touched.WORDS
      const handle = touched[at + Touched.BATCH] as number
      const firstIndex = staging.touchedFirstIndex(touch)
      let batch: Batch | undefined
      if (firstIndex === 0) {
        const topic = options.topics[touched[at + Touched.TOPIC] as number] as TopicState
        batch = this.opened(handle, topic, touched[at + Touched.PARTITION] as number)
      } else batch = options.batchOf(handle)
      const records = staging.touchedRecords(touch)
      // Records with a promised place stand before all others of the staging, so they are written by now.
      if (firstIndex !== batch?.recordCount || records < batch.promisedCount)
        throw miscounted(handle, firstIndex, batch)
      batch.recordCount += records
      batch.promisedCount = 0
      batches[touch] = batch
      written += records
    }
    if (written !== end - first) throw new InternalError(`${written} of ${end - first} records were written.`)
    run.attachStaged(staging, first, end)
    for (let touch = 0; touch < count; touch++) batches[touch] = null
  }

  private opened(handle: number, topic: TopicState, partition: number): Batch {
    const { large } = this
    this.large = null
    return this.options.openBatch(handle, topic.partition(partition), large)
  }
}

function miscounted(handle: number, index: number, batch: Batch | undefined): InternalError {
  const counted = batch === undefined ? 'which is not known' : `which had ${batch.recordCount} records`
  return new InternalError(`Native code wrote record ${index} of batch ${handle}, ${counted}.`)
}

function charactersOf(bytes: NativeBytes): number {
  return typeof bytes === 'string' ? bytes.length : 0
}
