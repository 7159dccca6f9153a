import { Fifo } from '../../common/fifo.js'
import { BatchPhase } from '../batch/batch.js'
import type { PartitionBatch } from './partition-state.js'

/**
 * Open batches in the order of their creation, until their linger time (`linger.ms`) is over. A batch that is
 * sealed has no reason left to linger. Flushes, closing and lack of memory cut all lingers short.
 */
export class LingerQueue {
  private readonly lingerMs: number
  private readonly batches = new Fifo<PartitionBatch>()
  /** Flushes in progress, plus one while closing. */
  private hurries = 0

  constructor(lingerMs: number) {
    this.lingerMs = lingerMs
  }

  /** A new batch lingers, unless `mustGo` or a flush says that it may go at once. */
  open(batch: PartitionBatch, mustGo: boolean): void {
    if (this.lingerMs === 0 || this.hurries > 0 || mustGo) batch.lingerOver = true
    else this.batches.push(batch)
  }

  /** From now on nothing lingers, until {@link endHurry}. */
  beginHurry(): void {
    this.hurries++
  }

  endHurry(): void {
    this.hurries--
  }

  /** The next batch whose linger time is over, which lingers no longer; undefined if there is none. */
  shiftDue(nowMs: number): PartitionBatch | undefined {
    const head = this.batches.peek()
    if (head === undefined) return undefined
    if (head.phase === BatchPhase.OPEN && nowMs - head.createdMs < this.lingerMs) return undefined
    return this.end(this.batches.shift() as PartitionBatch)
  }

  /** All that linger, which linger no longer. */
  takeAll(): readonly PartitionBatch[] {
    if (this.batches.length === 0) return NONE
    const taken = this.batches.drain()
    for (const batch of taken) this.end(batch)
    return taken
  }

  /** The batch lingers no longer. */
  end(batch: PartitionBatch): PartitionBatch {
    batch.lingerOver = true
    return batch
  }

  /** When the next linger is over, on the monotonic clock. */
  get nextDeadlineMs(): number {
    const head = this.batches.peek()
    return head === undefined ? Number.POSITIVE_INFINITY : head.createdMs + this.lingerMs
  }
}

const NONE: readonly PartitionBatch[] = []
