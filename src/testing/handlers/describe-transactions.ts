import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
  TransactionDescription,
  TransactionTopic,
} from '../../protocol/describe-transactions.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import type { Cluster } from '../cluster.js'
import type { PartitionLog } from '../partition-log.js'
import type { RequestContext } from './context.js'
import { refusalByNode } from './coordinators.js'

/** Where transactions stand, which a producer looks at before it sends the next one's records. */
export function handleDescribeTransactions(
  context: RequestContext,
  { transactionalIds }: DescribeTransactionsRequest,
): DescribeTransactionsResponse {
  const { cluster } = context
  const refusal = refusalByNode(context)
  const describe = (id: string) =>
    refusal === ErrorCodes.NONE ? described(cluster, id) : undescribed(id, refusal)
  return { throttleTimeMs: 0, transactionStates: transactionalIds.map(describe) }
}

function described(cluster: Cluster, transactionalId: string): TransactionDescription {
  const view = cluster.transactions.describe(transactionalId)
  if (view === undefined) return undescribed(transactionalId, ErrorCodes.TRANSACTIONAL_ID_NOT_FOUND)
  return {
    errorCode: ErrorCodes.NONE,
    transactionalId,
    transactionState: view.state,
    transactionTimeoutMs: view.timeoutMs,
    transactionStartTimeMs: BigInt(view.startedAtMs),
    producerId: view.producerId,
    producerEpoch: view.producerEpoch,
    topics: topicsOf(cluster, view.partitions),
  }
}

function undescribed(transactionalId: string, errorCode: number): TransactionDescription {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: -1n,
    producerId: -1n,
    producerEpoch: -1,
    topics: [],
  }
}

function topicsOf(cluster: Cluster, logs: ReadonlySet<PartitionLog>): TransactionTopic[] {
  return Array.from(cluster.topics.values(), ({ name, partitions }) => ({
    topic: name,
    partitions: partitions.filter(log => logs.has(log)).map(({ index }) => index),
  })).filter(({ partitions }) => partitions.length > 0)
}
