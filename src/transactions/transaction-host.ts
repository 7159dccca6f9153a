import type { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock } from '../common/clock.js'
import type { Logger } from '../common/logger.js'
import type { Observer } from '../common/observer.js'
import type { KafkaError } from '../errors/index.js'

/** What transactions need of those who send the records. */
export interface TransactionHost {
  /** Resolves once all records accepted so far have an outcome. Nothing lingers meanwhile. */
  flush(): Promise<void>
  /** Fails all records that have not been part of a request. */
  abortUnsent(error: KafkaError): void
  /** What has kept the oldest record that has no outcome; null where there is none, or nothing is known. */
  undelivered(): KafkaError | null
  /** No record can be sent any more. */
  failForGood(error: KafkaError): void
  /** Batches that have no sequence yet get theirs under this identity, from 0 on. */
  setIdentity(producerId: bigint, producerEpoch: number): void
  /** Partitions that were held back may be drained by now. */
  resume(): void
  /** Look again whether there is something to send or to ask. */
  wakeup(): void
}

export interface TransactionManagerOptions {
  transactionalId: string
  transactionTimeoutMs: number
  /** An outside coordinator decides when transactions end (KIP-939); default false. */
  isTwoPhase?: boolean
  maxBlockMs: number
  requestTimeoutMs: number
  retryBackoffMs: number
  client: ClusterClient
  clock: Clock
  logger: Logger
  /** Default: nobody observes. */
  observer?: Observer
  host: TransactionHost
}
