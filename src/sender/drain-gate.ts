import type { DrainGate } from '../accumulator/accumulator.js'
import { type Batch, NO_SEQUENCE } from '../accumulator/batch.js'
import type { PartitionState } from '../accumulator/topic.js'
import type { NativeCore } from '../native/addon.js'
import type { ProducerIdentity } from './producer-identity.js'

/** Header value of id, epoch and sequence where the producer is not idempotent. */
const NONE = -1

/** What keeps the order of a partition's records: who may be sent now, and under which sequence. */
export class SequenceGate implements DrainGate {
  private readonly identity: ProducerIdentity
  private readonly core: NativeCore
  /** `max.in.flight.requests.per.connection` is 1: order holds even without idempotence. */
  private readonly oneInFlight: boolean

  constructor(identity: ProducerIdentity, core: NativeCore, oneInFlight: boolean) {
    this.identity = identity
    this.core = core
    this.oneInFlight = oneInFlight
  }

  mayDrain(partition: PartitionState, head: Batch): boolean {
    const { identity } = this
    const isBusy = partition.onWire > 0
    if (this.oneInFlight && isBusy) return false
    if (!identity.idempotent) return true
    if (partition.needsEpochBump && !this.bump(partition)) return false
    if (head.baseSequence !== NO_SEQUENCE) {
      // After an error batches go again one at a time, lowest sequence first.
      if (partition.sequenced[0] !== head) return false
    } else if (partition.identitySerial !== identity.serial) {
      // Batches of the former epoch must be settled before the partition begins with the new one.
      if (partition.sequenced.length > 0) return false
      identity.restart(partition)
    }
    return !isBusy || this.isProven(partition)
  }

  assign(batch: Batch): void {
    if (batch.bytes > 0) return
    if (this.identity.idempotent) this.identity.assignSequence(batch)
    this.writeHeader(batch)
  }

  /** The partition's leader has stored a batch of the present identity: from now on it checks sequences. */
  prove(batch: Batch, leaderId: number): void {
    batch.partition.provenLeaderId = leaderId
    batch.partition.provenIdentitySerial = batch.identitySerial
  }

  private isProven(partition: PartitionState): boolean {
    return (
      partition.provenLeaderId === partition.leaderId &&
      partition.provenIdentitySerial === partition.identitySerial
    )
  }

  /**
   * Bumps the epoch for a partition once nothing of it is on the wire and no socket can read its batches, which
   * are rewritten from sequence 0 on. False while that has to wait, or a new producer id has to be asked for.
   */
  private bump(partition: PartitionState): boolean {
    if (partition.onWire > 0) return false
    for (const batch of partition.sequenced) if (batch.readers > 0) return false
    if (!this.identity.bumpEpoch()) return false
    partition.needsEpochBump = false
    this.identity.restart(partition)
    for (const batch of partition.sequenced) {
      this.identity.assignSequence(batch)
      this.writeHeader(batch)
    }
    return true
  }

  private writeHeader(batch: Batch): void {
    const { identity, core } = this
    batch.bytes = identity.idempotent
      ? core.finish(
          batch.handle,
          identity.idHigh,
          identity.idLow,
          identity.epoch,
          batch.baseSequence,
          batch.codecId,
        )
      : core.finish(batch.handle, NONE, NONE, NONE, NONE, batch.codecId)
  }
}
