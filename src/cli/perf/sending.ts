import { type Producer, type ProducerRecord, SendManyError } from '../../index.js'
import type { PerfPlan } from './options.js'
import { SplittableRandom } from './splittable-random.js'

/** Records between two turns of the event loop, in which answers are taken, and of an array of `sendMany`. */
const BURST_RECORDS = 1_000
const BURST_BYTES = 1024 * 1024
/** The part of `buffer.memory` that is filled. Beyond all of it records would wait as copies. */
const BUFFER_SHARE = 0.9
/** What a record takes besides its value, roughly. */
const RECORD_OVERHEAD_BYTES = 24
const SLEEP_MIN_MS = 1

interface SendingOptions {
  /** Called right before the record with this number is sent. */
  onSent: (index: number) => void
  /** Called when the record with this number has been acknowledged. */
  onDelivered: (index: number, latencyMs: number, bytes: number, now: number) => void
  onFailed: (error: Error, count: number) => void
}

/** Sends the records of a plan, as fast as the plan and `buffer.memory` allow. */
export class Sending {
  readonly #plan: PerfPlan
  readonly #producer: Producer
  readonly #options: SendingOptions
  readonly #payloads: Payloads
  readonly #bufferBytes: number
  #openRecords = 0
  #openBytes = 0
  #settled = 0
  #steps = { open: 0, done: 0 }
  #stopped = false
  #wake: (() => void) | null = null

  constructor(plan: PerfPlan, producer: Producer, options: SendingOptions) {
    this.#plan = plan
    this.#producer = producer
    this.#options = options
    this.#payloads = new Payloads(plan)
    this.#bufferBytes = producer.bufferTotalBytes * BUFFER_SHARE
  }

  /** Records without an outcome. */
  get open(): number {
    return this.#openRecords
  }

  get isWaiting(): boolean {
    return this.#openRecords > 0 || this.#steps.open > 0
  }

  /** A count that every answer of the cluster changes. */
  get answers(): number {
    return this.#settled + this.#steps.done
  }

  /** No further records are sent. */
  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  /** Resolves when everything has been handed over; false if a transaction could not be committed. */
  async run(): Promise<boolean> {
    const { transactionMs } = this.#plan
    if (transactionMs === null) {
      await this.#send(Number.POSITIVE_INFINITY, 0)
      return true
    }
    await this.#step(this.#untilStopped(this.#producer.initTransactions()))
    for (let sent = 0; sent < this.#plan.records && !this.#stopped; ) {
      this.#producer.beginTransaction()
      sent = await this.#send(transactionMs, sent)
      if (!(await this.#commit())) return false
    }
    return true
  }

  async #commit(): Promise<boolean> {
    try {
      await this.#step(this.#producer.commitTransaction())
      return true
    } catch (error) {
      this.#options.onFailed(error as Error, 0)
      await this.#step(this.#producer.abortTransaction()).catch(() => {})
      return false
    }
  }

  /** Sends from `first` on, for `durationMs` at most; answers the number of the record that is next. */
  async #send(durationMs: number, first: number): Promise<number> {
    const { records, throughput, mode } = this.#plan
    const startedAt = performance.now()
    this.#pacedFrom ??= startedAt
    const pacedFrom = this.#pacedFrom
    let next = first
    while (next < records && !this.#stopped) {
      const now = performance.now()
      if (now - startedAt >= durationMs && next > first) break
      const allowed = Math.floor(((now - pacedFrom) * throughput) / 1000) + 1
      const due = Math.min(records, throughput === Number.POSITIVE_INFINITY ? records : allowed)
      if (due <= next) await this.#sleep((next * 1000) / throughput - (now - pacedFrom))
      else if (this.#openBytes >= this.#bufferBytes) await this.#room()
      else {
        next = mode === 'many' ? this.#sendMany(next, due) : this.#sendEach(next, due)
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    return next
  }

  /** When the first record was sent: throughput is that of the whole run. */
  #pacedFrom: number | undefined

  #sendEach(first: number, end: number): number {
    const { topic, mode } = this.#plan
    const { onSent } = this.#options
    const isPromised = mode === 'promise'
    const last = Math.min(end, first + BURST_RECORDS)
    let burst = 0
    let index = first
    for (; index < last && burst < BURST_BYTES && this.#openBytes < this.#bufferBytes; index++) {
      const value = this.#payloads.at(index, 0)
      const bytes = value.length
      burst += bytes
      onSent(index)
      this.#opened(1, bytes)
      const number = index
      const sentAt = performance.now()
      const record: ProducerRecord = { topic, value }
      if (isPromised) {
        this.#producer.send(record).then(
          () => this.#delivered(number, sentAt, bytes),
          error => this.#failed(error as Error, bytes),
        )
      } else {
        this.#producer.send(record, error => {
          if (error === null) this.#delivered(number, sentAt, bytes)
          else this.#failed(error, bytes)
        })
      }
    }
    return index
  }

  #sendMany(first: number, end: number): number {
    const { topic } = this.#plan
    const last = Math.min(end, first + BURST_RECORDS)
    const records: ProducerRecord[] = []
    const sizes: number[] = []
    let bytes = 0
    for (let index = first; index < last && (bytes === 0 || bytes < BURST_BYTES); index++) {
      const value = this.#payloads.at(index, bytes)
      records.push({ topic, value })
      sizes.push(value.length)
      bytes += value.length
      this.#options.onSent(index)
    }
    this.#opened(records.length, bytes)
    const sentAt = performance.now()
    this.#producer.sendMany(records).then(
      () => {
        for (const [index, size] of sizes.entries()) this.#delivered(first + index, sentAt, size)
      },
      error => {
        const { errors } = error instanceof SendManyError ? error : { errors: null }
        for (const [index, size] of sizes.entries()) {
          const own = errors === null ? (error as Error) : errors.get(index)
          if (own === undefined) this.#delivered(first + index, sentAt, size)
          else this.#failed(own, size)
        }
      },
    )
    return first + records.length
  }

  #opened(records: number, bytes: number): void {
    this.#openRecords += records
    this.#openBytes += bytes + records * RECORD_OVERHEAD_BYTES
  }

  #delivered(index: number, sentAt: number, bytes: number): void {
    const now = performance.now()
    this.#settle(bytes)
    this.#options.onDelivered(index, now - sentAt, bytes, now)
  }

  #failed(error: Error, bytes: number): void {
    this.#settle(bytes)
    this.#options.onFailed(error, 1)
  }

  #settle(bytes: number): void {
    this.#settled++
    this.#openRecords--
    this.#openBytes -= bytes + RECORD_OVERHEAD_BYTES
    if (this.#openBytes < this.#bufferBytes) this.#wake?.()
  }

  /** Resolves when there is room in the buffer, or no more is to be sent. */
  async #room(): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
    this.#wake = null
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, Math.max(SLEEP_MIN_MS, ms))
      this.#wakeSleeper(timer, resolve)
    })
    this.#wake = null
  }

  #wakeSleeper(timer: NodeJS.Timeout, resolve: () => void): void {
    this.#wake = () => {
      if (!this.#stopped) return
      clearTimeout(timer)
      resolve()
    }
  }

  async #step<T>(answer: Promise<T>): Promise<T> {
    this.#steps.open++
    try {
      return await answer
    } finally {
      this.#steps.open--
      this.#steps.done++
    }
  }

  /** As the promise, but resolves when no more is to be sent. */
  async #untilStopped(promise: Promise<void>): Promise<void> {
    promise.catch(() => {})
    await Promise.race([
      promise,
      new Promise<void>(resolve => {
        this.#wake = () => {
          if (this.#stopped) resolve()
        }
      }),
    ])
    this.#wake = null
  }
}

/** The values of the records, the same in every run and the same as those of kafka-producer-perf-test. */
class Payloads {
  readonly #plan: PerfPlan
  readonly #random: SplittableRandom

  constructor(plan: PerfPlan) {
    this.#plan = plan
    const { payload, mode } = plan
    const one = payload.kind === 'random' ? payload.bytes : 0
    const many = Math.min(BURST_BYTES, one * BURST_RECORDS) + one
    this.#random = new SplittableRandom(mode === 'many' ? many : one)
  }

  /** `place` is where random letters are put; what was made there before is not valid any more. */
  at(index: number, place: number): Buffer {
    const { payload } = this.#plan
    if (payload.kind === 'random') return this.#random.letters(place, payload.bytes)
    if (payload.kind === 'monotonic') return Buffer.from(`${index}`)
    return payload.values[this.#random.nextInt(payload.values.length)] as Buffer
  }
}
