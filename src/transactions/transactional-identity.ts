import type { KafkaError } from '../errors/index.js'
import type { EndTxnResponse } from '../protocol/end-txn.js'
import { InitProducerId, type InitProducerIdResponse } from '../protocol/init-producer-id.js'
import { BUMPING_VERSION_MIN, InitProducerIdRpc } from './init-producer-id-rpc.js'
import type { RpcIdentity } from './rpc.js'
import type { RpcRunner } from './rpc-runner.js'
import type { TransactionManagerOptions } from './transaction-host.js'

const FEATURE = 'transaction.version'
/** From this level on EndTxn bumps the epoch and Produce adds its partitions itself (KIP-890). */
const FEATURE_V2 = 2
const NO_IDENTITY = { producerId: -1n, producerEpoch: -1 } as const

type IdentityOptions = Pick<
  TransactionManagerOptions,
  'transactionalId' | 'transactionTimeoutMs' | 'isTwoPhase' | 'client' | 'host'
>

/** Hears what became of an identity that was asked for. */
interface IdentityListener {
  initialized(): void
  failed(error: KafkaError): void
}

/**
 * Who the producer is to its coordinator: producer id and epoch, and the generation of the protocol that they
 * are used under. None of it changes while a transaction is open.
 */
export class TransactionalIdentity {
  private readonly options: IdentityOptions
  private readonly runner: RpcRunner
  private readonly listener: IdentityListener
  private identity: { readonly producerId: bigint; readonly producerEpoch: number } = NO_IDENTITY
  private isGenerationV2 = false
  /** The epoch must not be used for another transaction. */
  private isSpent = false
  private mayBump = false

  constructor(options: IdentityOptions, runner: RpcRunner, listener: IdentityListener) {
    this.options = options
    this.runner = runner
    this.listener = listener
  }

  get current(): RpcIdentity {
    return { transactionalId: this.options.transactionalId, ...this.identity }
  }

  /** Generation of the present transaction. */
  get isV2(): boolean {
    return this.isGenerationV2
  }

  /** The coordinator gives a new epoch to a producer that has one (KIP-360). */
  get canBump(): boolean {
    return this.mayBump
  }

  /** What has to be asked for before the next transaction: an identity, the epoch after this one, nothing. */
  get missing(): 'first' | 'next' | null {
    if (this.identity === NO_IDENTITY) return 'first'
    return this.isSpent && this.mayBump ? 'next' : null
  }

  /** The next transaction is to have another epoch. */
  spend(): void {
    this.isSpent = true
  }

  ask(which: 'first' | 'next'): void {
    const { runner, listener, options } = this
    runner.add(
      new InitProducerIdRpc(which === 'next', options, {
        initialized: response => this.onInitialized(response),
        failed: error => listener.failed(error),
      }),
    )
  }

  /** A transaction has ended. Null: the coordinator has not heard of it. */
  ended(response: EndTxnResponse | null): void {
    const wasV2 = this.isGenerationV2
    if (response !== null && wasV2) {
      if (response.producerId >= 0n && response.producerEpoch >= 0) this.take(response)
      else this.spend()
    }
    this.readFeature()
    if (this.isGenerationV2 && !wasV2) this.spend()
  }

  private onInitialized(response: InitProducerIdResponse): void {
    const { coordinator } = this.runner
    if (coordinator !== null) {
      const version = this.options.client.apiVersion(coordinator, InitProducerId)
      if (version >= 0) this.mayBump = version >= BUMPING_VERSION_MIN
    }
    this.isSpent = false
    this.take(response)
    this.readFeature()
    this.listener.initialized()
  }

  private take({ producerId, producerEpoch }: InitProducerIdResponse | EndTxnResponse): void {
    this.identity = { producerId, producerEpoch }
    this.options.host.setIdentity(producerId, producerEpoch)
  }

  private readFeature(): void {
    this.isGenerationV2 = this.options.client.featureLevel(FEATURE) >= FEATURE_V2
  }
}
