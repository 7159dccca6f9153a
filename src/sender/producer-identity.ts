import { ProducerIdAndEpoch } from '../accumulator/batch/producer-id-and-epoch.js'

/** Epochs are int16 (KIP-360). The last one is used, then another id is needed. */
const EPOCH_MAX = 32767

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

  /** The id is of no use any more: a new one is needed. Batches that have a sequence keep theirs. */
  forget(): void {
    this.current = null
  }

  /** Takes the next epoch. After the last one the id is forgotten, and a new one is needed. */
  bumpEpoch(): void {
    const { current } = this
    if (current === null) return
    if (current.epoch >= EPOCH_MAX) this.current = null
    else this.set(current.producerId, current.epoch + 1)
  }
}
