import type { KafkaError } from '../../errors/index.js'

/**
 * What became of a batch. Made when the batch is opened, decided once; metadata objects point at it, so it
 * holds nothing that would keep the batch itself alive.
 */
export class BatchOutcome {
  readonly topic: string
  readonly partition: number
  /** Offset of the first record; -1n while or where it is unknown (acks 0, duplicate, failure). */
  baseOffset = -1n
  /** `baseOffset` as a number once somebody has asked for it; -1 before. */
  private baseNumber = -1
  /**
   * The broker's append time in ms since the epoch; NaN (a double, as times are) where the record's own
   * holds.
   */
  logAppendTimeMs = Number.NaN
  error: KafkaError | null = null
  /** Errors of single records by index, where the broker named them (KIP-467). */
  recordErrors: ReadonlyMap<number, KafkaError> | null = null
  /** The outcomes of the batches that have taken its place, in order. Null if none has. */
  parts: readonly OutcomePart[] | null = null

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** The error of one record of the batch, or null if it was stored. */
  errorOf(index: number): KafkaError | null {
    const part = this.partOf(index)
    if (part !== null) return part.outcome.errorOf(index - part.firstIndex)
    return this.recordErrors?.get(index) ?? this.error
  }

  /** Offset of one record, -1n where it is unknown. */
  offsetOf(index: number): bigint {
    const part = this.partOf(index)
    if (part !== null) return part.outcome.offsetOf(index - part.firstIndex)
    return this.baseOffset < 0n ? -1n : this.baseOffset + BigInt(index)
  }

  /**
   * Offset of one record as a number, NaN where it is unknown or beyond 2^53: without a bigint for each,
   * which whoever looks at every record would pay for.
   */
  safeOffsetOf(index: number): number {
    const part = this.partOf(index)
    if (part !== null) return part.outcome.safeOffsetOf(index - part.firstIndex)
    if (this.baseNumber < 0) {
      if (this.baseOffset < 0n) return Number.NaN
      this.baseNumber = Number(this.baseOffset)
    }
    const offset = this.baseNumber + index
    return offset <= Number.MAX_SAFE_INTEGER ? offset : Number.NaN
  }

  /** The broker's append time of one record, NaN where the topic keeps the record's own. */
  logAppendTimeOf(index: number): number {
    const part = this.partOf(index)
    return part === null ? this.logAppendTimeMs : part.outcome.logAppendTimeOf(index - part.firstIndex)
  }

  /** The part that the record has gone on in. Null if the batch has none, or the record was refused. */
  private partOf(index: number): OutcomePart | null {
    const { parts } = this
    if (parts === null) return null
    let at = parts.length - 1
    while (at > 0 && (parts[at] as OutcomePart).firstIndex > index) at--
    const part = parts[at] as OutcomePart
    return index >= part.firstIndex && index < part.firstIndex + part.recordCount ? part : null
  }
}

/** What became of `recordCount` records from `firstIndex` on. */
interface OutcomePart {
  readonly firstIndex: number
  readonly recordCount: number
  readonly outcome: BatchOutcome
}

/** What those who wait for batches keep with a partition. Nothing in this room looks at it. */
export interface AwaitedPartition {
  /** Records with promises in its last batch that had any. */
  likelyPromises: number
}

/** What those who wait for a batch need of it. */
export interface AwaitedBatch {
  readonly outcome: BatchOutcome
  readonly partition: AwaitedPartition
  readonly settlements: Settlement[]
  attachment: object | null
}

/** A batch that has taken the place of some records of another. */
export interface BatchPart {
  readonly firstIndex: number
  readonly recordCount: number
  readonly batch: AwaitedBatch
}

/** An entry of a batch's list: called once, in append order, when the outcome is decided. */
export interface Settlement {
  settle(outcome: BatchOutcome): void
  /**
   * Smaller batches take the batch's place: its records are awaited in those from now on. A record that is in
   * no part has its error in `outcome`. Without this method, `settle` is called after the last part.
   */
  followParts?(parts: readonly BatchPart[], outcome: BatchOutcome): void
}

/** The part that has taken over the record. Undefined: the record was refused. */
export function partOf(parts: readonly BatchPart[], index: number): BatchPart | undefined {
  return parts.find(({ firstIndex, recordCount }) => index >= firstIndex && index < firstIndex + recordCount)
}
