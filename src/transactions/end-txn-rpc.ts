import type { ClusterClient } from '../cluster/cluster-client.js'
import { BrokerError, type KafkaError } from '../errors/index.js'
import { END_TXN_BUMPS_EPOCH_FROM, EndTxn, type EndTxnResponse } from '../protocol/end-txn.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { Priority, type Rpc, type RpcError, type RpcIdentity, type RpcTarget } from './rpc.js'

/** Commits or aborts the transaction. */
export class EndTxnRpc implements Rpc<EndTxnResponse> {
  readonly name = 'EndTxn'
  readonly priority = Priority.END
  readonly target: RpcTarget = { kind: 'transaction' }
  isUnsure = false
  /** The coordinator has been asked at least once. */
  isSent = false
  readonly committed: boolean
  /** The transaction is one of `transaction.version` 2: the answer has the identity for the next one. */
  private readonly bumps: boolean
  private readonly mayBeStarted: () => boolean
  private readonly ended: (response: EndTxnResponse | null) => void

  /** `ended` gets null where there is nothing to end, which `mayBeStarted` tells when its turn comes. */
  constructor(
    committed: boolean,
    bumps: boolean,
    mayBeStarted: () => boolean,
    ended: (response: EndTxnResponse | null) => void,
  ) {
    this.committed = committed
    this.bumps = bumps
    this.mayBeStarted = mayBeStarted
    this.ended = ended
  }

  isMoot(): boolean {
    return !this.mayBeStarted()
  }

  skipped(): void {
    this.ended(null)
  }

  ask(client: ClusterClient, nodeId: number | 'any', identity: RpcIdentity, timeoutMs: number) {
    const bounds = this.bumps
      ? { minVersion: END_TXN_BUMPS_EPOCH_FROM }
      : { maxVersion: END_TXN_BUMPS_EPOCH_FROM - 1 }
    const body = { ...identity, committed: this.committed }
    this.isSent = true
    return client.request(nodeId, EndTxn, body, { timeoutMs, ...bounds })
  }

  errorsOf({ errorCode }: EndTxnResponse): readonly RpcError[] {
    return [{ errorCode }]
  }

  done(response: EndTxnResponse): void {
    this.ended(response)
  }

  /** Who waits for the end is told by the state that follows. */
  failed(_error: KafkaError): void {}
}

/**
 * What it means that an EndTxn was refused with INVALID_TXN_STATE; null for all other errors.
 *
 * - `transaction.version` 1 refuses to abort what has not begun, which was only perhaps so (`isDoubtful`).
 * - A younger producer has ended the transaction, or the coordinator when it took too long. Until that is
 *   completed, version 2 takes the end by the older epoch for a repeated one that contradicts the first. A
 *   new epoch is not asked for: it could be granted, amid the younger's taking over.
 */
export function endFault(
  rpc: Rpc,
  error: KafkaError,
  isDoubtful: boolean,
  isV2: boolean,
): 'nothing-to-end' | 'fenced' | null {
  const isWrongState = error instanceof BrokerError && error.errorCode === ErrorCodes.INVALID_TXN_STATE
  if (!(rpc instanceof EndTxnRpc) || !isWrongState) return null
  if (!rpc.committed && isDoubtful) return 'nothing-to-end'
  return isV2 ? 'fenced' : null
}
