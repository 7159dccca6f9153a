import type { PartitionState } from './partition-state.js'

/**
 * Partitions whose head batch backs off. While none is due a look costs the same however many there are: all
 * those of a broker that has gone back off together.
 */
export class BackoffSet {
  private readonly partitions = new Set<PartitionState>()
  private earliest = Number.POSITIVE_INFINITY

  /** No backoff ends before. */
  get earliestMs(): number {
    return this.earliest
  }

  /** No drain before `untilMs` on the monotonic clock, or before what was said earlier if that is later. */
  add(partition: PartitionState, untilMs: number): void {
    partition.backoffUntilMs = Math.max(partition.backoffUntilMs, untilMs)
    this.partitions.add(partition)
    this.earliest = Math.min(this.earliest, partition.backoffUntilMs)
  }

  remove(partition: PartitionState): void {
    partition.backoffUntilMs = Number.NEGATIVE_INFINITY
    this.partitions.delete(partition)
    if (this.partitions.size === 0) this.earliest = Number.POSITIVE_INFINITY
  }

  has(partition: PartitionState): boolean {
    return this.partitions.has(partition)
  }

  /** Partitions whose backoff is over; they are to be removed. */
  due(nowMs: number): PartitionState[] {
    if (nowMs < this.earliest) return []
    const due: PartitionState[] = []
    this.earliest = Number.POSITIVE_INFINITY
    for (const partition of this.partitions) {
      if (partition.backoffUntilMs <= nowMs) due.push(partition)
      else this.earliest = Math.min(this.earliest, partition.backoffUntilMs)
    }
    return due
  }

  [Symbol.iterator](): Iterator<PartitionState> {
    return this.partitions.values()
  }
}
