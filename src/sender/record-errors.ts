import type { PartitionBatch } from '../accumulator/partition/partition-state.js'
import { BrokerError, type KafkaError } from '../errors/index.js'
import { ErrorCodes, errorName } from '../protocol/error-codes.js'
import type { ProducePartitionResponse } from '../protocol/produce.js'

/** Errors of the records that the broker names in its refusal of a batch (KIP-467), by index; often none. */
export function namedRecordErrors(
  batch: PartitionBatch,
  errorCode: number,
  answer: ProducePartitionResponse | null,
): ReadonlyMap<number, KafkaError> {
  const named = new Map<number, KafkaError>()
  if (answer === null) return named
  const { topic, index: partition } = batch.partition
  const code = answer.recordErrors.length === 1 ? errorCode : ErrorCodes.INVALID_RECORD
  for (const { batchIndex, batchIndexErrorMessage } of answer.recordErrors) {
    if (batchIndex < 0 || batchIndex >= batch.recordCount) continue
    const reason = batchIndexErrorMessage ?? answer.errorMessage ?? 'the broker gave no reason'
    const place = `${topic.name}-${partition}`
    const message = `The broker refused the record for ${place}: ${reason} (${errorName(code)}).`
    const details = { topic: topic.name, partition, errorCode: code, errorName: errorName(code) }
    named.set(batchIndex, new BrokerError(message, details))
  }
  return named
}

/** Errors of all records of a batch that was refused because of the named ones, and is not sent again. */
export function withOthers(
  batch: PartitionBatch,
  errorCode: number,
  named: ReadonlyMap<number, KafkaError>,
): ReadonlyMap<number, KafkaError> | null {
  if (named.size === 0) return null
  const { topic, index: partition } = batch.partition
  const rest = new BrokerError(
    `The record for ${topic.name}-${partition} was not stored because others of its batch were refused ` +
      `(${errorName(errorCode)}); it may be sent again.`,
    { topic: topic.name, partition, errorCode, errorName: errorName(errorCode), retriable: true },
  )
  const errors = new Map<number, KafkaError>()
  for (let index = 0; index < batch.recordCount; index++) errors.set(index, named.get(index) ?? rest)
  return errors
}
