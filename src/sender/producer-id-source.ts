import type { RecordAccumulator } from '../accumulator/accumulator.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock } from '../common/clock.js'
import type { ExponentialBackoff } from '../common/exponential-backoff.js'
import type { Logger } from '../common/logger.js'
import { AuthenticationError, InternalError, type KafkaError, ProtocolError } from '../errors/index.js'
import { requestProducerId } from './producer-id-request.js'
import type { ProducerIdentity } from './producer-identity.js'

interface ProducerIdSourceOptions {
  accumulator: RecordAccumulator
  client: ClusterClient
  clock: Clock
  logger: Logger
  identity: ProducerIdentity
  backoff: ExponentialBackoff
  requestTimeoutMs: number
  /** There is an id, or it is time to ask again. */
  wakeup: () => void
  failForGood: (error: KafkaError) => void
}

/** Where an idempotent producer without transactions has its producer id from (KIP-98). */
export class ProducerIdSource {
  private readonly options: ProducerIdSourceOptions
  private isAsking = false
  private isClosed = false
  private lastFailure: KafkaError | null = null

  constructor(options: ProducerIdSourceOptions) {
    this.options = options
  }

  /** Why there is no producer id yet. */
  get lastError(): KafkaError | null {
    return this.lastFailure
  }

  close(): void {
    this.isClosed = true
  }

  /** Has an id before the first record needs one. Rejects where it is refused. */
  async obtain(timeoutMs: number): Promise<void> {
    const { client, identity } = this.options
    if (identity.isReady) return
    const { producerId, producerEpoch } = await requestProducerId(client, timeoutMs)
    if (!identity.isReady) identity.set(producerId, producerEpoch)
  }

  /** Asks for an id if none is being asked for and a record needs one. */
  ask(): void {
    const { accumulator, client, identity, requestTimeoutMs, wakeup } = this.options
    if (this.isAsking || !accumulator.hasIncomplete) return
    this.isAsking = true
    requestProducerId(client, requestTimeoutMs).then(
      ({ producerId, producerEpoch }) => {
        this.isAsking = false
        this.lastFailure = null
        identity.set(producerId, producerEpoch)
        accumulator.refreshAll()
        wakeup()
      },
      (error: KafkaError) => this.failed(error),
    )
  }

  /**
   * What waits fails where the id is refused. Rights and credentials can be granted, so what comes later is
   * tried again. Nonsense from a broker is no last word: the next one asked may make sense.
   */
  private failed(error: KafkaError): void {
    const { accumulator, backoff, clock, failForGood, logger, wakeup } = this.options
    if (this.isClosed) return
    if (error instanceof InternalError) {
      failForGood(error)
      return
    }
    const isRefusal = error instanceof AuthenticationError || !error.retriable
    if (isRefusal && !(error instanceof ProtocolError)) accumulator.abort(error)
    this.lastFailure = error
    logger.debug(`No producer id: ${error.message}`)
    clock.setTimeout(() => {
      this.isAsking = false
      wakeup()
    }, backoff.delayMs(0))
  }
}
