import type { KafkaError } from '../../errors/index.js'
import type { PartitionState } from '../partition/topic-state.js'
import type { BatchMemory } from './arena.js'
import { BatchOutcome, type FlushBarrier, type Settlement } from './delivery.js'
import type { ProducerIdAndEpoch } from './producer-id-and-epoch.js'

/** Life of a batch as the sender sees it; the memory's own phases are native code's. */
export const BatchPhase = {
  /** Takes records. */
  OPEN: 0,
  /** Closed for appends, waits in its partition's queue. */
  SEALED: 1,
  /** A codec works on it. */
  COMPRESSING: 2,
  /** Part of a request that has no answer yet. */
  IN_FLIGHT: 3,
  /** Outcome decided and told. Final. */
  SETTLED: 4,
} as const
export type BatchPhase = (typeof BatchPhase)[keyof typeof BatchPhase]

/** One record batch of one partition: its memory in the pool, who waits for it, and how its sending goes. */
export class Batch {
  readonly handle: number
  readonly memory: BatchMemory
  readonly partition: PartitionState
  readonly outcome: BatchOutcome
  readonly createdMs: number
  readonly settlements: Settlement[] = []
  /** The settlement that the last `sendMany` made for its records of this batch: one for all of them. */
  lastShare: Settlement | null = null
  /** The settlement of all promises of `send` for records of this batch. */
  promiseGroup: Settlement | null = null
  /** The last settlement of callbacks of `send` for records of this batch. */
  callbackGroup: Settlement | null = null
  phase: BatchPhase = BatchPhase.OPEN
  /** Bytes of records that it takes for sure, while `roomStamp` is the appender's. */
  roomBytes = 0
  roomStamp = -1
  /** Records that native code has written. */
  recordCount = 0
  /** Records in the staging whose place is promised: behind the written ones, in the order of the staging. */
  promisedCount = 0
  /** Size on the wire; 0 while the header is not written, or has to be written anew. */
  bytes = 0
  /** The linger time is over, or something (flush, close, lack of memory) has cut it short. */
  lingerOver = false
  /** The records region is in its final form: no codec is set, or it has done its work. */
  encoded: boolean
  /** Codec bits of the header's attributes: 0 while or where the records are not compressed. */
  codecId = 0
  /** Requests that may still be reading the memory. */
  readers = 0
  /** Has been part of a request, or its records have before they were split from another batch. */
  wasDrained = false
  /** Times the batch has been put back after a failed request. */
  attempts = 0
  /** Why the last attempt failed. */
  lastError: KafkaError | null = null
  /** The leader epoch of the last attempt; a newer one makes the next attempt skip its backoff (KIP-951). */
  attemptLeaderEpoch = -1
  /** Producer id and epoch that the batch has its sequence under; null: it has none. */
  producer: ProducerIdAndEpoch | null = null
  baseSequence = -1
  /** An attempt had no answer, or one that does not tell whether the batch was stored. */
  mayBeStored = false
  barriers: FlushBarrier[] | null = null
  /** Neighbours in the {@link BatchList} of batches without an outcome. */
  previous: Batch | null = null
  next: Batch | null = null

  constructor(
    handle: number,
    memory: BatchMemory,
    partition: PartitionState,
    createdMs: number,
    encoded: boolean,
  ) {
    this.handle = handle
    this.memory = memory
    this.partition = partition
    this.outcome = new BatchOutcome(partition.topic.name, partition.index)
    this.createdMs = createdMs
    this.encoded = encoded
  }

  /** Tells everyone who waits for the batch what became of it. */
  tell(): void {
    const { settlements, outcome } = this
    for (const settlement of settlements) settlement.settle(outcome)
    // A dead batch that the old generation still holds must not keep its records alive. (To set the length
    // would be a call into the runtime.)
    while (settlements.length > 0) settlements.pop()
    this.leaveBarriers()
  }

  joinBarrier(barrier: FlushBarrier): void {
    if (this.barriers === null) this.barriers = [barrier]
    else if (this.barriers.includes(barrier)) return
    else this.barriers.push(barrier)
    barrier.add()
  }

  private leaveBarriers(): void {
    if (this.barriers === null) return
    const barriers = this.barriers
    this.barriers = null
    for (const barrier of barriers) barrier.leave()
  }
}
