import { UTF8_BYTES_PER_CHARACTER, writeUtf8 } from '../../common/utf8.js'
import {
  type NativeBytes,
  type NativeCore,
  NO_BATCH,
  PARTITION_STICKY,
  Result,
  Run,
  Staged,
} from '../../native/addon.js'
import { partitionOfKey } from '../../partitioner/murmur2.js'
import type { TopicState } from '../partition/topic-state.js'
import { type AppendableRecord, type EncodableHeaders, EncodedHeaders } from './appendable-record.js'
import type { Delivery } from './delivery.js'
import { areJoinable, JoinedTexts } from './joined-texts.js'
import { NOT_STAGEABLE, stageableUnits, viewUnits } from './stageable.js'
import { STAGED_RECORDS_MAX, StagedPlaces } from './staged-places.js'

/**
 * Bytes of keys, values and headers staged at most: so few that they are still in the cache when native code
 * copies them.
 */
export const CAPACITY_BYTES = 64 * 1024
/**
 * Bytes or characters of a record. One above is appended directly: copying it twice costs more than a call of
 * its own.
 */
const STAGED_RECORD_UNITS_MAX = 4096
/** What a record takes in a request beside key, value and headers, and more. */
const OVERHEAD_BYTES_MAX = 128

/** Of a run, in its descriptor: whether some of its records have headers. */
const NO_HEADERS = 0
const HAS_HEADERS = 1

/** A key or value that only needs copying. */
type StagedView = Uint8Array | null | undefined

/**
 * Who waits for the records of the staging. All of them belong to one run: it gets their places once for each
 * native call, not once a record.
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
 * what it answers.
 */
export class Staging extends StagedPlaces {
  readonly descriptors = new Int32Array(Staged.WORDS * STAGED_RECORDS_MAX)
  readonly bytes: Buffer
  /** Whose the staged records are; null while there are none. */
  run: StagedRun | null = null
  /** The ordinal of the first staged record; the others follow, except for records with a delivery each. */
  firstOrdinal = 0
  /** Of one record. */
  private readonly recordUnitsMax: number
  private readonly singles = new SingleRecords()
  private readonly timestamps = new Float64Array(this.descriptors.buffer)
  /** Records staged. */
  count = 0
  /** Bytes staged. */
  used = 0
  /** Whether the run has had neither texts nor headers so far: what is in the bytes needs no second look. */
  private isBytesOnly = false
  /** Where the bytes begin of the first record of a run that native code has not appended. */
  private position = 0
  private readonly texts: JoinedTexts
  /** Of the record that is placed: where its bytes begin, and what they are. */
  private placedAt = 0
  placedKeyBytes = 0
  placedValueBytes = 0
  placedHeaderBytes = 0
  placedBytes = 0

  /** `headerBytesMax`: the encoded headers of a direct append pass through the same memory. */
  constructor(headerBytesMax: number, maxRequestBytes: number) {
    super()
    // Native code checks max.request.size exactly. What is staged stays clear of it by any record's overhead.
    const clearBytes = Math.min(
      maxRequestBytes - OVERHEAD_BYTES_MAX,
      UTF8_BYTES_PER_CHARACTER * STAGED_RECORD_UNITS_MAX,
    )
    this.recordUnitsMax = Math.floor(clearBytes / UTF8_BYTES_PER_CHARACTER)
    // Texts are counted as if they were ASCII until they are written.
    const bytes = Math.max(CAPACITY_BYTES * UTF8_BYTES_PER_CHARACTER, headerBytesMax)
    this.bytes = Buffer.from(new ArrayBuffer(bytes))
    this.texts = new JoinedTexts(this.bytes, this.descriptors)
  }

  /** Whether the next record can be one with a delivery of its own, or with a promised place. */
  get takesSingles(): boolean {
    return this.run === null || this.run === this.singles
  }

  /**
   * Whether the next record can be one with a promised place. It may not stand behind one without, which may
   * close its batch.
   */
  get takesPromised(): boolean {
    return this.takesSingles && this.singles.count === 0
  }

  /** Whether all that is staged has a promised place. */
  get isPromised(): boolean {
    return this.run === this.singles && this.singles.count === 0
  }

  /** The ordinal that continues the run. */
  get nextOrdinal(): number {
    return this.firstOrdinal + this.count
  }

  /** Whether a record can join those that are staged, as the next one of its run. */
  canContinue(run: StagedRun, ordinal: number, topic: number, timestampMs: number, units: number): boolean {
    return (
      this.run === run &&
      this.nextOrdinal === ordinal &&
      this.timestamps[Staged.TIMESTAMP >> 1] === timestampMs &&
      this.descriptors[Staged.TOPIC] === topic &&
      this.hasRoom(units)
    )
  }

  /**
   * The staging is empty and takes records of a run, whose ordinals follow one another. `keyedPartition`:
   * where those with a key go, by it or to the sticky partition.
   */
  begin(run: StagedRun, ordinal: number, topic: number, keyedPartition: number, timestampMs: number): void {
    this.run = run
    this.firstOrdinal = ordinal
    this.descriptors[Staged.TOPIC] = topic
    this.descriptors[Staged.PARTITION] = keyedPartition
    this.timestamps[Staged.TIMESTAMP >> 1] = timestampMs
    this.descriptors[Staged.HEADER_BYTES] = NO_HEADERS
    this.isBytesOnly = true
  }

  /**
   * As {@link extend}, for a record with neither texts nor headers. In a function of its own it is so short
   * that the loop over an array takes it in.
   */
  extendBytes(run: StagedRun, count: number, key: StagedView, value: StagedView): boolean {
    if (!this.isBytesOnly) return this.extend(run, count, key, value, null)
    const keyBytes = viewUnits(key)
    const valueBytes = viewUnits(value)
    const bytes = this.unitsOf(keyBytes, valueBytes, null)
    if (bytes === NOT_STAGEABLE || this.run !== run || this.count !== count || !this.hasRoom(bytes))
      return false
    this.addBytes(key, value, keyBytes, valueBytes)
    return true
  }

  /**
   * Adds one more record to a run that stands as its last record has left it, with `count` records. False,
   * with nothing done, where that is not so, it has no room or it cannot be staged.
   */
  extend(
    run: StagedRun,
    count: number,
    key: NativeBytes,
    value: NativeBytes,
    headers: EncodableHeaders | null,
  ): boolean {
    const keyUnits = stageableUnits(key)
    const valueUnits = stageableUnits(value)
    const units = this.unitsOf(keyUnits, valueUnits, headers)
    if (units === NOT_STAGEABLE || this.run !== run || this.count !== count || !this.hasRoom(units))
      return false
    this.add(key, value, headers, keyUnits, valueUnits)
    return true
  }

  /**
   * Of a record: bytes, and characters where they are not written yet. NOT_STAGEABLE if it has to be appended
   * directly. `keyUnits` and `valueUnits` are answers of {@link stageableUnits}.
   */
  unitsOf(keyUnits: number, valueUnits: number, headers: EncodableHeaders | null): number {
    if (keyUnits === NOT_STAGEABLE || valueUnits === NOT_STAGEABLE) return NOT_STAGEABLE
    const units =
      Math.max(keyUnits, 0) + Math.max(valueUnits, 0) + (headers === null ? 0 : headers.leastBytes)
    return units > this.recordUnitsMax ? NOT_STAGEABLE : units
  }

  /** Copies in the run's next record, which it has room for. */
  add(
    key: NativeBytes,
    value: NativeBytes,
    headers: EncodableHeaders | null,
    keyUnits: number,
    valueUnits: number,
  ): void {
    if (this.isBytesOnly && headers === null && typeof key !== 'string' && typeof value !== 'string')
      this.addBytes(key, value, keyUnits, valueUnits)
    else this.addWritten(key, value, headers, keyUnits, valueUnits)
  }

  /** The shortest way, for keys and values that only need copying, behind others like them. */
  private addBytes(key: NativeBytes, value: NativeBytes, keyBytes: number, valueBytes: number): void {
    const { bytes, count, descriptors } = this
    // As `describe` does, and faster.
    const at = Run.FIRST + count * Run.WORDS
    descriptors[at + Run.KEY_BYTES] = keyBytes
    descriptors[at + Run.VALUE_BYTES] = valueBytes
    let end = this.used
    if (keyBytes > 0) {
      bytes.set(key as Uint8Array, end)
      end += keyBytes
    }
    if (valueBytes > 0) {
      bytes.set(value as Uint8Array, end)
      end += valueBytes
    }
    this.used = end
    this.count = count + 1
  }

  /** As {@link addBytes}, for a record of any kind. */
  private addWritten(
    key: NativeBytes,
    value: NativeBytes,
    headers: EncodableHeaders | null,
    keyUnits: number,
    valueUnits: number,
  ): void {
    const { texts, count } = this
    this.isBytesOnly = false
    if (headers === null && areJoinable(key, value)) {
      // If it is not all ASCII, the texts will correct that.
      this.describe(count, keyUnits, valueUnits, 0)
      texts.add(count, this.used, key, value)
      this.used += Math.max(keyUnits, 0) + Math.max(valueUnits, 0)
    } else {
      if (!texts.isEmpty) this.writeTexts()
      this.place(key, value, headers, keyUnits, valueUnits)
      this.describe(count, this.placedKeyBytes, this.placedValueBytes, this.placedHeaderBytes)
      this.used += this.placedBytes
    }
    this.count = count + 1
  }

  private writeTexts(): void {
    this.used = this.texts.write(this.count)
  }

  /**
   * Writes a record's bytes behind those that are staged. It becomes one of the records when it joins; until
   * then nothing may be staged but it.
   */
  place(
    key: NativeBytes,
    value: NativeBytes,
    headers: EncodableHeaders | null,
    keyUnits: number,
    valueUnits: number,
  ): void {
    const { used } = this
    this.placedAt = used
    const keyBytes = this.write(key, keyUnits, used)
    const valueAt = keyBytes > 0 ? used + keyBytes : used
    const valueBytes = this.write(value, valueUnits, valueAt)
    const headersAt = valueBytes > 0 ? valueAt + valueBytes : valueAt
    const end = headers === null ? headersAt : headers.writeTo(this.bytes, headersAt)
    this.placedKeyBytes = keyBytes
    this.placedValueBytes = valueBytes
    this.placedHeaderBytes = end - headersAt
    this.placedBytes = end - used
  }

  /** The record that is placed goes to the front: what stood before it has been drained. */
  replace(): void {
    this.bytes.copyWithin(0, this.placedAt, this.placedAt + this.placedBytes)
    this.placedAt = 0
  }

  /** Whether there is room for the record that is placed. */
  get hasRoomForPlaced(): boolean {
    return this.hasRoom(this.placedBytes)
  }

  /** Partition of the record that is placed, by its key. */
  partitionOfPlaced(partitionCount: number): number {
    return partitionOfKey(this.bytes, this.placedAt, this.placedKeyBytes, partitionCount)
  }

  /** The record that is placed becomes the next one, with a delivery of its own. */
  join(record: AppendableRecord, delivery: Delivery, ordinal: number): void {
    this.singles.set(this.count, delivery, ordinal)
    this.joinPromised(record, record.partition, NO_BATCH, 0)
  }

  /**
   * As {@link join}, for a record that has been promised index `index` of the batch. Native code refuses to
   * write it anywhere else.
   */
  joinPromised(
    { topic, timestampMs }: AppendableRecord,
    partition: number,
    batch: number,
    index: number,
  ): void {
    this.run = this.singles
    const { descriptors } = this
    const at = this.count * Staged.WORDS
    descriptors[at + Staged.TOPIC] = topic.handle
    descriptors[at + Staged.PARTITION] = partition
    descriptors[at + Staged.KEY_BYTES] = this.placedKeyBytes
    descriptors[at + Staged.VALUE_BYTES] = this.placedValueBytes
    descriptors[at + Staged.HEADER_BYTES] = this.placedHeaderBytes
    descriptors[at + Staged.OFFSET] = this.used
    this.timestamps[(at + Staged.TIMESTAMP) >> 1] = timestampMs
    descriptors[at + Staged.BATCH] = batch
    descriptors[at + Staged.INDEX] = index
    this.used += this.placedBytes
    this.count++
  }

  /** Appends the staged records from `first` on, as {@link NativeCore.drainStaged} does. */
  drain(core: NativeCore, first: number): number {
    const { count, run } = this
    if (!this.texts.isEmpty) this.writeTexts()
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
    this.position += Math.max(keyBytes, 0) + Math.max(valueBytes, 0) + this.headerBytesOf(record)
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
    const headerBytes = this.headerBytesOf(record)
    const keyedPartition = this.descriptors[Staged.PARTITION] as number
    const valueAt = this.position + Math.max(keyBytes, 0)
    return {
      topic,
      partition: keyBytes < 0 ? PARTITION_STICKY : keyedPartition,
      timestampMs: this.timestampOf(record),
      key: this.view(this.position, keyBytes),
      value: this.view(valueAt, valueBytes),
      headers: this.headersAt(valueAt + Math.max(valueBytes, 0), headerBytes),
    }
  }

  private singleAt(record: number, topic: TopicState): AppendableRecord {
    const at = record * Staged.WORDS
    const word = (offset: number) => this.descriptors[at + offset] as number
    const keyAt = word(Staged.OFFSET)
    const valueAt = keyAt + Math.max(word(Staged.KEY_BYTES), 0)
    const headersAt = valueAt + Math.max(word(Staged.VALUE_BYTES), 0)
    return {
      topic,
      partition: word(Staged.PARTITION),
      timestampMs: this.timestampOf(record),
      key: this.view(keyAt, word(Staged.KEY_BYTES)),
      value: this.view(valueAt, word(Staged.VALUE_BYTES)),
      headers: this.headersAt(headersAt, word(Staged.HEADER_BYTES)),
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

  /** Writes a key or value of so many units, see {@link stageableUnits}. Answers its bytes, -1 for null. */
  private write(given: NativeBytes, units: number, at: number): number {
    if (typeof given === 'string') return writeUtf8(this.bytes, given, at)
    if (units > 0) this.bytes.set(given as Uint8Array, at)
    return units
  }

  /** Of a record of a run. */
  private describe(record: number, keyBytes: number, valueBytes: number, headerBytes: number): void {
    const { descriptors } = this
    const at = Run.FIRST + record * Run.WORDS
    descriptors[at + Run.KEY_BYTES] = keyBytes
    descriptors[at + Run.VALUE_BYTES] = valueBytes
    if (headerBytes > 0 && descriptors[Staged.HEADER_BYTES] === NO_HEADERS) this.beginHeaders(record)
    descriptors[at + Run.HEADER_BYTES] = headerBytes
  }

  /** A record of the run is the first with headers: nothing has been said of those before it. */
  private beginHeaders(record: number): void {
    const { descriptors } = this
    descriptors[Staged.HEADER_BYTES] = HAS_HEADERS
    for (let i = 0; i < record; i++) descriptors[Run.FIRST + i * Run.WORDS + Run.HEADER_BYTES] = 0
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

  /** Of a record of a run. */
  private headerBytesOf(record: number): number {
    const { descriptors } = this
    if (descriptors[Staged.HEADER_BYTES] === NO_HEADERS) return 0
    return descriptors[Run.FIRST + record * Run.WORDS + Run.HEADER_BYTES] as number
  }

  private headersAt(from: number, bytes: number): EncodableHeaders | null {
    return bytes === 0 ? null : new EncodedHeaders(this.bytes.subarray(from, from + bytes))
  }

  private view(from: number, bytes: number): Uint8Array | null {
    return bytes < 0 ? null : this.bytes.subarray(from, from + bytes)
  }

  private hasRoom(bytes: number): boolean {
    return this.count < STAGED_RECORDS_MAX && this.used + bytes <= CAPACITY_BYTES
  }
}
