import { type Batch, NO_SEQUENCE } from '../accumulator/batch.js'
import type { PartitionState } from '../accumulator/topic.js'

/** Sequences run from 0 to 2³¹ − 1 and begin again at 0. */
const SEQUENCE_MODULUS = 2 ** 31
const EPOCH_MAX = 32767
const NO_PRODUCER_ID = -1n

/** The sequence that follows `count` records from `sequence` on. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCE_MODULUS
}

/**
 * The producer id and epoch under which batches are sent, and the sequences of every partition (KIP-98,
 * KIP-360). A bump takes the next epoch without asking anyone; the partition that needed it begins again at
 * sequence 0 with its batches rewritten, the others follow once what they have in flight is settled.
 */
export class ProducerIdentity {
  readonly idempotent: boolean
  producerId = NO_PRODUCER_ID
  epoch = -1
  /** Counts identities, so that comparing one number tells whether a batch or partition belongs to the present one. */
  serial = 0

  constructor(idempotent: boolean) {
    this.idempotent = idempotent
  }

  /** Whether batches may be given sequences; a producer without idempotence needs none. */
  get isReady(): boolean {
    return !this.idempotent || this.producerId !== NO_PRODUCER_ID
  }

  get idHigh(): number {
    return Number(this.producerId >> 32n) | 0
  }

  get idLow(): number {
    return Number(BigInt.asIntN(32, this.producerId))
  }

  set(producerId: bigint, epoch: number): void {
    this.producerId = producerId
    this.epoch = epoch
    this.serial++
  }

  /** Forgets the id; a new one has to be asked for. */
  reset(): void {
    this.producerId = NO_PRODUCER_ID
    this.epoch = -1
  }

  /** Takes the next epoch. False if there is none left, and a new producer id is needed. */
  bumpEpoch(): boolean {
    if (this.epoch >= EPOCH_MAX) {
      this.reset()
      return false
    }
    this.set(this.producerId, this.epoch + 1)
    return true
  }

  /** The partition begins again at sequence 0 under the present identity. */
  restart(partition: PartitionState): void {
    partition.identitySerial = this.serial
    partition.nextSequence = 0
    partition.lastAckedSequence = -1
    partition.lastAckedOffset = -1n
  }

  /** Gives a batch its sequence: after the partition's last, or anew when its epoch was bumped. */
  assignSequence(batch: Batch): void {
    const { partition } = batch
    if (batch.baseSequence === NO_SEQUENCE) partition.sequenced.push(batch)
    batch.baseSequence = partition.nextSequence
    batch.identitySerial = this.serial
    partition.nextSequence = sequenceAfter(partition.nextSequence, batch.recordCount)
  }
}
