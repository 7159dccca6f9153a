import { STAGED_RECORDS_MAX, type StagedRun, type Staging } from '../../accumulator/append/staging.js'
import type { Batch } from '../../accumulator/batch/batch.js'
import type { BatchOutcome, Delivery, Settlement } from '../../accumulator/batch/delivery.js'
import { KafkaError } from '../../errors/index.js'
import { Place, Result, Touched } from '../../native/addon.js'
import { RecordMetadata } from '../record-metadata.js'

/** Words kept per record, as native code tells them: share, index in the batch, key and value size. */
const { WORDS } = Place
/** Shares are numbered from here: nothing is what the table has for a record that is not told of in it. */
const NUMBER_FIRST = 1
const NO_NUMBER = 0
/** Records of an array whose table is made at the first record that needs one. */
const TABLE_AT_FIRST_USE_MAX = 1 << 20

/** The records of one `sendMany` that went into one batch. */
class Share implements Settlement {
  readonly collector: SendManyCollector
  readonly outcome: BatchOutcome
  /** One under which the table has it. */
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
class Stretch {
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
 * Metadata of the records of one `sendMany`, in input order: array-like (`length`, `report[0]`, `at`,
 * iteration). Each object is made when it is looked at.
 */
export class DeliveryReport {
  readonly length: number
  readonly [index: number]: RecordMetadata
  private readonly collector: SendManyCollector

  constructor(collector: SendManyCollector, length: number) {
    this.collector = collector
    this.length = length
  }

  /** Metadata of one record; negative indexes count from the end, as with arrays. */
  at(index: number): RecordMetadata | undefined {
    const ordinal = Math.trunc(index) || 0
    const place = ordinal < 0 ? this.length + ordinal : ordinal
    return place >= 0 && place < this.length ? this.collector.metadataOf(place) : undefined
  }

  *[Symbol.iterator](): Generator<RecordMetadata> {
    for (let ordinal = 0; ordinal < this.length; ordinal++) yield this.collector.metadataOf(ordinal)
  }
}

// Numeric properties are looked up where all own and class properties have been missed, so that `report[0]`
// works without an object per record and costs nothing elsewhere.
Object.setPrototypeOf(
  DeliveryReport.prototype,
  new Proxy(Object.prototype, {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) return (receiver as DeliveryReport).at(Number(key))
      return Reflect.get(target, key, receiver)
    },
  }),
)

// A promise that resolves to a report looks for it. What is found here need not be asked of the proxy.
Object.defineProperty(DeliveryReport.prototype, 'then', {
  value: undefined,
  writable: true,
  configurable: true,
})

/** At least one record of a `sendMany` was not delivered. */
export class SendManyError extends KafkaError {
  /** Metadata of all records in input order; offset -1n for those that failed. */
  readonly report: DeliveryReport
  /** Errors by the index of the failed record. */
  readonly errors: ReadonlyMap<number, KafkaError>

  constructor(report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>) {
    const [first] = errors.values()
    super(
      'SEND_MANY_FAILED',
      `${errors.size} of ${report.length} records were not delivered; the first error: ${first?.message}`,
      { cause: first, retriable: [...errors.values()].every(error => error.retriable) },
    )
    this.report = report
    this.errors = errors
  }

  /** The outcome of every record in input order, in the shape of `Promise.allSettled`. */
  get outcomes(): PromiseSettledResult<RecordMetadata>[] {
    return Array.from(this.report, (value, index) => {
      const reason = this.errors.get(index)
      return reason === undefined ? { status: 'fulfilled', value } : { status: 'rejected', reason }
    })
  }
}

/**
 * The delivery of all records of one `sendMany`, with one promise. Where they are is kept in a few words for
 * each stretch of records without a key and of one size, and for each of the other records.
 */
export class SendManyCollector implements Delivery, StagedRun {
  readonly promise: Promise<DeliveryReport>
  private readonly report: DeliveryReport
  /** Of the records that are in no stretch; null while there are none. */
  private table: Int32Array | null = null
  /** As the table numbers them, from {@link NUMBER_FIRST}; the same one may come again. */
  private readonly shares: Share[] = []
  /** In the order of their records. */
  private readonly stretches: Stretch[] = []
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
  private readonly onDone: ((report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>) => void) | null

  /** `timestampMs` is that of records without their own; `onDone` is told before the promise is settled. */
  constructor(
    length: number,
    timestampMs: number,
    onDone: ((report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>) => void) | null,
  ) {
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
    return this.shares.length + NUMBER_FIRST
  }

  /** Their timestamps are those of records without their own. */
  attachStaged(staging: Staging, first: number, end: number): void {
    const { touched, batches, result } = staging
    const count = result[Result.TOUCHED] as number
    const isConsecutive = result[Result.CONSECUTIVE] === 1
    const { keyBytes, valueBytes } = staging.sizesOf(first)
    let ordinal = staging.firstOrdinal + first
    for (let touch = 0; touch < count; touch++) {
      const at = touch * Touched.WORDS
      const records = touched[at + Touched.RECORDS] as number
      const share = this.shareOf(batches[touch] as Batch)
      share.records += records
      if (!isConsecutive) this.addNumber(share)
      else {
        const firstIndex = touched[at + Touched.FIRST_INDEX] as number
        this.stretches.push(new Stretch(ordinal, share.outcome, firstIndex, keyBytes, valueBytes))
      }
      ordinal += records
    }
    if (!isConsecutive) this.keepPlaces(staging, first, end)
  }

  deliveryAt(): Delivery {
    return this
  }

  ordinalAt(staging: Staging, record: number): number {
    return staging.firstOrdinal + record
  }

  /** What there was to be told has been kept. */
  clear(): void {}

  attach(
    batch: Batch,
    index: number,
    ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    const share = this.shareOf(batch)
    if (share.number === NO_NUMBER) this.addNumber(share)
    share.records++
    const table = this.tableToFill()
    const at = ordinal * WORDS
    table[at + Place.TOUCH] = share.number
    table[at + Place.INDEX] = index
    table[at + Place.KEY_BYTES] = keyBytes
    table[at + Place.VALUE_BYTES] = valueBytes
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

  settled(share: Share): void {
    if (share.outcome.error !== null) this.hasFailedBatch = true
    this.pending -= share.records
    if (this.pending === 0) this.finish()
  }

  metadataOf(ordinal: number): RecordMetadata {
    const unsent = this.unsent?.get(ordinal)
    if (unsent !== undefined) return unsent
    const stretch = this.stretchOf(ordinal)
    const timestampMs = this.timestamps?.[ordinal] ?? this.timestampMs
    const { outcome, keyBytes, valueBytes } = stretch
    return new RecordMetadata(outcome, stretch.indexOf(ordinal), timestampMs, keyBytes, valueBytes)
  }

  /** Where a record is that was not refused; what the table has is a stretch of its own. */
  private stretchOf(ordinal: number): Stretch {
    const { table, stretches } = this
    const at = ordinal * WORDS
    const number = table === null ? NO_NUMBER : (table[at + Place.TOUCH] as number)
    if (table !== null && number !== NO_NUMBER) {
      const { outcome } = this.shares[number - NUMBER_FIRST] as Share
      const index = table[at + Place.INDEX] as number
      const keyBytes = table[at + Place.KEY_BYTES] as number
      return new Stretch(ordinal, outcome, index, keyBytes, table[at + Place.VALUE_BYTES] as number)
    }
    let low = 0
    let high = stretches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((stretches[middle] as Stretch).firstOrdinal <= ordinal) low = middle
      else high = middle - 1
    }
    return stretches[low] as Stretch
  }

  /** The collector's share of the batch. */
  private shareOf(batch: Batch): Share {
    const last = batch.lastShare as Share | null
    if (last !== null && last.collector === this) return last
    const share = new Share(this, batch.outcome)
    batch.lastShare = share
    batch.settlements.push(share)
    return share
  }

  /** The next number is the share's; it may have an earlier one as well, and is found under both. */
  private addNumber(share: Share): void {
    share.number = this.shares.length + NUMBER_FIRST
    this.shares.push(share)
  }

  private tableToFill(): Int32Array {
    this.table ??= new Int32Array(this.report.length * WORDS)
    return this.table
  }

  private keepPlaces({ places, firstOrdinal }: Staging, first: number, end: number): void {
    const isWhole = first === 0 && end === STAGED_RECORDS_MAX
    const told = isWhole ? places : places.subarray(first * WORDS, end * WORDS)
    this.tableToFill().set(told, (firstOrdinal + first) * WORDS)
  }

  private keepTimestamp(ordinal: number, timestampMs: number): void {
    this.timestamps ??= new Float64Array(this.report.length).fill(this.timestampMs)
    this.timestamps[ordinal] = timestampMs
  }

  private finish(): void {
    const errors = this.collectErrors()
    this.onDone?.(this.report, errors)
    if (errors.size === 0) this.resolve(this.report)
    else this.reject(new SendManyError(this.report, errors))
  }

  private collectErrors(): ReadonlyMap<number, KafkaError> {
    const errors = this.errors ?? new Map<number, KafkaError>()
    if (!this.hasFailedBatch) return sorted(errors)
    for (let ordinal = 0; ordinal < this.report.length; ordinal++) {
      if (this.unsent?.has(ordinal)) continue
      const stretch = this.stretchOf(ordinal)
      const error = stretch.outcome.errorOf(stretch.indexOf(ordinal))
      if (error !== null) errors.set(ordinal, error)
    }
    return sorted(errors)
  }
}

function sorted(errors: Map<number, KafkaError>): ReadonlyMap<number, KafkaError> {
  return errors.size < 2 ? errors : new Map([...errors].sort(([a], [b]) => a - b))
}
