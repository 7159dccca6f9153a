import { inspect } from 'node:util'
import { KafkaError } from '../../errors/index.js'
import type { RecordMetadata } from '../record-metadata.js'

/** Where a report has its metadata from. */
export interface MetadataSource {
  metadataOf(ordinal: number): RecordMetadata
}

/** As many elements of a list are shown at most, as by consoles. */
const SHOWN_MAX = 100

/** An own property, which all that copies own properties takes: `structuredClone`, `postMessage`, spread. */
const RECORDS: PropertyDescriptor & ThisType<DeliveryReport> = {
  enumerable: true,
  get() {
    return plainRecords(this, this.length)
  },
}

function plainRecords(report: Iterable<RecordMetadata>, most: number): PlainRecordMetadata[] {
  const plain: PlainRecordMetadata[] = []
  for (const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } of report) {
    if (plain.length === most) break
    plain.push({ topic, partition, offset, timestamp, serializedKeySize, serializedValueSize })
  }
  return plain
}

/** What {@link RecordMetadata} says, as plain properties that can be copied. */
type PlainRecordMetadata = Pick<
  RecordMetadata,
  'topic' | 'partition' | 'offset' | 'timestamp' | 'serializedKeySize' | 'serializedValueSize'
>

/**
 * Metadata of the records of one `sendMany`, in input order: array-like (`length`, `report[0]`, `at`,
 * iteration). Each object is made when it is looked at.
 */
export class DeliveryReport {
  /** How many records there were. */
  readonly length: number
  /** Metadata of one record, by its place in the input. */
  readonly [index: number]: RecordMetadata
  /** All of it as plain objects, made when looked at: what `structuredClone` and `postMessage` copy. */
  declare readonly records: readonly PlainRecordMetadata[]
  readonly #source: MetadataSource

  /** @internal Made by producers. */
  constructor(source: MetadataSource, length: number) {
    this.#source = source
    this.length = length
    Object.defineProperty(this, 'records', RECORDS)
  }

  /** The records' metadata as an array, with offsets as strings, which JSON can say. */
  toJSON(): object[] {
    return Array.from(this, metadata => metadata.toJSON())
  }

  [inspect.custom](depth: number | null, options: { maxArrayLength?: number | null }): string {
    if (depth !== null && depth < 0) return `[DeliveryReport(${this.length})]`
    const most = options.maxArrayLength === undefined ? SHOWN_MAX : (options.maxArrayLength ?? this.length)
    const shown = inspect(plainRecords(this, most), { ...options, maxArrayLength: null })
    const more = this.length - Math.min(most, this.length)
    const listed = more > 0 ? shown.replace(/\s*\]$/, `,\n  ... ${more} more items\n]`) : shown
    return `DeliveryReport(${this.length}) ${listed}`
  }

  /** Metadata of one record; negative indexes count from the end, as with arrays. */
  at(index: number): RecordMetadata | undefined {
    const ordinal = Math.trunc(index) || 0
    const position = ordinal < 0 ? this.length + ordinal : ordinal
    return position >= 0 && position < this.length ? this.#source.metadataOf(position) : undefined
  }

  /** Metadata of all records, in input order. */
  *[Symbol.iterator](): Generator<RecordMetadata> {
    for (let ordinal = 0; ordinal < this.length; ordinal++) yield this.#source.metadataOf(ordinal)
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
  declare readonly code: 'SEND_MANY_FAILED'
  /** Metadata of all records in input order; offset -1n for those that failed. */
  readonly report: DeliveryReport
  /** Errors by the index of the failed record. */
  readonly errors: ReadonlyMap<number, KafkaError>

  /** @internal Made by producers. */
  constructor(report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>) {
    // A reason, rather than what follows from another record's reason.
    const all = [...errors.values()]
    const first = all.find(error => !error.retriable) ?? all[0]
    super(
      'SEND_MANY_FAILED',
      `${errors.size} of ${report.length} records were not delivered; the first error: ${first?.message}`,
      { cause: first, retriable: all.every(error => error.retriable) },
    )
    this.report = report
    this.errors = errors
  }

  /**
   * As of every error, with `records`, how many there were, `failed`, how many of them failed, and `errors`:
   * those of the first 100 that failed, each with the record's `index`.
   */
  override toJSON(): object {
    const errors: object[] = []
    for (const [index, error] of this.errors) {
      if (errors.length === SHOWN_MAX) break
      errors.push({ index, ...error.toJSON() })
    }
    return { ...super.toJSON(), records: this.report.length, failed: this.errors.size, errors }
  }

  /** The outcome of every record in input order, in the shape of `Promise.allSettled`. */
  get outcomes(): PromiseSettledResult<RecordMetadata>[] {
    return Array.from(this.report, (value, index) => {
      const reason = this.errors.get(index)
      return reason === undefined ? { status: 'fulfilled', value } : { status: 'rejected', reason }
    })
  }
}
