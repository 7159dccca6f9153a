import { RecordAccumulator } from '../../dist/accumulator/accumulator.js'
import { WaitingBudget } from '../../dist/accumulator/append/waiting-budget.js'
import { FlushBarrier } from '../../dist/accumulator/batch/flush-barrier.js'
import type { PartitionState } from '../../dist/accumulator/partition/partition-state.js'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { ClusterClient, type ClusterClientOptions } from '../../dist/cluster/cluster-client.js'
import { type Clock, systemClock } from '../../dist/common/clock.js'
import { noObserver } from '../../dist/common/observer.js'
import type { CompressionType } from '../../dist/compression/codec.js'
import { createCodec } from '../../dist/compression/index.js'
import { loadAddon } from '../../dist/native/load.js'
import type { RecordMetadata } from '../../dist/producer/record-metadata.js'
import { PromiseDelivery } from '../../dist/producer/send/promise-delivery.js'
import { Sender } from '../../dist/sender/sender.js'
import type { TestBroker } from '../../dist/testing/index.js'
import { clusterOptions, RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'

export interface RigOptions {
  clock?: Clock
  idempotent?: boolean
  acks?: number
  maxInFlight?: number
  retries?: number
  batchBytes?: number
  bufferBytes?: number
  maxRequestBytes?: number
  lingerMs?: number
  maxBlockMs?: number
  deliveryTimeoutMs?: number
  requestTimeoutMs?: number
  retryBackoffMs?: number
  retryBackoffMaxMs?: number
  compression?: CompressionType
  client?: Partial<ClusterClientOptions>
}

/** What became of one record. */
export interface Outcome {
  metadata: RecordMetadata | null
  error: (Error & { code?: string; errorName?: string }) | null
}

/** Accumulator, sender and cluster client as a producer wires them, with any clock and open to look into. */
export class SenderRig implements AsyncDisposable {
  readonly client: ClusterClient
  readonly accumulator: RecordAccumulator
  readonly sender: Sender
  readonly logger = new RecordingLogger()
  readonly bufferBytes: number
  /** Values of the records in the order in which they were settled. */
  readonly settled: string[] = []
  private readonly clock: Clock
  private readonly topics: TopicState[] = []

  constructor(broker: TestBroker, options: RigOptions = {}) {
    const clock = options.clock ?? systemClock
    const { requestTimeoutMs = 30_000, retryBackoffMs = 1, retryBackoffMaxMs = 5 } = options
    const servers = broker.nodes.map(({ host, port }) => ({ host, port }))
    this.clock = clock
    this.bufferBytes = options.bufferBytes ?? 1024 * 1024
    this.client = new ClusterClient(
      clusterOptions(servers, {
        clock,
        logger: this.logger,
        requestTimeoutMs,
        retryBackoffMs,
        retryBackoffMaxMs,
        maxInFlight: options.maxInFlight ?? 5,
        ...options.client,
      }),
    )
    this.accumulator = new RecordAccumulator({
      addon: loadAddon(),
      bufferBytes: this.bufferBytes,
      batchBytes: options.batchBytes ?? 16_384,
      maxRequestBytes: options.maxRequestBytes ?? 1024 * 1024,
      lingerMs: options.lingerMs ?? 0,
      maxBlockMs: options.maxBlockMs ?? 60_000,
      deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
      codec: createCodec(options.compression ?? 'none', { gzip: -1, lz4: 9, zstd: 3 }),
      adaptivePartitioning: true,
      clock,
      logger: this.logger,
      observer: noObserver,
      waitingBudget: new WaitingBudget(Number.POSITIVE_INFINITY),
      random: Math.random,
      fillFreed: true,
      host: {
        wakeup: () => this.sender.wakeup(),
        isDrainable: leaderId => this.sender.latency.isDrainable(leaderId),
        opened: () => {},
        lastCause: batch => this.sender.lastCause(batch),
        refused: () => {},
      },
    })
    this.sender = new Sender({
      accumulator: this.accumulator,
      client: this.client,
      clock,
      logger: this.logger,
      observer: noObserver,
      clientId: 'rig',
      acks: options.acks ?? -1,
      idempotent: options.idempotent ?? true,
      maxInFlight: options.maxInFlight ?? 5,
      retries: options.retries ?? 2 ** 31 - 1,
      requestTimeoutMs,
      retryBackoffMs,
      retryBackoffMaxMs,
      availabilityTimeoutMs: 0,
      compressionName: options.compression ?? 'none',
      onLeaderHint: name => {
        const topic = this.topics.find(each => each.name === name)
        if (topic !== undefined && this.take(topic)) this.accumulator.leadersChanged()
      },
    })
    this.client.onUpdate = () => {
      let moved = false
      for (const topic of this.topics) if (this.take(topic)) moved = true
      if (moved) this.accumulator.leadersChanged()
      this.sender.wakeup()
    }
  }

  /** A topic whose metadata is there. */
  async topic(name: string): Promise<TopicState> {
    const topic = this.accumulator.addTopic(name)
    this.topics.push(topic)
    this.client.trackTopic(name)
    await eventually(`metadata of ${name}`, () => topic.partitionCount > 0)
    return topic
  }

  partition(topic: TopicState, index = 0): PartitionState {
    return topic.partition(index)
  }

  /** Sends a record; what becomes of it never rejects. */
  send(topic: TopicState, value: string | Uint8Array, partition = 0): Promise<Outcome> {
    const delivery = new PromiseDelivery()
    const { appender } = this.accumulator
    const timestampMs = this.clock.wallNow()
    appender.append({ topic, partition, timestampMs, key: null, value, headers: null }, delivery, 0)
    this.sender.wakeup()
    return delivery.promise.then(
      metadata => {
        this.settled.push(String(value))
        return { metadata, error: null }
      },
      error => {
        this.settled.push(String(value))
        return { metadata: null, error }
      },
    )
  }

  /** Waits until all that was sent is settled. */
  async flush(): Promise<void> {
    const barrier = new FlushBarrier()
    this.accumulator.beginHurry()
    this.accumulator.joinBarrier(barrier)
    barrier.leave()
    this.sender.wakeup()
    await barrier.done
    this.accumulator.endHurry()
  }

  /** Changes the time for delivery, that of records sent before included. */
  expireAfter(deliveryTimeoutMs: number): void {
    const { options } = this.accumulator as unknown as { options: { deliveryTimeoutMs: number } }
    options.deliveryTimeoutMs = deliveryTimeoutMs
    this.sender.wakeup()
  }

  get usedBytes(): number {
    return this.bufferBytes - this.accumulator.availableBytes
  }

  /** The producer id and epoch that new batches get. */
  get identity() {
    return this.sender.identity.current
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sender.close()
    await this.client.close()
  }

  private take(topic: TopicState): boolean {
    const metadata = this.client.metadata.topic(topic.name)
    if (metadata === undefined || metadata === topic.metadata) return false
    return this.accumulator.updateTopic(topic, metadata)
  }
}

const decoder = new TextDecoder()

/** The values stored in a partition, in the order of their offsets. */
export function stored(broker: TestBroker, topic: string, partition?: number): string[] {
  return Array.from(broker.records(topic, partition), ({ value }) =>
    decoder.decode(value ?? new Uint8Array()),
  )
}

/** Calls back at the n-th Produce request from now on (from 1), before it is handled. */
export function atProduce(broker: TestBroker, n: number, work: () => void): void {
  let seen = 0
  const stop = broker.onRequest(request => {
    if (request.api !== 'Produce' || ++seen !== n) return
    stop()
    work()
  })
}
