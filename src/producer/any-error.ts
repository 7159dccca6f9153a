import { type DeliveryError, KafkaError } from '../errors/index.js'
import type { SendManyError } from './send/delivery-report.js'

/** Thrown by the calls of `millrace/schema-registry`, whose `SchemaRegistryError` has more to say. */
interface RegistryError extends KafkaError {
  readonly code: 'SCHEMA_REGISTRY'
}

/** Every error that this library's calls give, told apart by `code`. */
export type AnyKafkaError = DeliveryError | SendManyError | RegistryError

/**
 * Whether something caught is an error of this library. A switch over its `code` then knows the class:
 *
 *     if (isKafkaError(error) && error.code === 'BROKER_ERROR') log(error.errorName)
 */
export function isKafkaError(error: unknown): error is AnyKafkaError {
  return error instanceof KafkaError
}
