import type { Delivery } from '../../accumulator/append/delivery.js'
import {
  type AwaitedBatch,
  type BatchOutcome,
  type BatchPart,
  partOf,
  type Settlement,
} from '../../accumulator/batch/batch-outcome.js'
import { type PromiseView, viewed } from '../../common/promise-view.js'
import type { KafkaError } from '../../errors/index.js'
import { RecordMetadata } from '../record-metadata.js'

const nobody = () => {}
let resolveLast: (metadata: RecordMetadata) => void = nobody
let rejectLast: (error: KafkaError) => void = nobody
/** One executor for all promises, so that none needs a closure of its own. */
const capture = (resolve: (metadata: RecordMetadata) => void, reject: (error: KafkaError) => void) => {
  resolveLast = resolve
  rejectLast = reject
}

/** The promise of a record that has had to wait before it went into a batch. */
export class PromiseDelivery implements Delivery, Settlement {
  readonly promise: Promise<RecordMetadata>
  private readonly resolve: (metadata: RecordMetadata) => void
  private readonly reject: (error: KafkaError) => void
  private index = -1
  /**
   * NaN, not -1: a field that begins as an integer and becomes a double makes V8 recompile `send` for ever.
   */
  private timestampMs = Number.NaN
  private keyBytes = -1
  private valueBytes = -1

  constructor() {
    this.promise = new Promise(capture)
    this.resolve = resolveLast
    this.reject = rejectLast
    // Kept, they would keep the promise, and that the context of its caller.
    resolveLast = nobody
    rejectLast = nobody
  }

  attach(
    batch: AwaitedBatch,
    index: number,
    _ordinal: number,
    keyBytes: number,
    valueBytes: number,
    timestampMs: number,
  ): void {
    this.index = index
    this.timestampMs = timestampMs
    this.keyBytes = keyBytes
    this.valueBytes = valueBytes
    batch.settlements.push(this)
  }

  settle(outcome: BatchOutcome): void {
    const { index, timestampMs, keyBytes, valueBytes } = this
    const error = outcome.error === null ? null : outcome.errorOf(index)
    if (error !== null) this.reject(error)
    else this.resolve(new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes))
  }

  followParts(parts: readonly BatchPart[], outcome: BatchOutcome): void {
    const { index, timestampMs, keyBytes, valueBytes } = this
    const part = partOf(parts, index)
    if (part === undefined) this.reject(outcome.errorOf(index) as KafkaError)
    else this.attach(part.batch, index - part.firstIndex, 0, keyBytes, valueBytes, timestampMs)
  }

  fail(error: KafkaError): void {
    this.reject(error)
  }
}

/** The promise of a delivery as its caller gets it; a view of null is that of metadata. */
export function seen<T>(
  { promise }: PromiseDelivery,
  view: PromiseView<RecordMetadata, T> | null,
): Promise<T> {
  return view === null ? (promise as Promise<T>) : viewed(promise, view)
}
