import {
  AuthenticationError,
  BrokerError,
  BufferExhaustedError,
  KafkaError,
  NetworkError,
  ProducerClosedError,
  ProducerFencedError,
  RecordTooLargeError,
  SendManyError,
  TimeoutError,
  TransactionError,
  UnsupportedVersionError,
} from '../../index.js'
import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSMetadataNotLoaded,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
} from './errors.js'
import type { RetryBudget } from './retry.js'

/** KafkaJS keeps the names that Kafka had before 2.0; the rest are Kafka's. */
const OLD_TYPES: ReadonlyMap<number, string> = new Map([
  [-1, 'UNKNOWN'],
  [6, 'NOT_LEADER_FOR_PARTITION'],
  [14, 'GROUP_LOAD_IN_PROGRESS'],
  [15, 'GROUP_COORDINATOR_NOT_AVAILABLE'],
  [16, 'NOT_COORDINATOR_FOR_GROUP'],
])
/** Numbers above this have no name in KafkaJS. */
const KNOWN_CODE_MAX = 88
const UNKNOWN_CODE = { type: 'KAFKAJS_UNKNOWN_ERROR_CODE', code: -99, retriable: false }
const HELP_URLS: ReadonlyMap<number, string> = new Map([[58, 'https://kafka.js.org/docs/configuration#sasl']])

const UNKNOWN_TOPIC = { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3, retriable: true }
const TOO_LARGE = { type: 'MESSAGE_TOO_LARGE', code: 10, retriable: false }
const TIMED_OUT = { type: 'REQUEST_TIMED_OUT', code: 7, retriable: true }
const INVALID_TOPIC = { type: 'INVALID_TOPIC_EXCEPTION', code: 17, retriable: false }
const FENCED = { type: 'INVALID_PRODUCER_EPOCH', code: 47, retriable: false }

/** `cause` is not enumerable, as where a constructor sets it. */
function withCause<T extends Error>(error: T, cause: unknown): T {
  return Object.defineProperty(error, 'cause', {
    value: cause,
    enumerable: false,
    writable: true,
    configurable: true,
  })
}

interface ProtocolFields {
  type: string
  code: number
  retriable: boolean
}

function protocolError(error: Error, fields: ProtocolFields): KafkaJSProtocolError {
  const helpUrl = HELP_URLS.get(fields.code)
  const { message } = error
  const mapped = new KafkaJSProtocolError({
    message,
    ...fields,
    ...(helpUrl === undefined ? {} : { helpUrl }),
  })
  return withCause(mapped, error)
}

function fieldsOf({ errorCode: code, errorName, retriable }: BrokerError): ProtocolFields {
  if (code > KNOWN_CODE_MAX || code < -1) return UNKNOWN_CODE
  return { type: OLD_TYPES.get(code) ?? errorName, code, retriable }
}

/** An error and what caused it, outermost first. */
function* chainOf(error: unknown): Generator<Error> {
  for (let depth = 0; error instanceof Error && depth < 10; depth++) {
    yield error
    error = error.cause
  }
}

/** `host:port`, without the broker's id. */
function brokerOf(error: Error): string {
  for (const each of chainOf(error)) {
    const broker = (each as Partial<KafkaError>).broker
    if (typeof broker === 'string') return broker.replace(/ \(id -?\d+\)$/, '')
  }
  return ''
}

/** The system's own error beneath, such as ECONNREFUSED. */
function systemError(error: Error): (Error & { code: string }) | undefined {
  for (const each of chainOf(error)) {
    if (!(each instanceof KafkaError) && typeof (each as { code?: unknown }).code === 'string') {
      return each as Error & { code: string }
    }
  }
  return undefined
}

function connectionError(error: Error): KafkaJSConnectionError {
  const beneath = systemError(error)
  const isSetup = error instanceof TimeoutError
  const message = isSetup ? 'Connection timeout' : `Connection error: ${(beneath ?? error).message}`
  const code = beneath?.code
  const broker = brokerOf(error)
  return withCause(
    new KafkaJSConnectionError(message, code === undefined ? { broker } : { broker, code }),
    error,
  )
}

/** What was wrong in the end, as KafkaJS would have it from one attempt. */
function reasonOf(error: KafkaError): Error {
  for (const each of chainOf(error)) {
    if (each instanceof BrokerError) return protocolError(error, fieldsOf(each))
    if (each instanceof NetworkError) return connectionError(each)
    if (each !== error && each instanceof TimeoutError && each.broker !== undefined) {
      return each.message.startsWith('No ') ? connectionError(each) : requestTimeout(each)
    }
  }
  if (error.message.startsWith('REQUEST_TIMED_OUT')) return protocolError(error, TIMED_OUT)
  if (error.broker !== undefined) return requestTimeout(error)
  // A partition that is named and is not there.
  if (error.partition !== undefined && error.message.includes('is not there')) {
    return protocolError(error, UNKNOWN_TOPIC)
  }
  return withCause(new KafkaJSMetadataNotLoaded(error.message), error)
}

function requestTimeout(error: KafkaError): KafkaJSRequestTimeoutError {
  return withCause(new KafkaJSRequestTimeoutError(error.message, { broker: brokerOf(error) }), error)
}

function exhausted(reason: Error, { retries, lastWaitMs }: RetryBudget): KafkaJSNumberOfRetriesExceeded {
  return new KafkaJSNumberOfRetriesExceeded(reason, { retryCount: retries, retryTime: lastWaitMs })
}

function authenticationError(error: AuthenticationError, budget: RetryBudget): Error {
  const isTls = error.message.startsWith('TLS with broker')
  if (isTls) return exhausted(connectionError(error), budget)
  const helpUrl = HELP_URLS.get(58)
  const failed = withCause(
    new KafkaJSSASLAuthenticationError(`SASL authentication failed: ${error.message}`),
    error,
  )
  return Object.assign(failed, { helpUrl })
}

/** The KafkaJS error for one of millrace's, which stays at the end of the causes. */
export function toKafkaJSError(error: unknown, budget: RetryBudget): Error {
  if (error instanceof KafkaJSError) return error
  if (!(error instanceof KafkaError))
    return error instanceof Error ? error : new KafkaJSNonRetriableError(String(error))
  if (error instanceof SendManyError) return toKafkaJSError(error.cause, budget)
  if (error instanceof BrokerError) return brokerErrorOf(error, budget)
  if (error.code === 'TOPIC_INVALID') {
    const reason = protocolError(error, INVALID_TOPIC)
    return new KafkaJSNonRetriableError(reason, { cause: reason })
  }
  if (error instanceof RecordTooLargeError) return protocolError(error, TOO_LARGE)
  if (error instanceof ProducerFencedError) return protocolError(error, FENCED)
  if (error instanceof BufferExhaustedError) return withCause(new KafkaJSError(error.message), error)
  if (error instanceof TimeoutError || error instanceof NetworkError)
    return exhausted(reasonOf(error), budget)
  if (error instanceof AuthenticationError) return authenticationError(error, budget)
  if (error instanceof ProducerClosedError) {
    return withCause(new KafkaJSError('The producer is disconnected'), error)
  }
  if (error instanceof UnsupportedVersionError) {
    return withCause(new KafkaJSServerDoesNotSupportApiKey(error.message), error)
  }
  if (error instanceof TransactionError) return transactionErrorOf(error, budget)
  return new KafkaJSNonRetriableError(error, { cause: error })
}

function brokerErrorOf(error: BrokerError, budget: RetryBudget): Error {
  const reason = protocolError(error, fieldsOf(error))
  if (error.retriable) return exhausted(reason, budget)
  // Without a partition it is an answer to the metadata request, which KafkaJS wraps.
  const isOfMetadata = error.topic !== undefined && error.partition === undefined
  return isOfMetadata ? new KafkaJSNonRetriableError(reason, { cause: reason }) : reason
}

function transactionErrorOf(error: TransactionError, budget: RetryBudget): Error {
  for (const each of chainOf(error.cause)) {
    if (each instanceof ProducerFencedError) return protocolError(error, FENCED)
    if (each instanceof BrokerError) return brokerErrorOf(each, budget)
  }
  return new KafkaJSNonRetriableError(error, { cause: error })
}
