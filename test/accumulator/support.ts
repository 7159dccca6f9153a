import { RecordAccumulator } from '../../dist/accumulator/accumulator.js'
import type {
  AccumulatorHost,
  AccumulatorOptions,
  DrainGate,
} from '../../dist/accumulator/accumulator-options.js'
import type { Delivery } from '../../dist/accumulator/append/delivery.js'
import { WaitingBudget } from '../../dist/accumulator/append/waiting-budget.js'
import type { Batch } from '../../dist/accumulator/batch/batch.js'
import type { BatchOutcome, Settlement } from '../../dist/accumulator/batch/batch-outcome.js'
import type { PartitionBatch, PartitionState } from '../../dist/accumulator/partition/partition-state.js'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import type { TopicMetadata } from '../../dist/cluster/metadata-cache.js'
import { noObserver } from '../../dist/common/observer.js'
import { BrokerError, type KafkaError } from '../../dist/errors/index.js'
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

/** Lets everything through, without a producer id. */
export class OpenGate implements DrainGate {
  prepare(): void {}
  mayDrain(): boolean {
    return true
  }
  assign(): number {
    return 0
  }
}

/** A record as its sender sees it. */
export class Sent implements Delivery, Settlement {
  batch: PartitionBatch | null = null
  index = -1
  error: KafkaError | null = null
  isSettled = false
  settledAtMs = -1
  private readonly clock: FakeClock
  constructor(clock: FakeClock) {
    this.clock = clock
  }
  attach(batch: Batch, index: number): void {
    this.batch = batch as PartitionBatch
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

export type RigOptions = Partial<Omit<AccumulatorOptions, 'host'>> & { host?: Partial<AccumulatorHost> }

/** An accumulator without sender and network, on a clock that a test moves. */
export class AccumulatorRig {
  readonly clock = new FakeClock()
  readonly accumulator: RecordAccumulator
  readonly gate = new OpenGate()
  readonly bufferBytes: number
  /** Times the accumulator has asked for a run of the sender. */
  wakeups = 0

  constructor({ host, ...options }: RigOptions = {}) {
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
      clock: this.clock,
      logger: new RecordingLogger(),
      observer: noObserver,
      waitingBudget: new WaitingBudget(Number.POSITIVE_INFINITY),
      random: Math.random,
      fillFreed: true,
      ...options,
      host: {
        wakeup: () => {
          this.wakeups++
        },
        isDrainable: () => true,
        opened: () => {},
        lastCause: batch => batch.lastError,
        refused: () => {},
        ...host,
      },
    })
  }

  topic(name: string, partitions: number): TopicState {
    const topic = this.accumulator.addTopic(name)
    const leaders = Array.from({ length: partitions }, () => [LEADER, 0] as const)
    this.accumulator.updateTopic(topic, topicMetadata(name, leaders))
    return topic
  }

  partition(topic: TopicState, index: number): PartitionState {
    return topic.partition(index)
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
  drain(leader = LEADER): PartitionBatch[] {
    this.accumulator.beginTurn(this.clock.now())
    return this.accumulator.drain(leader, this.gate)
  }

  /** The request has been written and answered well. */
  succeed(batches: readonly PartitionBatch[]): void {
    for (const batch of batches) {
      batch.partition.answered()
      this.accumulator.release(batch)
      this.accumulator.settle(batch)
      this.accumulator.refresh(batch.partition)
    }
  }

  /** The request has been written and answered with an error that is retried after `backoffMs`. */
  retry(batches: readonly PartitionBatch[], backoffMs: number): void {
    for (const batch of batches) {
      batch.partition.answered()
      this.accumulator.release(batch)
      const error = new BrokerError('planted', { errorCode: 19, errorName: 'NOT_ENOUGH_REPLICAS' })
      this.accumulator.requeue(batch, error, true, this.clock.now() + backoffMs)
    }
  }

  get usedBytes(): number {
    return this.bufferBytes - this.accumulator.availableBytes
  }
}
