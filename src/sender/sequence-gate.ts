import type { DrainGate } from '../accumulator/accumulator.js'
import type { Batch } from '../accumulator/batch/batch.js'
import type { PartitionState } from '../accumulator/partition/topic-state.js'
import type { NativeCore } from '../native/addon.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'
import { firstUnacked, type ProducerIdentity } from './producer-identity.js'

/** Header value of id, epoch and sequence where the producer is not idempotent. */
const NONE = -1
/** Bit of the header's attributes: the batch is part of a transaction. */
const TRANSACTIONAL = 0x10

/** What keeps the order of a partition's records: who may be sent now, and under which sequence. */
export class SequenceGate implements DrainGate {
  private readonly identity: ProducerIdentity
  private readonly core: NativeCore
  /** `max.in.flight.requests.per.connection` is 1: order holds even without idempotence. */
  private readonly oneInFlight: boolean
  private readonly transactions: TransactionManager | null

  constructor(
    identity: ProducerIdentity,
    core: NativeCore,
    oneInFlight: boolean,
    transactions: TransactionManager | null,
  ) {
    this.identity = identity
    this.core = core
    this.oneInFlight = oneInFlight
    this.transactions = transactions
  }

  mayDrain(partition: PartitionState, head: Batch): boolean {
    const { identity } = this
    const isBusy = partition.onWire > 0
    if (this.oneInFlight && isBusy) return false
    if (!identity.idempotent) return true
    if (this.transactions !== null) {
      if (!this.transactions.mayDrain(partition, head.producer === null)) return false
      if (partition.needsEpochBump && !this.mayPassGap(partition, head)) return false
    } else if (partition.needsEpochBump && !mustResolve(head) && !this.leaveEpoch(partition)) return false
    if (head.producer !== null) {
      // After an error batches go again one at a time, lowest sequence first.
      if (partition.drained[0] !== head) return false
    } else if (identity.current === null) {
      return false
    } else if (partition.producer !== identity.current) {
      // Batches of the former epoch must be settled before the partition begins with the new one.
      if (partition.drained.length > 0) return false
      identity.restart(partition)
    }
    return !isBusy || isProven(partition)
  }

  assign(batch: Batch): void {
    if (batch.bytes > 0) return
    if (this.identity.idempotent && batch.producer === null) this.identity.assignSequence(batch)
    const { handle, producer, baseSequence, codecId } = batch
    const attributes = this.transactions === null ? codecId : codecId | TRANSACTIONAL
    batch.bytes =
      producer === null
        ? this.core.finish(handle, NONE, NONE, NONE, NONE, codecId)
        : this.core.finish(handle, producer.idHigh, producer.idLow, producer.epoch, baseSequence, attributes)
  }

  /** The leader has stored the batch: from now on it checks the sequences that follow. */
  prove(batch: Batch, leaderId: number): void {
    const { partition } = batch
    partition.provenLeaderId = leaderId
    partition.provenLeaderEpoch = batch.attemptLeaderEpoch
    partition.provenProducer = batch.producer
  }

  /**
   * In a transaction a gap ends when the next epoch comes, with the next transaction. Until then only batches
   * go that have been sent before, for their fate is awaited.
   */
  private mayPassGap(partition: PartitionState, head: Batch): boolean {
    if (partition.producer === this.identity.current) return head.producer !== null
    partition.needsEpochBump = false
    return true
  }

  /**
   * Ends the partition's epoch once nothing of it is on the wire and no socket reads its batches, which begin
   * again at sequence 0 in the next one. False while that has to wait, or a new producer id is needed.
   */
  private leaveEpoch(partition: PartitionState): boolean {
    const { identity } = this
    const { drained } = partition
    if (partition.onWire > 0) return false
    if (drained.length === 0 && firstUnacked(partition) === partition.nextSequence) {
      // What was given up turned out to have been stored: the broker misses nothing.
      partition.needsEpochBump = false
      return true
    }
    if (drained.some(batch => batch.readers > 0)) return false
    // Where another partition has bumped the epoch since, this one only has to follow.
    if (partition.producer === identity.current) identity.bumpEpoch()
    if (identity.current === null) return false
    partition.needsEpochBump = false
    identity.restart(partition)
    for (const batch of drained) {
      identity.assignSequence(batch)
      batch.mayBeStored = false
      batch.bytes = 0
    }
    return true
  }
}

/**
 * Whether the batch must be sent again under its old sequence, even though the partition is to change epochs:
 * it may be stored already, and only that sequence lets the broker recognise it. If the first of several is
 * known not to be stored, none is, for a broker takes them in order.
 */
function mustResolve(head: Batch): boolean {
  return head.producer !== null && head.mayBeStored
}

function isProven(partition: PartitionState): boolean {
  return (
    partition.provenLeaderId === partition.leaderId &&
    partition.provenLeaderEpoch === partition.leaderEpoch &&
    partition.provenProducer === partition.producer
  )
}
