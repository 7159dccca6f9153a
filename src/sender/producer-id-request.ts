import type { ClusterClient } from '../cluster/cluster-client.js'
import { ProtocolError, UnsupportedVersionError } from '../errors/index.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { INIT_PRODUCER_ID_ONE_PHASE_MAX, InitProducerId } from '../protocol/init-producer-id.js'

/** The broker must not time out transactions of a producer that has none. */
const NO_TRANSACTION_TIMEOUT_MS = 2 ** 31 - 1

/**
 * Asks any broker for a producer id (KIP-98). Rejects with a coded error; retrying is the caller's matter.
 */
export async function requestProducerId(
  client: ClusterClient,
  timeoutMs: number,
): Promise<{ producerId: bigint; producerEpoch: number }> {
  const response = await client
    .request(
      'any',
      InitProducerId,
      {
        transactionalId: null,
        transactionTimeoutMs: NO_TRANSACTION_TIMEOUT_MS,
        producerId: -1n,
        producerEpoch: -1,
      },
      { timeoutMs, maxVersion: INIT_PRODUCER_ID_ONE_PHASE_MAX },
    )
    .catch(error => {
      throw error instanceof UnsupportedVersionError ? withoutIds(error) : error
    })
  if (response.errorCode !== ErrorCodes.NONE) throw brokerError(response.errorCode)
  if (response.producerId < 0n || response.producerEpoch < 0) {
    throw new ProtocolError(
      `A broker gave out the producer id ${response.producerId} in epoch ${response.producerEpoch}.`,
    )
  }
  return response
}

/** Some servers that speak Kafka's protocol have no idempotent producers, and brokers before 0.11. */
function withoutIds(error: UnsupportedVersionError): UnsupportedVersionError {
  const { broker } = error
  const what = `${broker === undefined ? 'The broker' : `Broker ${broker}`} gives out no producer ids`
  return new UnsupportedVersionError(
    `${what}, so that it cannot tell repeated records from new ones. Set enable.idempotence: false to do ` +
      `without. ${error.message}.`,
    { ...(broker === undefined ? {} : { broker }), cause: error },
  )
}
