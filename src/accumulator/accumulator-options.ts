import type { Clock } from '../common/clock.js'
import type { Logger } from '../common/logger.js'
import type { Observer } from '../common/observer.js'
import type { Codec } from '../compression/codec.js'
import type { KafkaError } from '../errors/index.js'
import type { NativeAddon } from '../native/addon.js'
import type { WaitingBudget } from './append/waiting-budget.js'
import type { PartitionBatch, PartitionState } from './partition/partition-state.js'

/** What the accumulator needs of those above it. */
export interface AccumulatorHost {
  /** There is something for the sender to do. */
  wakeup(): void
  /** Whether a leader has been drainable lately (`partitioner.availability.timeout.ms`). */
  isDrainable(leaderId: number): boolean
  /** A batch of the partition was opened. */
  opened(partition: PartitionState): void
  /** Why a batch has not been sent, or not again. Null: nothing is known to be in its way. */
  lastCause(batch: PartitionBatch): KafkaError | null
  /** A record has failed before it was in a batch. */
  refused(error: KafkaError): void
}

export interface AccumulatorOptions {
  addon: NativeAddon
  host: AccumulatorHost
  /** `buffer.memory` */
  bufferBytes: number
  /** `batch.size` */
  batchBytes: number
  /** `max.request.size` */
  maxRequestBytes: number
  lingerMs: number
  maxBlockMs: number
  /** Bounds the copies of records that wait. */
  waitingBudget: WaitingBudget
  deliveryTimeoutMs: number
  codec: Codec | null
  adaptivePartitioning: boolean
  clock: Clock
  logger: Logger
  observer: Observer
  random: () => number
  /** Fill freed slabs with 0xDD, to make a read after free visible. */
  fillFreed: boolean
}

/** The sender's say in a drain: which partitions must hold still, and the sequence of a batch. */
export interface DrainGate {
  /** Brings the partition's sequences to where its head may go out: a new epoch, or a new beginning. */
  prepare(partition: PartitionState, head: PartitionBatch): void
  /** Whether the head may go out now. False keeps the partition out until something refreshes it. */
  mayDrain(partition: PartitionState, head: PartitionBatch): boolean
  /** Sees to the sequence of a batch that goes out. Answers bits for its header's attributes. */
  assign(batch: PartitionBatch): number
}
