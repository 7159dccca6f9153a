import type { KafkaError } from '../errors/index.js'
import type { Bytes, Headers } from '../serialization/index.js'

/** One record to send. */
export interface ProducerRecord<K = Bytes, V = Bytes> {
  topic: string
  /** Default: by the key's hash, or the sticky partition where there is no key. */
  partition?: number | null | undefined
  /**
   * A Date or milliseconds since the epoch; default now, which records sent within a millisecond of each
   * other share, eight at a time. Fractions are cut off.
   */
  timestamp?: number | Date | null | undefined
  key?: K | null | undefined
  /** Must be given: null is a tombstone, which deletes the key in a compacted topic. */
  value: V | null
  headers?: Headers | null | undefined
}

/** One partition of a topic as the cluster describes it (Java: `PartitionInfo`). */
export interface PartitionInfo {
  readonly topic: string
  readonly partition: number
  /** Broker id, -1 if nobody leads the partition now. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
}

/** The cluster that a producer has reached, as the broker that was asked describes it. */
export interface ClusterInfo {
  readonly clusterId: string | null
  /** Broker id, -1 if it is not known. */
  readonly controllerId: number
  readonly brokers: readonly {
    readonly id: number
    readonly host: string
    readonly port: number
    readonly rack: string | null
  }[]
}

/** Options of `connect`. */
export interface ConnectOptions {
  signal?: AbortSignal
  /** Default `max.block.ms`. */
  timeoutMs?: number
  /** Whether to get the producer id, too. Default true. */
  producerId?: boolean
}

/**
 * How a producer is doing, for readiness probes. All times are ages in milliseconds of the monotonic clock,
 * so a clock that is set does not change them.
 */
export interface ProducerHealth {
  /**
   * A broker is connected and has authenticated the client, or was until its connection was closed for being
   * idle (`connections.max.idle.ms`). False before the first connection: see `connect`.
   */
  readonly connected: boolean
  /** Time since a broker has last acknowledged a batch; null: none has yet, or `acks` is 0. */
  readonly lastAcknowledgedMs: number | null
  /**
   * Age of the oldest record without an outcome; null: there is none. It counts from the opening of its batch
   * (as `delivery.timeout.ms` does), or, while it waits for metadata, memory or a serializer, from its send.
   */
  readonly oldestUnacknowledgedMs: number | null
  /** Why no record can be sent any more: fenced, closed, …; null while records can be sent. */
  readonly fatal: KafkaError | null
}
