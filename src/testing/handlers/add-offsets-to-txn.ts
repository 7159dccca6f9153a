import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/add-offsets-to-txn.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import type { RequestContext } from './context.js'
import { fencedAsKnown, ProducerFencedFrom, refusalByNode } from './coordinators.js'

/** Makes a group's offsets part of a transaction. */
export function handleAddOffsetsToTxn(
  context: RequestContext,
  request: AddOffsetsToTxnRequest,
): AddOffsetsToTxnResponse {
  const refusal = refusalByNode(context)
  const errorCode =
    refusal === ErrorCodes.NONE
      ? context.cluster.transactions.add(request.transactionalId, request, [])
      : refusal
  return {
    throttleTimeMs: 0,
    errorCode: fencedAsKnown(errorCode, context.version, ProducerFencedFrom.ADD_OFFSETS_TO_TXN),
  }
}
