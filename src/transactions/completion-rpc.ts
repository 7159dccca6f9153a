import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import {
  DescribeTransactions,
  type DescribeTransactionsResponse,
  type TransactionDescription,
} from '../protocol/describe-transactions.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { Priority, type Rpc, type RpcError, type RpcIdentity, type RpcTarget } from './rpc.js'

const NOT_TOLD: DescribeTransactionsResponse = { throttleTimeMs: 0, transactionStates: [] }

/**
 * Asks until the transaction before is completed. Records of `transaction.version` 2 that come earlier are
 * not refused but kept in the broker, which looks again only after its
 * `add.partitions.to.txn.retry.backoff.ms` (20): several times what the completion takes.
 */
export class CompletionRpc implements Rpc<DescribeTransactionsResponse> {
  readonly name = 'DescribeTransactions'
  readonly priority = Priority.AWAIT_COMPLETION
  readonly target: RpcTarget = { kind: 'transaction' }
  isUnsure = false
  readonly isMoot: () => boolean

  /** `isMoot`: whether no record waits for the answer any more. */
  constructor(isMoot: () => boolean) {
    this.isMoot = isMoot
  }

  ask(client: ClusterClient, nodeId: number | 'any', identity: RpcIdentity, timeoutMs: number) {
    if (client.apiVersion(Number(nodeId), DescribeTransactions) < 0) return Promise.resolve(NOT_TOLD)
    const body = { transactionalIds: [identity.transactionalId] }
    return client.request(nodeId, DescribeTransactions, body, { timeoutMs })
  }

  errorsOf({ transactionStates }: DescribeTransactionsResponse): readonly RpcError[] {
    return transactionStates.map(state => ({
      errorCode: isBeingCompleted(state) ? ErrorCodes.CONCURRENT_TRANSACTIONS : state.errorCode,
    }))
  }

  done(_response: DescribeTransactionsResponse): void {}

  failed(_error: KafkaError): void {}
}

function isBeingCompleted({ transactionState }: TransactionDescription): boolean {
  return transactionState === 'PrepareCommit' || transactionState === 'PrepareAbort'
}
