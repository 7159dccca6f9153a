/** The public surface of millrace. */

export type { Logger } from './common/logger.js'
export type {
  RequestListener,
  RequestReport,
  SocketFactory,
  SocketTarget,
} from './common/network-hooks.js'
export type {
  ClusterListener,
  ClusterResource,
  PluginConfigs,
  PluginHooks,
} from './common/plugin-hooks.js'
export {
  type ConfigProvider,
  type ConfigValues,
  describeOptions,
  type FetchConfig,
  type OptionDescription,
  type Partition,
  type Partitioner,
  type PartitionerCluster,
  type PluginPartition,
  type ProducerInterceptor,
  type ProducerOptions,
  type ProducerSettings,
  parseProperties,
} from './config/index.js'
export {
  AuthenticationError,
  AuthorizationError,
  BrokerError,
  BufferExhaustedError,
  ConfigError,
  type DeliveryError,
  type ErrorCode,
  IllegalStateError,
  InternalError,
  InvalidRecordError,
  KafkaError,
  NativeAddonError,
  NetworkError,
  PermissionError,
  ProducerClosedError,
  ProducerFencedError,
  ProtocolError,
  RecordTooLargeError,
  SerializationError,
  TimeoutError,
  TransactionError,
  UnsupportedVersionError,
} from './errors/index.js'
export { murmur2 } from './partitioner/murmur2.js'
export { roundRobinPartitioner } from './partitioner/round-robin.js'
export { type AnyKafkaError, isKafkaError } from './producer/any-error.js'
export type { KafkaProducer } from './producer/kafka-producer.js'
export { Producer } from './producer/producer.js'
export { RecordMetadata, type RecordMetadataJson } from './producer/record-metadata.js'
export type { DeliveryCallback } from './producer/send/callback-group.js'
export { type DeliveryReport, SendManyError } from './producer/send/delivery-report.js'
export type {
  ClusterInfo,
  ConnectOptions,
  PartitionInfo,
  ProducerHealth,
  ProducerRecord,
} from './producer/types.js'
export type {
  JwtValidator,
  NodeTlsOptions,
  OauthToken,
  OauthTokenProvider,
  SaslBroker,
  SaslCredentials,
  SaslCredentialsProvider,
  SaslExchange,
  SaslLogin,
  SaslMechanism,
} from './security/index.js'
export {
  type AwsCredentials,
  type AwsMskIamOptions,
  awsMskIamTokenProvider,
} from './security/index.js'
export {
  type Bytes,
  type Headers,
  listSerializer,
  RecordHeaders,
  type Serialize,
  type Serializer,
  type SerializerLike,
  serializers,
  stringSerializer,
} from './serialization/index.js'
export type { Metric } from './telemetry/metrics/metric.js'
export type { MetricsReporter, ReportMetric } from './telemetry/metrics/reporter.js'
export type { ConsumerGroupMetadata, TopicPartitionOffset } from './transactions/offsets.js'
export { PreparedTxnState } from './transactions/prepared-txn-state.js'
