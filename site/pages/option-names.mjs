// What KafkaJS 2.2.4 and librdkafka 2.15 call the options. librdkafka's names that are equal to Java's are
// not listed: they are the keys in SAME_IN_LIBRDKAFKA.

/** By our key. */
export const kafkajsNames = {
  'bootstrap.servers': '`brokers`',
  'client.id': '`clientId`',
  acks: '`acks` of `send`',
  'compression.type': '`compression` of `send`',
  'enable.idempotence': '`idempotent`',
  'transactional.id': '`transactionalId`',
  'transaction.timeout.ms': '`transactionTimeout`',
  'max.in.flight.requests.per.connection': '`maxInFlightRequests`',
  'metadata.max.age.ms': '`metadataMaxAge`',
  'request.timeout.ms': '`requestTimeout`, and `timeout` of `send`',
  'socket.connection.setup.timeout.ms': '`connectionTimeout`',
  'delivery.timeout.ms': 'none: `retry.retries` counts attempts instead',
  retries: '`retry.retries`',
  'retry.backoff.ms': '`retry.initialRetryTime`',
  'retry.backoff.max.ms': '`retry.maxRetryTime`',
  'security.protocol': '`ssl` and `sasl`',
  'sasl.mechanism': '`sasl.mechanism`',
  'sasl.jaas.config': '`sasl.username` and `sasl.password`',
  'partitioner.class': '`createPartitioner`',
  allowAutoTopicCreation: '`allowAutoTopicCreation`',
  socketFactory: '`socketFactory`',
  logger: '`logCreator`',
  tls: '`ssl` as an object',
  saslOauthTokenProvider: '`sasl.oauthBearerProvider`',
  saslMechanisms: '`sasl.authenticationProvider`',
  requestListener: 'the event `producer.network.request`',
}

const SAME_IN_LIBRDKAFKA = [
  ...['acks', 'batch.size', 'bootstrap.servers', 'client.dns.lookup', 'client.id', 'compression.type'],
  ...['connections.max.idle.ms', 'delivery.timeout.ms', 'enable.idempotence', 'enable.metrics.push'],
  ...['linger.ms', 'max.in.flight.requests.per.connection', 'metadata.recovery.strategy'],
  ...['metadata.recovery.rebootstrap.trigger.ms', 'reconnect.backoff.ms', 'reconnect.backoff.max.ms'],
  ...['request.timeout.ms', 'retries', 'retry.backoff.ms', 'retry.backoff.max.ms', 'sasl.mechanism'],
  ...['sasl.kerberos.kinit.cmd', 'sasl.kerberos.min.time.before.relogin', 'sasl.kerberos.service.name'],
  ...['sasl.oauthbearer.scope', 'sasl.oauthbearer.token.endpoint.url', 'security.protocol'],
  ...['socket.connection.setup.timeout.ms', 'ssl.cipher.suites', 'ssl.endpoint.identification.algorithm'],
  ...['ssl.key.password', 'ssl.keystore.location', 'ssl.keystore.password', 'transaction.timeout.ms'],
  'transactional.id',
]

/** Other names of librdkafka, or how it differs, by our key. */
const OTHER_IN_LIBRDKAFKA = {
  'bootstrap.servers': '`metadata.broker.list`',
  acks: '`request.required.acks`',
  'batch.size': '`batch.num.messages` counts records',
  'buffer.memory': '`queue.buffering.max.kbytes` in KiB, `queue.buffering.max.messages` in records',
  'compression.type': '`compression.codec`',
  'compression.gzip.level': '`compression.level`',
  'compression.lz4.level': '`compression.level`',
  'compression.zstd.level': '`compression.level`',
  'delivery.timeout.ms': '`message.timeout.ms`',
  'linger.ms': '`queue.buffering.max.ms`',
  'max.in.flight.requests.per.connection': '`max.in.flight`',
  'max.request.size': '`message.max.bytes`',
  'metadata.max.age.ms': '`topic.metadata.refresh.interval.ms`',
  'partitioner.class': '`partitioner`, by name',
  'receive.buffer.bytes': '`socket.receive.buffer.bytes`',
  'request.timeout.ms': '`socket.timeout.ms`',
  retries: '`message.send.max.retries`',
  'sasl.jaas.config': '`sasl.username` and `sasl.password`',
  'sasl.mechanism': '`sasl.mechanisms`',
  'sasl.oauthbearer.client.credentials.client.id': '`sasl.oauthbearer.client.id`',
  'sasl.oauthbearer.client.credentials.client.secret': '`sasl.oauthbearer.client.secret`',
  'send.buffer.bytes': '`socket.send.buffer.bytes`',
  'ssl.keystore.certificate.chain': '`ssl.certificate.pem`',
  'ssl.keystore.key': '`ssl.key.pem`',
  'ssl.truststore.certificates': '`ssl.ca.pem`',
  'ssl.truststore.location': '`ssl.ca.location`, always PEM',
}

/** What librdkafka calls an option; undefined where it has none. */
export function librdkafkaNames(key) {
  const names = [SAME_IN_LIBRDKAFKA.includes(key) ? `\`${key}\`` : null, OTHER_IN_LIBRDKAFKA[key]].filter(
    Boolean,
  )
  return names.length === 0 ? undefined : names.join(', ')
}

/** Every key that a table above speaks of. */
export const mappedKeys = [
  ...Object.keys(kafkajsNames),
  ...SAME_IN_LIBRDKAFKA,
  ...Object.keys(OTHER_IN_LIBRDKAFKA),
]
