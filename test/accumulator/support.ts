import {
  type AccumulatorOptions,
  type DrainGate,
  RecordAccumulator,
} from '../../dist/accumulator/accumulator.js'
import type { Batch } from '../../dist/accumulator/batch/batch.js'
import type { BatchOutcome, Delivery, Settlement } from '../../dist/accumulator/batch/delivery.js'
import type { PartitionState, TopicState } from '../../dist/accumulator/partition/topic-state.js'
import type { TopicMetadata } from '../../dist/cluster/metadata-cache.js'
import type { KafkaError } from '../../dist/errors/index.js'
import { loadAddon } from '../../dist/native/load.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { FakeClock } from '../helpers/fake-clock.js'

/** Leads every partition unless a test says otherwise. */
export const LEADER = 1

/** Metadata of a topic; `leaders` gives leader and leader epoch by partition. */
export function topicMetadata(name: string, leaders: readonly (readonly [id: number, epoch: number])[]) {
  const partitions = leaders.map(([leaderId, leaderEpoch], index) => ({
    index,
    leaderId,
    leaderEpoch,
    errorCode: 0,
    replicas: [leaderId],
    isr: [leaderId],
  }))
  return { name, id: new Uint8Array(16).fill(1), partitions } satisfies TopicMetadata
}

/** Lets everything through, and writes a header without producer id. */
export class OpenGate implements DrainGate {
  private readonly accumulator: RecordAccumulator
  constructor(accumulator: RecordAccumulator) {
    this.accumulator = accumulator
  }
  mayDrain(): boolean {
    return true
  }
  assign(batch: Batch): void {
    if (batch.bytes === 0)
      batch.bytes = this.accumulator.core.finish(batch.handle, -1, -1, -1, -1, batch.codecId)
  }
}

/** A record as its sender sees it. */
export class Sent implements Delivery, Settlement {
  batch: Batch | null = null
  index = -1
  error: KafkaError | null = null
  isSettled = false
  settledAtMs = -1
  private readonly clock: FakeClock
  constructor(clock: FakeClock) {
    this.clock = clock
  }
  attach(batch: Batch, index: number): void {
    this.batch = batch
    this.index = index
    batch.settlements.push(this)
  }
  settle(outcome: BatchOutcome): void {
    this.fail(outcome.errorOf(this.index))
  }
  fail(error: KafkaError | null): void {
    this.error = error
    this.isSettled = true
    this.settledAtMs = this.clock.now()
  }
}

/** An accumulator without sender and network, on a clock that a test moves. */
export class AccumulatorRig {
  readonly clock = new FakeClock()
  readonly accumulator: RecordAccumulator
  readonly gate: OpenGate
  readonly bufferBytes: number
  /** Times the accumulator has asked for a run of the sender. */
  wakeups = 0

  constructor(options: Partial<AccumulatorOptions> = {}) {
    this.bufferBytes = options.bufferBytes ?? 64 * 1024
    this.accumulator = new RecordAccumulator({
      addon: loadAddon(),
      bufferBytes: this.bufferBytes,
      batchBytes: 1024,
      maxRequestBytes: 1024 * 1024,
      lingerMs: 0,
      maxBlockMs: 1000,
      deliveryTimeoutMs: 120_000,
      codec: null,
      adaptivePartitioning: true,
      isDrainable: () => true,
      clock: this.clock,
      logger: new RecordingLogger(),
      random: Math.random,
      fillFreed: true,
      onWork: () => {
        this.wakeups++
      },
      onTopicUsed: () => {},
      obstacle: batch => batch.lastError,
      ...options,
    })
    this.gate = new OpenGate(this.accumulator)
  }

  topic(name: string, partitions: number): TopicState {
    const topic = this.accumulator.addTopic(name)
    const leaders = Array.from({ length: partitions }, () => [LEADER, 0] as const)
    this.accumulator.updateTopic(topic, topicMetadata(name, leaders))
    return topic
  }

  partition(topic: TopicState, index: number): PartitionState {
    return topic.partitions[index] as PartitionState
  }

  /** A record of about `bytes` bytes. */
  send(topic: TopicState, partition: number, bytes = 10, fill = 'v'): Sent {
    const sent = new Sent(this.clock)
    const value = Buffer.alloc(bytes, fill)
    const record = { topic, partition, timestampMs: 0, key: null, value, headers: null }
    this.accumulator.appender.append(record, sent, 0)
    return sent
  }

  /** One step of the sender: what one request to the leader carries. */
  drain(leader = LEADER): Batch[] {
    this.accumulator.appender.drainStaged()
    this.accumulator.promote(this.clock.now())
    return this.accumulator.drain(leader, this.gate)
  }

  /** The request has been written and answered well. */
  succeed(batches: readonly Batch[]): void {
    for (const batch of batches) {
      batch.partition.onWire--
      this.accumulator.release(batch)
      this.accumulator.settle(batch)
      this.accumulator.refresh(batch.partition)
    }
  }

  /** The request has been written and answered with an error that is retried after `backoffMs`. */
  retry(batches: readonly Batch[], backoffMs: number): void {
    for (const batch of batches) {
      batch.partition.onWire--
      this.accumulator.release(batch)
      this.accumulator.requeue(batch, this.clock.now() + backoffMs)
    }
  }

  get usedBytes(): number {
    return this.bufferBytes - this.accumulator.core.availableBytes()
  }
}
