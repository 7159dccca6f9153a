import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import {
  INIT_PRODUCER_ID_ONE_PHASE_MAX,
  InitProducerId,
  type InitProducerIdResponse,
} from '../protocol/init-producer-id.js'
import { Priority, type Rpc, type RpcError, type RpcIdentity, type RpcTarget } from './rpc.js'
import type { TransactionManagerOptions } from './transaction-host.js'

/** First version that bumps the epoch of the producer that asks, and fences it if it is not the newest. */
export const BUMPING_VERSION_MIN = 3

/** Hears how it went. */
interface InitListener {
  initialized(response: InitProducerIdResponse): void
  failed(error: KafkaError): void
}

/** What every request of the producer says. */
type InitOptions = Pick<TransactionManagerOptions, 'transactionTimeoutMs' | 'isTwoPhase'>

/** Asks for a producer id and epoch: the first of this producer, or (`isBump`) the next after the present. */
export class InitProducerIdRpc implements Rpc<InitProducerIdResponse> {
  readonly name = 'InitProducerId'
  readonly priority: Priority
  readonly target: RpcTarget = { kind: 'transaction' }
  isUnsure = false
  private readonly isBump: boolean
  private readonly options: InitOptions
  private readonly listener: InitListener

  constructor(isBump: boolean, options: InitOptions, listener: InitListener) {
    this.isBump = isBump
    this.priority = isBump ? Priority.BUMP_EPOCH : Priority.INIT_PRODUCER_ID
    this.options = options
    this.listener = listener
  }

  ask(client: ClusterClient, nodeId: number | 'any', identity: RpcIdentity, timeoutMs: number) {
    const { transactionTimeoutMs, isTwoPhase = false } = this.options
    const { transactionalId } = identity
    const { producerId, producerEpoch } = this.isBump ? identity : { producerId: -1n, producerEpoch: -1 }
    const body = { transactionalId, transactionTimeoutMs, producerId, producerEpoch }
    const minVersion = this.isBump ? BUMPING_VERSION_MIN : 0
    const maxVersion = isTwoPhase ? InitProducerId.maxVersion : INIT_PRODUCER_ID_ONE_PHASE_MAX
    const asked = isTwoPhase ? { ...body, enable2Pc: true } : body
    return client.request(nodeId, InitProducerId, asked, { timeoutMs, minVersion, maxVersion })
  }

  errorsOf({ errorCode, producerId, producerEpoch }: InitProducerIdResponse): readonly RpcError[] | null {
    if (errorCode === 0 && (producerId < 0n || producerEpoch < 0)) return null
    return [{ errorCode }]
  }

  done(response: InitProducerIdResponse): void {
    this.listener.initialized(response)
  }

  failed(error: KafkaError): void {
    this.listener.failed(error)
  }
}
