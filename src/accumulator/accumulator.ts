import type { TopicMetadata } from '../cluster/metadata-cache.js'
import type { Clock } from '../common/clock.js'
import { Fifo } from '../common/fifo.js'
import type { Logger } from '../common/logger.js'
import type { Codec } from '../compression/codec.js'
import type { KafkaError } from '../errors/index.js'
import { type NativeAddon, type NativeCore, Result } from '../native/addon.js'
import { chooseStickyPartition, type TopicLoad } from '../partitioner/sticky.js'
import { Appender } from './append/appender.js'
import { Staging } from './append/staging.js'
import { Arena, wholeOf } from './batch/arena.js'
import { Batch, BatchPhase } from './batch/batch.js'
import { BatchEncoder } from './batch/batch-compressor.js'
import { BatchList } from './batch/batch-list.js'
import { BatchSplitter } from './batch/batch-splitter.js'
import type { FlushBarrier } from './batch/delivery.js'
import { BackingOff } from './partition/backoff-set.js'
import { expiryError } from './partition/expiry-error.js'
import { ReadyQueue } from './partition/ready-queue.js'
import { type PartitionState, TopicState } from './partition/topic-state.js'

/** The use of a topic is told no more often than this; its metadata are kept for far longer. */
const TOPIC_USE_MS = 1000
/** Encoded headers of one record pass through shared memory of at most this size. */
const HEADER_BYTES_MAX = 64 * 1024 * 1024

export interface AccumulatorOptions {
  addon: NativeAddon
  /** `buffer.memory` */
  bufferBytes: number
  /** `batch.size` */
  batchBytes: number
  /** `max.request.size` */
  maxRequestBytes: number
  lingerMs: number
  maxBlockMs: number
  deliveryTimeoutMs: number
  codec: Codec | null
  adaptivePartitioning: boolean
  /** Whether a leader has been drainable lately (`partitioner.availability.timeout.ms`). */
  isDrainable: (leaderId: number) => boolean
  clock: Clock
  logger: Logger
  random: () => number
  /** Fill freed slabs with 0xDD, to make a read after free visible. */
  fillFreed: boolean
  /** There is something for the sender to do. */
  onWork: () => void
  /** A batch of the topic was opened: keep its metadata. */
  onTopicUsed: (topic: string) => void
  /** A batch of the partition was opened. */
  onBatchOpened?: (partition: PartitionState) => void
  /** Why a batch has not been sent, or not again; null: nothing is known to be in its way. */
  obstacle: (batch: Batch) => KafkaError | null
  /** A record has failed before it was in a batch. */
  onRefused?: (error: KafkaError) => void
}

/** The sender's say in a drain: which partitions must hold still, and the sequence of a batch. */
export interface DrainGate {
  /** False keeps the partition out until something calls `refresh` on it. */
  mayDrain(partition: PartitionState, head: Batch): boolean
  /** Called for every drained batch: sees to its sequence and header. */
  assign(batch: Batch): void
}

/**
 * Holds every record between `send` and its outcome: per-partition queues of batches, which of them are
 * ready, when linger, backoff and delivery time-outs fall due, and the memory all of it may use.
 */
export class RecordAccumulator {
  readonly core: NativeCore
  readonly appender: Appender
  readonly ready = new ReadyQueue()
  readonly topics: TopicState[] = []
  private readonly options: AccumulatorOptions
  readonly staging: Staging
  private readonly arena: Arena
  private readonly batches: (Batch | undefined)[] = []
  /** Open batches in the order of their creation, until their linger time is over. */
  private readonly lingering = new Fifo<Batch>()
  /** Batches without an outcome, in the order of their creation, which is that of their time-outs. */
  private readonly incomplete = new BatchList()
  private readonly backingOff = new BackingOff()
  private readonly encoder: BatchEncoder | null
  private readonly splitter: BatchSplitter
  /** Flushes in progress, plus one when closing: batches do not linger then. */
  private urgency = 0

  constructor(options: AccumulatorOptions) {
    this.options = options
    const { addon, batchBytes, bufferBytes, maxRequestBytes } = options
    this.arena = new Arena(bufferBytes, batchBytes)
    this.staging = new Staging(Math.min(maxRequestBytes, bufferBytes, HEADER_BYTES_MAX))
    this.core = addon.createCore({
      arena: this.arena.buffer,
      slabBytes: this.arena.slabBytes,
      slabMarginBytes: this.arena.marginBytes,
      batchLimitBytes: batchBytes,
      budgetBytes: bufferBytes,
      recordLimitBytes: maxRequestBytes,
      descriptors: this.staging.descriptors.buffer,
      places: this.staging.places.buffer,
      touched: this.staging.touched.buffer,
      staging: this.staging.bytes.buffer as ArrayBuffer,
      result: this.staging.result.buffer,
      fillFreed: options.fillFreed,
    })
    this.appender = new Appender({
      core: this.core,
      staging: this.staging,
      topics: this.topics,
      maxRequestBytes,
      bufferBytes,
      maxBlockMs: options.maxBlockMs,
      now: () => options.clock.now(),
      choosePartition: topic => this.choosePartition(topic),
      onRefused: error => options.onRefused?.(error),
      openBatch: (handle, partition, large) => this.openBatch(handle, partition, large),
      batchOf: handle => this.batches[handle],
      onExhausted: () => this.sendLingering(),
    })
    this.encoder = options.codec === null ? null : this.createEncoder(options.codec)
    this.splitter = new BatchSplitter(this.core, this.staging.result, options.codec)
  }

  /** Whether some batch has no outcome yet. */
  get hasIncomplete(): boolean {
    return this.incomplete.size > 0
  }

  addTopic(name: string): TopicState {
    const topic = new TopicState(name, this.topics.length)
    this.topics.push(topic)
    return topic
  }

  /**
   * Takes over new metadata of a topic. True if leaders moved; call `leadersChanged` after the last topic.
   */
  updateTopic(topic: TopicState, metadata: TopicMetadata): boolean {
    // Staged records were sent when the old partitions held, so they are placed among those.
    this.appender.drainStaged()
    const before = topic.partitionCount
    const moved = topic.update(metadata)
    if (topic.partitionCount !== before && topic.partitionCount > 0) {
      this.core.setTopic(topic.handle, topic.partitionCount)
      // Native code has forgotten it, too.
      if (topic.stickyPartition >= topic.partitionCount) topic.stickyPartition = -1
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

  /** One step of time: ends lingers and backoffs that are over, starts codecs on what is sealed. */
  promote(nowMs: number): void {
    const { lingerMs } = this.options
    for (let head = this.lingering.peek(); head !== undefined; head = this.lingering.peek()) {
      if (head.phase === BatchPhase.OPEN && nowMs - head.createdMs < lingerMs) break
      this.lingering.shift()
      this.endLinger(head)
    }
    for (const partition of this.backingOff.due(nowMs)) this.endBackoff(partition)
    if (this.encoder?.run(this.options.clock)) this.options.onWork()
  }

  /**
   * Takes what one request to a broker may carry: at most one batch per partition, `maxRequestBytes` in all
   * (one batch alone may be larger). Headers are written and the memory is pinned for the request.
   */
  drain(leaderId: number, gate: DrainGate): Batch[] {
    const drained: Batch[] = []
    let bytes = 0
    for (let left = this.ready.countOf(leaderId); left > 0; left--) {
      const partition = this.ready.peek(leaderId) as PartitionState
      const head = partition.queue[0]
      if (head === undefined || !gate.mayDrain(partition, head) || !this.seal(head)) {
        this.ready.take(leaderId)
        continue
      }
      // What does not fit stays at the head, or partitions with smaller batches would pass it for ever.
      if (drained.length > 0 && !this.fits(head, this.options.maxRequestBytes - bytes)) break
      this.ready.take(leaderId)
      this.launch(partition, head, gate)
      drained.push(head)
      bytes += head.bytes
      this.refresh(partition)
    }
    return drained
  }

  /** Puts a batch back after a failed request, in the order of the first drains. */
  requeue(batch: Batch, retryAtMs: number): void {
    const { partition } = batch
    batch.phase = BatchPhase.SEALED
    batch.attempts++
    this.putBack(batch)
    // A leader that the failed attempt did not know of is tried at once, and only once (KIP-951).
    if (batch.attemptLeaderEpoch >= partition.leaderEpoch) {
      this.backingOff.add(partition, retryAtMs)
    }
    this.refresh(partition)
  }

  /** Puts smaller batches in the place of one that was refused for its size. Throws if it cannot be split. */
  split(batch: Batch): void {
    const { drained } = batch.partition
    const parts = this.splitter.split(batch)
    this.incomplete.replace(batch, parts)
    drained.splice(drained.indexOf(batch), 1, ...parts)
    batch.phase = BatchPhase.SETTLED
    if (this.core.settle(batch.handle)) this.batches[batch.handle] = undefined
    for (const part of parts) {
      this.batches[part.handle] = part
      this.putBack(part)
      if (!part.encoded) this.encoder?.add(part)
    }
    this.refresh(batch.partition)
  }

  /** Tells everyone who waits for the batch, and gives its memory back once nothing reads it. */
  settle(batch: Batch): void {
    if (batch.phase === BatchPhase.SETTLED) return
    batch.phase = BatchPhase.SETTLED
    this.incomplete.remove(batch)
    const { partition } = batch
    const { drained } = partition
    if (drained[0] === batch) drained.shift()
    else if (drained.includes(batch)) drained.splice(drained.indexOf(batch), 1)
    if (this.core.settle(batch.handle)) this.batches[batch.handle] = undefined
    batch.tell()
  }

  fail(batch: Batch, error: KafkaError): void {
    batch.outcome.error = error
    this.settle(batch)
  }

  /** A request or codec has stopped reading the batch. True if its memory came back. */
  release(batch: Batch): boolean {
    batch.readers--
    if (!this.core.unpin(batch.handle)) return false
    this.batches[batch.handle] = undefined
    return true
  }

  /** Ends batches older than `delivery.timeout.ms`, queued or in flight. Returns those it has failed. */
  expire(nowMs: number): Batch[] {
    const { deliveryTimeoutMs } = this.options
    const expired: Batch[] = []
    for (const batch of this.incomplete) {
      if (nowMs - batch.createdMs < deliveryTimeoutMs) break
      expired.push(batch)
    }
    for (const batch of expired) this.expireOne(batch, nowMs)
    return expired
  }

  /** When the next linger or backoff is over. */
  nextDeadlineMs(): number {
    const lingering = this.lingering.peek()
    const deadline =
      lingering === undefined ? Number.POSITIVE_INFINITY : lingering.createdMs + this.options.lingerMs
    return Math.min(deadline, this.backingOff.earliestMs)
  }

  /** When the time of the next waiting record or delivery is over. */
  nextTimeoutMs(): number {
    const waiting = this.appender.waiting.nextDeadlineMs
    const { oldest } = this.incomplete
    return oldest === null ? waiting : Math.min(waiting, oldest.createdMs + this.options.deliveryTimeoutMs)
  }

  /** From now on nothing lingers; ended by `endUrgency`. */
  beginUrgency(): void {
    this.urgency++
    this.appender.drainStaged()
    this.sendLingering()
  }

  endUrgency(): void {
    this.urgency--
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

  private abortMatching(error: KafkaError, matches: (batch: Batch) => boolean): void {
    this.appender.drainStaged()
    this.appender.failWaiting(error)
    for (const batch of [...this.incomplete].filter(matches)) {
      this.close(batch)
      this.dequeue(batch)
      this.fail(batch, error)
    }
  }

  private openBatch(handle: number, partition: PartitionState, large: ArrayBuffer | null): Batch {
    const { options } = this
    const nowMs = options.clock.now()
    const memory = large === null ? this.arena.slab(handle) : wholeOf(large)
    const batch = new Batch(handle, memory, partition, nowMs, this.encoder === null)
    this.batches[handle] = batch
    this.incomplete.add(batch)
    const { queue } = partition
    const previous = queue[queue.length - 1]
    if (previous?.phase === BatchPhase.OPEN) this.markSealed(previous)
    partition.insert(batch)
    if (large !== null) this.markSealed(batch)
    else if (options.lingerMs === 0 || this.urgency > 0 || this.appender.waiting.length > 0)
      batch.lingerOver = true
    else this.lingering.push(batch)
    this.refresh(partition)
    const { topic } = partition
    if (nowMs - topic.usedMs >= TOPIC_USE_MS) {
      topic.usedMs = nowMs
      options.onTopicUsed(topic.name)
    }
    options.onBatchOpened?.(partition)
    options.onWork()
    return batch
  }

  /** Native code has closed the batch for appends. */
  private markSealed(batch: Batch): void {
    batch.phase = BatchPhase.SEALED
    if (!batch.encoded) this.encoder?.add(batch)
  }

  /** Closes a batch for appends; what is staged may count on its room. */
  private close(batch: Batch): void {
    if (batch.phase !== BatchPhase.OPEN) return
    this.appender.drainStaged()
    this.core.seal(batch.handle)
    batch.phase = BatchPhase.SEALED
  }

  /**
   * Closes the head batch for a drain. False if it must be compressed first; the partition comes back then.
   */
  private seal(batch: Batch): boolean {
    this.close(batch)
    if (batch.encoded) return true
    const { clock, onWork } = this.options
    if (batch.phase === BatchPhase.SEALED && this.encoder?.startOrAdd(batch, clock)) onWork()
    return batch.encoded
  }

  /** Whether a sealed batch has no more bytes than that; its memory need not be full. */
  private fits(batch: Batch, bytesLeft: number): boolean {
    if (batch.memory.bytes <= bytesLeft) return true
    this.core.describe(batch.handle)
    return (this.staging.result[Result.SIZE] as number) <= bytesLeft
  }

  /** The head of the queue becomes part of a request. */
  private launch(partition: PartitionState, head: Batch, gate: DrainGate): void {
    partition.remove(0)
    if (!head.wasDrained) {
      head.wasDrained = true
      partition.drained.push(head)
    }
    gate.assign(head)
    head.phase = BatchPhase.IN_FLIGHT
    head.attemptLeaderEpoch = partition.leaderEpoch
    head.readers++
    this.core.pin(head.handle)
    partition.onWire++
  }

  /** Into the queue again, before what was drained later or not at all. */
  private putBack(batch: Batch): void {
    const { queue, drained } = batch.partition
    const order = drained.indexOf(batch)
    let at = 0
    while (at < queue.length) {
      const other = drained.indexOf(queue[at] as Batch)
      if (other < 0 || other > order) break
      at++
    }
    batch.partition.insert(batch, at)
  }

  private endLinger(batch: Batch): void {
    batch.lingerOver = true
    if (batch.phase !== BatchPhase.SETTLED) this.refresh(batch.partition)
  }

  private sendLingering(): void {
    if (this.lingering.length > 0) for (const batch of this.lingering.drain()) this.endLinger(batch)
    this.options.onWork()
  }

  private endBackoff(partition: PartitionState): void {
    this.backingOff.remove(partition)
    this.refresh(partition)
  }

  private expireOne(batch: Batch, nowMs: number): void {
    this.close(batch)
    const isInFlight = batch.phase === BatchPhase.IN_FLIGHT
    const cause = isInFlight ? batch.lastError : this.options.obstacle(batch)
    this.dequeue(batch)
    this.fail(batch, expiryError(batch, isInFlight, nowMs, cause))
  }

  /** Takes an expired batch out of its queue; what comes next has not failed yet, so nothing holds it. */
  private dequeue(batch: Batch): void {
    const { partition } = batch
    const { queue } = partition
    const at = queue.indexOf(batch)
    if (at < 0) return
    partition.remove(at)
    this.ready.remove(partition)
    if ((queue[0]?.attempts ?? 0) === 0 && this.backingOff.has(partition)) this.endBackoff(partition)
    else this.refresh(partition)
  }

  /** The topic's next sticky partition. The present one's batch has had its share and lingers no longer. */
  private choosePartition(topic: TopicState): number {
    const last = topic.partitions[topic.stickyPartition]?.queue.at(-1)
    if (last?.phase === BatchPhase.OPEN) this.endLinger(last)
    const load: TopicLoad = {
      partitionCount: topic.partitionCount,
      available: topic.available,
      queued: topic.queued,
      isDrainable: leaderId => this.options.isDrainable(leaderId),
    }
    topic.stickyPartition = chooseStickyPartition(load, {
      adaptive: this.options.adaptivePartitioning,
      random: this.options.random,
    })
    return topic.stickyPartition
  }

  private createEncoder(codec: Codec): BatchEncoder {
    return new BatchEncoder({
      core: this.core,
      result: this.staging.result,
      codec,
      logger: this.options.logger,
      onEncoded: batch => {
        this.refresh(batch.partition)
        this.options.onWork()
      },
      release: batch => {
        if (this.release(batch)) this.options.onWork()
      },
    })
  }
}
