import { byteLength, hasBytes } from '../../common/views.js'
import {
  type NativeBytes,
  type NativeCore,
  NO_BATCH,
  PARTITION_STICKY,
  Place,
  Result,
  Run,
  Staged,
  Touched,
} from '../../native/addon.js'
import type { Batch } from '../batch/batch.js'
import type { TopicState } from '../partition/topic-state.js'
import type { AppendableRecord } from './appendable-record.js'
import type { Delivery } from './delivery.js'

/** Records that one native call appends at most. */
export const STAGED_RECORDS_MAX = 256
/**
 * Bytes of keys, values and headers staged at most: so few that they are still in the cache when native code
 * copies them.
 */
const CAPACITY_BYTES = 64 * 1024
/** A record above this is appended directly: copying it twice costs more than a call of its own. */
const STAGED_RECORD_BYTES_MAX = 4096

/** Answer of {@link stageableBytes} for what has to be appended directly. */
export const NOT_STAGEABLE = -2

/**
 * Bytes a key or value takes in the staging, -1 for null. Strings are appended directly, and so are empty
 * views: native code tells empty from detached.
 */
export function stageableBytes(bytes: NativeBytes): number {
  if (bytes === null || bytes === undefined) return -1
  if (typeof bytes === 'string') return NOT_STAGEABLE
  // Nothing is at the start of an empty or detached view. Reading what is there first also tells V8 the
  // view's class, and with it all that follows.
  return bytes[0] !== undefined && hasBytes(bytes) ? byteLength(bytes) : NOT_STAGEABLE
}

/**
 * Who waits for the records of the staging. All of them belong to one run: where they went is told to it once
 * for each native call, not once a record.
 */
export interface StagedRun {
  /** What native code is to number the touched batches from. */
  readonly touchBase: number
  /** The records of the staging from `first` to `end` have been written into its touched batches. */
  attachStaged(staging: Staging, first: number, end: number): void
  /** Who waits for one record, which goes on alone; null where its place is promised. */
  deliveryAt(staging: Staging, record: number): Delivery | null
  ordinalAt(staging: Staging, record: number): number
  /** The staging is about to be emptied. */
  clear(staging: Staging): void
}

/** Records that have a delivery each, or none where their place is promised. */
class SingleRecords implements StagedRun {
  readonly touchBase = 0
  /** Records that have one. */
  count = 0
  private readonly deliveries = new Array<Delivery | null>(STAGED_RECORDS_MAX).fill(null)
  private readonly ordinals = new Int32Array(STAGED_RECORDS_MAX)

  set(record: number, delivery: Delivery, ordinal: number): void {
    this.count++
    this.deliveries[record] = delivery
    this.ordinals[record] = ordinal
  }

  attachStaged(staging: Staging, first: number, end: number): void {
    if (this.count === 0) return
    for (let record = first; record < end; record++) {
      this.deliveries[record]?.attach(
        staging.batchOf(record),
        staging.indexOf(record),
        this.ordinals[record] as number,
        staging.keyBytesOf(record),
        staging.valueBytesOf(record),
        staging.timestampOf(record),
      )
    }
  }

  deliveryAt(_staging: Staging, record: number): Delivery | null {
    return this.deliveries[record] ?? null
  }

  ordinalAt(_staging: Staging, record: number): number {
    return this.ordinals[record] as number
  }

  clear(staging: Staging): void {
    if (this.count > 0) this.deliveries.fill(null, 0, staging.count)
    this.count = 0
  }
}

/**
 * Memory shared with native code: descriptors and bytes of records that wait for the next native call, and
 * the result words that every append fills.
 */
export class Staging {
  readonly descriptors = new Int32Array(Staged.WORDS * STAGED_RECORDS_MAX)
  readonly result = new Int32Array(Result.WORDS)
  readonly bytes: Uint8Array
  readonly places = new Int32Array(Place.WORDS * STAGED_RECORDS_MAX)
  readonly touched = new Int32Array(Touched.WORDS * STAGED_RECORDS_MAX)
  /** The batches touched by the last native call, in the order of `touched`. */
  readonly batches: (Batch | null)[] = new Array<Batch | null>(STAGED_RECORDS_MAX).fill(null)
  /** Whose the staged records are; null while there are none. */
  run: StagedRun | null = null
  /** The ordinal of the first staged record; the others follow, except for records with a delivery each. */
  firstOrdinal = 0
  /** Bytes of key, value and headers of one record at most. */
  readonly recordBytesMax: number
  private readonly singles = new SingleRecords()
  private readonly timestamps = new Float64Array(this.descriptors.buffer)
  /** Records staged. */
  count = 0
  /** Bytes staged. */
  used = 0
  /** Where the bytes begin of the first record of a run that native code has not appended. */
  private position = 0

  /** `headerBytesMax`: the encoded headers of a direct append pass through the same memory. */
  constructor(headerBytesMax: number, maxRequestBytes: number) {
    // Native code checks max.request.size exactly. What is staged stays clear of it by any record's overhead.
    this.recordBytesMax = Math.min(STAGED_RECORD_BYTES_MAX, maxRequestBytes - 128)
    this.bytes = new Uint8Array(Math.max(CAPACITY_BYTES, headerBytesMax))
  }

  /** Whether a record with a delivery of its own can join those that are staged. */
  canJoin(bytes: number): boolean {
    return (this.run === null || this.run === this.singles) && this.hasRoom(bytes)
  }

  /**
   * Whether a record with a promised place can join. It may not stand behind one without, which may close its
   * batch.
   */
  canJoinPromised(bytes: number): boolean {
    return this.canJoin(bytes) && this.singles.count === 0
  }

  /** Whether all that is staged has a promised place. */
  get isPromised(): boolean {
    return this.run === this.singles && this.singles.count === 0
  }

  /** The ordinal that continues the run. */
  get nextOrdinal(): number {
    return this.firstOrdinal + this.count
  }

  /** Whether a plain record can join those that are staged, as the next one of its run. */
  canContinue(run: StagedRun, ordinal: number, topic: number, timestampMs: number, bytes: number): boolean {
    return (
      this.run === run &&
      this.nextOrdinal === ordinal &&
      this.timestamps[Staged.TIMESTAMP >> 1] === timestampMs &&
      this.descriptors[Staged.TOPIC] === topic &&
      this.hasRoom(bytes)
    )
  }

  /**
   * The staging is empty and takes plain records of a run, whose ordinals follow one another.
   * `keyedPartition`: where those with a key go, by it or to the sticky partition.
   */
  begin(run: StagedRun, ordinal: number, topic: number, keyedPartition: number, timestampMs: number): void {
    this.run = run
    this.firstOrdinal = ordinal
    this.descriptors[Staged.TOPIC] = topic
    this.descriptors[Staged.PARTITION] = keyedPartition
    this.timestamps[Staged.TIMESTAMP >> 1] = timestampMs
  }

  /**
   * Adds one more record to a run that stands as its last record has left it, with `count` records. False,
   * with nothing done, where that is not so, it has no room or it cannot be staged.
   */
  extend(run: StagedRun, count: number, key: NativeBytes, value: NativeBytes): boolean {
    const keyBytes = stageableBytes(key)
    const valueBytes = stageableBytes(value)
    if (keyBytes === NOT_STAGEABLE || valueBytes === NOT_STAGEABLE) return false
    const bytes = Math.max(keyBytes, 0) + Math.max(valueBytes, 0)
    if (bytes > this.recordBytesMax || this.run !== run || this.count !== count || !this.hasRoom(bytes))
      return false
    this.add(key, value, keyBytes, valueBytes)
    return true
  }

  /** Copies the run's next record in, of sizes given by {@link stageableBytes}, which it has room for. */
  add(key: NativeBytes, value: NativeBytes, keyBytes: number, valueBytes: number): void {
    const { descriptors } = this
    const at = Run.FIRST + this.count * Run.WORDS
    descriptors[at + Run.KEY_BYTES] = keyBytes
    descriptors[at + Run.VALUE_BYTES] = valueBytes
    this.used = this.copyIn(key, value, keyBytes, valueBytes)
    this.count++
  }

  /** Copies one record in, of sizes given by {@link stageableBytes}; the caller knows that it can join. */
  join(
    record: AppendableRecord,
    keyBytes: number,
    valueBytes: number,
    delivery: Delivery,
    ordinal: number,
  ): void {
    this.singles.set(this.count, delivery, ordinal)
    this.joinPromised(record, record.partition, keyBytes, valueBytes, NO_BATCH, 0)
  }

  /**
   * Copies in a record that has been promised index `index` of the batch, or {@link NO_BATCH}. Native code
   * refuses to write it anywhere else.
   */
  joinPromised(
    record: AppendableRecord,
    partition: number,
    keyBytes: number,
    valueBytes: number,
    batch: number,
    index: number,
  ): void {
    const { topic, timestampMs, key, value, headers } = record
    this.run = this.singles
    const { descriptors, bytes } = this
    const at = this.count * Staged.WORDS
    descriptors[at + Staged.TOPIC] = topic.handle
    descriptors[at + Staged.PARTITION] = partition
    descriptors[at + Staged.KEY_BYTES] = keyBytes
    descriptors[at + Staged.VALUE_BYTES] = valueBytes
    descriptors[at + Staged.OFFSET] = this.used
    let end = this.copyIn(key, value, keyBytes, valueBytes)
    if (headers === null) descriptors[at + Staged.HEADER_BYTES] = 0
    else {
      descriptors[at + Staged.HEADER_BYTES] = headers.length
      bytes.set(headers, end)
      end += headers.length
    }
    this.timestamps[(at + Staged.TIMESTAMP) >> 1] = timestampMs
    descriptors[at + Staged.BATCH] = batch
    descriptors[at + Staged.INDEX] = index
    this.used = end
    this.count++
  }

  /** Batches that the last native call has appended to. */
  get touchedCount(): number {
    return this.result[Result.TOUCHED] as number
  }

  /** All records of the last native call are of one size and stand one after another in those batches. */
  get isConsecutive(): boolean {
    return this.result[Result.CONSECUTIVE] === 1
  }

  touchedBatch(touch: number): Batch {
    return this.batches[touch] as Batch
  }

  /** Records that the last native call has appended to the batch. */
  touchedRecords(touch: number): number {
    return this.touched[touch * Touched.WORDS + Touched.RECORDS] as number
  }

  /** The index in the batch of the first of them. */
  touchedFirstIndex(touch: number): number {
    return this.touched[touch * Touched.WORDS + Touched.FIRST_INDEX] as number
  }

  /** Places of staged records, as a `RecordTable` has them. The tag is the number of the touched batch. */
  placesOf(first: number, end: number): Int32Array {
    const { places } = this
    const isWhole = first === 0 && end === STAGED_RECORDS_MAX
    return isWhole ? places : places.subarray(first * Place.WORDS, end * Place.WORDS)
  }

  /** The number of the touched batch that a record went into, counted from its run's `touchBase`. */
  touchOf(record: number): number {
    return this.places[record * Place.WORDS + Place.TOUCH] as number
  }

  /** The batch that a record went into; its run counts touched batches from 0. */
  batchOf(record: number): Batch {
    return this.batches[this.touchOf(record)] as Batch
  }

  indexOf(record: number): number {
    return this.places[record * Place.WORDS + Place.INDEX] as number
  }

  keyBytesOf(record: number): number {
    return this.places[record * Place.WORDS + Place.KEY_BYTES] as number
  }

  valueBytesOf(record: number): number {
    return this.places[record * Place.WORDS + Place.VALUE_BYTES] as number
  }

  /** Appends the staged records from `first` on, as {@link NativeCore.drainStaged} does. */
  drain(core: NativeCore, first: number): number {
    const { count, run } = this
    const { touchBase } = run as StagedRun
    if (run === this.singles) return core.drainStaged(first, count - first, touchBase)
    const answer = core.drainRun(first, count - first, touchBase, this.position)
    this.position = this.result[Result.POSITION] as number
    return answer
  }

  /** Goes past the first record that native code has not appended. */
  pass(record: number): void {
    if (this.run === this.singles) return
    const { keyBytes, valueBytes } = this.sizesOf(record)
    this.position += Math.max(keyBytes, 0) + Math.max(valueBytes, 0)
  }

  /** Handle of the topic of a staged record. */
  topicOf(record: number): number {
    return this.descriptors[this.descriptorOf(record) + Staged.TOPIC] as number
  }

  /** The first record that native code has not appended; its bytes are views of the staging. */
  recordAt(record: number, topic: TopicState): AppendableRecord {
    return this.run === this.singles ? this.singleAt(record, topic) : this.plainAt(record, topic)
  }

  private plainAt(record: number, topic: TopicState): AppendableRecord {
    const { keyBytes, valueBytes } = this.sizesOf(record)
    const keyedPartition = this.descriptors[Staged.PARTITION] as number
    return {
      topic,
      partition: keyBytes < 0 ? PARTITION_STICKY : keyedPartition,
      timestampMs: this.timestampOf(record),
      key: this.view(this.position, keyBytes),
      value: this.view(this.position + Math.max(keyBytes, 0), valueBytes),
      headers: null,
    }
  }

  private singleAt(record: number, topic: TopicState): AppendableRecord {
    const at = record * Staged.WORDS
    const word = (offset: number) => this.descriptors[at + offset] as number
    const keyAt = word(Staged.OFFSET)
    const valueAt = keyAt + Math.max(word(Staged.KEY_BYTES), 0)
    const headersAt = valueAt + Math.max(word(Staged.VALUE_BYTES), 0)
    const headerBytes = word(Staged.HEADER_BYTES)
    return {
      topic,
      partition: word(Staged.PARTITION),
      timestampMs: this.timestampOf(record),
      key: this.view(keyAt, word(Staged.KEY_BYTES)),
      value: this.view(valueAt, word(Staged.VALUE_BYTES)),
      headers: headerBytes === 0 ? null : this.view(headersAt, headerBytes),
    }
  }

  timestampOf(record: number): number {
    return this.timestamps[(this.descriptorOf(record) + Staged.TIMESTAMP) >> 1] as number
  }

  clear(): void {
    this.run?.clear(this)
    this.run = null
    this.count = 0
    this.used = 0
    this.position = 0
  }

  /** Copies key and value to the end of what is staged; where they end is for the caller to note. */
  private copyIn(key: NativeBytes, value: NativeBytes, keyBytes: number, valueBytes: number): number {
    const { bytes } = this
    let end = this.used
    if (keyBytes > 0) {
      bytes.set(key as Uint8Array, end)
      end += keyBytes
    }
    if (valueBytes > 0) {
      bytes.set(value as Uint8Array, end)
      end += valueBytes
    }
    return end
  }

  /** The first word of what describes a record: the records of a run share one descriptor. */
  private descriptorOf(record: number): number {
    return this.run === this.singles ? record * Staged.WORDS : 0
  }

  /** Of a record of a run, in bytes; -1 is null. */
  sizesOf(record: number): { keyBytes: number; valueBytes: number } {
    const at = Run.FIRST + record * Run.WORDS
    return {
      keyBytes: this.descriptors[at + Run.KEY_BYTES] as number,
      valueBytes: this.descriptors[at + Run.VALUE_BYTES] as number,
    }
  }

  private view(from: number, bytes: number): Uint8Array | null {
    return bytes < 0 ? null : this.bytes.subarray(from, from + bytes)
  }

  private hasRoom(bytes: number): boolean {
    return this.count < STAGED_RECORDS_MAX && this.used + bytes <= CAPACITY_BYTES
  }
}
