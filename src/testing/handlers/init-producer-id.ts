import { ErrorCodes } from '../../protocol/error-codes.js'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/init-producer-id.js'
import type { RequestContext } from './context.js'
import { fencedAsKnown, ProducerFencedFrom, refusalByNode } from './coordinators.js'

/**
 * Gives a producer without transactions a new id, whatever id it says it has: Kafka's brokers do so too. One
 * with a transactional id gets that id's next epoch, from the coordinator only.
 */
export function handleInitProducerId(
  context: RequestContext,
  request: InitProducerIdRequest,
): InitProducerIdResponse {
  const { cluster, failures, version } = context
  const { transactionalId, transactionTimeoutMs } = request
  if (transactionalId === null) {
    const errorCode = failures.match()?.errorCode ?? ErrorCodes.NONE
    return errorCode === ErrorCodes.NONE
      ? { throttleTimeMs: 0, errorCode, producerId: cluster.nextProducerId(), producerEpoch: 0 }
      : refused(errorCode)
  }
  const refusal = refusalByNode(context)
  if (refusal !== ErrorCodes.NONE) return refused(refusal)
  const expected = request.producerId < 0n ? null : request
  const { errorCode, ...identity } = cluster.transactions.init(
    transactionalId,
    transactionTimeoutMs,
    expected,
  )
  return {
    throttleTimeMs: 0,
    errorCode: fencedAsKnown(errorCode, version, ProducerFencedFrom.INIT_PRODUCER_ID),
    ...identity,
  }
}

function refused(errorCode: number): InitProducerIdResponse {
  return { throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 }
}
