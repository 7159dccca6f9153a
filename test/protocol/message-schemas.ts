/**
 * Kafka's message definitions (4.3) of the APIs this client speaks, one field a line in wire order:
 * name, type (`[]` array of structs, `{}` struct), versions, then tag, versions in which it may be null, and
 * default. The tests encode by them, so the codecs have a second opinion that shares no code with them.
 */
export const messageSchemas: { readonly [message: string]: string } = {
  ProduceRequest: `
    transactionalId string 3+ null=3+ default=null
    acks int16 0+
    timeoutMs int32 0+
    topicData [] 0+
      name string 0-12
      topicId uuid 13+
      partitionData [] 0+
        index int32 0+
        records bytes 0+ null=0+
  `,
  ProduceResponse: `
    responses [] 0+
      name string 0-12
      topicId uuid 13+
      partitionResponses [] 0+
        index int32 0+
        errorCode int16 0+
        baseOffset int64 0+
        logAppendTimeMs int64 2+ default=-1
        logStartOffset int64 5+ default=-1
        recordErrors [] 8+
          batchIndex int32 8+
          batchIndexErrorMessage string 8+ null=8+ default=null
        errorMessage string 8+ null=8+ default=null
        currentLeader {} 10+ tag=0
          leaderId int32 10+ default=-1
          leaderEpoch int32 10+ default=-1
    throttleTimeMs int32 1+ default=0
    nodeEndpoints [] 10+ tag=0
      nodeId int32 10+
      host string 10+
      port int32 10+
      rack string 10+ null=10+ default=null
  `,
  FetchRequest: `
    clusterId string 12+ tag=0 null=12+ default=null
    replicaId int32 0-14 default=-1
    replicaState {} 15+ tag=1
      replicaId int32 15+ default=-1
      replicaEpoch int64 15+ default=-1
    maxWaitMs int32 0+
    minBytes int32 0+
    maxBytes int32 3+ default=0x7fffffff
    isolationLevel int8 4+ default=0
    sessionId int32 7+ default=0
    sessionEpoch int32 7+ default=-1
    topics [] 0+
      topic string 0-12
      topicId uuid 13+
      partitions [] 0+
        partition int32 0+
        currentLeaderEpoch int32 9+ default=-1
        fetchOffset int64 0+
        lastFetchedEpoch int32 12+ default=-1
        logStartOffset int64 5+ default=-1
        partitionMaxBytes int32 0+
        replicaDirectoryId uuid 17+ tag=0
        highWatermark int64 18+ tag=1 default=9223372036854775807
    forgottenTopicsData [] 7+
      topic string 7-12
      topicId uuid 13+
      partitions [int32] 7+
    rackId string 11+
  `,
  FetchResponse: `
    throttleTimeMs int32 1+
    errorCode int16 7+
    sessionId int32 7+ default=0
    responses [] 0+
      topic string 0-12
      topicId uuid 13+
      partitions [] 0+
        partitionIndex int32 0+
        errorCode int16 0+
        highWatermark int64 0+
        lastStableOffset int64 4+ default=-1
        logStartOffset int64 5+ default=-1
        divergingEpoch {} 12+ tag=0
          epoch int32 12+ default=-1
          endOffset int64 12+ default=-1
        currentLeader {} 12+ tag=1
          leaderId int32 12+ default=-1
          leaderEpoch int32 12+ default=-1
        snapshotId {} 12+ tag=2
          endOffset int64 0+ default=-1
          epoch int32 0+ default=-1
        abortedTransactions [] 4+ null=4+
          producerId int64 4+
          firstOffset int64 4+
        preferredReadReplica int32 11+ default=-1
        records bytes 0+ null=0+
    nodeEndpoints [] 16+ tag=0
      nodeId int32 16+
      host string 16+
      port int32 16+
      rack string 16+ null=16+ default=null
  `,
  ListOffsetsRequest: `
    replicaId int32 0+
    isolationLevel int8 2+
    topics [] 0+
      name string 0+
      partitions [] 0+
        partitionIndex int32 0+
        currentLeaderEpoch int32 4+ default=-1
        timestamp int64 0+
    timeoutMs int32 10+
  `,
  ListOffsetsResponse: `
    throttleTimeMs int32 2+
    topics [] 0+
      name string 0+
      partitions [] 0+
        partitionIndex int32 0+
        errorCode int16 0+
        timestamp int64 1+ default=-1
        offset int64 1+ default=-1
        leaderEpoch int32 4+ default=-1
  `,
  MetadataRequest: `
    topics [] 0+ null=1+
      topicId uuid 10+
      name string 0+ null=10+
    allowAutoTopicCreation bool 4+ default=true
    includeClusterAuthorizedOperations bool 8-10
    includeTopicAuthorizedOperations bool 8+
  `,
  MetadataResponse: `
    throttleTimeMs int32 3+
    brokers [] 0+
      nodeId int32 0+
      host string 0+
      port int32 0+
      rack string 1+ null=1+ default=null
    clusterId string 2+ null=2+ default=null
    controllerId int32 1+ default=-1
    topics [] 0+
      errorCode int16 0+
      name string 0+ null=12+
      topicId uuid 10+
      isInternal bool 1+ default=false
      partitions [] 0+
        errorCode int16 0+
        partitionIndex int32 0+
        leaderId int32 0+
        leaderEpoch int32 7+ default=-1
        replicaNodes [int32] 0+
        isrNodes [int32] 0+
        offlineReplicas [int32] 5+
      topicAuthorizedOperations int32 8+ default=-2147483648
    clusterAuthorizedOperations int32 8-10 default=-2147483648
    errorCode int16 13+
  `,
  FindCoordinatorRequest: `
    key string 0-3
    keyType int8 1+ default=0
    coordinatorKeys [string] 4+
  `,
  FindCoordinatorResponse: `
    throttleTimeMs int32 1+
    errorCode int16 0-3
    errorMessage string 1-3 null=1-3
    nodeId int32 0-3
    host string 0-3
    port int32 0-3
    coordinators [] 4+
      key string 4+
      nodeId int32 4+
      host string 4+
      port int32 4+
      errorCode int16 4+
      errorMessage string 4+ null=4+
  `,
  ApiVersionsRequest: `
    clientSoftwareName string 3+
    clientSoftwareVersion string 3+
  `,
  ApiVersionsResponse: `
    errorCode int16 0+
    apiKeys [] 0+
      apiKey int16 0+
      minVersion int16 0+
      maxVersion int16 0+
    throttleTimeMs int32 1+
    supportedFeatures [] 3+ tag=0
      name string 3+
      minVersion int16 3+
      maxVersion int16 3+
    finalizedFeaturesEpoch int64 3+ tag=1 default=-1
    finalizedFeatures [] 3+ tag=2
      name string 3+
      maxVersionLevel int16 3+
      minVersionLevel int16 3+
    zkMigrationReady bool 3+ tag=3 default=false
  `,
  CreateTopicsRequest: `
    topics [] 0+
      name string 0+
      numPartitions int32 0+
      replicationFactor int16 0+
      assignments [] 0+
        partitionIndex int32 0+
        brokerIds [int32] 0+
      configs [] 0+
        name string 0+
        value string 0+ null=0+
    timeoutMs int32 0+ default=60000
    validateOnly bool 1+ default=false
  `,
  CreateTopicsResponse: `
    throttleTimeMs int32 2+
    topics [] 0+
      name string 0+
      topicId uuid 7+
      errorCode int16 0+
      errorMessage string 1+ null=0+
      topicConfigErrorCode int16 5+ tag=0
      numPartitions int32 5+ default=-1
      replicationFactor int16 5+ default=-1
      configs [] 5+ null=5+
        name string 5+
        value string 5+ null=5+
        readOnly bool 5+
        configSource int8 5+ default=-1
        isSensitive bool 5+
  `,
  SaslHandshakeRequest: `
    mechanism string 0+
  `,
  SaslHandshakeResponse: `
    errorCode int16 0+
    mechanisms [string] 0+
  `,
  SaslAuthenticateRequest: `
    authBytes bytes 0+
  `,
  SaslAuthenticateResponse: `
    errorCode int16 0+
    errorMessage string 0+ null=0+
    authBytes bytes 0+
    sessionLifetimeMs int64 1+ default=0
  `,
  InitProducerIdRequest: `
    transactionalId string 0+ null=0+
    transactionTimeoutMs int32 0+
    producerId int64 3+ default=-1
    producerEpoch int16 3+ default=-1
    enable2Pc bool 6+ default=false
    keepPreparedTxn bool 6+ default=false
  `,
  InitProducerIdResponse: `
    throttleTimeMs int32 0+
    errorCode int16 0+
    producerId int64 0+ default=-1
    producerEpoch int16 0+
    ongoingTxnProducerId int64 6+ default=-1
    ongoingTxnProducerEpoch int16 6+ default=-1
  `,
  AddPartitionsToTxnRequest: `
    transactions [] 4+
      transactionalId string 4+
      producerId int64 4+
      producerEpoch int16 4+
      verifyOnly bool 4+ default=false
      topics [] 4+
        name string 0+
        partitions [int32] 0+
    onlyTransactionalId string 0-3
    onlyProducerId int64 0-3
    onlyProducerEpoch int16 0-3
    onlyTopics [] 0-3
      name string 0+
      partitions [int32] 0+
  `,
  AddPartitionsToTxnResponse: `
    throttleTimeMs int32 0+
    errorCode int16 4+
    resultsByTransaction [] 4+
      transactionalId string 4+
      topicResults [] 4+
        name string 0+
        resultsByPartition [] 0+
          partitionIndex int32 0+
          partitionErrorCode int16 0+
    onlyTopicResults [] 0-3
      name string 0+
      resultsByPartition [] 0+
        partitionIndex int32 0+
        partitionErrorCode int16 0+
  `,
  AddOffsetsToTxnRequest: `
    transactionalId string 0+
    producerId int64 0+
    producerEpoch int16 0+
    groupId string 0+
  `,
  AddOffsetsToTxnResponse: `
    throttleTimeMs int32 0+
    errorCode int16 0+
  `,
  EndTxnRequest: `
    transactionalId string 0+
    producerId int64 0+
    producerEpoch int16 0+
    committed bool 0+
  `,
  EndTxnResponse: `
    throttleTimeMs int32 0+
    errorCode int16 0+
    producerId int64 5+ default=-1
    producerEpoch int16 5+ default=-1
  `,
  TxnOffsetCommitRequest: `
    transactionalId string 0+
    groupId string 0+
    producerId int64 0+
    producerEpoch int16 0+
    generationId int32 3+ default=-1
    memberId string 3+
    groupInstanceId string 3+ null=3+ default=null
    topics [] 0+
      name string 0+
      partitions [] 0+
        partitionIndex int32 0+
        committedOffset int64 0+
        committedLeaderEpoch int32 2+ default=-1
        committedMetadata string 0+ null=0+
  `,
  TxnOffsetCommitResponse: `
    throttleTimeMs int32 0+
    topics [] 0+
      name string 0+
      partitions [] 0+
        partitionIndex int32 0+
        errorCode int16 0+
  `,
  GetTelemetrySubscriptionsRequest: `
    clientInstanceId uuid 0+
  `,
  GetTelemetrySubscriptionsResponse: `
    throttleTimeMs int32 0+
    errorCode int16 0+
    clientInstanceId uuid 0+
    subscriptionId int32 0+
    acceptedCompressionTypes [int8] 0+
    pushIntervalMs int32 0+
    telemetryMaxBytes int32 0+
    deltaTemporality bool 0+
    requestedMetrics [string] 0+
  `,
  PushTelemetryRequest: `
    clientInstanceId uuid 0+
    subscriptionId int32 0+
    terminating bool 0+
    compressionType int8 0+
    metrics bytes 0+
  `,
  PushTelemetryResponse: `
    throttleTimeMs int32 0+
    errorCode int16 0+
  `,
  DescribeTransactionsRequest: `
    transactionalIds [string] 0+
  `,
  DescribeTransactionsResponse: `
    throttleTimeMs int32 0+
    transactionStates [] 0+
      errorCode int16 0+
      transactionalId string 0+
      transactionState string 0+
      transactionTimeoutMs int32 0+
      transactionStartTimeMs int64 0+
      producerId int64 0+
      producerEpoch int16 0+
      topics [] 0+
        topic string 0+
        partitions [int32] 0+
  `,
}
