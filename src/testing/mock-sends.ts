import type { KafkaError } from '../errors/index.js'
import { asKafkaError, placeOf } from '../producer/record/record-errors.js'
import { RecordMetadata } from '../producer/record-metadata.js'
import type { ProducerRecord } from '../producer/types.js'
import { MockPreparation } from './mock-preparation.js'
import type { CopiedRecord, MockRecordTaker, TakenRecord } from './mock-record.js'
import type { MockTransactions } from './mock-transactions.js'

/** Gets the error or null, and metadata in any case. */
type Settle = (error: KafkaError | null, metadata: RecordMetadata) => void

/** A send without an outcome. */
interface Completion {
  readonly taken: TakenRecord<unknown, unknown>
  readonly offset: bigint
  readonly sentAtMs: number
  readonly settle: Settle
}

interface MockSendsOptions<K, V> {
  readonly taker: MockRecordTaker<K, V>
  readonly transactions: MockTransactions<ProducerRecord<K, V>>
  readonly autoComplete: boolean
  /** Throws where no record may be sent now. */
  readonly checkSendable: () => void
  /** What the test lets every record fail with; it is told as it is. */
  readonly sendException: () => Error | null
}

/** Java's, for what no record has told. */
const UNKNOWN = -1

/** What a mock was given to send: what waits for serializers, what is pending, and what was sent. */
export class MockSends<K, V> {
  readonly preparation: MockPreparation
  /** Records sent outside transactions or in committed ones. */
  history: ProducerRecord<K, V>[] = []
  /** When a send has last been completed successfully; NaN: none has. */
  lastCompletedAtMs = Number.NaN
  private readonly options: MockSendsOptions<K, V>
  private completions: Completion[] = []
  /** Of the next record, by topic and partition. */
  private readonly nextOffsets = new Map<string, bigint>()

  constructor(options: MockSendsOptions<K, V>) {
    this.options = options
    this.preparation = new MockPreparation(options.taker.preparers)
  }

  /** No send waits for its outcome. */
  get isEmpty(): boolean {
    return this.completions.length === 0 && this.preparation.isEmpty
  }

  /** When the oldest send without an outcome was made; Infinity: all have theirs. */
  get oldestSentAtMs(): number {
    const [head] = this.completions
    return Math.min(head?.sentAtMs ?? Number.POSITIVE_INFINITY, this.preparation.oldestSentAtMs)
  }

  /** What is wrong with the record is told on a later turn, as everything else. */
  start(record: ProducerRecord<K, V>, owner: object, settle: Settle): void {
    const sentAtMs = performance.now()
    const { taker, checkSendable } = this.options
    const place = placeOf(record)
    const fail = (error: Error) =>
      queueMicrotask(() => settle(error as KafkaError, RecordMetadata.unsent(place.topic, place.partition)))
    const refuse = (thrown: unknown) =>
      fail(thrown === this.options.sendException() ? (thrown as Error) : asKafkaError(thrown, place.topic))
    try {
      checkSendable()
      const copied = taker.copy(record)
      const { topic } = copied.record
      const proceed = () => {
        try {
          // Held records come when the producer may be closed.
          checkSendable()
          this.accept(copied, sentAtMs, settle)
        } catch (thrown) {
          refuse(thrown)
        }
      }
      if (this.preparation.mustWait(topic)) this.preparation.hold(topic, { owner, sentAtMs, proceed, fail })
      else this.accept(copied, sentAtMs, settle)
    } catch (thrown) {
      refuse(thrown)
    }
  }

  /** Settles the oldest send that is pending. False if there is none. */
  complete(error: Error | null): boolean {
    const completion = this.completions.shift()
    if (completion === undefined) return false
    this.settle(completion, error)
    return true
  }

  /** Forgets records and sends; offsets go on. */
  clear(): void {
    this.history = []
    this.completions = []
    this.preparation.takeAll()
  }

  private accept(copied: CopiedRecord<K, V>, sentAtMs: number, settle: Settle): void {
    const { taker, transactions, autoComplete } = this.options
    const taken = taker.place(copied)
    const completion = { taken, offset: this.takeOffset(taken), sentAtMs, settle }
    if (transactions.isInFlight) transactions.uncommitted.push(taken.record)
    else this.history.push(taken.record)
    if (autoComplete) queueMicrotask(() => this.settle(completion, null))
    else this.completions.push(completion)
  }

  private takeOffset({ record: { topic }, partition }: TakenRecord<K, V>): bigint {
    const place = `${topic}-${partition}`
    const offset = this.nextOffsets.get(place) ?? 0n
    this.nextOffsets.set(place, offset + 1n)
    return offset
  }

  private settle({ taken, offset, settle }: Completion, error: Error | null): void {
    const { record, partition, timestampMs, keyBytes, valueBytes } = taken
    const place = { topic: record.topic, partition }
    if (error === null) {
      this.lastCompletedAtMs = performance.now()
      settle(null, RecordMetadata.of({ ...place, offset, timestampMs, keyBytes, valueBytes }))
      return
    }
    const unknown = { timestampMs: UNKNOWN, keyBytes: UNKNOWN, valueBytes: UNKNOWN }
    settle(error as KafkaError, RecordMetadata.of({ ...place, offset: BigInt(UNKNOWN), ...unknown }))
  }
}
