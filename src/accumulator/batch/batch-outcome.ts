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
  /**
   * The broker's append time in ms since the epoch; NaN (a double, as times are) where the record's own
   * holds.
   */
  logAppendTimeMs = Number.NaN
  error: KafkaError | null = null
  /** Errors of single records by index, where the broker named them (KIP-467). */
  recordErrors: ReadonlyMap<number, KafkaError> | null = null
  /** The outcomes of the batches that this one was split into, in order; null if it was not. */
  parts: readonly OutcomePart[] | null = null

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** The error of one record of the batch, or null if it was stored. */
  errorOf(index: number): KafkaError | null {
    if (this.parts !== null) {
      const { firstIndex, outcome } = this.partOf(index)
      return outcome.errorOf(index - firstIndex)
    }
    return this.recordErrors?.get(index) ?? this.error
  }

  /** Offset of one record, -1n where it is unknown. */
  offsetOf(index: number): bigint {
    if (this.parts !== null) {
      const { firstIndex, outcome } = this.partOf(index)
      return outcome.offsetOf(index - firstIndex)
    }
    return this.baseOffset < 0n ? -1n : this.baseOffset + BigInt(index)
  }

  /** The broker's append time of one record, -1 where the topic keeps the record's own. */
  logAppendTimeOf(index: number): number {
    if (this.parts === null) return this.logAppendTimeMs
    const { firstIndex, outcome } = this.partOf(index)
    return outcome.logAppendTimeOf(index - firstIndex)
  }

  private partOf(index: number): OutcomePart {
    const parts = this.parts as readonly OutcomePart[]
    let at = parts.length - 1
    while (at > 0 && (parts[at] as OutcomePart).firstIndex > index) at--
    return parts[at] as OutcomePart
  }
}

/** What became of the records from `firstIndex` on. */
interface OutcomePart {
  readonly firstIndex: number
  readonly outcome: BatchOutcome
}

/** An entry of a batch's list: told once, in append order, when the outcome is decided. */
export interface Settlement {
  settle(outcome: BatchOutcome): void
}
