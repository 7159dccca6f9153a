import { ErrorCodes } from '../../protocol/error-codes.js'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/init-producer-id.js'
import type { RequestContext } from './context.js'

/**
 * Gives out a new producer id, whatever id a producer without transactions says it has: Kafka's brokers do so
 * too. There are no transactions here, which UNSUPPORTED_VERSION tells: it is fatal to every client.
 */
export function handleInitProducerId(
  { cluster, failures }: RequestContext,
  { transactionalId }: InitProducerIdRequest,
): InitProducerIdResponse {
  const refused = transactionalId === null ? ErrorCodes.NONE : ErrorCodes.UNSUPPORTED_VERSION
  const errorCode = failures.match()?.errorCode ?? refused
  const granted = errorCode === ErrorCodes.NONE
  return {
    throttleTimeMs: 0,
    errorCode,
    producerId: granted ? cluster.nextProducerId() : -1n,
    producerEpoch: granted ? 0 : -1,
  }
}
