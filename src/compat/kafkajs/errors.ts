/**
 * KafkaJS's error classes: names, parents, fields and their order as kafkajs 2.2.4 has them.
 *
 * `instanceof` also holds for errors of an installed kafkajs, which does the consuming: code that imports the
 * classes from here sees errors of both.
 */

interface ErrorLike {
  message?: string
  helpUrl?: string
}

export interface KafkaJSErrorMetadata {
  retriable?: boolean
  topic?: string
  partitionId?: number
  metadata?: object
  cause?: unknown
}

const messageOf = (e: Error | string) => (e as ErrorLike).message || (e as string)

/** Whether a value's class, or one above it, has this name: true for another copy of the same library. */
function hasClassNamed(value: unknown, name: string): boolean {
  // Names that a bundler has shortened say nothing.
  if (!name.startsWith('KafkaJS') || !(value instanceof Error)) return false
  let prototype: object | null = Object.getPrototypeOf(value)
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (prototype.constructor?.name === name) return true
  }
  return false
}

/** Base of all but two of KafkaJS's errors. `retriable`: whether the same call may succeed later. */
export class KafkaJSError extends Error {
  declare readonly name: string
  declare readonly retriable: boolean
  declare readonly helpUrl?: string
  declare readonly cause?: Error

  constructor(e: Error | string, { retriable = true, cause }: KafkaJSErrorMetadata = {}) {
    super(messageOf(e), { cause })
    Error.captureStackTrace?.(this, this.constructor)
    const own = this as { name: string; retriable: boolean; helpUrl?: string | undefined }
    own.name = 'KafkaJSError'
    own.retriable = retriable
    own.helpUrl = (e as ErrorLike).helpUrl
  }
}

// Inherited by the classes below. For a class of the application's own it is what it always is.
Object.defineProperty(KafkaJSError, Symbol.hasInstance, {
  value(this: NewableFunction, value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, value) || hasClassNamed(value, this.name)
  },
})

/** Fields that the classes below add, each under its own class name. */
function dress(error: Error, name: string, fields: object = {}): void {
  Object.assign(error, fields, { name })
}

export class KafkaJSNonRetriableError extends KafkaJSError {
  constructor(e: Error | string, { cause }: { cause?: unknown } = {}) {
    super(e, { retriable: false, cause })
    dress(this, 'KafkaJSNonRetriableError')
  }
}

/** What the Kafka protocol says of an error. */
export interface ProtocolErrorSource {
  message: string
  type?: string
  code?: number
  retriable?: boolean
  helpUrl?: string
}

/** A broker answered with an error: `type` is its name, in KafkaJS's spelling, and `code` its number. */
export class KafkaJSProtocolError extends KafkaJSError {
  declare readonly type: string
  declare readonly code: number
  constructor(e: Error | string | ProtocolErrorSource, { retriable }: { retriable?: boolean } = {}) {
    const source = e as ProtocolErrorSource
    const decided = retriable ?? source.retriable
    super(e as Error, decided === undefined ? {} : { retriable: decided })
    dress(this, 'KafkaJSProtocolError', { type: source.type, code: source.code })
  }
}

export interface KafkaJSOffsetOutOfRangeMetadata {
  topic: string
  partition: number
}

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  declare readonly topic: string
  declare readonly partition: number
  constructor(e: Error | string, { topic, partition }: KafkaJSOffsetOutOfRangeMetadata) {
    super(e)
    dress(this, 'KafkaJSOffsetOutOfRange', { topic, partition })
  }
}

export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  declare readonly memberId: string
  constructor(e: Error | string, { memberId }: { memberId: string }) {
    super(e)
    dress(this, 'KafkaJSMemberIdRequired', { memberId })
  }
}

export interface KafkaJSNumberOfRetriesExceededMetadata {
  retryCount: number
  retryTime: number
}

/** The call was tried as often, or for as long, as allowed; `cause` is the last reason. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  declare readonly retryCount: number
  declare readonly retryTime: number
  constructor(e: Error | string, { retryCount, retryTime }: KafkaJSNumberOfRetriesExceededMetadata) {
    super(e, { cause: e })
    this.stack = `KafkaJSNonRetriableError\n  Caused by: ${(e as Error).stack}`
    dress(this, 'KafkaJSNumberOfRetriesExceeded', { retryCount, retryTime })
  }
}

export interface KafkaJSConnectionErrorMetadata {
  broker?: string
  code?: string
}

/** A connection could not be made or was lost; `code` is Node's, such as `ECONNREFUSED`. */
export class KafkaJSConnectionError extends KafkaJSError {
  declare readonly broker: string
  declare readonly code?: string
  constructor(e: Error | string, { broker, code }: KafkaJSConnectionErrorMetadata = {}) {
    super(e)
    dress(this, 'KafkaJSConnectionError', { broker, code })
  }
}

export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  declare readonly host?: string
  declare readonly port?: number
  constructor(e: Error | string, { host, port }: { host?: string; port?: number } = {}) {
    super(e, { broker: `${host}:${port}` })
    dress(this, 'KafkaJSConnectionClosedError', { host, port })
  }
}

export interface KafkaJSRequestTimeoutErrorMetadata {
  broker: string
  clientId: string
  correlationId: number
  createdAt: number
  sentAt: number
  pendingDuration: number
}

export class KafkaJSRequestTimeoutError extends KafkaJSError {
  declare readonly broker: string
  declare readonly correlationId: number
  declare readonly createdAt: number
  declare readonly sentAt: number
  declare readonly pendingDuration: number
  constructor(e: Error | string, metadata: Partial<KafkaJSRequestTimeoutErrorMetadata> = {}) {
    super(e)
    const { broker, correlationId, createdAt, sentAt, pendingDuration } = metadata
    const fields = { broker, correlationId, createdAt, sentAt, pendingDuration }
    dress(this, 'KafkaJSRequestTimeoutError', fields)
  }
}

type ErrorArguments = [e: Error | string, metadata?: KafkaJSErrorMetadata]

export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSMetadataNotLoaded')
  }
}

export interface KafkaJSTopicMetadataNotLoadedMetadata {
  topic: string
}

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  declare readonly topic: string
  constructor(e: Error | string, { topic }: Partial<KafkaJSTopicMetadataNotLoadedMetadata> = {}) {
    super(e)
    dress(this, 'KafkaJSTopicMetadataNotLoaded', { topic })
  }
}

export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  topic: string
  unknownPartitions: object[]
}

export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  declare readonly topic: string
  declare readonly unknownPartitions: number
  constructor(e: Error | string, metadata: Partial<KafkaJSStaleTopicMetadataAssignmentMetadata> = {}) {
    super(e)
    const { topic, unknownPartitions } = metadata
    dress(this, 'KafkaJSStaleTopicMetadataAssignment', { topic, unknownPartitions })
  }
}

export interface KafkaJSDeleteGroupsErrorGroups {
  groupId: string
  errorCode: number
  error: KafkaJSError
}

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  declare readonly groups: readonly KafkaJSDeleteGroupsErrorGroups[]
  constructor(e: Error | string, groups: readonly KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(e)
    dress(this, 'KafkaJSDeleteGroupsError', { groups })
  }
}

export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
  apiKey: number
  apiName: string
}

export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  declare readonly apiKey: number
  declare readonly apiName: string
  constructor(e: Error | string, metadata: Partial<KafkaJSServerDoesNotSupportApiKeyMetadata> = {}) {
    super(e)
    const { apiKey, apiName } = metadata
    dress(this, 'KafkaJSServerDoesNotSupportApiKey', { apiKey, apiName })
  }
}

export class KafkaJSBrokerNotFound extends KafkaJSError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSBrokerNotFound')
  }
}

export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSPartialMessageError')
  }
}

export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSSASLAuthenticationError')
  }
}

export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSGroupCoordinatorNotFound')
  }
}

export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSNotImplemented')
  }
}

export class KafkaJSTimeout extends KafkaJSNonRetriableError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSTimeout')
  }
}

export class KafkaJSLockTimeout extends KafkaJSTimeout {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSLockTimeout')
  }
}

export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
  constructor(...given: ErrorArguments) {
    super(...given)
    dress(this, 'KafkaJSUnsupportedMagicByteInMessageSet')
  }
}

export interface KafkaJSDeleteTopicRecordsErrorPartition {
  partition: number
  offset: string
  error: KafkaJSError
}

export interface KafkaJSDeleteTopicRecordsErrorTopic {
  topic: string
  partitions: KafkaJSDeleteTopicRecordsErrorPartition[]
}

/** Retriable if all the errors that it has are. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  declare readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[]
  constructor({ partitions }: Pick<KafkaJSDeleteTopicRecordsErrorTopic, 'partitions'>) {
    const isMendable = ({ error }: { error?: KafkaJSError | null }) =>
      error == null || error.retriable === true
    super('Error while deleting records', { retriable: partitions.every(isMendable) })
    dress(this, 'KafkaJSDeleteTopicRecordsError', { partitions })
  }
}

const KAFKAJS_ISSUES = 'https://github.com/tulios/kafkajs/issues'

export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  constructor(e: Error | string) {
    const message = messageOf(e)
    super(`Invariant violated: ${message}. This is likely a bug and should be reported.`)
    const title = encodeURIComponent(`Invariant violation: ${message}`)
    const helpUrl = `${KAFKAJS_ISSUES}/new?assignees=&labels=bug&template=bug_report.md&title=${title}`
    dress(this, 'KafkaJSInvariantViolation', { helpUrl })
  }
}

/** Its `name` is that of its parent, as in kafkajs. */
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {}

/** Its `name` is that of its parent, as in kafkajs. */
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {}

export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  declare readonly topic: string
  constructor(e: Error | string, topicName: string) {
    super(e)
    dress(this, 'KafkaJSCreateTopicError', { topic: topicName })
  }
}

export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  declare readonly topic?: string
  declare readonly partition?: number
  constructor(e: Error | string, topicName?: string, partition?: number) {
    super(e)
    dress(this, 'KafkaJSAlterPartitionReassignmentsError', { topic: topicName, partition })
  }
}

export class KafkaJSAggregateError extends Error {
  readonly errors: readonly (Error | string)[]
  constructor(message: Error | string, errors: readonly (Error | string)[]) {
    super(message as string)
    this.errors = errors
    this.name = 'KafkaJSAggregateError'
  }
}

export class KafkaJSFetcherRebalanceError extends Error {}

export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  constructor() {
    super('No broker available')
    dress(this, 'KafkaJSNoBrokerAvailableError')
  }
}
