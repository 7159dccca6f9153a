import type { TopicMetadata } from '../../cluster/metadata-cache.js'
import { CompressionEstimate } from './compression-estimate.js'
import { NO_LEADER, type PartitionBatch, PartitionState, type PartitionTopic } from './partition-state.js'

const ZERO_UUID = new Uint8Array(16)

/** One topic the producer has been asked to send to. The accumulator's only memory of it. */
export class TopicState implements PartitionTopic {
  readonly name: string
  /** The topic's number on the native side. */
  readonly handle: number
  /** Not a `Set`: partitions come and go with every batch, and each knows its place. */
  private readonly withQueue: PartitionState[] = []
  readonly compression = new CompressionEstimate()
  /**
   * By index, those that were ever sent to: a topic of 100,000 partitions costs its producer what it uses.
   * After a topic is created again with fewer, some of index ≥ `partitionCount` may be among them.
   */
  private readonly used: (PartitionState | undefined)[] = []
  private knownCount = 0
  private led: readonly number[] = []
  private known: TopicMetadata | null = null
  private sticky = -1
  private openedMs = Number.NEGATIVE_INFINITY
  /** Batches without an outcome. */
  private incomplete = 0

  constructor(name: string, handle: number) {
    this.name = name
    this.handle = handle
  }

  /** Number of all partitions. 0 while the cluster's metadata do not hold the topic. */
  get partitionCount(): number {
    return this.knownCount
  }

  /** Partitions that have a leader, ascending. The sticky choice is made among them. */
  get available(): readonly number[] {
    return this.led
  }

  get id(): Uint8Array {
    return this.known?.id ?? ZERO_UUID
  }

  /** Null while the cluster's metadata do not hold the topic. */
  get metadata(): TopicMetadata | null {
    return this.knownCount === 0 ? null : this.known
  }

  /** Where records without key and partition go at present (KIP-794). -1: nowhere yet. */
  get stickyPartition(): number {
    return this.sticky
  }

  /** When a batch of the topic was last opened, on the monotonic clock; Infinity while any has no outcome. */
  get lastUseMs(): number {
    return this.incomplete > 0 ? Number.POSITIVE_INFINITY : this.openedMs
  }

  /** The state of a partition, made at the first question for it. */
  partition(index: number): PartitionState {
    const used = this.used[index]
    if (used !== undefined) return used
    while (this.used.length < index) this.used.push(undefined)
    const partition = new PartitionState(this, index)
    const known = this.metadata?.partitions[index]
    if (known !== undefined) partition.follow(known.leaderId, known.leaderEpoch)
    this.used[index] = partition
    return partition
  }

  /** The open batch of a partition, or null. */
  openBatch(index: number): PartitionBatch | null {
    return this.used[index]?.openBatch ?? null
  }

  /** Partitions whose queue is not empty, in any order. */
  get queued(): readonly PartitionState[] {
    return this.withQueue
  }

  hasQueued(partition: PartitionState): void {
    partition.queuedPlace = this.withQueue.length
    this.withQueue.push(partition)
  }

  hasEmptied(partition: PartitionState): void {
    const { withQueue } = this
    const last = withQueue.pop() as PartitionState
    if (last !== partition) {
      withQueue[partition.queuedPlace] = last
      last.queuedPlace = partition.queuedPlace
    }
    partition.queuedPlace = -1
  }

  chooseSticky(partition: number): void {
    this.sticky = partition
  }

  opened(nowMs: number): void {
    this.openedMs = nowMs
    this.incomplete++
  }

  count(batches: number): void {
    this.incomplete += batches
  }

  /** Takes over new metadata. True if a leader changed, so that ready partitions must move. */
  update(metadata: TopicMetadata): boolean {
    const wasRecreated = this.known !== null && !sameId(this.known.id, metadata.id)
    this.known = metadata
    this.knownCount = metadata.partitions.length
    let moved = false
    const available: number[] = []
    for (const { index, leaderId, leaderEpoch } of metadata.partitions) {
      if (leaderId !== NO_LEADER) available.push(index)
      const partition = this.used[index]
      if (partition?.follow(leaderId, leaderEpoch)) moved = true
      // The new log knows no producer, even if leader and epoch are those of the old.
      if (wasRecreated) partition?.sequences.forgetProof()
    }
    this.led = available
    // What is queued for a partition that is gone waits for its time-out, or for the partition to come back.
    return this.abandon(this.knownCount) || moved
  }

  /**
   * The cluster's metadata do not hold the topic now. What is queued waits for its return; new records wait
   * for metadata. True if a leader changed.
   */
  vanish(): boolean {
    this.knownCount = 0
    this.led = []
    return this.abandon(0)
  }

  /** Nobody leads the partitions from `from` on. */
  private abandon(from: number): boolean {
    let moved = false
    for (let index = from; index < this.used.length; index++) {
      const partition = this.used[index]
      if (partition?.follow(NO_LEADER, partition.leaderEpoch)) moved = true
    }
    return moved
  }
}

function sameId(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at])
}
