/**
 * What users of other clients and of Kafka's own tools write, and what does the same here. Sources: KafkaJS
 * 2.2, `CONFIGURATION.md` of librdkafka 2 (which node-rdkafka and @confluentinc/kafka-javascript hand on),
 * @platformatic/kafka, kafka-python, Kafka's console producer and the producer of Kafka 0.8.
 */

const LINGER = 'lingerMs (linger.ms)'
const MEMORY = 'bufferMemory (buffer.memory), in bytes'
const REQUEST_TIMEOUT = 'requestTimeoutMs (request.timeout.ms)'
const METADATA_AGE = 'metadataMaxAgeMs (metadata.max.age.ms)'
const DELIVERY_TIMEOUT = 'deliveryTimeoutMs (delivery.timeout.ms)'
const BACKOFF = 'retryBackoffMs (retry.backoff.ms)'
const COMPRESSION = 'compressionType (compression.type)'
const LEVELS = 'compressionGzipLevel, compressionLz4Level or compressionZstdLevel'
const IN_FLIGHT = 'maxInFlightRequestsPerConnection (max.in.flight.requests.per.connection)'
const IDEMPOTENCE = 'enableIdempotence (enable.idempotence)'
const SERVERS = 'bootstrapServers (bootstrap.servers)'
const SETUP_TIMEOUT = 'socketConnectionSetupTimeoutMs (socket.connection.setup.timeout.ms)'
const TRUST_FILE = 'sslTruststoreLocation (ssl.truststore.location), the path of a PEM file'
const TRUST_TEXT = 'sslTruststoreCertificates (ssl.truststore.certificates), PEM as text'
const KEY_TEXT = 'sslKeystoreKey (ssl.keystore.key), PEM as text'
const CHAIN_TEXT = 'sslKeystoreCertificateChain (ssl.keystore.certificate.chain), PEM as text'
const KEY_FILE =
  'sslKeystoreLocation (ssl.keystore.location), the path of a PEM file with key and certificates, or the ' +
  'texts as sslKeystoreKey and sslKeystoreCertificateChain'
const CREDENTIALS =
  'saslCredentialsProvider, a function () => ({ username, password }), or saslJaasConfig ' +
  '(sasl.jaas.config), with securityProtocol and saslMechanism'
const TOKENS = 'saslOauthTokenProvider, a function that answers a token'
const LOGGER = 'logger, an object with debug, info, warn and error'
const PARTITIONER = 'partitioner, a function (topic, keyBytes, valueBytes, cluster) => partition'
const SERIALIZERS = 'keySerializer and valueSerializer'
const CALLBACK = "the callback or the promise of send, each record's own"
const METRICS = 'producer.metrics(), or millrace/prometheus'
const SOCKETS = 'socketFactory'
const TLS = 'tls, an object of Node’s tls.connect'

/** Name by name, as it is written there: what is written here. */
const ANSWERS: Readonly<Record<string, string>> = {
  // KafkaJS
  brokers: SERVERS,
  ssl: 'securityProtocol: "SSL", or "SASL_SSL" with credentials; certificates go into tls or ssl.*',
  sasl: CREDENTIALS,
  connectionTimeout: SETUP_TIMEOUT,
  authenticationTimeout: REQUEST_TIMEOUT,
  requestTimeout: REQUEST_TIMEOUT,
  timeout: `${REQUEST_TIMEOUT} for one request, ${DELIVERY_TIMEOUT} for a record with all its retries`,
  retry: `retries, retryBackoffMs and retryBackoffMaxMs, within ${DELIVERY_TIMEOUT}`,
  maxRetryTime: `${DELIVERY_TIMEOUT}, and retryBackoffMaxMs (retry.backoff.max.ms)`,
  initialRetryTime: BACKOFF,
  logLevel: LOGGER,
  logCreator: LOGGER,
  createPartitioner: PARTITIONER,
  metadataMaxAge: METADATA_AGE,
  transactionTimeout: 'transactionTimeoutMs (transaction.timeout.ms)',
  idempotent: IDEMPOTENCE,
  maxInFlightRequests: IN_FLIGHT,
  compression: COMPRESSION,
  // @platformatic/kafka
  bootstrapBrokers: SERVERS,
  retryDelay: BACKOFF,
  autocreateTopics: 'allowAutoTopicCreation',
  serializers: SERIALIZERS,
  connectTimeout: SETUP_TIMEOUT,
  maxInflights: IN_FLIGHT,
  // librdkafka
  'metadata.broker.list': SERVERS,
  'message.max.bytes': 'maxRequestSize (max.request.size)',
  'max.in.flight': IN_FLIGHT,
  'topic.metadata.refresh.interval.ms': METADATA_AGE,
  'topic.metadata.refresh.fast.interval.ms': BACKOFF,
  'topic.metadata.propagation.max.ms': 'maxBlockMs (max.block.ms)',
  'socket.timeout.ms': REQUEST_TIMEOUT,
  'api.version.request.timeout.ms': REQUEST_TIMEOUT,
  'socket.send.buffer.bytes': 'sendBufferBytes (send.buffer.bytes)',
  'socket.receive.buffer.bytes': 'receiveBufferBytes (receive.buffer.bytes)',
  'reconnect.backoff.jitter.ms': 'reconnectBackoffMs (reconnect.backoff.ms), with jitter',
  'statistics.interval.ms': METRICS,
  stats_cb: METRICS,
  error_cb: LOGGER,
  event_cb: LOGGER,
  log_cb: LOGGER,
  log_level: LOGGER,
  debug: LOGGER,
  socket_cb: SOCKETS,
  connect_cb: SOCKETS,
  'allow.auto.create.topics': 'allowAutoTopicCreation',
  'ssl.curves.list': `ecdhCurve of ${TLS}`,
  'ssl.sigalgs.list': `sigalgs of ${TLS}`,
  'ssl.crl.location': `crl of ${TLS}`,
  'ssl.certificate.verify_cb': `checkServerIdentity of ${TLS}`,
  'enable.ssl.certificate.verification':
    'sslEndpointIdentificationAlgorithm: "" for the name alone; for the rest sslTruststoreLocation',
  'ssl.ca.location': TRUST_FILE,
  'ssl.ca.pem': TRUST_TEXT,
  ssl_ca: TRUST_TEXT,
  'ssl.key.location': KEY_FILE,
  'ssl.certificate.location': KEY_FILE,
  'ssl.key.pem': KEY_TEXT,
  ssl_key: KEY_TEXT,
  'ssl.certificate.pem': CHAIN_TEXT,
  ssl_certificate: CHAIN_TEXT,
  'sasl.mechanisms': 'saslMechanism (sasl.mechanism), one name',
  'sasl.username': CREDENTIALS,
  'sasl.password': CREDENTIALS,
  saslUsername: CREDENTIALS,
  saslPassword: CREDENTIALS,
  oauthbearer_token_refresh_cb: TOKENS,
  oauthBearerProvider: TOKENS,
  'sasl.oauthbearer.config': TOKENS,
  'sasl.oauthbearer.extensions': TOKENS,
  'sasl.oauthbearer.method': 'sasl.oauthbearer.token.endpoint.url, or saslOauthTokenProvider',
  'sasl.oauthbearer.client.id': 'sasl.oauthbearer.client.credentials.client.id',
  'sasl.oauthbearer.client.secret': 'sasl.oauthbearer.client.credentials.client.secret',
  'queue.buffering.max.messages': MEMORY,
  'queue.buffering.max.kbytes': MEMORY,
  'queue.buffering.max.ms': LINGER,
  'sticky.partitioning.linger.ms': 'batchSize (batch.size): a partition is kept until a batch is full',
  'message.send.max.retries': 'retries',
  'compression.codec': COMPRESSION,
  'compression.level': LEVELS,
  'batch.num.messages': 'batchSize (batch.size), in bytes',
  'request.required.acks': 'acks',
  'message.timeout.ms': DELIVERY_TIMEOUT,
  'delivery.report.only.error': CALLBACK,
  dr_cb: CALLBACK,
  dr_msg_cb: CALLBACK,
  partitioner_cb: PARTITIONER,
  kafkaJS: `${SERVERS} and the other names of Java; millrace/kafkajs takes those of KafkaJS`,
  // kafka-python
  api_version: 'nothing: the versions of brokers are asked for',
  max_in_flight_requests_per_connection: IN_FLIGHT,
  sasl_plain_username: CREDENTIALS,
  sasl_plain_password: CREDENTIALS,
  sasl_oauth_token_provider: TOKENS,
  ssl_cafile: TRUST_FILE,
  ssl_certfile: KEY_FILE,
  ssl_keyfile: KEY_FILE,
  ssl_context: TLS,
  ssl_check_hostname: 'sslEndpointIdentificationAlgorithm (ssl.endpoint.identification.algorithm)',
  // Kafka's tools and the producer of Kafka 0.8
  'broker-list': SERVERS,
  'compression-codec': COMPRESSION,
  'request-required-acks': 'acks',
  'message-send-max-retries': 'retries',
  'max-memory-bytes': MEMORY,
  'max-partition-memory-bytes': 'batchSize (batch.size)',
  'metadata-expiry-ms': METADATA_AGE,
  'socket-buffer-size': 'sendBufferBytes (send.buffer.bytes)',
  'producer.config': 'the options themselves, or parseProperties of the file',
  'producer.type': 'nothing: every send is asynchronous, and may be awaited',
  'serializer.class': SERIALIZERS,
  'key.serializer.class': 'keySerializer (key.serializer)',
  'queue.enqueue.timeout.ms': 'maxBlockMs (max.block.ms)',
  'metadata.fetch.timeout.ms': 'maxBlockMs (max.block.ms)',
  'block.on.buffer.full': 'maxBlockMs (max.block.ms)',
  'timeout.ms': REQUEST_TIMEOUT,
  'zookeeper.connect': SERVERS,
}

/** Names whose effect is always there, or is a matter of the client's own. */
const ALWAYS = [
  ...['enforceRequestTimeout', 'reauthenticationThreshold', 'api.version.request', 'produce.offset.report'],
  ...['topic.metadata.refresh.sparse', 'socket.keepalive.enable', 'socket.nagle.disable'],
  ...['enable.gapless.guarantee', 'api.version.fallback.ms', 'broker.version.fallback'],
  ...['broker.address.ttl', 'message.copy.max.bytes', 'receive.message.max.bytes', 'socket.max.fails'],
  ...['log.connection.close', 'queue.buffering.backpressure.threshold', 'queuing.strategy', 'strict'],
]

/** Options of consumers, which share an object with those of producers in many an application. */
const CONSUMER = [
  ...['groupId', 'group.id', 'group.instance.id', 'group.protocol', 'group.remote.assignor'],
  ...['auto.offset.reset', 'enable.auto.commit', 'auto.commit.interval.ms', 'enable.auto.offset.store'],
  ...['session.timeout.ms', 'sessionTimeout', 'heartbeat.interval.ms', 'heartbeatInterval'],
  ...['rebalanceTimeout', 'max.poll.interval.ms', 'max.poll.records', 'partition.assignment.strategy'],
  ...['partitionAssigners', 'fetch.min.bytes', 'fetch.max.bytes', 'fetch.max.wait.ms', 'fetch.wait.max.ms'],
  ...['max.partition.fetch.bytes', 'fetch.message.max.bytes', 'isolation.level', 'readUncommitted'],
  ...['minBytes', 'maxBytes', 'maxBytesPerPartition', 'maxWaitTimeInMs', 'check.crcs', 'rebalance_cb'],
  ...['key.deserializer', 'value.deserializer', 'deserializers', 'fromBeginning', 'offset_commit_cb'],
  ...['queued.min.messages', 'enable.partition.eof', 'exclude.internal.topics', 'client.rack', 'rackId'],
]

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')

/** In a Map, because names come from outside. Case and separators do not count. */
const answers: ReadonlyMap<string, string> = new Map([
  ...ALWAYS.map(name => [plain(name), 'here it is always so, or seen to by the client'] as const),
  ...CONSUMER.map(
    name => [plain(name), 'it is an option of consumers, which this library does not have'] as const,
  ),
  ...Object.entries(ANSWERS).map(([name, answer]) => [plain(name), `here that is ${answer}`] as const),
])

/** What to do instead of an option that other clients have; undefined for a name of none of them. */
export function foreignAnswer(name: string): string | undefined {
  return answers.get(plain(name))
}

/** All names that are answered, for tests and documentation. */
export const foreignNames: readonly string[] = [...Object.keys(ANSWERS), ...ALWAYS, ...CONSUMER]
