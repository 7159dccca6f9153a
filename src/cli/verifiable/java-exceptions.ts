const ERRORS = 'org.apache.kafka.common.errors.'

/** Names of the protocol's errors whose class in Java's client is not called like them. */
const OTHERWISE: Readonly<Record<string, string>> = {
  UNKNOWN_SERVER_ERROR: 'UnknownServerException',
  CORRUPT_MESSAGE: 'CorruptRecordException',
  MESSAGE_TOO_LARGE: 'RecordTooLargeException',
  RECORD_LIST_TOO_LARGE: 'RecordBatchTooLargeException',
  INVALID_TOPIC_EXCEPTION: 'InvalidTopicException',
  NETWORK_EXCEPTION: 'NetworkException',
  REQUEST_TIMED_OUT: 'TimeoutException',
  KAFKA_STORAGE_ERROR: 'KafkaStorageException',
  TOPIC_AUTHORIZATION_FAILED: 'TopicAuthorizationException',
  GROUP_AUTHORIZATION_FAILED: 'GroupAuthorizationException',
  CLUSTER_AUTHORIZATION_FAILED: 'ClusterAuthorizationException',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'TransactionalIdAuthorizationException',
  SASL_AUTHENTICATION_FAILED: 'SaslAuthenticationException',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OutOfOrderSequenceException',
  DUPLICATE_SEQUENCE_NUMBER: 'DuplicateSequenceException',
  LEADER_NOT_AVAILABLE: 'LeaderNotAvailableException',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'NotEnoughReplicasAfterAppendException',
  THROTTLING_QUOTA_EXCEEDED: 'ThrottlingQuotaExceededException',
}

/** What the producer itself finds, by the code of its error. */
const BY_CODE: Readonly<Record<string, string>> = {
  TIMED_OUT: 'TimeoutException',
  BUFFER_EXHAUSTED: 'org.apache.kafka.clients.producer.BufferExhaustedException',
  RECORD_TOO_LARGE: 'RecordTooLargeException',
  SERIALIZATION_FAILED: 'SerializationException',
  TOPIC_INVALID: 'InvalidTopicException',
  RECORD_INVALID: 'java.lang.IllegalArgumentException',
  NETWORK: 'NetworkException',
  AUTHENTICATION_FAILED: 'AuthenticationException',
  AUTHORIZATION_FAILED: 'AuthorizationException',
  UNSUPPORTED_VERSION: 'UnsupportedVersionException',
  PRODUCER_CLOSED: 'java.lang.IllegalStateException',
  ILLEGAL_STATE: 'java.lang.IllegalStateException',
  PRODUCER_FENCED: 'ProducerFencedException',
  TRANSACTION_FAILED: 'TransactionAbortedException',
}

/** The class of exceptions that Java's producer has for an error, by its full name. */
export function javaExceptionOf(error: Error): string {
  const { code = '', errorName } = error as { code?: string; errorName?: string }
  const own = BY_CODE[code] ?? 'org.apache.kafka.common.KafkaException'
  const named = errorName === undefined ? own : (OTHERWISE[errorName] ?? `${camelCase(errorName)}Exception`)
  return named.includes('.') ? named : `${ERRORS}${named}`
}

/** `NOT_LEADER_OR_FOLLOWER` → `NotLeaderOrFollower` */
function camelCase(name: string): string {
  return name
    .toLowerCase()
    .split('_')
    .map(word => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('')
}
