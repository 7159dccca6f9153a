import type { Observer } from '../../common/observer.js'
import { isDataView } from '../../common/views.js'
import { InternalError, KafkaError } from '../../errors/index.js'
import {
  AppendStatus,
  type NativeBytes,
  PARTITION_BY_KEY,
  PARTITION_STICKY,
  Result,
} from '../../native/addon.js'
import type { NativeBatches } from '../../native/native-batches.js'
import type { Batch } from '../batch/batch.js'
import type { FlushBarrier } from '../batch/flush-barrier.js'
import type { TopicState } from '../partition/topic-state.js'
import { badTypeError, exhaustedError, tooLargeError } from './append-errors.js'
import {
  type AppendableRecord,
  type EncodableHeaders,
  failWaiting,
  type WaitingRecord,
} from './appendable-record.js'
import { type Delivery, GIVEN_UP } from './delivery.js'
import { NativeWriter, type NativeWriterOptions } from './native-writer.js'
import { NOT_STAGEABLE, stageableUnits } from './stageable.js'
import type { StagedRun, Staging } from './staging.js'
import type { WaitingBudget } from './waiting-budget.js'
import { heldBytes, waitingBytes } from './waiting-chunk.js'
import { WaitingQueue } from './waiting-queue.js'

/** What a record takes beside key, value and headers at most: five lengths or numbers, attributes, a time. */
const RECORD_OVERHEAD_BYTES_MAX = 32

interface AppenderOptions extends NativeWriterOptions {
  batches: NativeBatches
  /** Shared with the records that wait for metadata. */
  waitingBudget: WaitingBudget
  observer: Observer
  /** Monotonic milliseconds. */
  now: () => number
  /** A record found no memory and waits. */
  onExhausted: () => void
  /**
   * A record fails that has not been in a batch. An InternalError says that what is known of batches may be
   * wrong: nothing may be sent any more, and what there is has to fail, but not before this returns.
   */
  onRefused: (error: KafkaError) => void
}

/**
 * The way of a record into a batch: staged with others or appended directly, and a first-in-first-out wait
 * when `buffer.memory` is exhausted. While one record waits all later ones do, which keeps the order of
 * sends the order of records in every partition.
 */
export class Appender {
  readonly waiting: WaitingQueue
  private readonly options: AppenderOptions
  private readonly writer: NativeWriter
  /** What the short ways in stage records of runs into. */
  readonly staging: Staging
  /** The batch that the last direct append wrote into; null if it wrote nothing. */
  private lastBatch: Batch | null = null
  /** Counts what may have used up or closed batches unseen: what was known of their room is void then. */
  private roomStamp = 0
  private isDraining = false
  /** Since when some record has waited for memory, as far as the observer has not had it yet. */
  private waitedSinceMs = Number.NaN

  constructor(options: AppenderOptions) {
    this.options = options
    this.writer = new NativeWriter(options)
    this.waiting = new WaitingQueue(options.waitingBudget)
    this.staging = options.staging
  }

  /** Takes one record over and calls its delivery, now or later. Bytes are copied before this returns. */
  append(record: AppendableRecord, delivery: Delivery, ordinal: number): void {
    const { staging } = this
    if (this.waiting.length === 0 && this.place(record, staging.takesSingles)) {
      staging.join(record, delivery, ordinal)
      return
    }
    if (!this.appendUnstaged(record, delivery, ordinal)) {
      this.options.waitingBudget.check(heldBytes(record), record.topic.name)
      this.wait(record, delivery, ordinal, this.options.now() + this.options.maxBlockMs)?.()
    }
  }

  /**
   * Places a record in the staging, which takes it as it is or has to be drained first. False, with nothing
   * placed, if it cannot be staged or would have to wait. Throws what is wrong with it.
   */
  private place(record: AppendableRecord, isTaken: boolean): boolean {
    const { key, value, headers } = record
    const { staging } = this
    // Anything else may run code when it is looked at. A send in there would overwrite this record.
    if (!isTextOrView(key) || !isTextOrView(value)) return false
    const keyUnits = stageableUnits(key)
    const valueUnits = stageableUnits(value)
    if (keyUnits === NOT_STAGEABLE || valueUnits === NOT_STAGEABLE)
      this.refuseDataViews(record.topic, key, value)
    if (staging.unitsOf(keyUnits, valueUnits, headers) === NOT_STAGEABLE) return false
    if (!isTaken) this.drainStaged()
    // Draining may have used up the memory.
    if (this.waiting.length > 0) return false
    staging.place(key, value, headers, keyUnits, valueUnits)
    if (staging.hasRoomForPlaced) return true
    this.drainStaged()
    staging.replace()
    return this.waiting.length === 0
  }

  /**
   * Stages the next record of a run, which has no partition of its own; `keyedPartition` as
   * {@link Staging.begin} has it. False, with nothing done, if it cannot be staged or would have to wait.
   */
  stage(
    topic: TopicState,
    keyedPartition: number,
    timestampMs: number,
    key: NativeBytes,
    value: NativeBytes,
    headers: EncodableHeaders | null,
    run: StagedRun,
    ordinal: number,
  ): boolean {
    const keyUnits = stageableUnits(key)
    const valueUnits = stageableUnits(value)
    const { staging } = this
    const units = staging.unitsOf(keyUnits, valueUnits, headers)
    if (units === NOT_STAGEABLE || this.waiting.length > 0) return false
    if (!staging.canContinue(run, ordinal, topic.handle, timestampMs, units)) {
      this.drainStaged()
      if (this.waiting.length > 0) return false
      staging.begin(run, ordinal, topic.handle, keyedPartition, timestampMs)
    }
    staging.add(key, value, headers, keyUnits, valueUnits)
    return true
  }

  /** Whether records wait for memory. */
  get hasWaiting(): boolean {
    return this.waiting.length > 0
  }

  /** Throws where a record is too large before it has any header, so that nobody need keep it to find out. */
  checkSize(record: AppendableRecord): void {
    const bytes = waitingBytes(record)
    if (bytes > this.options.maxRequestBytes) throw tooLargeError(record.topic.name, bytes, this.options)
  }

  /** Throws BufferExhaustedError where a record would have to wait behind others and may not. */
  checkRoom(record: AppendableRecord): void {
    if (this.waiting.length > 0) this.options.waitingBudget.check(heldBytes(record), record.topic.name)
  }

  /** Takes over a record that has waited for metadata; what is left of its `max.block.ms` goes on. */
  appendWaited(record: WaitingRecord): void {
    const { delivery, ordinal, deadlineMs } = record
    if (!this.appendUnstaged(record, delivery, ordinal)) this.wait(record, delivery, ordinal, deadlineMs)?.()
  }

  /**
   * Appends a record whose batch the caller has to know at once. Its index and sizes are `lastIndex`,
   * `lastKeyBytes` and `lastValueBytes`, until the next record.
   * Null if it has to wait for memory. Throws what is wrong with the record.
   */
  appendNow(record: AppendableRecord): Batch | null {
    const batch = this.waiting.length === 0 ? this.stagePromised(record) : null
    return batch ?? this.writeNow(record)
  }

  /** Of the record that {@link appendNow} has appended last. */
  get lastIndex(): number {
    return this.staging.result[Result.INDEX] as number
  }

  get lastKeyBytes(): number {
    return this.staging.result[Result.KEY_BYTES] as number
  }

  get lastValueBytes(): number {
    return this.staging.result[Result.VALUE_BYTES] as number
  }

  /**
   * Stages a record if the open batch of its partition has room for it for sure: then its place can be
   * promised. Null if not; what was staged may have been drained then.
   */
  private stagePromised(record: AppendableRecord): Batch | null {
    const { staging } = this
    if (!this.place(record, staging.takesPromised)) return null
    const { topic } = record
    const { placedBytes: bytes, result } = staging
    const isByKey = record.partition === PARTITION_BY_KEY
    const partition = isByKey ? staging.partitionOfPlaced(topic.partitionCount) : record.partition
    let batch = this.openBatchFor(topic, partition, bytes)
    if (batch === null && staging.count > 0) {
      // A drain may close batches and choose another sticky partition: nothing read before it counts.
      this.drainStaged()
      staging.replace()
      if (this.waiting.length === 0) batch = this.openBatchFor(topic, partition, bytes)
    }
    if (batch === null) return null
    const index = batch.recordCount + batch.promisedCount++
    staging.joinPromised(record, partition, batch.handle, index)
    batch.roomBytes -= bytes + RECORD_OVERHEAD_BYTES_MAX
    result[Result.INDEX] = index
    result[Result.KEY_BYTES] = staging.placedKeyBytes
    result[Result.VALUE_BYTES] = staging.placedValueBytes
    return batch
  }

  /**
   * The batch that a record of such a payload certainly goes into, if it is the next one appended: the open
   * batch of its partition, where that has room. Null if there is none. It changes no record and no batch.
   * Its answer is true until something is staged, appended or drained.
   */
  private openBatchFor(topic: TopicState, partition: number, bytes: number): Batch | null {
    const index = partition === PARTITION_STICKY ? topic.stickyPartition : partition
    const batch = topic.openBatch(index)
    if (batch === null) return null
    const needed = bytes + RECORD_OVERHEAD_BYTES_MAX
    if (batch.roomBytes < needed || batch.roomStamp !== this.roomStamp) {
      // Native code does not know of the records that are staged for the batch.
      if (batch.promisedCount > 0) return null
      batch.roomBytes = this.options.batches.roomOf(batch.handle)
      batch.roomStamp = this.roomStamp
    }
    return batch.roomBytes >= needed ? batch : null
  }

  /** Writes one record at once. */
  private writeNow(record: AppendableRecord): Batch | null {
    if (this.staging.count > 0) this.drainStaged()
    if (this.waiting.length > 0) return null
    try {
      return this.write(record)
    } catch (thrown) {
      // Native code and JavaScript have counted differently: the producer is of no use any more.
      if (thrown instanceof InternalError) this.options.onRefused(thrown)
      throw thrown
    }
  }

  /**
   * Appends all that is staged, so that every accepted record is in a batch or waits. Throws nothing of the
   * records': whoever drains has nothing to do with them. Runs no code of the caller's, because whoever
   * drains goes on with a record that the next `send` would overwrite.
   */
  drainStaged(): void {
    const { staging } = this
    const { count } = staging
    if (count === 0) return
    // Drained twice, the records would be stored twice.
    if (this.isDraining) throw new InternalError('A drain of staged records began inside another.')
    this.isDraining = true
    if (!staging.isPromised) this.roomStamp++
    const refusals = this.appendStaged(staging.run as StagedRun, count)
    staging.clear()
    this.isDraining = false
    if (refusals !== null) for (const refuse of refusals) refuse()
  }

  /** Answers how to tell those whose records are refused. */
  private appendStaged(run: StagedRun, count: number): (() => void)[] | null {
    const { staging, writer } = this
    let refusals: (() => void)[] | null = null
    let first = 0
    try {
      while (first < count) {
        first = writer.drain(run, first, count)
        if (first === count) break
        if (writer.stopStatus === AppendStatus.NO_MEMORY) {
          refusals = [...(refusals ?? []), ...this.unstage(run, first, count)]
          break
        }
        const delivery = deliveryOf(run, staging, first)
        const error = writer.refusal(writer.stopStatus, writer.topicOf(first))
        this.options.onRefused(error)
        this.options.observer.recordsRefused(writer.topicOf(first).name, 1, error)
        refusals ??= []
        refusals.push(this.refuseStaged(run, first, delivery, error))
        staging.pass(first)
        first++
      }
    } catch (thrown) {
      refusals = [...(refusals ?? []), ...this.giveUp(run, first, count, thrown)]
    }
    return refusals
  }

  /**
   * Native code has failed, or has answered what cannot be: where the records from `first` on are is unknown.
   * Appended again they might be stored twice, so they fail. Those whose place was promised belong to a
   * batch, which fails with the producer.
   */
  private giveUp(run: StagedRun, first: number, count: number, cause: unknown): (() => void)[] {
    const error =
      cause instanceof InternalError
        ? cause
        : new InternalError('Records that were staged could not be appended.', { cause })
    this.options.onRefused(error)
    this.options.observer.recordsRefused(this.writer.topicOf(first)?.name ?? '', count - first, error)
    const refusals: (() => void)[] = []
    for (let record = first; record < count; record++) {
      const delivery = run.deliveryAt(this.staging, record)
      if (delivery !== null) refusals.push(this.refuseStaged(run, record, delivery, error))
    }
    return refusals
  }

  private refuseStaged(run: StagedRun, record: number, delivery: Delivery, error: KafkaError): () => void {
    const { staging } = this
    const ordinal = run.ordinalAt(staging, record)
    const topic = this.writer.topicOf(record)?.name ?? ''
    return () => delivery.fail(error, ordinal, topic, -1)
  }

  /** The sender of these records gives them up, as far as they wait for memory. */
  abandon(delivery: Delivery, error: KafkaError): void {
    this.waiting.giveUp(delivery, error)
  }

  /** Memory has come back: serves waiting records in order until it is used up again. */
  serveWaiting(): void {
    const { waiting } = this
    const { length } = waiting
    if (length === 0) return
    for (let record = waiting.peek(); record !== undefined; record = waiting.peek()) {
      if (record.delivery !== GIVEN_UP) {
        if (!this.appendDirect(record, record.delivery, record.ordinal)) break
        for (const barrier of waiting.headBarriers) this.lastBatch?.joinBarrier(barrier)
      }
      waiting.shift()
    }
    if (waiting.length < length) this.observeWait()
  }

  private observeWait(): void {
    const nowMs = this.options.now()
    this.options.observer.memoryWaited(nowMs - this.waitedSinceMs, this.waiting.length === 0)
    this.waitedSinceMs = nowMs
  }

  /** Rejects every record that has waited for `max.block.ms`; those of one topic with one error. */
  expireWaiting(nowMs: number): void {
    const refusals = new Map<TopicState, { error: KafkaError; count: number }>()
    this.waiting.expire(nowMs, ({ topic }) => {
      let refusal = refusals.get(topic)
      if (refusal === undefined) {
        refusal = { error: exhaustedError(topic.name, this.options), count: 0 }
        refusals.set(topic, refusal)
        this.options.onRefused(refusal.error)
      }
      refusal.count++
      return refusal.error
    })
    if (refusals.size === 0) return
    for (const [{ name }, { error, count }] of refusals)
      this.options.observer.recordsRefused(name, count, error)
    this.observeWait()
  }

  failWaiting(error: KafkaError): void {
    if (this.waiting.length === 0) return
    const counts = new Map<string, number>()
    this.waiting.empty(record => {
      const { name } = record.topic
      counts.set(name, (counts.get(name) ?? 0) + 1)
      failWaiting(record, error)
    })
    for (const [topic, count] of counts) this.options.observer.recordsRefused(topic, count, error)
    this.observeWait()
  }

  joinBarrier(barrier: FlushBarrier): void {
    this.waiting.joinBarrier(barrier)
  }

  /** Answers how to tell who waits for a record that there is no memory even for its copy. */
  private wait(
    record: AppendableRecord,
    delivery: Delivery,
    ordinal: number,
    deadlineMs: number,
  ): (() => void) | null {
    const { waiting, options } = this
    try {
      waiting.push(record, delivery, ordinal, deadlineMs)
    } catch (thrown) {
      return () => this.refuse(record, delivery, ordinal, thrown)
    }
    if (waiting.length === 1) {
      this.waitedSinceMs = options.now()
      options.observer.memoryWaitBegan()
    }
    options.onExhausted()
    return null
  }

  /** Moves staged records that found no memory to the queue of those that wait. Answers as `appendStaged`. */
  private unstage(run: StagedRun, first: number, count: number): (() => void)[] {
    const { staging, options } = this
    const deadlineMs = options.now() + options.maxBlockMs
    const refusals: (() => void)[] = []
    for (let place = first; place < count; place++) {
      const topic = this.writer.topicOf(place)
      const record = staging.recordAt(place, topic)
      const delivery = deliveryOf(run, staging, place)
      staging.pass(place)
      const refuse = this.wait(record, delivery, run.ordinalAt(staging, place), deadlineMs)
      if (refuse !== null) refusals.push(refuse)
    }
    return refusals
  }

  /** As `append`, past the staging. False if the record has to wait. */
  private appendUnstaged(record: AppendableRecord, delivery: Delivery, ordinal: number): boolean {
    this.drainStaged()
    return this.waiting.length === 0 && this.appendDirect(record, delivery, ordinal)
  }

  /** False if there is no memory and nothing was written; true if the delivery has been dealt with. */
  private appendDirect(record: AppendableRecord, delivery: Delivery, ordinal: number): boolean {
    this.lastBatch = null
    const { timestampMs } = record
    try {
      const batch = this.write(record)
      if (batch === null) return false
      this.lastBatch = batch
      const { lastIndex, lastKeyBytes, lastValueBytes } = this
      delivery.attach(batch, lastIndex, ordinal, lastKeyBytes, lastValueBytes, timestampMs)
    } catch (thrown) {
      this.refuse(record, delivery, ordinal, thrown)
    }
    return true
  }

  /** The error is this record's. It must not stop the caller, who serves other records too. */
  private refuse(record: AppendableRecord, delivery: Delivery, ordinal: number, thrown: unknown): void {
    if (!(thrown instanceof KafkaError)) throw thrown
    const { topic, partition } = record
    this.options.onRefused(thrown)
    this.options.observer.recordsRefused(topic.name, 1, thrown)
    delivery.fail(thrown, ordinal, topic.name, Math.max(partition, -1))
  }

  /**
   * The batch that the record is written into, or null where there is no memory. Throws why it is refused.
   */
  private write(record: AppendableRecord): Batch | null {
    const { writer } = this
    this.roomStamp++
    const status = writer.write(record)
    if (status === AppendStatus.NO_MEMORY) return null
    if (status === AppendStatus.BAD_TYPE) throw badTypeError(record.topic.name, record.key, record.value)
    if (status !== AppendStatus.OK) throw writer.refusal(status, record.topic)
    return writer.writtenBatch(record.topic)
  }

  /** After a look at a DataView the record in hand may be another one: it must not be read any more. */
  private refuseDataViews(topic: TopicState, key: NativeBytes, value: NativeBytes): void {
    if (isDataView(key) || isDataView(value)) throw badTypeError(topic.name, key, value)
  }
}

/** Who waits for a record that has found no place. */
function deliveryOf(run: StagedRun, staging: Staging, record: number): Delivery {
  const delivery = run.deliveryAt(staging, record)
  if (delivery === null) throw new InternalError('A record whose place was promised has found none.')
  return delivery
}

function isTextOrView(given: NativeBytes): boolean {
  return typeof given === 'string' || given === null || given === undefined || ArrayBuffer.isView(given)
}
