// Made from the option table by scripts/option-types.mjs. Change it there.
import type { Bytes, SerializerLike } from '../../serialization/index.js'
import type { MetricsReporter, ReportMetric } from '../../telemetry/metrics/reporter.js'
import type { ConfigProvider, FetchConfig } from '../config-provider.js'
import type { Partition, Partitioner, ProducerInterceptor } from '../plugins.js'

/** Java's reporter to JMX, which has no counterpart. */
type JmxReporter = 'org.apache.kafka.common.metrics.JmxReporter'

/** Options of the part `producer` of the table, in camelCase. */
export interface ProducerCamelCaseOptions<K = Bytes, V = Bytes> {
  /**
   * Replicas that must have a batch before it counts as sent: all or -1, 1 (the leader), 0 (none). Default:
   * all. Takes one of all, -1, 0, 1.
   */
  readonly acks?: 'all' | '-1' | '0' | '1' | -1 | 0 | 1 | null | undefined
  /**
   * Size of a batch, compressed if it is, and of a piece of buffer.memory; 0 means one record a batch.
   * Default: 16384. Takes a whole number from 0 to 2147483647. The same as `batch.size`.
   */
  readonly batchSize?: number | null | undefined
  /**
   * Brokers to find the cluster with, each as host:port; a few of them are enough. Required. Takes an array
   * of strings, or one string with commas. The same as `bootstrap.servers`.
   */
  readonly bootstrapServers?: readonly string[] | string
  /**
   * Memory for records without an outcome. If it is used up, records wait up to max.block.ms for it.
   * Default: 33554432. Takes a whole number from 0 to 9007199254740991. The same as `buffer.memory`.
   */
  readonly bufferMemory?: number | null | undefined
  /**
   * Whether bootstrap servers have the name given, or the canonical name of each of their addresses.
   * Default: use_all_dns_ips. Takes one of use_all_dns_ips, resolve_canonical_bootstrap_servers_only. The
   * same as `client.dns.lookup`.
   */
  readonly clientDnsLookup?: 'use_all_dns_ips' | 'resolve_canonical_bootstrap_servers_only' | null | undefined
  /**
   * Name of this producer in requests, broker logs and quotas; if empty, producer- and a number. Default:
   * none. Takes a string. The same as `client.id`.
   */
  readonly clientId?: string | null | undefined
  /**
   * Effort of gzip from 1, fast, to 9, small. -1 to 4 is an encoder of our own, from 5 on it is zlib.
   * Default: -1. Takes a whole number from 1 to 9, or -1. The same as `compression.gzip.level`.
   */
  readonly compressionGzipLevel?: number | null | undefined
  /**
   * Effort of LZ4; 9 is the fast compressor, any other number a high-compression level. Default: 9. Takes a
   * whole number from 1 to 17. The same as `compression.lz4.level`.
   */
  readonly compressionLz4Level?: number | null | undefined
  /**
   * Codec of the records in each batch. Default: none. Takes one of none, gzip, snappy, lz4, zstd. The same
   * as `compression.type`.
   */
  readonly compressionType?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | null | undefined
  /**
   * Effort of Zstandard; negative levels are faster and compress less. Default: 3. Takes a whole number
   * from -131072 to 22. The same as `compression.zstd.level`.
   */
  readonly compressionZstdLevel?: number | null | undefined
  /**
   * Plug-ins that fetch the values of variables in options, from files for example (KIP-297). Default:
   * none. Takes names with commas or in an array, or an object of providers. The same as
   * `config.providers`.
   */
  readonly configProviders?:
    | string
    | readonly string[]
    | Readonly<Record<string, ConfigProvider | FetchConfig | string>>
    | null
    | undefined
  /**
   * A connection unused for this long is closed; negative keeps it open. Default: 540000. Takes a whole
   * number from -9007199254740991 to 9007199254740991. The same as `connections.max.idle.ms`.
   */
  readonly connectionsMaxIdleMs?: number | null | undefined
  /**
   * Longest time from the start of a batch to its outcome; at least linger.ms + request.timeout.ms.
   * Default: 120000. Takes a whole number from 0 to 2147483647. The same as `delivery.timeout.ms`.
   */
  readonly deliveryTimeoutMs?: number | null | undefined
  /**
   * Whether brokers drop duplicates from retries; needs acks all, retries, at most 5 in flight. Default:
   * true. The same as `enable.idempotence`.
   */
  readonly enableIdempotence?: boolean | null | undefined
  /**
   * Whether the cluster may ask this client for its metrics (KIP-714). Default: true. The same as
   * `enable.metrics.push`.
   */
  readonly enableMetricsPush?: boolean | null | undefined
  /**
   * Objects that see each record before it is sent and its outcome afterwards, in order. Default: none.
   * Takes an array of objects with onSend or onAcknowledgement. The same as `interceptor.classes`.
   */
  readonly interceptorClasses?: readonly ProducerInterceptor<K, V>[] | null | undefined
  /**
   * What turns keys into bytes; by default keys are a string (as UTF-8), a Uint8Array or null. Default:
   * none. Takes a function (topic, data, headers) => bytes, or an object with such a serialize method. The
   * same as `key.serializer`.
   */
  readonly keySerializer?: SerializerLike<K> | null | undefined
  /**
   * How long a batch waits to fill; even at 0, sends of one turn of the event loop share batches. Default:
   * 5. Takes a whole number from 0 to 9007199254740991. The same as `linger.ms`.
   */
  readonly lingerMs?: number | null | undefined
  /**
   * Longest wait of a send for metadata and for memory, together; also bounds partitionsFor. Default:
   * 60000. Takes a whole number from 0 to 9007199254740991. The same as `max.block.ms`.
   */
  readonly maxBlockMs?: number | null | undefined
  /**
   * Requests sent on a connection before the oldest is answered; at most 5 with idempotence. Default: 5.
   * Takes a whole number from 1 to 2147483647. The same as `max.in.flight.requests.per.connection`.
   */
  readonly maxInFlightRequestsPerConnection?: number | null | undefined
  /**
   * Largest request and largest record, counted before compression. Default: 1048576. Takes a whole number
   * from 0 to 2147483647. The same as `max.request.size`.
   */
  readonly maxRequestSize?: number | null | undefined
  /**
   * Metadata older than this is fetched again even if nothing seems to have changed. Default: 300000. Takes
   * a whole number from 0 to 9007199254740991. The same as `metadata.max.age.ms`.
   */
  readonly metadataMaxAgeMs?: number | null | undefined
  /**
   * A topic not sent to for this long is dropped from the metadata. Default: 300000. Takes a whole number
   * from 5000 to 9007199254740991. The same as `metadata.max.idle.ms`.
   */
  readonly metadataMaxIdleMs?: number | null | undefined
  /**
   * Without metadata for this long, the producer starts over from bootstrap.servers. Default: 300000. Takes
   * a whole number from 0 to 9007199254740991. The same as `metadata.recovery.rebootstrap.trigger.ms`.
   */
  readonly metadataRecoveryRebootstrapTriggerMs?: number | null | undefined
  /**
   * If no known broker can be reached: rebootstrap starts over from bootstrap.servers, none does not.
   * Default: rebootstrap. Takes one of rebootstrap, none (in any case). The same as
   * `metadata.recovery.strategy`.
   */
  readonly metadataRecoveryStrategy?: 'rebootstrap' | 'REBOOTSTRAP' | 'none' | 'NONE' | null | undefined
  /**
   * Objects that receive the metrics, or functions called with each. The only name is JmxReporter. Default:
   * org.apache.kafka.common.metrics.JmxReporter. Takes an array of functions, or of objects with init or
   * metricChange. The same as `metric.reporters`.
   */
  readonly metricReporters?:
    | readonly (MetricsReporter | ReportMetric | JmxReporter)[]
    | JmxReporter
    | ''
    | null
    | undefined
  /**
   * Samples kept for each averaged metric. Default: 2. Takes a whole number from 1 to 2147483647. The same
   * as `metrics.num.samples`.
   */
  readonly metricsNumSamples?: number | null | undefined
  /**
   * How detailed the recorded metrics are; a producer records all of its own at INFO. Default: INFO. Takes
   * one of INFO, DEBUG, TRACE. The same as `metrics.recording.level`.
   */
  readonly metricsRecordingLevel?: 'INFO' | 'DEBUG' | 'TRACE' | null | undefined
  /**
   * Length of one sample of the averages. Default: 30000. Takes a whole number from 0 to 9007199254740991.
   * The same as `metrics.sample.window.ms`.
   */
  readonly metricsSampleWindowMs?: number | null | undefined
  /**
   * Whether records without a key go more often to the brokers that keep up. Default: true. The same as
   * `partitioner.adaptive.partitioning.enable`.
   */
  readonly partitionerAdaptivePartitioningEnable?: boolean | null | undefined
  /**
   * A partition whose broker takes no batch for this long gets no records without a key; 0: off. Default:
   * 0. Takes a whole number from 0 to 9007199254740991. The same as `partitioner.availability.timeout.ms`.
   */
  readonly partitionerAvailabilityTimeoutMs?: number | null | undefined
  /**
   * Object or function that chooses partitions. The only name is Java's RoundRobinPartitioner. Default:
   * none. Takes a function (topic, keyBytes, valueBytes, cluster) => id, or an object with a partition
   * method. The same as `partitioner.class`.
   */
  readonly partitionerClass?: Partitioner | Partition | null | undefined
  /**
   * Whether keys are ignored when a partition is chosen. Default: false. The same as
   * `partitioner.ignore.keys`.
   */
  readonly partitionerIgnoreKeys?: boolean | null | undefined
  /**
   * Size asked of the system for the socket's receive buffer; -1 leaves it to the system. Changes nothing:
   * none of the runtimes lets it be set on a TCP socket; the system decides. Default: 32768. Takes a whole
   * number from -1 to 2147483647. The same as `receive.buffer.bytes`.
   */
  readonly receiveBufferBytes?: number | null | undefined
  /**
   * Longest wait before connecting to a broker again. Default: 1000. Takes a whole number from 0 to
   * 9007199254740991. The same as `reconnect.backoff.max.ms`.
   */
  readonly reconnectBackoffMaxMs?: number | null | undefined
  /**
   * First wait before connecting to a broker again; doubled with each failure. Default: 50. Takes a whole
   * number from 0 to 9007199254740991. The same as `reconnect.backoff.ms`.
   */
  readonly reconnectBackoffMs?: number | null | undefined
  /**
   * Longest wait for an answer; then the connection is closed and the request tried again. Default: 30000.
   * Takes a whole number from 0 to 2147483647. The same as `request.timeout.ms`.
   */
  readonly requestTimeoutMs?: number | null | undefined
  /**
   * How often a batch is sent again after a retriable error, within delivery.timeout.ms. Default:
   * 2147483647. Takes a whole number from 0 to 2147483647.
   */
  readonly retries?: number | null | undefined
  /**
   * Longest wait before a batch or a metadata request is sent again. Default: 1000. Takes a whole number
   * from 0 to 9007199254740991. The same as `retry.backoff.max.ms`.
   */
  readonly retryBackoffMaxMs?: number | null | undefined
  /**
   * First wait before a batch or a metadata request is sent again; doubled with each failure. Default: 100.
   * Takes a whole number from 0 to 9007199254740991. The same as `retry.backoff.ms`.
   */
  readonly retryBackoffMs?: number | null | undefined
  /**
   * Size asked of the system for the socket's send buffer; -1 leaves it to the system. Changes nothing:
   * none of the runtimes lets it be set on a TCP socket; the system decides. Default: 131072. Takes a whole
   * number from -1 to 2147483647. The same as `send.buffer.bytes`.
   */
  readonly sendBufferBytes?: number | null | undefined
  /**
   * Longest wait for a TCP connection. Default: 30000. Takes a whole number from -9007199254740991 to
   * 9007199254740991. The same as `socket.connection.setup.timeout.max.ms`.
   */
  readonly socketConnectionSetupTimeoutMaxMs?: number | null | undefined
  /**
   * First wait for a TCP connection; doubled with each failure. Default: 10000. Takes a whole number from
   * -9007199254740991 to 9007199254740991. The same as `socket.connection.setup.timeout.ms`.
   */
  readonly socketConnectionSetupTimeoutMs?: number | null | undefined
  /**
   * How long a transaction may be open before its coordinator aborts it and fences its producer. Default:
   * 60000. Takes a whole number from 1 to 2147483647. The same as `transaction.timeout.ms`.
   */
  readonly transactionTimeoutMs?: number | null | undefined
  /**
   * Whether an outside coordinator ends transactions (KIP-939). Brokers must know InitProducerId v6.
   * Default: false. The same as `transaction.two.phase.commit.enable`.
   */
  readonly transactionTwoPhaseCommitEnable?: boolean | null | undefined
  /**
   * Name under which this producer's transactions survive a restart; turns transactions on. Default: none.
   * Takes a string that is not empty. The same as `transactional.id`.
   */
  readonly transactionalId?: string | null | undefined
  /**
   * What turns values into bytes; by default values are a string (as UTF-8), a Uint8Array or null. Default:
   * none. Takes a function (topic, data, headers) => bytes, or an object with such a serialize method. The
   * same as `value.serializer`.
   */
  readonly valueSerializer?: SerializerLike<V> | null | undefined
}
