import type { TopicMetadata } from '../../cluster/metadata-cache.js'
import type { Batch } from '../batch/batch.js'
import type { ProducerIdAndEpoch } from '../batch/producer-id-and-epoch.js'

/** No broker leads the partition, as far as is known. */
export const NO_LEADER = -1

/** One partition: its queue of batches and what decides whether it may be drained. */
export class PartitionState {
  readonly topic: TopicState
  readonly index: number
  /** Batches that wait to be sent, oldest first; only the last can be open. For `insert` and `remove`. */
  readonly queue: Batch[] = []
  /**
   * Batches that have been drained at least once and have no outcome yet: on the wire, or put back for a
   * retry. In the order of their first drain, which is that of their sequences.
   */
  readonly drained: Batch[] = []
  /** Requests without an answer that carry a batch of this partition. */
  onWire = 0
  leaderId = NO_LEADER
  leaderEpoch = -1
  /** Stands in a leader's list of partitions that may be drained. */
  isReady = false
  /** No drain before this time on the monotonic clock: the head batch backs off. */
  backoffUntilMs = Number.NEGATIVE_INFINITY

  /** The producer id and epoch that its sequences count under; null before the first. */
  producer: ProducerIdAndEpoch | null = null
  nextSequence = 0
  /** Last sequence the broker has acknowledged, -1 if none under the present id and epoch. */
  lastAckedSequence = -1
  /**
   * Who has acknowledged a batch: leader, leader epoch, and under which producer id and epoch. Brokers accept
   * any first sequence of a producer they do not know, so until then only one request may be in flight: were
   * two, and the first failed, the second would be stored ahead of the first's retry.
   */
  provenLeaderId = NO_LEADER
  provenLeaderEpoch = -1
  provenProducer: ProducerIdAndEpoch | null = null
  /** Records of the last batch with promises that had one: as many are likely in the next. */
  promisesLast = 0
  /** A sequence was used and then given up: no new batch is drained until the epoch has been bumped. */
  needsEpochBump = false

  constructor(topic: TopicState, index: number) {
    this.topic = topic
    this.index = index
  }

  /** True if leader or epoch are others than before. */
  follow(leaderId: number, leaderEpoch: number): boolean {
    const hasMoved = this.leaderId !== leaderId || this.leaderEpoch !== leaderEpoch
    this.leaderId = leaderId
    this.leaderEpoch = leaderEpoch
    return hasMoved
  }

  /** Puts a batch into the queue, at its end unless told where. */
  insert(batch: Batch, at = this.queue.length): void {
    if (this.queue.length === 0) this.topic.queued.add(this)
    if (at === this.queue.length) this.queue.push(batch)
    else this.queue.splice(at, 0, batch)
  }

  /** Takes the batch at that place out of the queue. */
  remove(at: number): void {
    if (at === 0) this.queue.shift()
    else this.queue.splice(at, 1)
    if (this.queue.length === 0) this.topic.queued.delete(this)
  }
}

/** One topic the producer has been asked to send to. */
export class TopicState {
  readonly name: string
  /** The topic's number on the native side. */
  readonly handle: number
  /** Those that are gone included: a topic made anew may have fewer. Indexes from `partitionCount` on are. */
  readonly partitions: PartitionState[] = []
  /** Number of all partitions, 0 while the topic's metadata is not known. */
  partitionCount = 0
  /** Partitions that have a leader, ascending; the sticky choice is made among them. */
  available: readonly number[] = []
  /** Partitions whose queue is not empty. */
  readonly queued = new Set<PartitionState>()
  metadata: TopicMetadata | null = null
  /** Where records without key and partition go at present (KIP-794), -1 before the first. */
  stickyPartition = -1
  /** When the cluster's metadata were last told that the topic is used; monotonic milliseconds. */
  usedMs = Number.NEGATIVE_INFINITY

  constructor(name: string, handle: number) {
    this.name = name
    this.handle = handle
  }

  /** Takes over new metadata. True if a leader changed, so that ready partitions must move. */
  update(metadata: TopicMetadata): boolean {
    const wasRecreated = this.metadata !== null && !sameId(this.metadata.id, metadata.id)
    this.metadata = metadata
    this.partitionCount = metadata.partitions.length
    let moved = false
    const available: number[] = []
    for (const { index, leaderId, leaderEpoch } of metadata.partitions) {
      let partition = this.partitions[index]
      if (partition === undefined) {
        partition = new PartitionState(this, index)
        this.partitions.push(partition)
      }
      if (leaderId !== NO_LEADER) available.push(index)
      if (partition.follow(leaderId, leaderEpoch)) moved = true
      // The new log knows no producer, even if leader and epoch are those of the old.
      if (wasRecreated) partition.provenLeaderId = NO_LEADER
    }
    // What is queued for a partition that is gone waits for its time-out, or for the partition to come back.
    for (const partition of this.partitions.slice(this.partitionCount)) {
      if (partition.follow(NO_LEADER, -1)) moved = true
    }
    this.available = available
    return moved
  }
}

function sameId(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at])
}
