import type { Batch } from '../accumulator/batch/batch.js'
import { ProducerIdAndEpoch, sequenceAfter } from '../accumulator/batch/producer-id-and-epoch.js'
import type { PartitionState } from '../accumulator/partition/topic-state.js'

const EPOCH_MAX = 32767

/** The first sequence that the partition's leader has not acknowledged. */
export function firstUnacked(partition: PartitionState): number {
  return partition.lastAckedSequence < 0 ? 0 : sequenceAfter(partition.lastAckedSequence, 1)
}

/**
 * The producer id and epoch under which new batches are sent, and the sequences of every partition (KIP-98,
 * KIP-360). A bump takes the next epoch without asking anyone; the partition that needed it begins again at
 * sequence 0 with its batches rewritten, the others follow once what they have in flight is settled.
 */
export class ProducerIdentity {
  readonly idempotent: boolean
  /** Null while an id has to be asked for: batches that have a sequence are still retried under theirs. */
  current: ProducerIdAndEpoch | null = null

  constructor(idempotent: boolean) {
    this.idempotent = idempotent
  }

  /** Whether new batches may be given sequences; a producer without idempotence needs none. */
  get isReady(): boolean {
    return !this.idempotent || this.current !== null
  }

  set(producerId: bigint, epoch: number): void {
    this.current = new ProducerIdAndEpoch(producerId, epoch)
  }

  /** Takes the next epoch. After the last one the id is forgotten, and a new one is needed. */
  bumpEpoch(): void {
    const { current } = this
    if (current === null) return
    if (current.epoch >= EPOCH_MAX) this.current = null
    else this.set(current.producerId, current.epoch + 1)
  }

  /** The partition begins again at sequence 0 under the present id and epoch. */
  restart(partition: PartitionState): void {
    partition.producer = this.current
    partition.nextSequence = 0
    partition.lastAckedSequence = -1
  }

  /** Gives a batch the sequence after the partition's last. */
  assignSequence(batch: Batch): void {
    const { partition } = batch
    batch.producer = partition.producer
    batch.baseSequence = partition.nextSequence
    partition.nextSequence = sequenceAfter(partition.nextSequence, batch.recordCount)
  }
}
