import type { Delivery } from '../../accumulator/append/delivery.js'
import { RecordTable } from '../../accumulator/append/record-table.js'
import type { StagedRun, Staging } from '../../accumulator/append/staging.js'
import type { Batch } from '../../accumulator/batch/batch.js'
import type { BatchOutcome, Settlement } from '../../accumulator/batch/batch-outcome.js'
import { inNoContext } from '../../common/no-context.js'
import type { KafkaError } from '../../errors/index.js'
import { RecordMetadata } from '../record-metadata.js'
import { deliveriesOf } from './batch-deliveries.js'
import { DeliveryReport, type MetadataSource, SendManyError } from './delivery-report.js'

/** Called before the promise of a `sendMany` is settled, with the errors of its records by their ordinals. */
export type OnManyDone = (report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>) => void

/** 0 marks a record that has no row in the table, so slices are numbered from 1. */
const NUMBER_FIRST = 1
const NO_NUMBER = 0
/** Records of an array whose table is made at the first record that needs one. */
const TABLE_AT_FIRST_USE_MAX = 1 << 20

/** The records of one `sendMany` that went into one batch. */
class BatchSlice implements Settlement {
  readonly collector: SendManyCollector
  readonly outcome: BatchOutcome
  /** Its latest number. Earlier numbers stay valid. */
  number = NO_NUMBER
  records = 0

  constructor(collector: SendManyCollector, outcome: BatchOutcome) {
    this.collector = collector
    this.outcome = outcome
  }

  settle(): void {
    this.collector.settled(this)
  }
}

/** Records of one size that follow one another, in the array and in their batch. */
class ContiguousRange {
  readonly firstOrdinal: number
  readonly outcome: BatchOutcome
  readonly firstIndex: number
  readonly keyBytes: number
  readonly valueBytes: number

  constructor(
    firstOrdinal: number,
    outcome: BatchOutcome,
    firstIndex: number,
    keyBytes: number,
    valueBytes: number,
  ) {
    this.firstOrdinal = firstOrdinal
    this.outcome = outcome
    this.firstIndex = firstIndex
    this.keyBytes = keyBytes
    this.valueBytes = valueBytes
  }

  indexOf(ordinal: number): number {
    return this.firstIndex + ordinal - this.firstOrdinal
  }
}

/**
 * The delivery of all records of one `sendMany`, with one promise. Where they are is kept in a few words for
 * each contiguous range of records without a key and of one size, and for each of the other records.
 */
export class SendManyCollector implements Delivery, StagedRun, MetadataSource {
  readonly promise: Promise<DeliveryReport>
  private readonly report: DeliveryReport
  /** Of the records that are in no contiguous range; null while there are none. */
  private table: RecordTable | null = null
  /** As the table numbers them, from {@link NUMBER_FIRST}; the same one may come again. */
  private readonly slices: BatchSlice[] = []
  /** In the order of their records. */
  private readonly ranges: ContiguousRange[] = []
  /** Timestamps of records; null while all have `timestampMs`. */
  private timestamps: Float64Array | null = null
  private readonly timestampMs: number
  private errors: Map<number, KafkaError> | null = null
  /** Some batch was not stored, or not all of it. */
  private hasFailedBatch = false
  private unsent: Map<number, RecordMetadata> | null = null
  private pending: number
  private resolve: (report: DeliveryReport) => void = () => {}
  private reject: (error: KafkaError) => void = () => {}
  private readonly onDone: OnManyDone | null

  /** `timestampMs` is that of records without their own; `onDone` is called before the promise is settled. */
  constructor(length: number, timestampMs: number, onDone: OnManyDone | null) {
    this.report = new DeliveryReport(this, length)
    this.timestampMs = timestampMs
    this.pending = length
    // If there is no memory for it, that has to show before any record is sent.
    if (length > TABLE_AT_FIRST_USE_MAX) this.tableToFill()
    this.onDone = onDone
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    if (length === 0) this.finish()
  }

  get touchBase(): number {
    return this.slices.length + NUMBER_FIRST
  }

  /** Their timestamps are those of records without their own. */
  attachStaged(staging: Staging, first: number, end: number): void {
    const { touchedCount: count, isConsecutive } = staging
    const { keyBytes, valueBytes } = staging.sizesOf(first)
    let ordinal = staging.firstOrdinal + first
    for (let touch = 0; touch < count; touch++) {
      const records = staging.touchedRecords(touch)
      const slice = this.sliceOf(staging.touchedBatch(touch))
      slice.records += records
      if (!isConsecutive) this.addNumber(slice)
      else {
        const firstIndex = staging.touchedFirstIndex(touch)
        this.ranges.push(new ContiguousRange(ordinal, slice.outcome, firstIndex, keyBytes, valueBytes))
      }
      ordinal += records
    }
    if (!isConsecutive)
      this.tableToFill().setPlaces(staging.firstOrdinal + first, staging.placesOf(first, end))
  }

  deliveryAt(): Delivery {
    return this
  }

  ordinalAt(staging: Staging, record: number): number {
    return staging.firstOrdinal + record
  }

  /** All that is needed has been kept. */
  clear(): void {}

  attach(
    batch: Batch,
    index: number,
    ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    const slice = this.sliceOf(batch)
    if (slice.number === NO_NUMBER) this.addNumber(slice)
    slice.records++
    this.tableToFill().set(ordinal, slice.number, index, keyBytes, valueBytes)
    if (timestampMs !== this.timestampMs || this.timestamps !== null) this.keepTimestamp(ordinal, timestampMs)
  }

  fail(error: KafkaError, ordinal: number, topic: string, partition: number): void {
    this.unsent ??= new Map()
    this.unsent.set(ordinal, RecordMetadata.unsent(topic, partition))
    this.errors ??= new Map()
    this.errors.set(ordinal, error)
    // Not at once: `onDone` may send, and the caller is still handling other records.
    if (--this.pending === 0) queueMicrotask(() => this.finish())
  }

  settled(slice: BatchSlice): void {
    if (slice.outcome.error !== null) this.hasFailedBatch = true
    this.pending -= slice.records
    if (this.pending === 0) this.finish()
  }

  metadataOf(ordinal: number): RecordMetadata {
    const unsent = this.unsent?.get(ordinal)
    if (unsent !== undefined) return unsent
    const range = this.rangeOf(ordinal)
    const timestampMs = this.timestamps?.[ordinal] ?? this.timestampMs
    const { outcome, keyBytes, valueBytes } = range
    return new RecordMetadata(outcome, range.indexOf(ordinal), timestampMs, keyBytes, valueBytes)
  }

  /** Where a record is that was not refused; what the table has is a contiguous range of its own. */
  private rangeOf(ordinal: number): ContiguousRange {
    const { table, ranges } = this
    const number = table === null ? NO_NUMBER : table.tagOf(ordinal)
    if (table !== null && number !== NO_NUMBER) {
      const { outcome } = this.slices[number - NUMBER_FIRST] as BatchSlice
      const { keyBytes, valueBytes } = table.sizesOf(ordinal)
      return new ContiguousRange(ordinal, outcome, table.indexOf(ordinal), keyBytes, valueBytes)
    }
    let low = 0
    let high = ranges.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((ranges[middle] as ContiguousRange).firstOrdinal <= ordinal) low = middle
      else high = middle - 1
    }
    return ranges[low] as ContiguousRange
  }

  /** The collector's slice of the batch. */
  private sliceOf(batch: Batch): BatchSlice {
    const deliveries = deliveriesOf(batch)
    const last = deliveries.array as BatchSlice | null
    if (last !== null && last.collector === this) return last
    const slice = new BatchSlice(this, batch.outcome)
    deliveries.array = slice
    batch.settlements.push(slice)
    return slice
  }

  /** The next number is the slice's; it may have an earlier one as well, and is found under both. */
  private addNumber(slice: BatchSlice): void {
    slice.number = this.slices.length + NUMBER_FIRST
    this.slices.push(slice)
  }

  private tableToFill(): RecordTable {
    this.table ??= new RecordTable(this.report.length)
    return this.table
  }

  private keepTimestamp(ordinal: number, timestampMs: number): void {
    this.timestamps ??= new Float64Array(this.report.length).fill(this.timestampMs)
    this.timestamps[ordinal] = timestampMs
  }

  private finish(): void {
    const errors = this.collectErrors()
    // The last record may have failed in a call of somebody else's.
    if (this.onDone !== null) inNoContext(this.onDone, this.report, errors)
    if (errors.size === 0) this.resolve(this.report)
    else this.reject(new SendManyError(this.report, errors))
  }

  private collectErrors(): ReadonlyMap<number, KafkaError> {
    const errors = this.errors ?? new Map<number, KafkaError>()
    if (!this.hasFailedBatch) return sorted(errors)
    for (let ordinal = 0; ordinal < this.report.length; ordinal++) {
      if (this.unsent?.has(ordinal)) continue
      const range = this.rangeOf(ordinal)
      const error = range.outcome.errorOf(range.indexOf(ordinal))
      if (error !== null) errors.set(ordinal, error)
    }
    return sorted(errors)
  }
}

function sorted(errors: Map<number, KafkaError>): ReadonlyMap<number, KafkaError> {
  return errors.size < 2 ? errors : new Map([...errors].sort(([a], [b]) => a - b))
}
