import { printable, reasonOf } from '../common/foreign-text.js'

/**
 * Every error the library gives to its users. `code` is stable: match on it, not on messages.
 *
 * The classes follow Java's split: what the caller did (configuration, record, life cycle), what time or
 * memory did, what a broker answered.
 */

/** The closed set of values of {@link KafkaError.code}. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'FEATURE_NOT_AVAILABLE'
  | 'RECORD_INVALID'
  | 'TOPIC_INVALID'
  | 'SERIALIZATION_FAILED'
  | 'RECORD_TOO_LARGE'
  | 'BUFFER_EXHAUSTED'
  | 'TIMED_OUT'
  | 'AUTHENTICATION_FAILED'
  | 'AUTHORIZATION_FAILED'
  | 'PRODUCER_CLOSED'
  | 'ILLEGAL_STATE'
  | 'NETWORK'
  | 'PROTOCOL'
  | 'UNSUPPORTED_VERSION'
  | 'BROKER_ERROR'
  | 'SEND_MANY_FAILED'
  | 'ABORTED'
  | 'TRANSACTION_FAILED'
  | 'PRODUCER_FENCED'
  | 'NATIVE_ADDON'
  | 'PERMISSION_DENIED'
  | 'SCHEMA_REGISTRY'
  | 'INTERNAL'

/** What an error may say beyond its message; all of it optional. */
export interface ErrorDetails {
  cause?: unknown
  /** Whether the same call may succeed later (Java's `RetriableException`). */
  retriable?: boolean
  topic?: string
  partition?: number
  /** `host:port (id n)` of the broker concerned. */
  broker?: string
  /** The transaction has failed with it and can be aborted. */
  abortable?: boolean
}

/** Longest message, in UTF-16 units: it may have others' messages in it, each of which is shorter. */
const MESSAGE_MAX = 4000

/** Base of all errors of this library. Its message is printable, on one line, whatever it quotes. */
export class KafkaError extends Error {
  /** What happened: stable, and what to match on. Each class has its own, one or two. */
  readonly code: ErrorCode
  /** Whether the same call may succeed later (Java: `RetriableException`). */
  readonly retriable: boolean
  /** The topic concerned, where there is one. */
  declare readonly topic?: string
  /** The partition concerned, where there is one. */
  declare readonly partition?: number
  /** The broker concerned, as `host:port (id n)`. */
  declare readonly broker?: string
  /**
   * True where a transaction has failed with this error: `abortTransaction` makes the producer usable again,
   * and the transaction may be done once more. Always there on a {@link TransactionError}.
   */
  declare readonly abortable?: boolean

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(messageOf(code, message), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.retriable = details.retriable ?? false
    if (details.topic !== undefined) this.topic = details.topic
    if (details.partition !== undefined) this.partition = details.partition
    if (details.broker !== undefined) this.broker = details.broker
    if (details.abortable) this.abortable = true
  }

  /**
   * A plain object with all that the error says, for logs in JSON, `structuredClone` and `postMessage`, which
   * keep no more than the message of an error itself. Of a `cause` that is not this library's it has `name`,
   * `message` and `code`.
   */
  toJSON(): object {
    const { name, code, message, retriable } = this
    const plain: Record<string, unknown> = { name, code, message, retriable }
    const own = this as Readonly<Record<string, unknown>>
    for (const field of JSON_FIELDS) if (own[field] !== undefined) plain[field] = own[field]
    if (this.cause !== undefined) plain.cause = plainCause(this.cause)
    return plain
  }
}

/** What some errors say beyond what all of them do. */
const JSON_FIELDS = [
  ...['topic', 'partition', 'broker', 'key'],
  ...['errorCode', 'errorName', 'fatal', 'abortable'],
] as const

/** A cause may be anything an application has thrown: no more of it is looked at than what errors have. */
function plainCause(cause: unknown): unknown {
  if (cause instanceof KafkaError) return cause.toJSON()
  if (!(cause instanceof Error)) return reasonOf(cause)
  try {
    const { name, code } = cause as NodeJS.ErrnoException
    const plain = { name: printable(String(name)), message: reasonOf(cause) }
    return code === undefined ? plain : { ...plain, code: printable(String(code)) }
  } catch {
    return { name: 'Error', message: reasonOf(cause) }
  }
}

/** Where native code was looked for is a list of lines, all of this library's own. */
function messageOf(code: ErrorCode, message: string): string {
  if (code !== 'NATIVE_ADDON') return printable(message, MESSAGE_MAX)
  return message
    .split('\n')
    .map(line => printable(line, MESSAGE_MAX))
    .join('\n')
}

/** An option is unknown, out of range or in conflict with another. Thrown by the constructor. */
export class ConfigError extends KafkaError {
  declare readonly code: 'CONFIG_INVALID' | 'FEATURE_NOT_AVAILABLE'
  /** The option's Java key, where one option is at fault. */
  declare readonly key?: string
  constructor(message: string, key?: string, details?: ErrorDetails & { code?: ConfigError['code'] }) {
    super(details?.code ?? 'CONFIG_INVALID', message, details)
    if (key !== undefined) this.key = key
  }
}

/** The record itself is not acceptable: topic, partition, timestamp, key, value or headers. */
export class InvalidRecordError extends KafkaError {
  declare readonly code: 'RECORD_INVALID' | 'TOPIC_INVALID'
  constructor(message: string, details?: ErrorDetails & { code?: 'RECORD_INVALID' | 'TOPIC_INVALID' }) {
    super(details?.code ?? 'RECORD_INVALID', message, details)
  }
}

/** A serializer threw or returned something that is not bytes. `cause` is what it threw. */
export class SerializationError extends KafkaError {
  declare readonly code: 'SERIALIZATION_FAILED'
  constructor(message: string, details?: ErrorDetails) {
    super('SERIALIZATION_FAILED', message, details)
  }
}

/** The record is over `max.request.size`, `buffer.memory` or what the broker takes. */
export class RecordTooLargeError extends KafkaError {
  declare readonly code: 'RECORD_TOO_LARGE'
  constructor(message: string, details?: ErrorDetails) {
    super('RECORD_TOO_LARGE', message, details)
  }
}

/** Something did not happen in time: metadata, delivery, a request. */
export class TimeoutError extends KafkaError {
  declare readonly code: 'TIMED_OUT' | 'BUFFER_EXHAUSTED'
  constructor(message: string, details?: ErrorDetails & { code?: 'TIMED_OUT' | 'BUFFER_EXHAUSTED' }) {
    super(details?.code ?? 'TIMED_OUT', message, { retriable: true, ...details })
  }
}

/** No room in `buffer.memory` within `max.block.ms` (Java: a subclass of its TimeoutException). */
export class BufferExhaustedError extends TimeoutError {
  declare readonly code: 'BUFFER_EXHAUSTED'
  constructor(message: string, details?: ErrorDetails) {
    super(message, { ...details, code: 'BUFFER_EXHAUSTED' })
  }
}

/** A connection failed or ended. The producer retries these itself until the delivery time-out. */
export class NetworkError extends KafkaError {
  declare readonly code: 'NETWORK'
  constructor(message: string, details?: ErrorDetails) {
    super('NETWORK', message, { retriable: true, ...details })
  }
}

/** A peer sent bytes that are not the Kafka protocol. */
export class ProtocolError extends KafkaError {
  declare readonly code: 'PROTOCOL'
  constructor(message: string, details?: ErrorDetails) {
    super('PROTOCOL', message, details)
  }
}

/** The broker and this client have no version of an API, or no feature, in common. */
export class UnsupportedVersionError extends KafkaError {
  declare readonly code: 'UNSUPPORTED_VERSION'
  constructor(message: string, details?: ErrorDetails) {
    super('UNSUPPORTED_VERSION', message, details)
  }
}

/** The broker refused the credentials. */
export class AuthenticationError extends KafkaError {
  declare readonly code: 'AUTHENTICATION_FAILED'
  constructor(message: string, details?: ErrorDetails) {
    super('AUTHENTICATION_FAILED', message, details)
  }
}

/** The producer was closed before or while the call was made. */
export class ProducerClosedError extends KafkaError {
  declare readonly code: 'PRODUCER_CLOSED'
  constructor(message: string, details?: ErrorDetails) {
    super('PRODUCER_CLOSED', message, details)
  }
}

/** The call is not allowed in the producer's present state. */
export class IllegalStateError extends KafkaError {
  declare readonly code: 'ILLEGAL_STATE'
  constructor(message: string, details?: ErrorDetails) {
    super('ILLEGAL_STATE', message, details)
  }
}

/** The native addon could not be loaded; the message says how to get it. */
export class NativeAddonError extends KafkaError {
  declare readonly code: 'NATIVE_ADDON'
  constructor(message: string, details?: ErrorDetails) {
    super('NATIVE_ADDON', message, details)
  }
}

/**
 * The runtime does not let the program do what a producer needs: load native code, or connect to a broker.
 * Nothing but the flags that the message names will change that (Deno; Node with `--permission`).
 */
export class PermissionError extends KafkaError {
  declare readonly code: 'PERMISSION_DENIED'
  constructor(message: string, details?: ErrorDetails) {
    super('PERMISSION_DENIED', message, details)
  }
}

/** What a broker error says beyond {@link ErrorDetails}. */
interface BrokerErrorDetails extends ErrorDetails {
  errorCode: number
  errorName: string
  code?: 'BROKER_ERROR' | 'AUTHORIZATION_FAILED'
}

/** A broker answered with an error of the protocol: its number and name. */
export class BrokerError extends KafkaError {
  declare readonly code: 'BROKER_ERROR' | 'AUTHORIZATION_FAILED'
  /** The error's number in the protocol. */
  readonly errorCode: number
  /** The error's name in the protocol, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly errorName: string
  constructor(message: string, details: BrokerErrorDetails) {
    super(details.code ?? 'BROKER_ERROR', message, details)
    this.errorCode = details.errorCode
    this.errorName = details.errorName
  }
}

/** The principal may not do this (topic, group, cluster or transactional id). */
export class AuthorizationError extends BrokerError {
  declare readonly code: 'AUTHORIZATION_FAILED'
  constructor(message: string, details: BrokerErrorDetails) {
    super(message, { ...details, code: 'AUTHORIZATION_FAILED' })
  }
}

/** What a transactional error says beyond {@link ErrorDetails}. */
interface TransactionErrorDetails extends ErrorDetails {
  fatal?: boolean
  code?: 'TRANSACTION_FAILED' | 'PRODUCER_FENCED'
}

/** A transaction cannot be completed, or a record was not stored because its transaction was not. */
export class TransactionError extends KafkaError {
  declare readonly code: 'TRANSACTION_FAILED' | 'PRODUCER_FENCED'
  /** The producer is of no use any more: close it and make a new one. */
  readonly fatal: boolean
  /** `abortTransaction` makes the producer usable again; the transaction may then be done once more. */
  override readonly abortable: boolean
  constructor(message: string, details: TransactionErrorDetails = {}) {
    super(details.code ?? 'TRANSACTION_FAILED', message, details)
    this.fatal = details.fatal ?? false
    this.abortable = details.abortable ?? false
  }
}

/** A newer producer has the same `transactional.id`; what this one had open is aborted. Always fatal. */
export class ProducerFencedError extends TransactionError {
  declare readonly code: 'PRODUCER_FENCED'
  constructor(message: string, details?: ErrorDetails) {
    super(message, { ...details, code: 'PRODUCER_FENCED', fatal: true })
  }
}

/** A promise of this library's own code was broken: please report it. */
export class InternalError extends KafkaError {
  declare readonly code: 'INTERNAL'
  constructor(message: string, details?: ErrorDetails) {
    super('INTERNAL', message, details)
  }
}

/** The signal of a `sendMany` gave the record up while it waited. `cause` is the signal's reason. */
interface AbortedError extends KafkaError {
  readonly code: 'ABORTED'
}

/**
 * What one record, or any call but `sendMany`, can fail with. `code` tells the classes apart, so that a
 * switch over it knows the fields of each.
 */
export type DeliveryError =
  | AbortedError
  | AuthenticationError
  | AuthorizationError
  | BrokerError
  | BufferExhaustedError
  | ConfigError
  | IllegalStateError
  | InternalError
  | InvalidRecordError
  | NativeAddonError
  | NetworkError
  | PermissionError
  | ProducerClosedError
  | ProducerFencedError
  | ProtocolError
  | RecordTooLargeError
  | SerializationError
  | TimeoutError
  | TransactionError
  | UnsupportedVersionError
