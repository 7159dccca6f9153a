import type { PartitionState } from './partition-state.js'

/** The ready partitions of one leader, linked through themselves, so that any of them leaves at no cost. */
class ReadyList {
  first: PartitionState | null = null
  private last: PartitionState | null = null
  length = 0

  push(partition: PartitionState, leaderId: number): void {
    partition.readyLeader = leaderId
    partition.readyPrevious = this.last
    if (this.last === null) this.first = partition
    else this.last.readyNext = partition
    this.last = partition
    this.length++
  }

  remove(partition: PartitionState): void {
    const { readyPrevious: previous, readyNext: next } = partition
    if (previous === null) this.first = next
    else previous.readyNext = next
    if (next === null) this.last = previous
    else next.readyPrevious = previous
    partition.readyPrevious = null
    partition.readyNext = null
    partition.readyLeader = null
    this.length--
  }

  *[Symbol.iterator](): Generator<PartitionState> {
    for (let partition = this.first; partition !== null; partition = partition.readyNext) yield partition
  }
}

/**
 * Partitions that have something to send, by the broker that leads them. A partition stands in at most one
 * list; a drain takes from the head and puts back at the tail, so none starves.
 */
export class ReadyQueue {
  private readonly byLeader = new Map<number, ReadyList>()

  add(partition: PartitionState): void {
    if (partition.isReady) return
    let list = this.byLeader.get(partition.leaderId)
    if (list === undefined) {
      list = new ReadyList()
      this.byLeader.set(partition.leaderId, list)
    }
    list.push(partition, partition.leaderId)
  }

  /** The partition whose turn it is. */
  peek(leaderId: number): PartitionState | undefined {
    return this.byLeader.get(leaderId)?.first ?? undefined
  }

  /** Takes the partition whose turn it is. */
  take(leaderId: number): PartitionState | undefined {
    const partition = this.peek(leaderId)
    if (partition !== undefined) this.remove(partition)
    return partition
  }

  /** Takes a partition out of turn. Its leader may have changed without `regroup` having been called yet. */
  remove(partition: PartitionState): void {
    if (partition.readyLeader !== null) this.byLeader.get(partition.readyLeader)?.remove(partition)
  }

  countOf(leaderId: number): number {
    return this.byLeader.get(leaderId)?.length ?? 0
  }

  /** Leaders with at least one ready partition, NO_LEADER among them. */
  leaders(): number[] {
    const leaders: number[] = []
    for (const [leader, list] of this.byLeader) if (list.length > 0) leaders.push(leader)
    return leaders
  }

  *partitionsOf(leaderId: number): Generator<PartitionState> {
    const list = this.byLeader.get(leaderId)
    if (list !== undefined) yield* list
  }

  /** Leaders have changed: puts every partition where it belongs now. */
  regroup(): void {
    const all: PartitionState[] = []
    for (const list of this.byLeader.values()) all.push(...list)
    for (const partition of all) this.remove(partition)
    this.byLeader.clear()
    for (const partition of all) this.add(partition)
  }
}
