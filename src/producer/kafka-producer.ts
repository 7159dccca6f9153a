import type { Bytes } from '../serialization/index.js'
import type { Metric } from '../telemetry/metrics/metric.js'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../transactions/offsets.js'
import type { RecordMetadata } from './record-metadata.js'
import type { DeliveryCallback } from './send/callback-group.js'
import type { DeliveryReport } from './send/delivery-report.js'
import type { ClusterInfo, ConnectOptions, PartitionInfo, ProducerHealth, ProducerRecord } from './types.js'

/**
 * What a producer can do, whatever is behind it: `Producer` sends to a cluster, `MockProducer` of
 * `millrace/testing` to nowhere. Code that takes this type can be tested without a broker. (Java: the
 * interface `Producer`)
 */
export interface KafkaProducer<K = Bytes, V = Bytes> extends AsyncDisposable {
  /**
   * Sends one record: with a callback no promise is made. Sends to one partition are stored in the order of
   * the calls; buffers may be used again at once. `signal` gives the record up while it waits to be taken.
   */
  send(record: ProducerRecord<K, V>, options?: { signal?: AbortSignal }): Promise<RecordMetadata>
  /** False: there is no room for more records, and {@link ready} says when there is. */
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): boolean

  /** Sends many records with one promise; rejects with `SendManyError`, which has each record's outcome. */
  sendMany(
    records: Iterable<ProducerRecord<K, V>>,
    options?: { signal?: AbortSignal },
  ): Promise<DeliveryReport>

  /** Reaches a broker, authenticates and gets the producer id. Nobody has to call it. */
  connect(options?: ConnectOptions): Promise<ClusterInfo>

  /** Resolves when there is room for more records, at once if there is now. */
  ready(options?: { signal?: AbortSignal }): Promise<void>

  /** Resolves once everything sent before it is settled and its callbacks have been called. */
  flush(options?: { signal?: AbortSignal }): Promise<void>

  /** Sends what is left, then closes. What is left after `timeoutMs` (default: no limit) is rejected. */
  close(options?: { timeoutMs?: number }): Promise<void>

  /** The partitions of a topic. */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>

  /** How the producer is doing, for readiness probes. */
  health(): ProducerHealth

  /** Every metric with its present value, by Java's names, groups and tags. */
  metrics(): readonly Metric[]
  /** The id under which the cluster knows this producer's metrics (KIP-714). */
  clientInstanceId(options?: { timeoutMs?: number }): Promise<string>
  /** Hands a metric of the application to the cluster with the producer's own (KIP-1076). */
  registerMetricForSubscription(metric: Metric): void
  /** Takes back {@link registerMetricForSubscription}. */
  unregisterMetricFromSubscription(metric: Metric): void

  /** Bytes of `buffer.memory` that hold no record now. */
  readonly bufferAvailableBytes: number
  /** `buffer.memory`, in bytes. */
  readonly bufferTotalBytes: number
  /** Bytes of the copies of records that wait for metadata or memory. */
  readonly waitingBytes: number

  /** Once, before all other calls of transactions; fences older producers of the same `transactional.id`. */
  initTransactions(): Promise<void>
  /** Opens a transaction. Throws where that is not possible. */
  beginTransaction(): void
  /** Commits a consumer group's offsets with the transaction. */
  sendOffsetsToTransaction(
    offsets: Iterable<TopicPartitionOffset>,
    group: ConsumerGroupMetadata,
  ): Promise<void>
  /** Sends what is left and commits. What could not be stored rejects it; then abort. */
  commitTransaction(): Promise<void>
  /** Aborts: `read_committed` consumers see nothing of the transaction. */
  abortTransaction(): Promise<void>
  /** Does `work` in a transaction: commits when its promise resolves, aborts when it rejects. */
  transaction<T>(work: (producer: this) => Promise<T> | T): Promise<T>
  /** For `await using`: {@link close} without a time-out. */
  [Symbol.asyncDispose](): Promise<void>
}
