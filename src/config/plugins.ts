import type { ClusterListener, PluginHooks } from '../common/plugin-hooks.js'
import type { KafkaError } from '../errors/index.js'
import type { Bytes, Headers } from '../serialization/index.js'

/** A partition as plug-ins see it. Ids are broker ids, -1 for a leader that is not known. */
export interface PluginPartition {
  /** The topic it is one of. */
  readonly topic: string
  /** Its number, from 0. */
  readonly partition: number
  /** Id of the broker that leads it. */
  readonly leader: number
}

/** What a custom partitioner may ask of the cluster's metadata (Java: `Cluster`). */
export interface PartitionerCluster {
  /** How many partitions the topic has; undefined while that is not known. */
  partitionCountForTopic(topic: string): number | undefined
  /** All partitions of the topic; none while it is not known. */
  partitionsForTopic(topic: string): readonly PluginPartition[]
  /** Those of them that have a leader. */
  availablePartitionsForTopic(topic: string): readonly PluginPartition[]
}

/** What a record is stored with; null for a record without a key, and for a tombstone. */
type StoredBytes = Uint8Array | null

/**
 * Chooses the partition of a record that names none; must answer a partition id of at least 0 at once.
 * Strings come as their UTF-8.
 */
export type Partition = (
  topic: string,
  keyBytes: StoredBytes,
  valueBytes: StoredBytes,
  cluster: PartitionerCluster,
) => number

/** The object form of {@link Partition} (Java: `Partitioner`). */
export interface Partitioner extends PluginHooks {
  /** Answers the id of the partition, at once. */
  partition(
    topic: string,
    keyBytes: StoredBytes,
    valueBytes: StoredBytes,
    cluster: PartitionerCluster,
  ): number
}

/** A record as interceptors see it: what was given to `send`. */
export interface InterceptedRecord<K = Bytes, V = Bytes> {
  topic: string
  partition?: number
  timestamp?: number
  key?: K
  value?: V
  headers?: Headers
}

/** The outcome as interceptors see it. After a failure, what is not known is -1. */
export interface InterceptedMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
  readonly serializedKeySize: number
  readonly serializedValueSize: number
}

/** Sees every record and its outcome (Java: `ProducerInterceptor`). What it throws is only logged. */
export interface ProducerInterceptor<K = Bytes, V = Bytes> extends PluginHooks, ClusterListener {
  /** Called by `send` before anything else; what it returns is sent instead. */
  onSend?(record: InterceptedRecord<K, V>): InterceptedRecord<K, V>
  /**
   * Called when the outcome is known, before the record's own callback. `headers` are those the record was
   * sent with: as `onSend` left them, those of a serializer added; without any, an empty array (KIP-512).
   */
  onAcknowledgement?(metadata: InterceptedMetadata, error: KafkaError | null, headers: Headers): void
}
