import { KafkaError } from '../../errors/index.js'
import type { RecordMetadata } from '../record-metadata.js'

/** Where a report has its metadata from. */
export interface MetadataSource {
  metadataOf(ordinal: number): RecordMetadata
}

/**
 * Metadata of the records of one `sendMany`, in input order: array-like (`length`, `report[0]`, `at`,
 * iteration). Each object is made when it is looked at.
 */
export class DeliveryReport {
  readonly length: number
  readonly [index: number]: RecordMetadata
  private readonly source: MetadataSource

  constructor(source: MetadataSource, length: number) {
    this.source = source
    this.length = length
  }

  /** Metadata of one record; negative indexes count from the end, as with arrays. */
  at(index: number): RecordMetadata | undefined {
    const ordinal = Math.trunc(index) || 0
    const position = ordinal < 0 ? this.length + ordinal : ordinal
    return position >= 0 && position < this.length ? this.source.metadataOf(position) : undefined
  }

  *[Symbol.iterator](): Generator<RecordMetadata> {
    for (let ordinal = 0; ordinal < this.length; ordinal++) yield this.source.metadataOf(ordinal)
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

  /** The outcome of every record in input order, in the shape of `Promise.allSettled`. */
  get outcomes(): PromiseSettledResult<RecordMetadata>[] {
    return Array.from(this.report, (value, index) => {
      const reason = this.errors.get(index)
      return reason === undefined ? { status: 'fulfilled', value } : { status: 'rejected', reason }
    })
  }
}
