import { END_TXN_BUMPS_EPOCH_FROM, type EndTxnRequest, type EndTxnResponse } from '../../protocol/end-txn.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import type { RequestContext } from './context.js'
import { fencedAsKnown, ProducerFencedFrom, refusalByNode } from './coordinators.js'

/**
 * Commits or aborts. From version 5 on the epoch is bumped, which Kafka does for whoever asks; here it is
 * refused unless `transaction.version` is 2: a client that asks without has not looked at the feature.
 */
export function handleEndTxn(context: RequestContext, request: EndTxnRequest): EndTxnResponse {
  const { cluster, version } = context
  const bumps = version >= END_TXN_BUMPS_EPOCH_FROM
  const refusal = refusalByNode(context)
  if (refusal !== ErrorCodes.NONE) return refused(refusal)
  if (bumps && !cluster.hasTransactionVersion2) return refused(ErrorCodes.UNSUPPORTED_VERSION)
  const { transactionalId, committed } = request
  const { errorCode, ...identity } = cluster.transactions.end(transactionalId, request, committed, bumps)
  return {
    throttleTimeMs: 0,
    errorCode: fencedAsKnown(errorCode, version, ProducerFencedFrom.END_TXN),
    ...identity,
  }
}

function refused(errorCode: number): EndTxnResponse {
  return { throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 }
}
