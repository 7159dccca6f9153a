import { KafkaError } from '../errors/index.js'

/**
 * What a registry error is called; the registry's own numbers are in {@link
 * SchemaRegistryError.errorCode}.
 */
export type SchemaRegistryErrorName =
  | 'SUBJECT_NOT_FOUND'
  | 'VERSION_NOT_FOUND'
  | 'SCHEMA_NOT_FOUND'
  | 'NOT_FOUND'
  | 'INCOMPATIBLE_SCHEMA'
  | 'INVALID_SCHEMA'
  | 'INVALID_VERSION'
  | 'OPERATION_NOT_PERMITTED'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'THROTTLED'
  | 'STORE_ERROR'
  | 'OPERATION_TIMED_OUT'
  | 'FORWARDING_ERROR'
  | 'UNKNOWN_LEADER'
  | 'HTTP_ERROR'
  | 'UNREACHABLE'
  | 'TIMED_OUT'
  | 'BAD_RESPONSE'
  | 'BAD_CREDENTIALS'
  | 'NO_GUID'
  | 'WRONG_SCHEMA_TYPE'
  | 'AMBIGUOUS_SUBJECT'
  | 'CLOSED'

const NAMES: ReadonlyMap<number, SchemaRegistryErrorName> = new Map([
  [40401, 'SUBJECT_NOT_FOUND'],
  [40402, 'VERSION_NOT_FOUND'],
  [40403, 'SCHEMA_NOT_FOUND'],
  [42201, 'INVALID_SCHEMA'],
  [42202, 'INVALID_VERSION'],
  [42205, 'OPERATION_NOT_PERMITTED'],
  [50001, 'STORE_ERROR'],
  [50002, 'OPERATION_TIMED_OUT'],
  [50003, 'FORWARDING_ERROR'],
  [50004, 'UNKNOWN_LEADER'],
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [409, 'INCOMPATIBLE_SCHEMA'],
  [422, 'INVALID_SCHEMA'],
  [429, 'THROTTLED'],
])

/** The name for a registry's error number, else for the HTTP status it came with. */
export function errorNameOf(errorCode: number, status: number): SchemaRegistryErrorName {
  return NAMES.get(errorCode) ?? NAMES.get(status) ?? 'HTTP_ERROR'
}

interface SchemaRegistryErrorDetails {
  errorName: SchemaRegistryErrorName
  /** As the registry numbers it, such as 40403; 0 where no registry has answered. */
  errorCode?: number
  /** HTTP status; 0 where no registry has answered. */
  status?: number
  /** The address asked, without credentials. */
  url?: string
  retriable?: boolean
  cause?: unknown
}

/**
 * A schema registry refused a request, could not be reached, or answered what no registry answers. `code` is
 * always `SCHEMA_REGISTRY`. No message, property or cause holds credentials.
 */
export class SchemaRegistryError extends KafkaError {
  declare readonly code: 'SCHEMA_REGISTRY'
  readonly errorName: SchemaRegistryErrorName
  readonly errorCode: number
  readonly status: number
  declare readonly url?: string

  constructor(message: string, details: SchemaRegistryErrorDetails) {
    const { errorName, errorCode = 0, status = 0, url, retriable = false, cause } = details
    super('SCHEMA_REGISTRY', message, { retriable, cause })
    this.errorName = errorName
    this.errorCode = errorCode
    this.status = status
    if (url !== undefined) this.url = url
  }

  override toJSON(): object {
    const { errorName, errorCode, status, url } = this
    return { ...super.toJSON(), errorName, errorCode, status, url }
  }
}
