import type { Logger as MillraceLogger, ProducerOptions, RequestListener } from '../../index.js'
import { KafkaJSConnectionError, KafkaJSNonRetriableError } from './errors.js'
import type { RetryBudget } from './retry.js'
import { securityOptions } from './security.js'
import type { BrokersFunction, KafkaConfig, Logger, ProducerConfig } from './types.js'

const FOREVER_MS = 0x7fffffff
const DELIVERY_MS_MIN = 30_000
const METADATA_WAIT_MS_MIN = 2_000
const REQUEST_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 1_000
/** KafkaJS sends a call's messages for a partition in one batch, however many: so ours are large. */
const BATCH_BYTES = 64 * 1024
/** With more in flight a broker cannot tell duplicates from reordered batches. */
const IN_FLIGHT_MAX = 5

/** What one of millrace's producers is made for: KafkaJS has these per call. */
export interface Combination {
  readonly acks: -1 | 0 | 1
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly requestTimeoutMs: number
}

/** All that the producers behind one of KafkaJS's have in common. */
export interface EngineSource {
  readonly kafka: Omit<KafkaConfig, 'logLevel' | 'logCreator'>
  readonly producer: ProducerConfig
  readonly budget: RetryBudget
  readonly logger: Logger
  readonly log: MillraceLogger
  readonly requestListener: RequestListener
}

/** The request time-out where a call does not ask for a longer one. */
export function requestTimeoutOf({ requestTimeout, enforceRequestTimeout }: Partial<KafkaConfig>): number {
  if (enforceRequestTimeout === false) return FOREVER_MS
  return requestTimeout ?? REQUEST_TIMEOUT_MS
}

/** How long `connect` goes on. */
export function connectTimeoutOf({ kafka, budget }: EngineSource): number {
  return Math.min(budget.waitsMs + (kafka.connectionTimeout ?? CONNECTION_TIMEOUT_MS), FOREVER_MS)
}

/** Millrace's options for a combination. */
export function engineOptions(
  source: EngineSource,
  brokers: readonly string[],
  { acks, compression, requestTimeoutMs }: Combination,
  bufferMemory: number,
): ProducerOptions {
  const { kafka, producer, budget } = source
  const setupMs = kafka.connectionTimeout ?? CONNECTION_TIMEOUT_MS
  const deliveryMs = Math.max(DELIVERY_MS_MIN, requestTimeoutMs + budget.waitsMs)
  return {
    ...securityOptions(kafka, source.logger),
    bootstrapServers: brokers,
    clientId: kafka.clientId ?? 'kafkajs',
    acks,
    compressionType: compression,
    enableIdempotence: acks === -1,
    // KafkaJS waits for nobody; messages of one turn of the event loop still share batches.
    lingerMs: 0,
    batchSize: BATCH_BYTES,
    bufferMemory,
    // What is too large is for the broker to say.
    maxRequestSize: bufferMemory,
    maxInFlightRequestsPerConnection: Math.min(producer.maxInFlightRequests ?? IN_FLIGHT_MAX, IN_FLIGHT_MAX),
    requestTimeoutMs: Math.min(requestTimeoutMs, FOREVER_MS),
    deliveryTimeoutMs: Math.min(deliveryMs, FOREVER_MS),
    maxBlockMs: Math.max(METADATA_WAIT_MS_MIN, budget.waitsMs),
    retryBackoffMs: Math.min(budget.initialRetryMs, budget.maxRetryMs),
    retryBackoffMaxMs: budget.maxRetryMs,
    socketConnectionSetupTimeoutMs: setupMs,
    socketConnectionSetupTimeoutMaxMs: Math.max(setupMs, FOREVER_MS === setupMs ? setupMs : 30_000),
    ...(producer.metadataMaxAge == null ? {} : { metadataMaxAgeMs: producer.metadataMaxAge }),
    allowAutoTopicCreation: producer.allowAutoTopicCreation ?? true,
    requestListener: source.requestListener,
    logger: source.log,
  }
}

/** The brokers to begin with, checked as KafkaJS checks them. */
export async function resolveBrokers(
  brokers: readonly string[] | BrokersFunction,
): Promise<readonly string[]> {
  const list = typeof brokers === 'function' ? await brokersFrom(brokers) : brokers
  if (!list) throw new KafkaJSNonRetriableError('Failed to connect: brokers should not be null')
  if (!Array.isArray(list)) return [String(list)]
  if (list.length === 0) throw new KafkaJSNonRetriableError('Failed to connect: brokers array is empty')
  const wrong = list.findIndex(broker => typeof broker !== 'string' || broker === '')
  if (wrong >= 0) {
    throw new KafkaJSNonRetriableError(
      `Failed to connect: broker at index ${wrong} is invalid "${typeof list[wrong]}"`,
    )
  }
  return list
}

async function brokersFrom(brokers: BrokersFunction): Promise<string[]> {
  try {
    return await brokers()
  } catch (e) {
    const error = new KafkaJSConnectionError(
      `Failed to connect: "config.brokers" threw: ${(e as Error).message}`,
    )
    error.stack = `${error.name}\n  Caused by: ${(e as Error).stack}`
    throw error
  }
}
