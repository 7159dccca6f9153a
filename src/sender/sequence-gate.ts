import type { DrainGate } from '../accumulator/accumulator-options.js'
import type { PartitionBatch, PartitionState } from '../accumulator/partition/partition-state.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'
import type { ProducerIdentity } from './producer-identity.js'

/** Bit of the header's attributes: the batch is part of a transaction. */
const TRANSACTIONAL = 0x10

/**
 * What keeps the order of a partition's records: who may be sent now, and under which sequence. `prepare`
 * acts, `mayDrain` only asks. The sequences themselves are kept by `PartitionSequences`.
 *
 * A broker that answers OUT_OF_ORDER_SEQUENCE_NUMBER to the oldest batch in flight (`verdict.ts`) makes the
 * partition need another epoch. Then, in order:
 *
 * 1. No new batch goes out. What may be stored goes again under its old sequence, until it is stored or the
 *    broker has refused it for its sequence.
 * 2. Once nothing is on the wire and no socket reads the partition's batches, the epoch is bumped.
 * 3. What is left starts again at sequence 0, in the order in which it was.
 */
export class SequenceGate implements DrainGate {
  private readonly identity: ProducerIdentity
  /** `max.in.flight.requests.per.connection` is 1: order holds even without idempotence. */
  private readonly oneInFlight: boolean
  private readonly transactions: TransactionManager | null
  /** When the sender's turn has begun, on the monotonic clock. */
  private turnMs = Number.NEGATIVE_INFINITY

  constructor(identity: ProducerIdentity, oneInFlight: boolean, transactions: TransactionManager | null) {
    this.identity = identity
    this.oneInFlight = oneInFlight
    this.transactions = transactions
  }

  /** What is drained from now on is drained in the turn that has begun then. */
  beginTurn(nowMs: number): void {
    this.turnMs = nowMs
  }

  prepare(partition: PartitionState, head: PartitionBatch): void {
    const { identity } = this
    const { sequences } = partition
    if (!identity.idempotent) return
    if (sequences.needsEpochBump) {
      if (this.transactions !== null) this.endGapOfFormerTransaction(partition)
      else if (!mustResolve(head)) this.leaveEpoch(partition)
    }
    // Batches of the former epoch must be settled before the partition begins with the new one.
    if (sequences.needsEpochBump || head.producer !== null || partition.inFlight.length > 0) return
    if (identity.current !== null && sequences.producer !== identity.current)
      sequences.restart(identity.current)
  }

  mayDrain(partition: PartitionState, head: PartitionBatch): boolean {
    const { identity } = this
    const { sequences } = partition
    const isBusy = partition.onWire > 0
    if (this.oneInFlight && isBusy) return false
    if (!identity.idempotent) return true
    if (this.transactions !== null && !this.transactions.mayDrain(partition, head.producer === null))
      return false
    if (sequences.needsEpochBump && !this.mayPassGap(head)) return false
    if (head.producer !== null) {
      // After an error batches go again one at a time, lowest sequence first.
      if (partition.inFlight[0] !== head) return false
    } else if (identity.current === null || sequences.producer !== identity.current) return false
    return !isBusy || sequences.isProvenBy(partition.leaderId, partition.leaderEpoch, this.turnMs)
  }

  assign(batch: PartitionBatch): number {
    if (this.identity.idempotent && batch.producer === null) batch.partition.sequences.assign(batch)
    return this.transactions === null ? 0 : TRANSACTIONAL
  }

  /**
   * Behind a gap only batches go that have been sent before, for their fate is awaited. Without transactions
   * only those that may be stored: for the others the partition waits until it can leave its epoch.
   */
  private mayPassGap(head: PartitionBatch): boolean {
    return this.transactions === null ? mustResolve(head) : head.producer !== null
  }

  /**
   * In a transaction the epoch stays. A gap ends when the next transaction has brought another one. Where the
   * coordinator gives no other epoch (before Kafka 2.5), the sequences are taken back: all that failed in the
   * former transaction was refused, or the producer would have failed with it.
   */
  private endGapOfFormerTransaction({ sequences, inFlight }: PartitionState): void {
    if (sequences.producer !== this.identity.current) sequences.closeGap()
    else if (this.transactions?.reusesEpoch && inFlight.length === 0) sequences.takeBack()
  }

  /**
   * Ends the partition's epoch once nothing of it is on the wire and no socket reads its batches, which begin
   * again at sequence 0 in the next one. Does nothing while that has to wait, or a new producer id is needed.
   */
  private leaveEpoch(partition: PartitionState): void {
    const { identity } = this
    const { sequences, inFlight } = partition
    if (partition.onWire > 0) return
    if (inFlight.length === 0 && sequences.isComplete) {
      // What was given up turned out to have been stored: the broker misses nothing.
      sequences.closeGap()
      return
    }
    if (inFlight.some(batch => batch.readers > 0)) return
    // Where another partition has bumped the epoch since, this one only has to follow.
    if (sequences.producer === identity.current) identity.bumpEpoch()
    if (identity.current === null) return
    sequences.closeGap()
    sequences.restart(identity.current)
    for (const batch of inFlight) sequences.assign(batch)
  }
}

/**
 * Whether the batch must be sent again under its old sequence, even though the partition is to change epochs:
 * it may be stored already, and only that sequence lets the broker recognise it. If the first of several is
 * known not to be stored, none is, for a broker takes them in order.
 */
function mustResolve(head: PartitionBatch): boolean {
  return head.producer !== null && head.mayBeStored
}
