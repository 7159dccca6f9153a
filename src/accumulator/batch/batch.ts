import { InternalError, type KafkaError } from '../../errors/index.js'
import type { BatchMemory } from './arena.js'
import { type AwaitedPartition, BatchOutcome, type Settlement } from './batch-outcome.js'
import type { FlushBarrier } from './flush-barrier.js'
import { type ProducerIdAndEpoch, sequenceAfter } from './producer-id-and-epoch.js'

/** Life of a batch as the sender sees it. The memory's own phases belong to native code. */
export const BatchPhase = {
  /** Takes records. */
  OPEN: 0,
  /** Closed for appends, waits in its partition's queue. */
  SEALED: 1,
  /** A codec works on it. */
  COMPRESSING: 2,
  /** Part of a request that has no answer yet. */
  IN_FLIGHT: 3,
  /** The outcome is decided. Final. */
  SETTLED: 4,
} as const
export type BatchPhase = (typeof BatchPhase)[keyof typeof BatchPhase]

const { OPEN, SEALED, COMPRESSING, IN_FLIGHT, SETTLED } = BatchPhase
const PHASE_NAMES = ['OPEN', 'SEALED', 'COMPRESSING', 'IN_FLIGHT', 'SETTLED'] as const

/** The phases that may follow each phase, as bits. An open batch is sealed before anything else. */
const NEXT_PHASES: readonly number[] = [
  1 << SEALED,
  (1 << COMPRESSING) | (1 << IN_FLIGHT) | (1 << SETTLED),
  (1 << SEALED) | (1 << SETTLED),
  (1 << SEALED) | (1 << SETTLED),
  0,
]

/** What a batch knows of its partition. The upper rooms know more: see `PartitionBatch`. */
export interface BatchPartition extends AwaitedPartition {
  readonly topic: { readonly name: string }
  readonly index: number
}

/** One record batch of one partition: its memory in the pool, who waits for it, and how its sending goes. */
export class Batch<P extends BatchPartition = BatchPartition> {
  readonly handle: number
  readonly memory: BatchMemory
  readonly partition: P
  readonly outcome: BatchOutcome
  readonly createdMs: number
  readonly settlements: Settlement[] = []
  /** Belongs to whoever makes the settlements. Nothing in this room looks at it. */
  attachment: object | null = null
  /** Bytes of records that certainly still fit. Valid while `roomStamp` is the appender's. */
  roomBytes = 0
  roomStamp = -1
  /** Records that native code has written. */
  recordCount = 0
  /** Staged records whose place is promised. They follow the written ones, in the order of the staging. */
  promisedCount = 0
  /** Size on the wire. 0 while the header is not written, or has to be written again. */
  bytes = 0
  /** The same as it would be without a codec. */
  uncompressedBytes = 0
  /** Upper bound for its largest record, as Java estimates it. Known with `bytes`. */
  largestRecordBytes = 0
  /** The linger time is over, or something (flush, close, lack of memory) has cut it short. */
  lingerOver = false
  private currentPhase: BatchPhase = OPEN
  private isEncoded: boolean
  private codec = 0
  private readerCount = 0
  private isDrained = false
  private retries = 0
  private failure: KafkaError | null = null
  private triedLeaderEpoch = -1
  private identity: ProducerIdAndEpoch | null = null
  private sequence = -1
  private isMaybeStored = false
  private barriers: FlushBarrier[] | null = null
  /** Neighbours in the {@link BatchList} of batches without an outcome. */
  previous: Batch<P> | null = null
  next: Batch<P> | null = null

  constructor(handle: number, memory: BatchMemory, partition: P, createdMs: number, encoded: boolean) {
    this.handle = handle
    this.memory = memory
    this.partition = partition
    this.outcome = new BatchOutcome(partition.topic.name, partition.index)
    this.createdMs = createdMs
    this.isEncoded = encoded
  }

  get phase(): BatchPhase {
    return this.currentPhase
  }

  /** Throws InternalError where the table of phases has no such step. */
  become(phase: BatchPhase): void {
    if (((NEXT_PHASES[this.currentPhase] as number) & (1 << phase)) === 0) {
      const step = `from ${PHASE_NAMES[this.currentPhase]} to ${PHASE_NAMES[phase]}`
      throw new InternalError(`Batch ${this.handle} was to go ${step}.`)
    }
    this.currentPhase = phase
  }

  /** The records region is in its final form: no codec is set, or it has done its work. */
  get encoded(): boolean {
    return this.isEncoded
  }

  /** Codec bits of the header's attributes: 0 while or where the records are not compressed. */
  get codecId(): number {
    return this.codec
  }

  /** The codec has done its work. `codecId` is 0 if it could not make the records smaller. */
  encodedWith(codecId: number): void {
    this.isEncoded = true
    this.codec = codecId
  }

  /** Requests and codecs that may still be reading the memory. */
  get readers(): number {
    return this.readerCount
  }

  beginReading(): void {
    this.readerCount++
  }

  endReading(): void {
    if (this.readerCount === 0) throw new InternalError(`Batch ${this.handle} has no reader left to end.`)
    this.readerCount--
  }

  /** Has been part of a request, or its records have before they were split from another batch. */
  get wasDrained(): boolean {
    return this.isDrained
  }

  /** Becomes part of a request to the leader of that epoch. */
  launch(leaderEpoch: number): void {
    this.become(IN_FLIGHT)
    this.isDrained = true
    this.triedLeaderEpoch = leaderEpoch
    this.beginReading()
  }

  /** Times the batch has been put back after a failed request. */
  get attempts(): number {
    return this.retries
  }

  /** Why the last attempt failed. */
  get lastError(): KafkaError | null {
    return this.failure
  }

  /** The leader epoch of the last attempt. A newer one makes the next attempt skip its backoff (KIP-951). */
  get attemptLeaderEpoch(): number {
    return this.triedLeaderEpoch
  }

  /** An attempt had no answer, or an answer that leaves open whether the batch was stored. */
  get mayBeStored(): boolean {
    return this.isMaybeStored
  }

  /** The attempt has failed, and another one follows. */
  retryAfter(error: KafkaError, mayBeStored: boolean): void {
    this.become(SEALED)
    this.retries++
    this.failure = error
    this.isMaybeStored = mayBeStored
  }

  /** The log that an earlier attempt may have reached is gone. */
  forgetAttempts(): void {
    this.isMaybeStored = false
  }

  /** Producer id and epoch that the batch has its sequence under. Null: it has none. */
  get producer(): ProducerIdAndEpoch | null {
    return this.identity
  }

  get baseSequence(): number {
    return this.sequence
  }

  /** A new sequence, under which no broker can have seen the batch. Its header must be written again. */
  assignSequence(producer: ProducerIdAndEpoch | null, baseSequence: number): void {
    this.identity = producer
    this.sequence = baseSequence
    this.isMaybeStored = false
    this.bytes = 0
  }

  /** Takes over how the sending of its parent has gone. Its records follow `firstIndex` others of it. */
  splitFrom(parent: Batch, firstIndex: number, recordCount: number): void {
    this.become(SEALED)
    this.recordCount = recordCount
    this.isDrained = true
    this.triedLeaderEpoch = parent.triedLeaderEpoch
    this.isMaybeStored = parent.isMaybeStored
    this.identity = parent.identity
    if (this.identity !== null) this.sequence = sequenceAfter(parent.sequence, firstIndex)
  }

  /** Tells everyone who waits for the batch what became of it. */
  tell(): void {
    const { settlements, outcome } = this
    for (const settlement of settlements) settlement.settle(outcome)
    // A dead batch that the old generation still holds must not keep its records alive. (Setting the length
    // would be a call into the runtime.)
    while (settlements.length > 0) settlements.pop()
    this.attachment = null
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
