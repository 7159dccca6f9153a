import type { TopicMetadata } from '../cluster/metadata-cache.js'
import { inNoContext } from '../common/no-context.js'
import type { Codec } from '../compression/codec.js'
import type { KafkaError } from '../errors/index.js'
import type { NativeCore } from '../native/addon.js'
import { NativeBatches } from '../native/native-batches.js'
import { chooseStickyPartition, type StickyOptions } from '../partitioner/sticky.js'
import type { AccumulatorHost, AccumulatorOptions, DrainGate } from './accumulator-options.js'
import { Appender } from './append/appender.js'
import { Staging } from './append/staging.js'
import { Arena, wholeOf } from './batch/arena.js'
import { Batch, BatchPhase } from './batch/batch.js'
import { BatchCompressor } from './batch/batch-compressor.js'
import { writeHeader } from './batch/batch-header.js'
import { BatchList } from './batch/batch-list.js'
import { BatchSplitter } from './batch/batch-splitter.js'
import type { FlushBarrier } from './batch/flush-barrier.js'
import { createCore } from './core.js'
import { BackoffSet } from './partition/backoff-set.js'
import { expiryError } from './partition/expiry-error.js'
import { LingerQueue } from './partition/linger-queue.js'
import type { PartitionBatch, PartitionState, PartitionTopic } from './partition/partition-state.js'
import { ReadyQueue } from './partition/ready-queue.js'
import { TopicState } from './partition/topic-state.js'

/** Batches that end in one turn of the event loop: 5 ms or so, several times that on a slow machine. */
const EXPIRED_PER_TURN = 500

/** Encoded headers of one record pass through shared memory of at most this size. */
const HEADER_BYTES_MAX = 64 * 1024 * 1024

/**
 * Holds every record between `send` and its outcome: per-partition queues of batches, which of them are
 * ready, when linger, backoff and delivery time-outs fall due, and the memory all of it may use.
 */
export class RecordAccumulator {
  /** The way of records into batches. */
  readonly appender: Appender
  private readonly options: AccumulatorOptions
  private readonly host: AccumulatorHost
  private readonly core: NativeCore
  private readonly native: NativeBatches
  private readonly arena: Arena
  private readonly topics: TopicState[] = []
  private readonly batches: (PartitionBatch | undefined)[] = []
  private readonly ready = new ReadyQueue()
  private readonly lingering: LingerQueue
  private readonly backingOff = new BackoffSet()
  /** Batches without an outcome, in the order of their creation, which is that of their time-outs. */
  private readonly incomplete = new BatchList<PartitionState>()
  private readonly compressor: BatchCompressor<PartitionState> | null
  private readonly splitter: BatchSplitter<PartitionState>
  private readonly sticky: StickyOptions

  constructor(options: AccumulatorOptions) {
    this.options = options
    this.host = options.host
    const { batchBytes, bufferBytes, maxRequestBytes, codec } = options
    this.arena = new Arena(bufferBytes, batchBytes)
    this.lingering = new LingerQueue(options.lingerMs)
    const staging = new Staging(Math.min(maxRequestBytes, bufferBytes, HEADER_BYTES_MAX), maxRequestBytes)
    this.core = createCore(options, this.arena, staging)
    this.native = new NativeBatches(this.core, staging.result)
    this.appender = new Appender({
      core: this.core,
      batches: this.native,
      staging,
      topics: this.topics,
      maxRequestBytes,
      bufferBytes,
      maxBlockMs: options.maxBlockMs,
      now: () => options.clock.now(),
      choosePartition: topic => this.choosePartition(topic),
      observer: options.observer,
      waitingBudget: options.waitingBudget,
      onRefused: error => this.host.refused(error),
      openBatch: (handle, partition, large) => this.openBatch(handle, partition, large),
      batchOf: handle => this.batches[handle],
      onExhausted: () => this.endLingers(),
    })
    this.compressor = codec === null ? null : this.createCompressor(codec)
    this.splitter = new BatchSplitter(this.core, this.native, codec)
    const { adaptivePartitioning: adaptive, random, host } = options
    this.sticky = { adaptive, random, isDrainable: leaderId => host.isDrainable(leaderId) }
  }

  /** Whether some batch has no outcome yet. */
  get hasIncomplete(): boolean {
    return this.incomplete.size > 0
  }

  /** The oldest batch that has no outcome yet. */
  get oldestIncomplete(): PartitionBatch | null {
    return this.incomplete.oldest
  }

  /** Bytes of `buffer.memory` that hold no record now. */
  get availableBytes(): number {
    return this.core.availableBytes()
  }

  addTopic(name: string): TopicState {
    const topic = new TopicState(name, this.topics.length)
    this.topics.push(topic)
    return topic
  }

  /**
   * Takes over what the cluster's metadata hold of a topic, null where they do not hold it. True if leaders
   * moved: call `leadersChanged` after the last topic.
   */
  updateTopic(topic: TopicState, metadata: TopicMetadata | null): boolean {
    // Staged records were sent when the old partitions held, so they are placed among those.
    this.appender.drainStaged()
    if (metadata === null) return topic.vanish()
    const before = topic.partitionCount
    const moved = topic.update(metadata)
    if (topic.partitionCount !== before && topic.partitionCount > 0) {
      this.core.setTopic(topic.handle, topic.partitionCount)
      // Native code has forgotten it, too.
      if (topic.stickyPartition >= topic.partitionCount) topic.chooseSticky(-1)
    }
    return moved
  }

  /** Ready partitions move to their new leaders, and a new leader is tried without backoff (KIP-951). */
  leadersChanged(): void {
    this.ready.regroup()
    for (const partition of this.backingOff) {
      const head = partition.queue[0]
      if (head === undefined || head.attemptLeaderEpoch < partition.leaderEpoch) this.endBackoff(partition)
    }
  }

  /** Leaders with at least one ready partition, NO_LEADER among them. */
  readyLeaders(): number[] {
    return this.ready.leaders()
  }

  /** The ready partitions of a leader. */
  readyPartitionsOf(leaderId: number): Iterable<PartitionState> {
    return this.ready.partitionsOf(leaderId)
  }

  /** Puts the partition among the ready ones if its head batch may go out. */
  refresh(partition: PartitionState): void {
    const head = partition.queue[0]
    if (head === undefined || partition.isReady || partition.backoffUntilMs > 0) return
    if (head.phase === BatchPhase.COMPRESSING) return
    if (head.phase === BatchPhase.SEALED || head.lingerOver || partition.queue.length > 1)
      this.ready.add(partition)
  }

  /** Looks again at every partition with batches: something that held all of them back is over. */
  refreshAll(): void {
    for (const { partition } of this.incomplete) this.refresh(partition)
  }

  /**
   * One step of time: staged records go into batches, lingers and backoffs that are over end, codecs start on
   * what is sealed.
   */
  beginTurn(nowMs: number): void {
    this.appender.drainStaged()
    for (let due = this.lingering.shiftDue(nowMs); due !== undefined; due = this.lingering.shiftDue(nowMs))
      this.refreshLive(due)
    for (const partition of this.backingOff.due(nowMs)) this.endBackoff(partition)
    if (this.compressor?.run(this.options.clock)) this.host.wakeup()
  }

  /**
   * Takes what one request to a broker may carry: at most one batch per partition, `maxRequestBytes` in all
   * (one batch alone may be larger). Headers are written and the memory is pinned for the request.
   */
  drain(leaderId: number, gate: DrainGate): PartitionBatch[] {
    const drained: PartitionBatch[] = []
    let bytes = 0
    for (let left = this.ready.countOf(leaderId); left > 0; left--) {
      const partition = this.ready.peek(leaderId) as PartitionState
      const head = partition.queue[0]
      if (head === undefined || !this.mayLeave(partition, head, gate)) {
        this.ready.take(leaderId)
        continue
      }
      // What does not fit stays at the head, or partitions with smaller batches would pass it for ever.
      if (drained.length > 0 && !this.fits(head, this.options.maxRequestBytes - bytes)) break
      this.ready.take(leaderId)
      partition.launchHead()
      // Retries send the same bytes. Only a new epoch makes the header be written again.
      if (head.bytes === 0) writeHeader(this.core, this.native, head, gate.assign(head))
      this.core.pin(head.handle)
      drained.push(head)
      bytes += head.bytes
      this.refresh(partition)
    }
    return drained
  }

  /** Puts a batch back after a failed request, in the order of the first drains. */
  requeue(batch: PartitionBatch, error: KafkaError, mayBeStored: boolean, retryAtMs: number): void {
    const { partition } = batch
    batch.retryAfter(error, mayBeStored)
    partition.putBack(batch)
    // A leader that the failed attempt did not know of is tried at once, and only once (KIP-951).
    if (batch.attemptLeaderEpoch >= partition.leaderEpoch) this.backingOff.add(partition, retryAtMs)
    this.refresh(partition)
  }

  /**
   * Puts smaller batches in the place of one that was refused for its size. Answers how many they are. Throws
   * if it cannot be split.
   */
  split(batch: PartitionBatch): number {
    const parts = this.splitter.split(batch)
    batch.partition.topic.compression.distrust()
    this.limitBatches(batch.partition.topic)
    return this.replace(batch, parts)
  }

  /**
   * As {@link split}: all records but those that the broker has refused, which get their errors now. Their
   * sequences are lost, so the partition needs another epoch.
   */
  dropRecords(batch: PartitionBatch, refused: ReadonlyMap<number, KafkaError>): number {
    const parts = this.splitter.without(batch, refused)
    batch.partition.sequences.lose(batch)
    return this.replace(batch, parts)
  }

  private replace(batch: PartitionBatch, parts: readonly PartitionBatch[]): number {
    const { partition } = batch
    this.incomplete.replace(batch, parts)
    partition.replace(batch, parts)
    partition.topic.count(parts.length - 1)
    this.giveBack(batch)
    for (const part of parts) {
      this.batches[part.handle] = part
      if (!part.encoded) this.compressor?.add(part)
    }
    this.refresh(partition)
    return parts.length
  }

  /** Tells everyone who waits for the batch, and gives its memory back once nothing reads it. */
  settle(batch: PartitionBatch): void {
    if (batch.phase === BatchPhase.SETTLED) return
    this.incomplete.remove(batch)
    batch.partition.settled(batch)
    this.giveBack(batch)
    batch.partition.topic.count(-1)
    batch.tell()
  }

  fail(batch: PartitionBatch, error: KafkaError): void {
    batch.outcome.error = error
    this.settle(batch)
  }

  /** A request or codec has stopped reading the batch. True if its memory came back. */
  release(batch: PartitionBatch): boolean {
    batch.endReading()
    if (!this.core.unpin(batch.handle)) return false
    this.memoryCameBack(batch)
    return true
  }

  /**
   * Fails what has waited for memory for `max.block.ms`, and ends batches older than `delivery.timeout.ms`,
   * queued or in flight. Returns those batches: the oldest, if many are overdue.
   */
  expire(nowMs: number): PartitionBatch[] {
    this.appender.expireWaiting(nowMs)
    const { deliveryTimeoutMs } = this.options
    const expired: PartitionBatch[] = []
    for (const batch of this.incomplete) {
      if (nowMs - batch.createdMs < deliveryTimeoutMs || expired.length === EXPIRED_PER_TURN) break
      expired.push(batch)
    }
    for (const batch of expired) this.expireOne(batch, nowMs)
    return expired
  }

  /** When the next linger or backoff is over. */
  nextDeadlineMs(): number {
    return Math.min(this.lingering.nextDeadlineMs, this.backingOff.earliestMs)
  }

  /** When the time of the next waiting record or delivery is over. */
  nextTimeoutMs(): number {
    const waiting = this.appender.waiting.nextDeadlineMs
    const { oldest } = this.incomplete
    return oldest === null ? waiting : Math.min(waiting, oldest.createdMs + this.options.deliveryTimeoutMs)
  }

  /**
   * When the oldest batch without an outcome was opened, or the record that waits longest for memory was
   * sent, on the monotonic clock; Infinity: every record has its outcome.
   */
  oldestSinceMs(): number {
    this.appender.drainStaged()
    const createdMs = this.incomplete.oldest?.createdMs ?? Number.POSITIVE_INFINITY
    return Math.min(createdMs, this.appender.waiting.headDeadlineMs - this.options.maxBlockMs)
  }

  /** From now on nothing lingers; ended by {@link endHurry}. */
  beginHurry(): void {
    this.lingering.beginHurry()
    this.appender.drainStaged()
    this.endLingers()
  }

  endHurry(): void {
    this.lingering.endHurry()
  }

  /** The logs are others, which have nothing of what was sent: sequences start again. */
  forgetLogs(): void {
    for (const batch of this.incomplete) {
      batch.forgetAttempts()
      batch.partition.sequences.lose(batch)
    }
    this.refreshAll()
  }

  /** Everything accepted so far holds the barrier until it is settled. */
  joinBarrier(barrier: FlushBarrier): void {
    this.appender.drainStaged()
    this.appender.joinBarrier(barrier)
    for (const batch of this.incomplete) batch.joinBarrier(barrier)
  }

  /** Fails every batch and waiting record: a forced close. */
  abort(error: KafkaError): void {
    this.abortMatching(error, () => true)
  }

  /** Fails every waiting record and every batch that no broker can have seen. */
  abortUnsent(error: KafkaError): void {
    this.abortMatching(error, batch => !batch.wasDrained)
  }

  /** No more appends. */
  close(): void {
    this.core.close()
  }

  private abortMatching(error: KafkaError, matches: (batch: PartitionBatch) => boolean): void {
    this.appender.drainStaged()
    this.appender.failWaiting(error)
    for (const batch of [...this.incomplete].filter(matches)) {
      this.seal(batch)
      this.dequeue(batch)
      this.options.observer.batchAborted(batch, error)
      // Whoever closes or aborts is seldom the one whose callbacks are called now.
      inNoContext(() => this.fail(batch, error))
    }
  }

  private openBatch(handle: number, partition: PartitionState, large: ArrayBuffer | null): PartitionBatch {
    const nowMs = this.options.clock.now()
    const memory = large === null ? this.arena.slab(handle) : wholeOf(large)
    const batch = new Batch(handle, memory, partition, nowMs, this.compressor === null)
    this.batches[handle] = batch
    this.incomplete.add(batch)
    const previous = partition.openBatch
    if (previous !== null) this.sealed(previous)
    partition.enqueue(batch)
    if (large !== null) this.sealed(batch)
    else this.lingering.open(batch, this.appender.hasWaiting)
    this.refresh(partition)
    partition.topic.opened(nowMs)
    this.options.observer.batchOpened(batch)
    this.host.opened(partition)
    this.host.wakeup()
    return batch
  }

  /** Native code has closed the batch for appends. */
  private sealed(batch: PartitionBatch): void {
    batch.become(BatchPhase.SEALED)
    if (!batch.encoded) this.compressor?.add(batch)
  }

  /** Closes a batch for appends. What is staged may count on its room, so that goes first. */
  private seal(batch: PartitionBatch): void {
    if (batch.phase !== BatchPhase.OPEN) return
    this.appender.drainStaged()
    this.core.seal(batch.handle)
    batch.become(BatchPhase.SEALED)
  }

  /** Whether the head of a queue goes out now. If it must be compressed first, the partition comes back. */
  private mayLeave(partition: PartitionState, head: PartitionBatch, gate: DrainGate): boolean {
    gate.prepare(partition, head)
    if (!gate.mayDrain(partition, head)) return false
    this.seal(head)
    if (head.encoded) return true
    const { clock } = this.options
    if (head.phase === BatchPhase.SEALED && this.compressor?.startOrAdd(head, clock)) this.host.wakeup()
    return head.encoded
  }

  /** Whether a sealed batch has no more bytes than that; its memory need not be full. */
  private fits(batch: PartitionBatch, bytesLeft: number): boolean {
    const isSlab = this.compressor === null && batch.memory.bytes <= bytesLeft
    return isSlab || this.native.sizeOf(batch.handle) <= bytesLeft
  }

  /** The batch's outcome is decided: its memory comes back now, or once nothing reads it. */
  private giveBack(batch: PartitionBatch): void {
    batch.become(BatchPhase.SETTLED)
    if (this.core.settle(batch.handle)) this.memoryCameBack(batch)
  }

  /** Nothing reads or writes the batch any more. */
  private memoryCameBack({ handle, memory: { buffer } }: PartitionBatch): void {
    this.batches[handle] = undefined
    if (buffer !== this.arena.buffer) this.options.addon.freeBuffer(buffer)
  }

  /** A batch that lingered may have had its outcome meanwhile. */
  private refreshLive(batch: PartitionBatch): void {
    if (batch.phase !== BatchPhase.SETTLED) this.refresh(batch.partition)
  }

  private endLingers(): void {
    for (const batch of this.lingering.takeAll()) this.refreshLive(batch)
    this.host.wakeup()
  }

  private endBackoff(partition: PartitionState): void {
    this.backingOff.remove(partition)
    this.refresh(partition)
  }

  private expireOne(batch: PartitionBatch, nowMs: number): void {
    this.seal(batch)
    const isInFlight = batch.phase === BatchPhase.IN_FLIGHT
    const cause = isInFlight ? batch.lastError : this.host.lastCause(batch)
    this.dequeue(batch)
    const error = expiryError(batch, isInFlight, nowMs, cause)
    this.options.observer.batchExpired(batch, error)
    this.fail(batch, error)
  }

  /** Takes an expired batch out of its queue; what comes next has not failed yet, so nothing holds it. */
  private dequeue(batch: PartitionBatch): void {
    const { partition } = batch
    if (!partition.dequeue(batch)) return
    this.ready.remove(partition)
    if ((partition.queue[0]?.attempts ?? 0) === 0 && this.backingOff.has(partition))
      this.endBackoff(partition)
    else this.refresh(partition)
  }

  /** The topic's next sticky partition. The present one's batch has had its share and lingers no longer. */
  private choosePartition(topic: TopicState): number {
    const last = topic.openBatch(topic.stickyPartition)
    if (last) this.refreshLive(this.lingering.end(last))
    topic.chooseSticky(chooseStickyPartition(topic, this.sticky))
    return topic.stickyPartition
  }

  private limitBatches({ handle, compression }: PartitionTopic): void {
    this.core.setBatchLimit(handle, compression.uncompressedBytes(this.options.batchBytes))
  }

  private createCompressor(codec: Codec): BatchCompressor<PartitionState> {
    return new BatchCompressor({
      core: this.core,
      batches: this.native,
      codec,
      logger: this.options.logger,
      onCompressed: (batch, ratio) => {
        const { topic } = batch.partition
        if (ratio > 0) topic.compression.observe(ratio)
        this.limitBatches(topic)
        this.refresh(batch.partition)
        this.host.wakeup()
      },
      release: batch => {
        if (this.release(batch)) this.host.wakeup()
      },
    })
  }
}
