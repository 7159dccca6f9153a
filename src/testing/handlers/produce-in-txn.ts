import { ErrorCodes } from '../../protocol/error-codes.js'
import { BatchError } from '../batch-error.js'
import type { PartitionLog } from '../partition-log.js'
import type { BatchHeader } from '../record-batch.js'
import type { RequestContext } from './context.js'

/** First Produce version that makes its partitions part of the transaction by itself (KIP-890). */
const ADDS_PARTITIONS_FROM = 12
/** First Produce version whose clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_FROM = 11

/**
 * Sees to it that a transactional batch belongs to an open transaction of its producer, and that another does
 * not get into one. Throws {@link BatchError}.
 */
export function checkTransaction(
  context: RequestContext,
  transactionalId: string | null,
  header: BatchHeader,
  log: PartitionLog,
): void {
  const { producerId, producerEpoch } = header
  if (!header.transactional) {
    if (log.transactions.isOpen(producerId))
      throw new BatchError(ErrorCodes.INVALID_TXN_STATE, 'the producer has a transaction open here')
    return
  }
  if (transactionalId === null) {
    throw new BatchError(
      ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      'a transactional batch in a request without transactional id',
    )
  }
  if (log.transactions.isOpen(producerId, producerEpoch)) return
  const errorCode = join(context, transactionalId, { producerId, producerEpoch }, log)
  if (errorCode !== ErrorCodes.NONE) {
    throw new BatchError(errorCode, `the partition is not in a transaction of ${transactionalId}`)
  }
}

function join(
  { cluster, version }: RequestContext,
  transactionalId: string,
  producer: { producerId: bigint; producerEpoch: number },
  log: PartitionLog,
): number {
  const adds = version >= ADDS_PARTITIONS_FROM
  if (adds && !cluster.hasTransactionVersion2) return ErrorCodes.UNSUPPORTED_VERSION
  const errorCode = adds
    ? cluster.transactions.add(transactionalId, producer, [log])
    : cluster.transactions.verify(transactionalId, producer, log)
  return asProduceError(errorCode, version)
}

/** What a producer is told instead of the coordinator's own error. */
function asProduceError(errorCode: number, version: number): number {
  switch (errorCode) {
    case ErrorCodes.PRODUCER_FENCED:
      return ErrorCodes.INVALID_PRODUCER_EPOCH
    case ErrorCodes.CONCURRENT_TRANSACTIONS:
      return version >= ADDS_PARTITIONS_FROM ? errorCode : ErrorCodes.NOT_ENOUGH_REPLICAS
    case ErrorCodes.TRANSACTION_ABORTABLE:
      return version >= ABORTABLE_FROM ? errorCode : ErrorCodes.INVALID_TXN_STATE
    default:
      return errorCode
  }
}
