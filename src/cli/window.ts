import { type DeliveryReport, type KafkaError, type ProducerRecord, SendManyError } from '../index.js'
import type { Failures } from './failures.js'
import { numberAt, type RecordArray } from './records.js'
import type { Totals } from './summary.js'

/** The part of a producer that is needed here. */
interface ArraySender {
  sendMany(records: readonly ProducerRecord[]): Promise<DeliveryReport>
}

export interface WindowOptions {
  sender: ArraySender
  totals: Totals
  failures: Failures
  /** Most arrays whose outcome is not known yet. */
  arrays: number
  /** Is told of every array of which anything was delivered, in the order they were sent. */
  onDelivered?: (array: RecordArray, report: DeliveryReport, errors: FailedRecords) => void
}

/** Errors by the index of the failed record. */
type FailedRecords = ReadonlyMap<number, KafkaError>

const NONE_FAILED: FailedRecords = new Map()

interface Sent {
  readonly array: RecordArray
  outcome: ({ report: DeliveryReport } | { error: unknown }) | null
  latencyMs: number
}

/** Codes that are about one record, not about the cluster or the connection to it. */
const RECORD_CODES: ReadonlySet<string> = new Set([
  'RECORD_INVALID',
  'TOPIC_INVALID',
  'RECORD_TOO_LARGE',
  'SERIALIZATION_FAILED',
])
const RECORD_ERROR_NAMES: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
])

/** The arrays on their way. Their outcomes are accounted for in the order in which they were sent. */
export class DeliveryWindow {
  readonly #options: WindowOptions
  readonly #sent: Sent[] = []
  #wake: (() => void) | null = null
  #hopeless: string | null = null

  constructor(options: WindowOptions) {
    this.#options = options
  }

  /**
   * Why it is no use to go on, or null: all records of some array failed, for a reason that is not theirs.
   * Each further one would wait for a time-out of its own.
   */
  get hopeless(): string | null {
    return this.#hopeless
  }

  /** Records without an outcome. */
  get open(): number {
    return this.#sent.reduce((sum, { array, outcome }) => sum + (outcome ? 0 : array.records.length), 0)
  }

  /** Sends an array; resolves when there is room for one more. */
  async send(array: RecordArray): Promise<void> {
    const entry: Sent = { array, outcome: null, latencyMs: 0 }
    const startedAt = performance.now()
    this.#sent.push(entry)
    const settle = (outcome: NonNullable<Sent['outcome']>) => {
      entry.outcome = outcome
      entry.latencyMs = performance.now() - startedAt
      this.#retire()
    }
    this.#options.sender.sendMany(array.records).then(
      report => settle({ report }),
      error => settle({ error }),
    )
    await this.#until(this.#options.arrays - 1)
  }

  /** Resolves when the outcome of everything is known. */
  async drained(): Promise<void> {
    await this.#until(0)
  }

  async #until(most: number): Promise<void> {
    while (this.#sent.length > most) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #retire(): void {
    while (this.#sent[0]?.outcome) {
      const { array, outcome, latencyMs } = this.#sent.shift() as Sent
      const { totals } = this.#options
      const before = totals.delivered
      if (outcome && 'report' in outcome) this.#delivered(array, outcome.report)
      else if (outcome) this.#failed(array, outcome.error)
      totals.latency.add(latencyMs, totals.delivered - before)
    }
    this.#wake?.()
    this.#wake = null
  }

  #delivered(array: RecordArray, report: DeliveryReport): void {
    const { totals, onDelivered } = this.#options
    totals.delivered += array.records.length
    totals.deliveredBytes += array.bytes
    onDelivered?.(array, report, NONE_FAILED)
  }

  #failed(array: RecordArray, error: unknown): void {
    const { totals, failures, onDelivered } = this.#options
    const single = error instanceof SendManyError ? null : error
    const errors = error instanceof SendManyError ? error.errors : NONE_FAILED
    const failed = new Map<string, number[]>()
    let common: string | null = null
    let delivered = 0
    for (const [index, record] of array.records.entries()) {
      const own = single ?? errors.get(index)
      if (own === undefined) {
        delivered++
        totals.deliveredBytes += sizeOf(record.key) + sizeOf(record.value)
        continue
      }
      const message = describe(own)
      if (!isAboutRecord(own)) common ??= message
      const numbers = failed.get(message)
      if (numbers) numbers.push(numberAt(array, index))
      else failed.set(message, [numberAt(array, index)])
    }
    totals.delivered += delivered
    for (const [message, numbers] of failed) failures.add(numbers, message)
    if (error instanceof SendManyError && delivered > 0) onDelivered?.(array, error.report, errors)
    if (delivered === 0 && common !== null) this.#hopeless ??= common
  }
}

function isAboutRecord(error: unknown): boolean {
  const { code, errorName } = error as { code?: string; errorName?: string }
  return RECORD_CODES.has(code ?? '') || RECORD_ERROR_NAMES.has(errorName ?? '')
}

function describe(error: unknown): string {
  const { code } = error as { code?: string }
  const message = error instanceof Error ? error.message : String(error)
  return code === undefined ? message : `${message} (${code})`
}

function sizeOf(bytes: string | Uint8Array | null | undefined): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : (bytes?.byteLength ?? 0)
}
