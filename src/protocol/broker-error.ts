import {
  AuthenticationError,
  AuthorizationError,
  BrokerError,
  type ErrorDetails,
  InvalidRecordError,
  type KafkaError,
  RecordTooLargeError,
  TimeoutError,
  UnsupportedVersionError,
} from '../errors/index.js'
import { type BrokerErrorName, ErrorCodes, errorName, isKnownError, isRetriable } from './error-codes.js'

/** Where an error of the protocol came up. */
interface BrokerErrorContext {
  topic?: string
  partition?: number
  /** `host:port (id n)`. */
  broker?: string
  /** What the broker itself said, where the response has a message. */
  message?: string | null
  cause?: unknown
  /** A transaction has failed with it and can be aborted. */
  abortable?: boolean
}

/** A user sees a retriable error only when retrying has come to its end. */
const RETRIED =
  'The client retries this by itself, and gave up when the time or the retries allowed were used up'

/** Offsets of a member that has lost its partitions would be another member's, too. */
const REBALANCED =
  'Abort the transaction, and drop what was read of partitions that the consumer has lost. Go on from the ' +
  'committed offsets, with the group metadata that the consumer has then'

/** What happened, and what to do about it, of the errors a producer meets. */
const texts: { readonly [Name in BrokerErrorName]?: readonly [happened: string, advice: string] } = {
  UNKNOWN_SERVER_ERROR: ['the broker failed in a way it did not expect', "See the broker's log"],
  CORRUPT_MESSAGE: [
    'the batch did not match its checksum',
    `The network or a proxy may alter bytes. ${RETRIED}`,
  ],
  UNKNOWN_TOPIC_OR_PARTITION: [
    'the broker does not host this topic or partition',
    'Create the topic, or check its name and the right to describe it',
  ],
  ILLEGAL_GENERATION: [
    'the consumer group has been rebalanced: its generation is no longer the one given',
    REBALANCED,
  ],
  UNKNOWN_MEMBER_ID: [
    'the consumer is no member of the group any more, as its session has timed out or it has left',
    REBALANCED,
  ],
  REBALANCE_IN_PROGRESS: ['the consumer group is being rebalanced', REBALANCED],
  FENCED_MEMBER_EPOCH: ['the consumer has been removed from its group', REBALANCED],
  STALE_MEMBER_EPOCH: [
    'the consumer group has been rebalanced: the epoch of the member is no longer the one given',
    REBALANCED,
  ],
  FENCED_INSTANCE_ID: [
    'another consumer with the same group.instance.id has taken its place in the group',
    'Abort the transaction and close the consumer; give each running consumer a group.instance.id of its own',
  ],
  INVALID_GROUP_ID: ['no consumer group can have this groupId', 'Check the groupId'],
  GROUP_ID_NOT_FOUND: [
    'there is no such consumer group',
    'Check the groupId, or let its consumer join first',
  ],
  OFFSET_METADATA_TOO_LARGE: [
    'the metadata of an offset are larger than the brokers take',
    'Send less with the offset, or raise offset.metadata.max.bytes of the brokers',
  ],
  INVALID_COMMIT_OFFSET_SIZE: [
    'the offsets are more than one commit may have',
    'Commit fewer partitions in a transaction',
  ],
  LEADER_NOT_AVAILABLE: ['a leader is being elected', RETRIED],
  NOT_LEADER_OR_FOLLOWER: ['the leader has moved to another broker', RETRIED],
  REQUEST_TIMED_OUT: [
    'the request was not answered in time, and may have been carried out',
    'Check the health of the replicas, or raise request.timeout.ms',
  ],
  MESSAGE_TOO_LARGE: [
    'the broker does not take a record of this size',
    'Send less at once, or raise max.message.bytes of the topic',
  ],
  NETWORK_EXCEPTION: ['the connection ended before the answer', 'Check the network and the broker'],
  COORDINATOR_LOAD_IN_PROGRESS: ['the coordinator is loading its state', RETRIED],
  COORDINATOR_NOT_AVAILABLE: ['there is no coordinator at present', RETRIED],
  NOT_COORDINATOR: ['the coordinator has moved to another broker', RETRIED],
  INVALID_TOPIC_EXCEPTION: [
    'the topic may not be named or written to like this',
    'Use 1 to 249 of the characters a–z, A–Z, 0–9, ".", "_" and "-", and no internal topic',
  ],
  RECORD_LIST_TOO_LARGE: ['the batch is larger than a segment of the topic', 'Lower batch.size'],
  NOT_ENOUGH_REPLICAS: [
    'fewer replicas are in sync than min.insync.replicas asks for; nothing was written',
    'Bring replicas back, or lower min.insync.replicas of the topic',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [
    'the batch was written, but fewer replicas are in sync than min.insync.replicas asks for',
    'Bring replicas back; a retry may write it twice without idempotence',
  ],
  INVALID_REQUIRED_ACKS: ['the broker does not know this value of acks', 'Use 0, 1 or all'],
  TOPIC_AUTHORIZATION_FAILED: ['not authorized to access the topic', 'Grant WRITE and DESCRIBE on it'],
  GROUP_AUTHORIZATION_FAILED: ['not authorized to access the group', 'Grant READ on it'],
  CLUSTER_AUTHORIZATION_FAILED: [
    'not authorized for the cluster',
    'Grant IDEMPOTENT_WRITE on it, or WRITE on any topic with brokers from 2.8 on',
  ],
  INVALID_TIMESTAMP: [
    'the timestamp is too far from the clock of the broker',
    'Check the clock, or message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic',
  ],
  UNSUPPORTED_SASL_MECHANISM: ['the broker does not offer this SASL mechanism', 'Set another sasl.mechanism'],
  ILLEGAL_SASL_STATE: [
    'the broker did not expect this request while authenticating',
    'Check that the listener uses SASL, as security.protocol says',
  ],
  UNSUPPORTED_VERSION: [
    'the broker does not support this version of the request',
    'Upgrade the broker, or switch off what needs the newer version',
  ],
  INVALID_REQUEST: ['the broker calls the request malformed', "See the broker's log, and report it"],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [
    'the message format of the topic is too old for it',
    'Raise the message format of the topic',
  ],
  POLICY_VIOLATION: ['a policy of the cluster forbids it', 'Ask who runs the cluster'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [
    'the broker is missing records before this batch',
    'Records may have been lost on the broker; see its log',
  ],
  DUPLICATE_SEQUENCE_NUMBER: ['the broker has this batch already', 'Nothing is lost'],
  INVALID_PRODUCER_EPOCH: [
    'the coordinator has ended the transaction, which took longer than transaction.timeout.ms, or a newer ' +
      'producer with the same transactional.id has taken over',
    'Abort the transaction and do it again; if a newer producer has taken over, that fails and says so',
  ],
  INVALID_TXN_STATE: [
    'the transaction is not in a state for it',
    'Its coordinator may have ended it after transaction.timeout.ms; abort it and do it again',
  ],
  INVALID_PRODUCER_ID_MAPPING: [
    'the transactional id belongs to another producer id by now',
    'Use a new producer; the id may have expired (transactional.id.expiration.ms)',
  ],
  INVALID_TRANSACTION_TIMEOUT: [
    'the transaction timeout is above what the broker allows',
    'Lower transaction.timeout.ms, or raise transaction.max.timeout.ms of the brokers',
  ],
  CONCURRENT_TRANSACTIONS: ['the transaction before it is still being completed', RETRIED],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    'not authorized to use the transactional id',
    'Grant WRITE and DESCRIBE on it',
  ],
  KAFKA_STORAGE_ERROR: ['the broker cannot use the disk of this partition', "See the broker's log"],
  SASL_AUTHENTICATION_FAILED: ['the broker refused the credentials', 'Check user, password or token'],
  UNKNOWN_PRODUCER_ID: [
    'the broker no longer knows the producer id',
    'Its records may have been deleted by retention; send it again',
  ],
  UNSUPPORTED_COMPRESSION_TYPE: [
    'the broker does not support this compression for this version of the request',
    'Set another compression.type (zstd needs brokers from 2.1 on)',
  ],
  FENCED_LEADER_EPOCH: ['the leader has changed', RETRIED],
  INVALID_RECORD: [
    'the broker refused a record of the batch',
    'A compacted topic needs keys; see the message of the broker',
  ],
  THROTTLING_QUOTA_EXCEEDED: ['a quota is used up', 'Send less, or have the quota raised'],
  PRODUCER_FENCED: [
    'a newer producer with the same transactional.id has started',
    'Close this one; use one transactional.id per running instance',
  ],
  UNKNOWN_TOPIC_ID: [
    'the broker does not know the id of the topic, which may have been deleted and made again',
    RETRIED,
  ],
  INCONSISTENT_TOPIC_ID: ['the id of the topic is not the one the broker has', RETRIED],
  TRANSACTION_ABORTABLE: ['the transaction cannot be completed', 'Abort it and do it again'],
  REBOOTSTRAP_REQUIRED: ['the broker asks its clients to bootstrap again', 'The client does so by itself'],
}

function whereOf(context: BrokerErrorContext): string {
  const parts: string[] = []
  if (context.topic !== undefined) {
    const partition = context.partition === undefined ? '' : `-${context.partition}`
    parts.push(` for ${context.partition === undefined ? 'topic ' : ''}${context.topic}${partition}`)
  } else if (context.partition !== undefined) parts.push(` for partition ${context.partition}`)
  if (context.broker !== undefined) parts.push(` from broker ${context.broker}`)
  return parts.join('')
}

/** `NAME (number) for topic-partition from broker …: what happened; the broker says "…". What to do.` */
function messageOf(code: number, context: BrokerErrorContext): string {
  const [happened, advice] = texts[errorName(code)] ?? [
    'the broker refused the request',
    "See the broker's log",
  ]
  const number = isKnownError(code) ? `${code}` : `${code}, a number this client does not know`
  const said = context.message ? `; the broker says "${context.message}"` : ''
  return `${errorName(code)} (${number})${whereOf(context)}: ${happened}${said}. ${advice}.`
}

/**
 * The error a user gets for an error of the protocol, of the class that tells what kind of matter it is.
 * `code` is not NONE.
 */
export function brokerError(code: number, context: BrokerErrorContext = {}): KafkaError {
  const message = messageOf(code, context)
  const details: ErrorDetails = { retriable: isRetriable(code) }
  if (context.topic !== undefined) details.topic = context.topic
  if (context.partition !== undefined) details.partition = context.partition
  if (context.broker !== undefined) details.broker = context.broker
  if (context.cause !== undefined) details.cause = context.cause
  if (context.abortable) details.abortable = true
  const brokerDetails = { ...details, errorCode: code, errorName: errorName(code) }
  switch (code) {
    case ErrorCodes.TOPIC_AUTHORIZATION_FAILED:
    case ErrorCodes.GROUP_AUTHORIZATION_FAILED:
    case ErrorCodes.CLUSTER_AUTHORIZATION_FAILED:
    case ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case ErrorCodes.DELEGATION_TOKEN_AUTHORIZATION_FAILED:
      return new AuthorizationError(message, brokerDetails)
    case ErrorCodes.MESSAGE_TOO_LARGE:
    case ErrorCodes.RECORD_LIST_TOO_LARGE:
      return new RecordTooLargeError(message, details)
    case ErrorCodes.REQUEST_TIMED_OUT:
      return new TimeoutError(message, details)
    case ErrorCodes.UNSUPPORTED_VERSION:
      return new UnsupportedVersionError(message, details)
    case ErrorCodes.INVALID_TOPIC_EXCEPTION:
      return new InvalidRecordError(message, { ...details, code: 'TOPIC_INVALID' })
    case ErrorCodes.SASL_AUTHENTICATION_FAILED:
      return new AuthenticationError(message, details)
    default:
      return new BrokerError(message, brokerDetails)
  }
}
