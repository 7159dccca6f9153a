import { Fifo } from '../../common/fifo.js'
import type { PartitionState } from './topic-state.js'

/**
 * Partitions that have something to send, by the broker that leads them. A partition stands in at most one
 * list; a drain takes from the head and puts back at the tail, so none starves.
 */
export class ReadyQueue {
  private readonly byLeader = new Map<number, Fifo<PartitionState>>()

  add(partition: PartitionState): void {
    if (partition.isReady) return
    partition.isReady = true
    let list = this.byLeader.get(partition.leaderId)
    if (list === undefined) {
      list = new Fifo()
      this.byLeader.set(partition.leaderId, list)
    }
    list.push(partition)
  }

  /** The partition whose turn it is. */
  peek(leaderId: number): PartitionState | undefined {
    return this.byLeader.get(leaderId)?.peek()
  }

  /** Takes the partition whose turn it is. */
  take(leaderId: number): PartitionState | undefined {
    const partition = this.byLeader.get(leaderId)?.shift()
    if (partition !== undefined) partition.isReady = false
    return partition
  }

  /** Takes a partition out of turn. */
  remove(partition: PartitionState): void {
    if (!partition.isReady) return
    partition.isReady = false
    // The leader may have changed without `regroup` having been called yet.
    for (const [leaderId, list] of this.byLeader) {
      const before = list.length
      const rest = list.drain().filter(other => other !== partition)
      for (const other of rest) list.push(other)
      if (rest.length === 0) this.byLeader.delete(leaderId)
      if (rest.length < before) return
    }
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
    for (const list of this.byLeader.values()) all.push(...list.drain())
    this.byLeader.clear()
    for (const partition of all) {
      partition.isReady = false
      this.add(partition)
    }
  }
}
