import { Buffer } from 'node:buffer'
import type { Logger } from '../common/logger.js'
import type { RequestListener, SocketFactory } from '../common/network-hooks.js'
import { ConfigError } from '../errors/index.js'
import { ROUND_ROBIN_CLASS, roundRobinPartitioner } from '../partitioner/round-robin.js'
import type { SecurityOptions } from '../security/index.js'
import {
  type GuardedSerializer,
  guardSerializer,
  type SerializerLike,
  serializerOfJavaClass,
} from '../serialization/index.js'
import { type MetricsReporter, type ReportMetric, reporterOf } from '../telemetry/metrics/reporter.js'
import { resolveAllowedHosts } from './allowed-hosts.js'
import { type HostPort, parseHostPort } from './bootstrap.js'
import type { OptionKey } from './definitions.js'
import { readBoolean, readFunction } from './extras.js'
import { hasMethod } from './has-method.js'
import { refuseClassName } from './java-classes.js'
import type { ExtraName } from './names.js'
import type { PluginLife } from './plugin-life.js'
import type { Partitioner, ProducerInterceptor } from './plugins.js'
import { resolveSecurity } from './security-config.js'
import { invalidValue, type ParsedValues, showValue } from './values.js'

/**
 * The producer's options, checked and resolved. Times are in milliseconds and sizes in bytes. A field has the
 * camelCase name of its option, and a comment only where it says more than the option's description.
 */
export interface ProducerConfig {
  readonly acks: -1 | 0 | 1
  readonly allowAutoTopicCreation: boolean
  /** Null: brokers may name any host. */
  readonly allowsBrokerHost: ((host: string) => boolean) | null
  /** At least 1. */
  readonly batchSize: number
  /** At least one, in the order given, without duplicates. */
  readonly bootstrapServers: readonly HostPort[]
  readonly bufferMemory: number
  readonly clientDnsLookup: 'use_all_dns_ips' | 'resolve_canonical_bootstrap_servers_only'
  /** Never empty. */
  readonly clientId: string
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** For the codec chosen; null where it has none or its library decides. */
  readonly compressionLevel: number | null
  /** Negative: connections are never closed for being idle. */
  readonly connectionsMaxIdleMs: number
  /** At least `lingerMs + requestTimeoutMs`, up to int32. */
  readonly deliveryTimeoutMs: number
  /** What is left of the option after conflicts with `acks` and `retries` are settled. */
  readonly enableIdempotence: boolean
  readonly enableMetricsPush: boolean
  readonly interceptors: readonly ProducerInterceptor<unknown, unknown>[]
  /** Null: keys are `Bytes` already. Otherwise it answers `Bytes` or throws `SerializationError`. */
  readonly keySerializer: GuardedSerializer | null
  /** At most int32. */
  readonly lingerMs: number
  readonly logger: Logger
  /** Bytes of copies of records that wait for metadata or memory, at most. */
  readonly maxBlockBytes: number
  readonly maxBlockMs: number
  readonly maxInFlightRequestsPerConnection: number
  readonly maxRequestSize: number
  readonly metadataMaxAgeMs: number
  readonly metadataMaxIdleMs: number
  readonly metadataRecoveryRebootstrapTriggerMs: number
  readonly metadataRecoveryStrategy: 'rebootstrap' | 'none'
  readonly metricReporters: readonly MetricsReporter[]
  readonly metricsNumSamples: number
  readonly metricsSampleWindowMs: number
  /** Null: the built-in partitioner. */
  readonly partitioner: Partitioner | null
  readonly partitionerAdaptivePartitioningEnable: boolean
  /** 0: off. */
  readonly partitionerAvailabilityTimeoutMs: number
  readonly partitionerIgnoreKeys: boolean
  /** What plug-ins do besides their work. */
  readonly plugins: PluginLife
  readonly reconnectBackoffMaxMs: number
  readonly reconnectBackoffMs: number
  /** Null: nobody looks. */
  readonly requestListener: RequestListener | null
  readonly requestTimeoutMs: number
  readonly retries: number
  readonly retryBackoffMaxMs: number
  /** At most `retryBackoffMaxMs`. */
  readonly retryBackoffMs: number
  /** What `security.protocol` and the options behind it amount to. */
  readonly security: SecurityOptions
  readonly socketConnectionSetupTimeoutMaxMs: number
  /** At most `socketConnectionSetupTimeoutMaxMs`. */
  readonly socketConnectionSetupTimeoutMs: number
  /** Null: sockets are opened by the producer. */
  readonly socketFactory: SocketFactory | null
  readonly transactionTimeoutMs: number
  /** KIP-939. */
  readonly transactionTwoPhaseCommit: boolean
  /** Null: no transactions. */
  readonly transactionalId: string | null
  /** Null: values are `Bytes` already. Otherwise it answers `Bytes` or throws `SerializationError`. */
  readonly valueSerializer: GuardedSerializer | null
  /** Java keys of the options that were given. */
  readonly explicit: ReadonlySet<OptionKey>
}

const ACKS = { all: -1, '-1': -1, '0': 0, '1': 1 } as const

/** Producers of this process that were not given a `client.id`. */
let unnamedProducers = 0

/** The configuration that parsed options, with all rules applied, amount to. */
export function resolveConfig(
  values: ParsedValues,
  explicit: ReadonlySet<OptionKey>,
  logger: Logger,
  extras: ReadonlyMap<ExtraName, unknown>,
): Omit<ProducerConfig, 'plugins'> {
  const config: Omit<ProducerConfig, 'clientId' | 'plugins'> = {
    acks: ACKS[values.acks],
    allowAutoTopicCreation: readBoolean(extras, 'allowAutoTopicCreation', true),
    allowsBrokerHost: resolveAllowedHosts(extras.get('allowedBrokerHosts')),
    batchSize: values['batch.size'],
    bootstrapServers: resolveBootstrapServers(values['bootstrap.servers'], values['security.protocol']),
    bufferMemory: values['buffer.memory'],
    clientDnsLookup: values['client.dns.lookup'],
    compressionType: values['compression.type'],
    compressionLevel: resolveCompressionLevel(values),
    connectionsMaxIdleMs: values['connections.max.idle.ms'],
    deliveryTimeoutMs: values['delivery.timeout.ms'],
    enableIdempotence: values['enable.idempotence'],
    enableMetricsPush: values['enable.metrics.push'],
    interceptors: resolveInterceptors(values['interceptor.classes']),
    keySerializer: resolveSerializer('key', values['key.serializer']),
    lingerMs: values['linger.ms'],
    logger,
    maxBlockBytes: resolveMaxBlockBytes(extras.get('maxBlockBytes'), values['buffer.memory']),
    maxBlockMs: values['max.block.ms'],
    maxInFlightRequestsPerConnection: values['max.in.flight.requests.per.connection'],
    maxRequestSize: values['max.request.size'],
    metadataMaxAgeMs: values['metadata.max.age.ms'],
    metadataMaxIdleMs: values['metadata.max.idle.ms'],
    metadataRecoveryRebootstrapTriggerMs: values['metadata.recovery.rebootstrap.trigger.ms'],
    metadataRecoveryStrategy: values['metadata.recovery.strategy'],
    metricReporters: resolveReporters(values['metric.reporters']),
    metricsNumSamples: values['metrics.num.samples'],
    metricsSampleWindowMs: values['metrics.sample.window.ms'],
    partitioner: resolvePartitioner(values['partitioner.class']),
    partitionerAdaptivePartitioningEnable: values['partitioner.adaptive.partitioning.enable'],
    partitionerAvailabilityTimeoutMs: values['partitioner.availability.timeout.ms'],
    partitionerIgnoreKeys: values['partitioner.ignore.keys'],
    reconnectBackoffMaxMs: values['reconnect.backoff.max.ms'],
    reconnectBackoffMs: values['reconnect.backoff.ms'],
    requestListener: readFunction<RequestListener>(extras, 'requestListener'),
    requestTimeoutMs: values['request.timeout.ms'],
    retries: values.retries,
    retryBackoffMaxMs: values['retry.backoff.max.ms'],
    retryBackoffMs: values['retry.backoff.ms'],
    security: resolveSecurity({ values, explicit, logger, extras }),
    socketConnectionSetupTimeoutMaxMs: values['socket.connection.setup.timeout.max.ms'],
    socketConnectionSetupTimeoutMs: values['socket.connection.setup.timeout.ms'],
    socketFactory: readFunction<SocketFactory>(extras, 'socketFactory'),
    transactionTimeoutMs: values['transaction.timeout.ms'],
    transactionTwoPhaseCommit: values['transaction.two.phase.commit.enable'],
    transactionalId: checkedText('transactional.id', values['transactional.id'] ?? '') || null,
    valueSerializer: resolveSerializer('value', values['value.serializer']),
    explicit,
  }
  // Counted last, so that refused options do not use up a number.
  return { ...config, clientId: resolveClientId(values) }
}

/** Copies of waiting records may take that many times `buffer.memory`, unless said otherwise. */
const MAX_BLOCK_BUFFERS = 8
/** And as much as that, however small the buffer is. */
const MAX_BLOCK_BYTES_MIN = 16 * 1024 * 1024

function resolveMaxBlockBytes(given: unknown, bufferMemory: number): number {
  if (given === undefined) return Math.max(MAX_BLOCK_BUFFERS * bufferMemory, MAX_BLOCK_BYTES_MIN)
  const bytes = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (Number.isSafeInteger(bytes) && (bytes as number) >= 0) return bytes as number
  throw new ConfigError(
    'maxBlockBytes is not valid; allowed: a whole number of bytes, at least 0',
    'maxBlockBytes',
  )
}

/** Longest text that every version of a request can carry: its length is an int16. */
const LONGEST_TEXT_BYTES = 0x7fff

function checkedText(key: OptionKey, given: string): string {
  if (Buffer.byteLength(given) <= LONGEST_TEXT_BYTES) return given
  throw new ConfigError(
    `${key} = ${showValue(key, given)} is not valid; allowed: at most ${LONGEST_TEXT_BYTES} bytes`,
    key,
  )
}

function resolveClientId(values: ParsedValues): string {
  const given = checkedText('client.id', values['client.id'])
  if (given !== '') return given
  const transactionalId = values['transactional.id']
  // An id that fits on its own may be too long with the word in front of it.
  if (transactionalId !== null) return `producer-${transactionalId.slice(0, LONGEST_TEXT_BYTES / 8)}`
  return `producer-${++unnamedProducers}`
}

function resolveBootstrapServers(
  entries: readonly unknown[] | null,
  securityProtocol: string,
): readonly HostPort[] {
  if (entries === null || entries.length === 0)
    throw new ConfigError(
      'bootstrap.servers is required: at least one host:port, such as localhost:9092',
      'bootstrap.servers',
    )
  return Object.freeze(entries.map(entry => parseHostPort(entry as string, securityProtocol)))
}

function resolveCompressionLevel(values: ParsedValues): number | null {
  if (values['compression.type'] === 'zstd') return values['compression.zstd.level']
  if (values['compression.type'] === 'lz4') return values['compression.lz4.level']
  const gzipLevel = values['compression.gzip.level']
  return values['compression.type'] === 'gzip' && gzipLevel !== -1 ? gzipLevel : null
}

function resolveSerializer(field: 'key' | 'value', given: unknown): GuardedSerializer | null {
  const key = `${field}.serializer` as const
  if (given === null) return null
  if (typeof given === 'string') {
    const builtIn = serializerOfJavaClass(given)
    if (builtIn === undefined) refuseClassName(key, given, 'a function, an object or one of `serializers`')
    return guardSerializer(builtIn as SerializerLike<unknown>, field)
  }
  if (typeof given !== 'function' && !hasMethod(given, 'serialize')) throw invalidValue(key, given)
  return guardSerializer(given as SerializerLike<unknown>, field)
}

function resolvePartitioner(given: unknown): Partitioner | null {
  const key = 'partitioner.class'
  if (given === null) return null
  if (given === ROUND_ROBIN_CLASS) return roundRobinPartitioner()
  if (typeof given === 'string') refuseClassName(key, given, 'a function or an object')
  if (typeof given === 'function') return { partition: given as Partitioner['partition'] }
  if (!hasMethod(given, 'partition')) throw invalidValue(key, given)
  return given as unknown as Partitioner
}

/** Java's default, which shows metrics to JMX: there is none here, and nothing is lost but that. */
const JMX_REPORTER = 'org.apache.kafka.common.metrics.JmxReporter'

function resolveReporters(given: readonly unknown[]): readonly MetricsReporter[] {
  const key = 'metric.reporters'
  const reporters: MetricsReporter[] = []
  for (const reporter of given) {
    if (reporter === JMX_REPORTER) continue
    if (typeof reporter === 'string')
      refuseClassName(key, reporter, 'an array of objects or functions; metrics() has all of them, too')
    const methods = ['init', 'metricChange', 'metricRemoval', 'close']
    const isReporter = typeof reporter === 'function' || methods.some(method => hasMethod(reporter, method))
    if (!isReporter) throw invalidValue(key, reporter)
    reporters.push(reporterOf(reporter as MetricsReporter | ReportMetric))
  }
  return Object.freeze(reporters)
}

function resolveInterceptors(given: readonly unknown[]): readonly ProducerInterceptor<unknown, unknown>[] {
  const key = 'interceptor.classes'
  for (const interceptor of given) {
    if (typeof interceptor === 'string') refuseClassName(key, interceptor, 'an array of objects')
    const known = hasMethod(interceptor, 'onSend') || hasMethod(interceptor, 'onAcknowledgement')
    if (!known) throw invalidValue(key, interceptor)
  }
  return Object.freeze([...given]) as readonly ProducerInterceptor<unknown, unknown>[]
}
