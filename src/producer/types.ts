import type { Bytes, Headers } from '../serialization/index.js'

/** One record to send. */
export interface ProducerRecord<K = Bytes, V = Bytes> {
  topic: string
  /** Default: by the key's hash, or the sticky partition where there is no key. */
  partition?: number | null | undefined
  /**
   * Milliseconds since the epoch; default now, which records sent within a millisecond of each other share,
   * eight at a time. Fractions are cut off.
   */
  timestamp?: number | null | undefined
  key?: K | null | undefined
  value?: V | null | undefined
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
