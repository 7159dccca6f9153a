import type { EndTxnRpc } from './end-txn-rpc.js'
import { TransactionPartitions } from './partitions.js'

/**
 * What a failed batch leaves behind in the sequences of its partition: nothing; a gap whose sequences the
 * broker has certainly not stored; a gap of which nobody knows.
 */
export type SequenceGap = 'none' | 'refused' | 'unsure'

/** What the coordinator may know of the transaction that is open, and whether it has been asked to end it. */
export class OpenTransaction {
  readonly partitions = new TransactionPartitions()
  private started: 'no' | 'perhaps' | 'yes' = 'no'
  private end: EndTxnRpc | null = null

  /** There may be something for the coordinator to end. */
  get mayBeStarted(): boolean {
    return this.started !== 'no'
  }

  /** All that would have begun it has had no answer, or none that says whether it has. */
  get isDoubtful(): boolean {
    return this.started === 'perhaps'
  }

  /** The coordinator has been asked to end it: how it ends is not the caller's to choose any more. */
  get isEndSent(): boolean {
    return this.end?.isSent === true
  }

  /** The coordinator knows of it, or will before it is asked to end it. */
  begin(): void {
    this.started = 'yes'
  }

  /** A request that begins it may have been carried out. */
  doubt(): void {
    if (this.started === 'no') this.started = 'perhaps'
  }

  endBy(end: EndTxnRpc): EndTxnRpc {
    this.end = end
    return end
  }

  /** It has ended; the next one begins with nothing. */
  clear(): void {
    this.partitions.clear()
    this.started = 'no'
    this.end = null
  }
}
