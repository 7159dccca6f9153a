import { randomBytes } from 'node:crypto'
import { codecById } from '../compression/index.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import type {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from '../protocol/get-telemetry-subscriptions.js'
import type { PushTelemetryRequest } from '../protocol/push-telemetry.js'
import { isZeroUuid, uuidKey } from '../protocol/uuid.js'

/** Metrics that a broker asks its clients for (KIP-714). */
export interface TelemetrySubscription {
  /** Beginnings of names; `*` alone means all, none at all that nothing is wanted. Default `*`. */
  metrics?: readonly string[]
  /** Default 300,000. */
  pushIntervalMs?: number
  /** Largest push, compressed. Default 1 MiB. */
  maxBytes?: number
  /** Default true, as Kafka's brokers have it. */
  deltaTemporality?: boolean
  /** Numbers of codecs in order of preference. Default zstd, lz4, gzip, snappy: 4, 3, 1, 2. */
  compressionTypes?: readonly number[]
}

/** One push of a client. */
export interface TelemetryPush {
  /** As `clientInstanceId()` of the producer tells it. */
  readonly clientInstanceId: string
  readonly terminating: boolean
  /** Number of the codec that it came with. */
  readonly compressionType: number
  /** Protobuf of OpenTelemetry's `MetricsData`, decompressed. */
  readonly metrics: Uint8Array
}

/** What is known of one client. */
interface Instance {
  lastGetMs: number
  lastPushMs: number
  /** The next request may come at any time: the last was refused so that it asks again. */
  isExcused: boolean
  isTerminated: boolean
}

const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024

/** The cluster's side of client telemetry: what is asked for, and what was pushed. */
export class TelemetryStore {
  readonly pushes: TelemetryPush[] = []
  private subscription: Required<TelemetrySubscription>
  private subscriptionId = 1
  private readonly instances = new Map<string, Instance>()

  constructor(subscription: TelemetrySubscription) {
    this.subscription = withDefaults(subscription)
  }

  /** Asks for something else from now on: pushes by the old subscription are refused. */
  subscribe(subscription: TelemetrySubscription): void {
    this.subscription = withDefaults(subscription)
    this.subscriptionId++
  }

  answer({ clientInstanceId }: GetTelemetrySubscriptionsRequest): GetTelemetrySubscriptionsResponse {
    const id = isZeroUuid(clientInstanceId) ? randomBytes(16) : clientInstanceId
    const instance = this.instanceOf(id)
    const nowMs = performance.now()
    const { subscription } = this
    const isEarly =
      nowMs - Math.max(instance.lastGetMs, instance.lastPushMs) < subscription.pushIntervalMs &&
      !instance.isExcused
    const errorCode = isEarly ? ErrorCodes.THROTTLING_QUOTA_EXCEEDED : ErrorCodes.NONE
    if (!isEarly) instance.lastGetMs = nowMs
    instance.isExcused = false
    return {
      throttleTimeMs: 0,
      errorCode,
      clientInstanceId: id,
      subscriptionId: this.subscriptionId,
      acceptedCompressionTypes: subscription.compressionTypes,
      pushIntervalMs: subscription.pushIntervalMs,
      telemetryMaxBytes: subscription.maxBytes,
      deltaTemporality: subscription.deltaTemporality,
      requestedMetrics: subscription.metrics,
    }
  }

  /** Takes a push, or answers why not. */
  take(push: PushTelemetryRequest): number {
    const instance = this.instanceOf(push.clientInstanceId)
    const errorCode = this.refusal(push, instance)
    instance.isExcused =
      errorCode === ErrorCodes.UNKNOWN_SUBSCRIPTION_ID ||
      errorCode === ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE
    if (errorCode !== ErrorCodes.NONE) return errorCode
    instance.lastPushMs = performance.now()
    instance.isTerminated = push.terminating
    const metrics = codecById(push.compressionType).decompress(push.metrics, PAYLOAD_BYTES_MAX)
    const clientInstanceId = Buffer.from(push.clientInstanceId).toString('base64url')
    const { terminating, compressionType } = push
    this.pushes.push({ clientInstanceId, terminating, compressionType, metrics: Uint8Array.from(metrics) })
    return ErrorCodes.NONE
  }

  /** A fault has refused a push: the client may ask again at once. */
  excuse(id: Uint8Array): void {
    this.instanceOf(id).isExcused = true
  }

  private refusal(push: PushTelemetryRequest, instance: Instance): number {
    const { pushIntervalMs, maxBytes, compressionTypes } = this.subscription
    if (instance.isTerminated || isZeroUuid(push.clientInstanceId)) return ErrorCodes.INVALID_REQUEST
    if (push.subscriptionId !== this.subscriptionId) return ErrorCodes.UNKNOWN_SUBSCRIPTION_ID
    if (push.compressionType !== 0 && !compressionTypes.includes(push.compressionType))
      return ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE
    const isNext = instance.lastGetMs > instance.lastPushMs
    const isEarly = performance.now() - instance.lastPushMs < pushIntervalMs
    if (isEarly && !isNext && !push.terminating) return ErrorCodes.THROTTLING_QUOTA_EXCEEDED
    return push.metrics.length > maxBytes ? ErrorCodes.TELEMETRY_TOO_LARGE : ErrorCodes.NONE
  }

  private instanceOf(id: Uint8Array): Instance {
    const key = uuidKey(id)
    let instance = this.instances.get(key)
    if (instance === undefined) {
      const never = Number.NEGATIVE_INFINITY
      instance = { lastGetMs: never, lastPushMs: never, isExcused: true, isTerminated: false }
      this.instances.set(key, instance)
    }
    return instance
  }
}

function withDefaults(given: TelemetrySubscription): Required<TelemetrySubscription> {
  return {
    metrics: given.metrics ?? ['*'],
    pushIntervalMs: given.pushIntervalMs ?? 300_000,
    maxBytes: given.maxBytes ?? 1024 * 1024,
    deltaTemporality: given.deltaTemporality ?? true,
    compressionTypes: given.compressionTypes ?? [4, 3, 1, 2],
  }
}
