/** How a client treats an error: Java's RetriableException, and of these its InvalidMetadataException. */
const FATAL = 0
const RETRY = 1
const REFRESH = 2

/** The protocol's errors: number, treatment, Java class in `org.apache.kafka.common.errors`. */
const table = {
  UNKNOWN_SERVER_ERROR: [-1, FATAL, 'UnknownServerException'],
  NONE: [0, FATAL, ''],
  OFFSET_OUT_OF_RANGE: [1, FATAL, 'OffsetOutOfRangeException'],
  CORRUPT_MESSAGE: [2, RETRY, 'CorruptRecordException'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, REFRESH, 'UnknownTopicOrPartitionException'],
  INVALID_FETCH_SIZE: [4, FATAL, 'InvalidFetchSizeException'],
  LEADER_NOT_AVAILABLE: [5, REFRESH, 'LeaderNotAvailableException'],
  NOT_LEADER_OR_FOLLOWER: [6, REFRESH, 'NotLeaderOrFollowerException'],
  REQUEST_TIMED_OUT: [7, RETRY, 'TimeoutException'],
  BROKER_NOT_AVAILABLE: [8, FATAL, 'BrokerNotAvailableException'],
  REPLICA_NOT_AVAILABLE: [9, REFRESH, 'ReplicaNotAvailableException'],
  MESSAGE_TOO_LARGE: [10, FATAL, 'RecordTooLargeException'],
  STALE_CONTROLLER_EPOCH: [11, FATAL, 'ControllerMovedException'],
  OFFSET_METADATA_TOO_LARGE: [12, FATAL, 'OffsetMetadataTooLarge'],
  NETWORK_EXCEPTION: [13, REFRESH, 'NetworkException'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, RETRY, 'CoordinatorLoadInProgressException'],
  COORDINATOR_NOT_AVAILABLE: [15, RETRY, 'CoordinatorNotAvailableException'],
  NOT_COORDINATOR: [16, RETRY, 'NotCoordinatorException'],
  INVALID_TOPIC_EXCEPTION: [17, FATAL, 'InvalidTopicException'],
  RECORD_LIST_TOO_LARGE: [18, FATAL, 'RecordBatchTooLargeException'],
  NOT_ENOUGH_REPLICAS: [19, RETRY, 'NotEnoughReplicasException'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, RETRY, 'NotEnoughReplicasAfterAppendException'],
  INVALID_REQUIRED_ACKS: [21, FATAL, 'InvalidRequiredAcksException'],
  ILLEGAL_GENERATION: [22, FATAL, 'IllegalGenerationException'],
  INCONSISTENT_GROUP_PROTOCOL: [23, FATAL, 'InconsistentGroupProtocolException'],
  INVALID_GROUP_ID: [24, FATAL, 'InvalidGroupIdException'],
  UNKNOWN_MEMBER_ID: [25, FATAL, 'UnknownMemberIdException'],
  INVALID_SESSION_TIMEOUT: [26, FATAL, 'InvalidSessionTimeoutException'],
  REBALANCE_IN_PROGRESS: [27, FATAL, 'RebalanceInProgressException'],
  INVALID_COMMIT_OFFSET_SIZE: [28, FATAL, 'InvalidCommitOffsetSizeException'],
  TOPIC_AUTHORIZATION_FAILED: [29, FATAL, 'TopicAuthorizationException'],
  GROUP_AUTHORIZATION_FAILED: [30, FATAL, 'GroupAuthorizationException'],
  CLUSTER_AUTHORIZATION_FAILED: [31, FATAL, 'ClusterAuthorizationException'],
  INVALID_TIMESTAMP: [32, FATAL, 'InvalidTimestampException'],
  UNSUPPORTED_SASL_MECHANISM: [33, FATAL, 'UnsupportedSaslMechanismException'],
  ILLEGAL_SASL_STATE: [34, FATAL, 'IllegalSaslStateException'],
  UNSUPPORTED_VERSION: [35, FATAL, 'UnsupportedVersionException'],
  TOPIC_ALREADY_EXISTS: [36, FATAL, 'TopicExistsException'],
  INVALID_PARTITIONS: [37, FATAL, 'InvalidPartitionsException'],
  INVALID_REPLICATION_FACTOR: [38, FATAL, 'InvalidReplicationFactorException'],
  INVALID_REPLICA_ASSIGNMENT: [39, FATAL, 'InvalidReplicaAssignmentException'],
  INVALID_CONFIG: [40, FATAL, 'InvalidConfigurationException'],
  NOT_CONTROLLER: [41, RETRY, 'NotControllerException'],
  INVALID_REQUEST: [42, FATAL, 'InvalidRequestException'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, FATAL, 'UnsupportedForMessageFormatException'],
  POLICY_VIOLATION: [44, FATAL, 'PolicyViolationException'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, FATAL, 'OutOfOrderSequenceException'],
  DUPLICATE_SEQUENCE_NUMBER: [46, FATAL, 'DuplicateSequenceException'],
  INVALID_PRODUCER_EPOCH: [47, FATAL, 'InvalidProducerEpochException'],
  INVALID_TXN_STATE: [48, FATAL, 'InvalidTxnStateException'],
  INVALID_PRODUCER_ID_MAPPING: [49, FATAL, 'InvalidPidMappingException'],
  INVALID_TRANSACTION_TIMEOUT: [50, FATAL, 'InvalidTxnTimeoutException'],
  CONCURRENT_TRANSACTIONS: [51, RETRY, 'ConcurrentTransactionsException'],
  TRANSACTION_COORDINATOR_FENCED: [52, FATAL, 'TransactionCoordinatorFencedException'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, FATAL, 'TransactionalIdAuthorizationException'],
  SECURITY_DISABLED: [54, FATAL, 'SecurityDisabledException'],
  OPERATION_NOT_ATTEMPTED: [55, FATAL, 'OperationNotAttemptedException'],
  KAFKA_STORAGE_ERROR: [56, REFRESH, 'KafkaStorageException'],
  LOG_DIR_NOT_FOUND: [57, FATAL, 'LogDirNotFoundException'],
  SASL_AUTHENTICATION_FAILED: [58, FATAL, 'SaslAuthenticationException'],
  UNKNOWN_PRODUCER_ID: [59, FATAL, 'UnknownProducerIdException'],
  REASSIGNMENT_IN_PROGRESS: [60, FATAL, 'ReassignmentInProgressException'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, FATAL, 'DelegationTokenDisabledException'],
  DELEGATION_TOKEN_NOT_FOUND: [62, FATAL, 'DelegationTokenNotFoundException'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, FATAL, 'DelegationTokenOwnerMismatchException'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [64, FATAL, 'UnsupportedByAuthenticationException'],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, FATAL, 'DelegationTokenAuthorizationException'],
  DELEGATION_TOKEN_EXPIRED: [66, FATAL, 'DelegationTokenExpiredException'],
  INVALID_PRINCIPAL_TYPE: [67, FATAL, 'InvalidPrincipalTypeException'],
  NON_EMPTY_GROUP: [68, FATAL, 'GroupNotEmptyException'],
  GROUP_ID_NOT_FOUND: [69, FATAL, 'GroupIdNotFoundException'],
  FETCH_SESSION_ID_NOT_FOUND: [70, RETRY, 'FetchSessionIdNotFoundException'],
  INVALID_FETCH_SESSION_EPOCH: [71, RETRY, 'InvalidFetchSessionEpochException'],
  LISTENER_NOT_FOUND: [72, REFRESH, 'ListenerNotFoundException'],
  TOPIC_DELETION_DISABLED: [73, FATAL, 'TopicDeletionDisabledException'],
  FENCED_LEADER_EPOCH: [74, REFRESH, 'FencedLeaderEpochException'],
  UNKNOWN_LEADER_EPOCH: [75, RETRY, 'UnknownLeaderEpochException'],
  UNSUPPORTED_COMPRESSION_TYPE: [76, FATAL, 'UnsupportedCompressionTypeException'],
  STALE_BROKER_EPOCH: [77, FATAL, 'StaleBrokerEpochException'],
  OFFSET_NOT_AVAILABLE: [78, RETRY, 'OffsetNotAvailableException'],
  MEMBER_ID_REQUIRED: [79, FATAL, 'MemberIdRequiredException'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, REFRESH, 'PreferredLeaderNotAvailableException'],
  GROUP_MAX_SIZE_REACHED: [81, FATAL, 'GroupMaxSizeReachedException'],
  FENCED_INSTANCE_ID: [82, FATAL, 'FencedInstanceIdException'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, REFRESH, 'EligibleLeadersNotAvailableException'],
  ELECTION_NOT_NEEDED: [84, REFRESH, 'ElectionNotNeededException'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, FATAL, 'NoReassignmentInProgressException'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, FATAL, 'GroupSubscribedToTopicException'],
  INVALID_RECORD: [87, FATAL, 'InvalidRecordException'],
  UNSTABLE_OFFSET_COMMIT: [88, RETRY, 'UnstableOffsetCommitException'],
  THROTTLING_QUOTA_EXCEEDED: [89, RETRY, 'ThrottlingQuotaExceededException'],
  PRODUCER_FENCED: [90, FATAL, 'ProducerFencedException'],
  RESOURCE_NOT_FOUND: [91, FATAL, 'ResourceNotFoundException'],
  DUPLICATE_RESOURCE: [92, FATAL, 'DuplicateResourceException'],
  UNACCEPTABLE_CREDENTIAL: [93, FATAL, 'UnacceptableCredentialException'],
  INCONSISTENT_VOTER_SET: [94, FATAL, 'InconsistentVoterSetException'],
  INVALID_UPDATE_VERSION: [95, FATAL, 'InvalidUpdateVersionException'],
  FEATURE_UPDATE_FAILED: [96, FATAL, 'FeatureUpdateFailedException'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, FATAL, 'PrincipalDeserializationException'],
  SNAPSHOT_NOT_FOUND: [98, FATAL, 'SnapshotNotFoundException'],
  POSITION_OUT_OF_RANGE: [99, FATAL, 'PositionOutOfRangeException'],
  UNKNOWN_TOPIC_ID: [100, REFRESH, 'UnknownTopicIdException'],
  DUPLICATE_BROKER_REGISTRATION: [101, FATAL, 'DuplicateBrokerRegistrationException'],
  BROKER_ID_NOT_REGISTERED: [102, FATAL, 'BrokerIdNotRegisteredException'],
  INCONSISTENT_TOPIC_ID: [103, REFRESH, 'InconsistentTopicIdException'],
  INCONSISTENT_CLUSTER_ID: [104, FATAL, 'InconsistentClusterIdException'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, FATAL, 'TransactionalIdNotFoundException'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, RETRY, 'FetchSessionTopicIdException'],
  INELIGIBLE_REPLICA: [107, FATAL, 'IneligibleReplicaException'],
  NEW_LEADER_ELECTED: [108, FATAL, 'NewLeaderElectedException'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, FATAL, 'OffsetMovedToTieredStorageException'],
  FENCED_MEMBER_EPOCH: [110, FATAL, 'FencedMemberEpochException'],
  UNRELEASED_INSTANCE_ID: [111, FATAL, 'UnreleasedInstanceIdException'],
  UNSUPPORTED_ASSIGNOR: [112, FATAL, 'UnsupportedAssignorException'],
  STALE_MEMBER_EPOCH: [113, FATAL, 'StaleMemberEpochException'],
  MISMATCHED_ENDPOINT_TYPE: [114, FATAL, 'MismatchedEndpointTypeException'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, FATAL, 'UnsupportedEndpointTypeException'],
  UNKNOWN_CONTROLLER_ID: [116, FATAL, 'UnknownControllerIdException'],
  UNKNOWN_SUBSCRIPTION_ID: [117, FATAL, 'UnknownSubscriptionIdException'],
  TELEMETRY_TOO_LARGE: [118, FATAL, 'TelemetryTooLargeException'],
  INVALID_REGISTRATION: [119, FATAL, 'InvalidRegistrationException'],
  TRANSACTION_ABORTABLE: [120, FATAL, 'TransactionAbortableException'],
  INVALID_RECORD_STATE: [121, FATAL, 'InvalidRecordStateException'],
  SHARE_SESSION_NOT_FOUND: [122, RETRY, 'ShareSessionNotFoundException'],
  INVALID_SHARE_SESSION_EPOCH: [123, RETRY, 'InvalidShareSessionEpochException'],
  FENCED_STATE_EPOCH: [124, FATAL, 'FencedStateEpochException'],
  INVALID_VOTER_KEY: [125, FATAL, 'InvalidVoterKeyException'],
  DUPLICATE_VOTER: [126, FATAL, 'DuplicateVoterException'],
  VOTER_NOT_FOUND: [127, FATAL, 'VoterNotFoundException'],
  INVALID_REGULAR_EXPRESSION: [128, FATAL, 'InvalidRegularExpression'],
  REBOOTSTRAP_REQUIRED: [129, FATAL, 'RebootstrapRequiredException'],
  STREAMS_INVALID_TOPOLOGY: [130, FATAL, 'StreamsInvalidTopologyException'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, FATAL, 'StreamsInvalidTopologyEpochException'],
  STREAMS_TOPOLOGY_FENCED: [132, FATAL, 'StreamsTopologyFencedException'],
  SHARE_SESSION_LIMIT_REACHED: [133, RETRY, 'ShareSessionLimitReachedException'],
} as const

/** Name of an error of the protocol. */
export type BrokerErrorName = keyof typeof table

/** Numbers of the protocol's errors by name. */
export const ErrorCodes = Object.fromEntries(Object.entries(table).map(([name, [code]]) => [name, code])) as {
  readonly [Name in BrokerErrorName]: (typeof table)[Name][0]
}

interface ErrorRow {
  readonly name: BrokerErrorName
  readonly treatment: number
  readonly javaClass: string
}

const byCode: ReadonlyMap<number, ErrorRow> = new Map(
  Object.entries(table).map(([name, [code, treatment, javaClass]]) => [
    code,
    { name: name as BrokerErrorName, treatment, javaClass },
  ]),
)

const unknown = byCode.get(ErrorCodes.UNKNOWN_SERVER_ERROR) as ErrorRow

/** Whether this client knows the number; others are treated as UNKNOWN_SERVER_ERROR. */
export function isKnownError(code: number): boolean {
  return byCode.has(code)
}

export function errorName(code: number): BrokerErrorName {
  return (byCode.get(code) ?? unknown).name
}

/** Simple name of the exception that Java's client throws; '' for NONE. */
export function errorJavaClass(code: number): string {
  return (byCode.get(code) ?? unknown).javaClass
}

/** Whether the same request may succeed later. */
export function isRetriable(code: number): boolean {
  return (byCode.get(code) ?? unknown).treatment !== FATAL
}

/** Whether the error says that the client's metadata is out of date; implies {@link isRetriable}. */
export function refreshesMetadata(code: number): boolean {
  return (byCode.get(code) ?? unknown).treatment === REFRESH
}

/**
 * Whether a topic's metadata error refuses it: asking again gives the same answer until somebody changes the
 * cluster. BROKER_NOT_AVAILABLE and UNKNOWN_SERVER_ERROR are not retriable in Java, but say nothing about the
 * topic; Java waits for it, too (`Metadata.handleMetadataResponse`).
 */
export function refusesTopic(code: number): boolean {
  if (code === ErrorCodes.BROKER_NOT_AVAILABLE || code === ErrorCodes.UNKNOWN_SERVER_ERROR) return false
  return code !== ErrorCodes.NONE && !isRetriable(code)
}
