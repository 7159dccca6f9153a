import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
  AddPartitionsToTxnResult,
  AddPartitionsToTxnTransaction,
} from '../../protocol/add-partitions-to-txn.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import type { PartitionLog } from '../partition-log.js'
import type { RequestContext } from './context.js'
import { fencedAsKnown, ProducerFencedFrom } from './coordinators.js'

/** Makes partitions part of a transaction: all of a request, or none if one of them is refused. */
export function handleAddPartitionsToTxn(
  context: RequestContext,
  { transactions }: AddPartitionsToTxnRequest,
): AddPartitionsToTxnResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCodes.NONE,
    resultsByTransaction: transactions.map(each => addPartitions(context, each)),
  }
}

function addPartitions(
  context: RequestContext,
  transaction: AddPartitionsToTxnTransaction,
): AddPartitionsToTxnResult {
  const { cluster, failures, node } = context
  const refusals = new Map<string, number>()
  const logs: PartitionLog[] = []
  for (const { name, partitions } of transaction.topics) {
    for (const partition of partitions) {
      const log = cluster.topics.get(name)?.partitions[partition]
      const planned = failures.match(name, partition)?.errorCode
      if (log !== undefined) logs.push(log)
      if (planned !== undefined) refusals.set(`${name}-${partition}`, planned)
      else if (log === undefined) {
        refusals.set(`${name}-${partition}`, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
      }
    }
  }
  const outcome = () => {
    if (refusals.size > 0) return ErrorCodes.OPERATION_NOT_ATTEMPTED
    if (node.id !== cluster.coordinatorId) return ErrorCodes.NOT_COORDINATOR
    return addLogs(context, transaction, logs)
  }
  const errorCode = outcome()
  return {
    transactionalId: transaction.transactionalId,
    topicResults: transaction.topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map(partitionIndex => ({
        partitionIndex,
        partitionErrorCode: refusals.get(`${name}-${partitionIndex}`) ?? errorCode,
      })),
    })),
  }
}

function addLogs(
  { cluster, version }: RequestContext,
  transaction: AddPartitionsToTxnTransaction,
  logs: readonly PartitionLog[],
): number {
  const { transactionalId, verifyOnly } = transaction
  const { transactions } = cluster
  const errorCode = verifyOnly
    ? (logs
        .map(log => transactions.verify(transactionalId, transaction, log))
        .find(code => code !== ErrorCodes.NONE) ?? ErrorCodes.NONE)
    : transactions.add(transactionalId, transaction, logs)
  return fencedAsKnown(errorCode, version, ProducerFencedFrom.ADD_PARTITIONS_TO_TXN)
}
