import type { KafkaError } from '../errors/index.js'
import type { Bytes, Headers } from '../serialization/index.js'

/** One record to send. */
export interface ProducerRecord<K = Bytes, V = Bytes> {
  /** Where to: 1 to 249 characters of `a-z A-Z 0-9 . _ -`. */
  topic: string
  /** Default: by the key's hash, or the sticky partition where there is no key. */
  partition?: number | null | undefined
  /**
   * A Date or milliseconds since the epoch; default now, which records sent within a millisecond of each
   * other share, eight at a time. Fractions are cut off.
   */
  timestamp?: number | Date | null | undefined
  /**
   * Records of one key go to one partition, in order. Text is sent as UTF-8. Default none (null): then the
   * partitions take turns, a batch each.
   */
  key?: K | null | undefined
  /** Must be given: null is a tombstone, which deletes the key in a compacted topic. */
  value: V | null
  /** Pairs in order, or an object; a name may be there more than once. Default none. */
  headers?: Headers | null | undefined
}

/** One partition of a topic as the cluster describes it (Java: `PartitionInfo`). */
export interface PartitionInfo {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number, from 0. */
  readonly partition: number
  /** Broker id, -1 if nobody leads the partition now. */
  readonly leader: number
  /** Ids of the brokers that have a copy of it, the preferred leader first. */
  readonly replicas: readonly number[]
  /** Those of them that have all that is committed. */
  readonly inSyncReplicas: readonly number[]
}

/** The cluster that a producer has reached, as the broker that was asked describes it. */
export interface ClusterInfo {
  /** Null: the cluster has none. */
  readonly clusterId: string | null
  /** Broker id, -1 if it is not known. */
  readonly controllerId: number
  /** The brokers that are up, with the addresses that they have for clients. */
  readonly brokers: readonly {
    /** The broker's id in the cluster. */
    readonly id: number
    /** Name or address, as the broker announces it. */
    readonly host: string
    /** TCP port. */
    readonly port: number
    /** Null: it has none. */
    readonly rack: string | null
  }[]
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** Gives up waiting: the promise rejects with the signal's reason. */
  signal?: AbortSignal
  /** Longest wait in milliseconds. Default `max.block.ms`. */
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
