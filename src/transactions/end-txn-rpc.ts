import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import { END_TXN_BUMPS_EPOCH_FROM, EndTxn, type EndTxnResponse } from '../protocol/end-txn.js'
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

  /** `ended` gets null where the broker has nothing to end, which `mayBeStarted` tells when its turn comes. */
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
