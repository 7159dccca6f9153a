import type { Batch } from '../accumulator/batch/batch.js'
import { BrokerError, type KafkaError } from '../errors/index.js'
import { ErrorCodes, errorName } from '../protocol/error-codes.js'
import type { ProducePartitionResponse } from '../protocol/produce.js'

/**
 * Errors of single records (KIP-467). A record the broker names failed for itself; the others of its batch
 * were not stored because of it, and say so. Null where the broker named none.
 */
export function recordErrorsOf(
  batch: Batch,
  errorCode: number,
  answer: ProducePartitionResponse | null,
): ReadonlyMap<number, KafkaError> | null {
  if (answer === null || answer.recordErrors.length === 0) return null
  const { topic, index: partition } = batch.partition
  const details = { topic: topic.name, partition }
  const named = new Map<number, KafkaError>()
  const code = answer.recordErrors.length === 1 ? errorCode : ErrorCodes.INVALID_RECORD
  for (const { batchIndex, batchIndexErrorMessage } of answer.recordErrors) {
    if (batchIndex < 0 || batchIndex >= batch.recordCount) continue
    const reason = batchIndexErrorMessage ?? answer.errorMessage ?? 'the broker gave no reason'
    const place = `${topic.name}-${partition}`
    const message = `The broker refused the record for ${place}: ${reason} (${errorName(code)}).`
    named.set(
      batchIndex,
      new BrokerError(message, { ...details, errorCode: code, errorName: errorName(code) }),
    )
  }
  if (named.size === 0) return null
  const rest = new BrokerError(
    `The record for ${topic.name}-${partition} was not stored because others of its batch were refused ` +
      `(${errorName(errorCode)}); it may be sent again.`,
    { ...details, errorCode, errorName: errorName(errorCode), retriable: true },
  )
  const errors = new Map<number, KafkaError>()
  for (let index = 0; index < batch.recordCount; index++) errors.set(index, named.get(index) ?? rest)
  return errors
}
