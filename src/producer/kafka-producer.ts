import type { Bytes } from '../serialization/index.js'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../transactions/offsets.js'
import type { RecordMetadata } from './record-metadata.js'
import type { DeliveryCallback } from './send/callback-group.js'
import type { DeliveryReport } from './send/delivery-report.js'
import type { PartitionInfo, ProducerRecord } from './types.js'

/**
 * What a producer can do, whatever is behind it: `Producer` sends to a cluster, `MockProducer` of
 * `millrace/testing` to nowhere. Code that takes this type can be tested without a broker. (Java: the
 * interface `Producer`)
 */
export interface KafkaProducer<K = Bytes, V = Bytes> extends AsyncDisposable {
  /**
   * Sends one record: with a callback no promise is made. Sends to one partition are stored in the order of
   * the calls; buffers may be used again at once.
   */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>
  /** False: `buffer.memory` is used up, and {@link ready} says when there is room. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a producer may say nothing of its memory.
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): boolean | void

  /** Sends many records with one promise; rejects with `SendManyError`, which has each record's outcome. */
  sendMany(records: readonly ProducerRecord<K, V>[]): Promise<DeliveryReport>

  /** Resolves when `buffer.memory` has room again, at once if it has now. */
  ready?(options?: { signal?: AbortSignal }): Promise<void>

  /** Resolves once everything sent before it is settled and its callbacks have been called. */
  flush(): Promise<void>

  /** Sends what is left, then closes. What is left after `timeoutMs` (default: no limit) is rejected. */
  close(options?: { timeoutMs?: number }): Promise<void>

  /** The partitions of a topic. */
  partitionsFor(topic: string): Promise<readonly PartitionInfo[]>

  /** Bytes of `buffer.memory` that hold no record now. */
  readonly bufferAvailableBytes: number
  /** `buffer.memory`, in bytes. */
  readonly bufferTotalBytes: number

  /** Once, before all other calls of transactions; fences older producers of the same `transactional.id`. */
  initTransactions(): Promise<void>
  /** Opens a transaction. Throws where that is not possible. */
  beginTransaction(): void
  /** Commits a consumer group's offsets with the transaction. */
  sendOffsetsToTransaction(
    offsets: Iterable<TopicPartitionOffset>,
    group: ConsumerGroupMetadata,
  ): Promise<void>
  commitTransaction(): Promise<void>
  abortTransaction(): Promise<void>
  /** Does `work` in a transaction: commits when its promise resolves, aborts when it rejects. */
  transaction<T>(work: (producer: this) => Promise<T> | T): Promise<T>
}
