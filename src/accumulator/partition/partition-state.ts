import { InternalError } from '../../errors/index.js'
import { type Batch, BatchPhase } from '../batch/batch.js'
import type { CompressionEstimate } from './compression-estimate.js'
import { PartitionSequences } from './partition-sequences.js'

/** No broker leads the partition, as far as is known. */
export const NO_LEADER = -1

/** What a partition knows of its topic. */
export interface PartitionTopic {
  readonly name: string
  /** The topic's number on the native side. */
  readonly handle: number
  readonly compression: CompressionEstimate
  /** 16 bytes, all zero if the cluster has none for it. */
  readonly id: Uint8Array
  /** Number of all partitions, 0 while it is not known. */
  readonly partitionCount: number
  /** The queue of a partition is no longer empty. */
  hasQueued(partition: PartitionState): void
  /** The queue of a partition has become empty. */
  hasEmptied(partition: PartitionState): void
  /** A batch of it was opened. */
  opened(nowMs: number): void
  /** Batches of it have come, or have their outcome. */
  count(batches: number): void
}

/** A batch whose partition is one of these states: every batch of an accumulator. */
export type PartitionBatch = Batch<PartitionState>

/**
 * One partition: its batches and what decides whether they may go out.
 *
 * ```text
 *   inFlight   drained at least once, no outcome yet, in the order of their sequences
 *     [ 7: on the wire ] [ 8: put back ] [ 9: on the wire ]
 *   queue      waits to be sent, oldest first; what was put back stands in front
 *                        [ 8: put back ]  [ 10: sealed ] [ 11: open ]
 * ```
 */
export class PartitionState {
  readonly topic: PartitionTopic
  readonly index: number
  readonly sequences = new PartitionSequences()
  likelyPromises = 0
  private readonly waiting: PartitionBatch[] = []
  /** The last of `waiting`, which is asked for at every record with a promise. */
  private last: PartitionBatch | null = null
  private readonly launched: PartitionBatch[] = []
  private requests = 0
  private leader = NO_LEADER
  private epoch = -1
  /** Links of the {@link ReadyQueue}; null while the partition stands in no list. */
  readyNext: PartitionState | null = null
  readyPrevious: PartitionState | null = null
  /** The leader in whose list the partition stands; null: in none. */
  readyLeader: number | null = null
  /** Its place in the topic's list of partitions with something queued, which keeps it. */
  queuedPlace = -1
  /** No drain before this time on the monotonic clock. Belongs to {@link BackoffSet}. */
  backoffUntilMs = Number.NEGATIVE_INFINITY

  constructor(topic: PartitionTopic, index: number) {
    this.topic = topic
    this.index = index
  }

  /** Batches that wait to be sent, oldest first. Only the last can be open. */
  get queue(): readonly PartitionBatch[] {
    return this.waiting
  }

  /** Batches that have been drained and have no outcome yet, in the order of their first drain. */
  get inFlight(): readonly PartitionBatch[] {
    return this.launched
  }

  /** Requests without an answer that carry a batch of this partition. */
  get onWire(): number {
    return this.requests
  }

  get leaderId(): number {
    return this.leader
  }

  get leaderEpoch(): number {
    return this.epoch
  }

  get isReady(): boolean {
    return this.readyLeader !== null
  }

  /** True if leader or epoch are others than before. */
  follow(leaderId: number, leaderEpoch: number): boolean {
    const hasMoved = this.leader !== leaderId || this.epoch !== leaderEpoch
    this.leader = leaderId
    this.epoch = leaderEpoch
    return hasMoved
  }

  /** The open batch at the end of the queue, or null. */
  get openBatch(): PartitionBatch | null {
    const { last } = this
    return last !== null && last.phase === BatchPhase.OPEN ? last : null
  }

  /** A new batch goes to the end of the queue. */
  enqueue(batch: PartitionBatch): void {
    if (this.waiting.length === 0) this.topic.hasQueued(this)
    this.waiting.push(batch)
    this.last = batch
  }

  /** The head of the queue becomes part of a request. */
  launchHead(): PartitionBatch {
    const head = this.waiting.shift()
    if (head === undefined) throw new InternalError(`${this.topic.name}-${this.index} has nothing to send.`)
    if (this.waiting.length === 0) this.becomeEmpty()
    if (!head.wasDrained) this.launched.push(head)
    head.launch(this.epoch)
    this.requests++
    return head
  }

  /** A request that carries a batch of this partition has its answer, or gets none. */
  answered(): void {
    if (this.requests === 0) throw new InternalError(`${this.topic.name}-${this.index} awaits no answer.`)
    this.requests--
  }

  /** Into the queue again, before what was drained later or not at all. */
  putBack(batch: PartitionBatch): void {
    const { waiting, launched } = this
    const order = launched.indexOf(batch)
    let at = 0
    while (at < waiting.length) {
      const other = launched.indexOf(waiting[at] as PartitionBatch)
      if (other < 0 || other > order) break
      at++
    }
    if (waiting.length === 0) this.topic.hasQueued(this)
    waiting.splice(at, 0, batch)
    this.last = waiting[waiting.length - 1] as PartitionBatch
  }

  /** The parts of a batch take its place among those in flight, and wait to be sent. */
  replace(batch: PartitionBatch, parts: readonly PartitionBatch[]): void {
    this.launched.splice(this.launched.indexOf(batch), 1, ...parts)
    for (const part of parts) this.putBack(part)
  }

  /** Takes a batch out of the queue. False if it does not stand there. */
  dequeue(batch: PartitionBatch): boolean {
    const at = this.waiting.indexOf(batch)
    if (at < 0) return false
    this.waiting.splice(at, 1)
    if (this.waiting.length === 0) this.becomeEmpty()
    else this.last = this.waiting[this.waiting.length - 1] as PartitionBatch
    return true
  }

  /** The batch has its outcome. */
  settled(batch: PartitionBatch): void {
    const { launched } = this
    if (launched[0] === batch) {
      launched.shift()
      return
    }
    const at = launched.indexOf(batch)
    if (at >= 0) launched.splice(at, 1)
  }

  private becomeEmpty(): void {
    this.last = null
    this.topic.hasEmptied(this)
  }
}
