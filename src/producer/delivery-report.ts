import type { Batch } from '../accumulator/batch.js'
import type { BatchOutcome, Delivery, Settlement } from '../accumulator/delivery.js'
import { STAGED_RECORDS_MAX, type StagedRun, type Staging } from '../accumulator/staging.js'
import { KafkaError } from '../errors/index.js'
import { Place, Result, Touched } from '../native/addon.js'
import { RecordMetadata } from './record-metadata.js'

/** Words kept per record, as native code tells them: share, index in the batch, key and value size. */
const { WORDS } = Place
const NO_SHARE = -1

/** The records of one `sendMany` that went into one batch. */
class Share implements Settlement {
  readonly collector: SendManyCollector
  readonly outcome: BatchOutcome
  readonly number: number
  records = 0

  constructor(collector: SendManyCollector, outcome: BatchOutcome, number: number) {
    this.collector = collector
    this.outcome = outcome
    this.number = number
  }

  settle(): void {
    this.collector.settled(this)
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

/** The delivery of all records of one `sendMany`: a few words per record, one promise for all. */
export class SendManyCollector implements Delivery, StagedRun {
  readonly promise: Promise<DeliveryReport>
  private readonly report: DeliveryReport
  private readonly table: Int32Array
  /** One for each batch that a native call or a single record has touched; the same one may come again. */
  private readonly shares: Share[] = []
  /** Timestamps of records; null while all have `timestampMs`. */
  private timestamps: Float64Array | null = null
  private readonly timestampMs: number
  private errors: Map<number, KafkaError> | null = null
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
    this.table = new Int32Array(length * WORDS)
    this.timestampMs = timestampMs
    this.pending = length
    this.onDone = onDone
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    if (length === 0) this.finish()
  }

  get touchBase(): number {
    return this.shares.length
  }

  /** Their timestamps are those of records without their own. */
  attachStaged(staging: Staging): void {
    const { touched, batches } = staging
    const count = staging.result[Result.TOUCHED] as number
    for (let touch = 0; touch < count; touch++) {
      const share = this.shareOf(batches[touch] as Batch)
      share.records += touched[touch * Touched.WORDS + Touched.RECORDS] as number
      // It may have an earlier number as well; it is found under both.
      this.shares.push(share)
    }
  }

  deliveryAt(): Delivery {
    return this
  }

  ordinalAt(staging: Staging, record: number): number {
    return staging.firstOrdinal + record
  }

  /** Takes over all places at once. Records that go on alone have theirs written again. */
  clear({ places, count, firstOrdinal }: Staging): void {
    const told = count === STAGED_RECORDS_MAX ? places : places.subarray(0, count * WORDS)
    this.table.set(told, firstOrdinal * WORDS)
  }

  attach(
    batch: Batch,
    index: number,
    ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    const share = this.shareOf(batch)
    if (share.number === this.shares.length) this.shares.push(share)
    share.records++
    const { table } = this
    const at = ordinal * WORDS
    table[at] = share.number
    table[at + 1] = index
    table[at + 2] = keyBytes
    table[at + 3] = valueBytes
    if (timestampMs !== this.timestampMs || this.timestamps !== null) this.keepTimestamp(ordinal, timestampMs)
  }

  fail(error: KafkaError, ordinal: number, topic: string, partition: number): void {
    this.table[ordinal * WORDS] = NO_SHARE
    this.unsent ??= new Map()
    this.unsent.set(ordinal, RecordMetadata.unsent(topic, partition))
    this.errors ??= new Map()
    this.errors.set(ordinal, error)
    if (--this.pending === 0) this.finish()
  }

  settled(share: Share): void {
    this.pending -= share.records
    if (this.pending === 0) this.finish()
  }

  metadataOf(ordinal: number): RecordMetadata {
    const at = ordinal * WORDS
    const share = this.table[at] as number
    if (share === NO_SHARE) return this.unsent?.get(ordinal) as RecordMetadata
    const { outcome } = this.shares[share] as Share
    const index = this.table[at + 1] as number
    const timestampMs = this.timestamps?.[ordinal] ?? this.timestampMs
    return new RecordMetadata(
      outcome,
      index,
      timestampMs,
      this.table[at + 2] as number,
      this.table[at + 3] as number,
    )
  }

  /** The collector's share of the batch. A new one has the number it is to be found under next. */
  private shareOf(batch: Batch): Share {
    const last = batch.lastShare as Share | null
    if (last !== null && last.collector === this) return last
    const share = new Share(this, batch.outcome, this.shares.length)
    batch.lastShare = share
    batch.settlements.push(share)
    return share
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
    if (this.shares.every(share => share.outcome.error === null)) return sorted(errors)
    for (let ordinal = 0; ordinal < this.report.length; ordinal++) {
      const share = this.table[ordinal * WORDS] as number
      if (share === NO_SHARE) continue
      const error = (this.shares[share] as Share).outcome.errorOf(this.table[ordinal * WORDS + 1] as number)
      if (error !== null) errors.set(ordinal, error)
    }
    return sorted(errors)
  }
}

function sorted(errors: Map<number, KafkaError>): ReadonlyMap<number, KafkaError> {
  return errors.size < 2 ? errors : new Map([...errors].sort(([a], [b]) => a - b))
}
