import type { ClusterClient, RpcTarget } from '../../cluster/cluster-client.js'
import type { Clock, TimerHandle } from '../../common/clock.js'
import type { Logger } from '../../common/logger.js'
import { ConfigError, IllegalStateError, TimeoutError, UnsupportedVersionError } from '../../errors/index.js'
import { errorName } from '../../protocol/error-codes.js'
import {
  GetTelemetrySubscriptions,
  type GetTelemetrySubscriptionsResponse,
} from '../../protocol/get-telemetry-subscriptions.js'
import { PushTelemetry } from '../../protocol/push-telemetry.js'
import { isZeroUuid, ZERO_UUID } from '../../protocol/uuid.js'
import type { Metric, RegisteredMetric } from '../metrics/metric.js'
import type { Telemetry } from '../telemetry.js'
import { PushCodecs } from './codecs.js'
import { selectorOf, telemetryName } from './metric-names.js'
import { buildPayload, nothingPushed, type Payload, type PayloadState } from './payload.js'
import { remedyFor } from './push-errors.js'
import { isLegalStep, type PushState } from './push-state.js'

/** After a request without an answer, and where a broker gives no interval. */
const INTERVAL_DEFAULT_MS = 300_000
/** How long `close` waits for the last push to be answered. */
const TERMINATING_MS_MAX = 100

interface PushClientOptions {
  readonly client: Pick<ClusterClient, 'request' | 'isReady' | 'usableNode' | 'lastError'>
  readonly clock: Clock
  readonly logger: Logger
  readonly telemetry: Telemetry
  readonly requestTimeoutMs: number
  /** Attributes of the client: `transactional_id` and `client_rack`, where it has them. */
  readonly resource: readonly [name: string, value: string][]
  /** From 0 to 1. */
  readonly random: () => number
}

interface IdWaiter {
  resolve(id: string): void
  reject(error: Error): void
  timer: TimerHandle
}

/** A subscription and the interval that holds. */
type Subscription = GetTelemetrySubscriptionsResponse

/**
 * Hands metrics to the cluster where it asks for them (KIP-714). It asks as soon as a broker can be asked,
 * pushes what the cluster wants at the interval that it wants, and says goodbye with a last push. Whatever
 * goes wrong here concerns no record.
 *
 *     SUBSCRIPTION_NEEDED ──▶ SUBSCRIPTION_IN_PROGRESS ──▶ PUSH_NEEDED ◀──▶ PUSH_IN_PROGRESS
 *              ▲                         │                      │                  │
 *              └──── error, no metrics wanted ──────────────────┴──────────────────┘
 *     close: ──▶ TERMINATING_PUSH_NEEDED ──▶ TERMINATING_PUSH_IN_PROGRESS ──▶ TERMINATED
 */
export class PushClient {
  private readonly options: PushClientOptions
  private readonly codecs = new PushCodecs()
  private readonly added = new Map<string, RegisteredMetric>()
  private currentState: PushState = 'SUBSCRIPTION_NEEDED'
  private instanceId: Uint8Array = ZERO_UUID
  private subscription: Subscription | null = null
  private last: PayloadState = nothingPushed
  /** The node that is asked for as long as it takes requests; null: none is chosen. */
  private nodeId: number | null = null
  private timer: TimerHandle | null = null
  private isStarted = false
  /** The question was refused once and asked again at once: a second time it waits. */
  private isAskedAgain = false
  private readonly waiters = new Set<IdWaiter>()

  constructor(options: PushClientOptions) {
    this.options = options
  }

  get state(): PushState {
    return this.currentState
  }

  /** A broker can be asked. The first call counts. */
  start(): void {
    if (this.isStarted || this.currentState !== 'SUBSCRIPTION_NEEDED') return
    this.isStarted = true
    void this.subscribe()
  }

  /** The name that the cluster knows this client by. Rejects after the time given. */
  clientInstanceId(timeoutMs: number): Promise<string> {
    if (!(timeoutMs >= 0)) {
      const error = new ConfigError(`clientInstanceId: timeoutMs must be at least 0, not ${timeoutMs}.`)
      return Promise.reject(error)
    }
    if (!isZeroUuid(this.instanceId)) return Promise.resolve(uuidText(this.instanceId))
    if (this.currentState === 'TERMINATED') return Promise.reject(offError())
    this.start()
    return new Promise((resolve, reject) => {
      const onTime = () => {
        this.waiters.delete(waiter)
        const cause = this.options.client.lastError ?? undefined
        const reason = cause === undefined ? '.' : `: ${cause.message}`
        const what = `No broker has given this client an instance id within ${timeoutMs} ms${reason}`
        reject(new TimeoutError(what, { cause }))
      }
      const timer = this.options.clock.setTimeout(onTime, timeoutMs)
      const waiter: IdWaiter = { resolve, reject, timer }
      this.waiters.add(waiter)
    })
  }

  /** Pushes a metric of the application, too (KIP-1076). One with the name of the producer's own is not. */
  addMetric(metric: Metric): void {
    const key = keyOf(metric)
    let isOwn = false
    this.options.telemetry.registry.visit(own => {
      isOwn ||= keyOf(own) === key
    })
    if (isOwn) {
      this.options.logger.debug(`the metric ${metric.group}/${metric.name} is the producer's own; not added`)
      return
    }
    const { name, group, description, tags } = metric
    const sinceMs = this.options.clock.wallNow()
    const isTotal = false
    this.added.set(key, { name, group, description, tags, isTotal, sinceMs, measure: () => metric.value })
  }

  removeMetric(metric: Metric): void {
    this.added.delete(keyOf(metric))
  }

  /** Sends the last push if the cluster wants metrics; takes at most a tenth of a second. */
  async close(): Promise<void> {
    this.stopTimer()
    if (this.subscription !== null && this.currentState !== 'SUBSCRIPTION_NEEDED') {
      if (this.become('TERMINATING_PUSH_NEEDED')) await this.pushLast(this.subscription)
    }
    this.end()
  }

  private async subscribe(): Promise<void> {
    if (!this.become('SUBSCRIPTION_IN_PROGRESS')) return
    const { client, requestTimeoutMs } = this.options
    const body = { clientInstanceId: this.instanceId }
    try {
      const target = this.target()
      const answer = client.request(target, GetTelemetrySubscriptions, body, { timeoutMs: requestTimeoutMs })
      this.onSubscription(await answer)
    } catch (error) {
      this.onUnanswered('SUBSCRIPTION_IN_PROGRESS', error)
    }
  }

  private onSubscription(answer: GetTelemetrySubscriptionsResponse): void {
    if (this.currentState !== 'SUBSCRIPTION_IN_PROGRESS') return
    if (this.treat(GetTelemetrySubscriptions.name, answer.errorCode)) return
    if (isZeroUuid(answer.clientInstanceId)) {
      this.disable('a broker gave no client instance id')
      return
    }
    // The first id stays for the life of the producer, whatever a later answer says.
    if (isZeroUuid(this.instanceId)) this.takeId(answer.clientInstanceId)
    this.isAskedAgain = false
    const isDeltaBefore = this.subscription?.deltaTemporality
    if (isDeltaBefore !== undefined && isDeltaBefore !== answer.deltaTemporality) this.last = nothingPushed
    this.subscription = answer
    const intervalMs = this.intervalMs
    if (answer.requestedMetrics.length === 0) {
      if (this.become('SUBSCRIPTION_NEEDED')) this.after(intervalMs, () => this.subscribe())
      return
    }
    if (!this.become('PUSH_NEEDED')) return
    // Clients that connected together are not to push together.
    this.after(intervalMs * (0.5 + this.options.random()), () => this.push())
  }

  private async push(): Promise<void> {
    const { subscription } = this
    if (subscription === null || !this.become('PUSH_IN_PROGRESS')) return
    try {
      const payload = await this.build(subscription)
      // Closed meanwhile.
      if (this.currentState !== 'PUSH_IN_PROGRESS') return
      if (payload === null) {
        if (this.become('SUBSCRIPTION_NEEDED')) this.after(this.intervalMs, () => this.subscribe())
        return
      }
      const { errorCode } = await this.send(subscription, payload, false, this.options.requestTimeoutMs)
      if (this.currentState !== 'PUSH_IN_PROGRESS') return
      if (this.treat(PushTelemetry.name, errorCode)) return
      this.last = payload.state
      if (this.become('PUSH_NEEDED')) this.after(this.intervalMs, () => this.push())
    } catch (error) {
      this.onUnanswered('PUSH_IN_PROGRESS', error)
    }
  }

  private async pushLast(subscription: Subscription): Promise<void> {
    const { clock, logger } = this.options
    let timer: TimerHandle
    try {
      const payload = await this.build(subscription)
      if (payload === null || !this.become('TERMINATING_PUSH_IN_PROGRESS')) return
      const answered = this.send(subscription, payload, true, TERMINATING_MS_MAX)
      // The answer says nothing, but with it the request has surely gone out.
      const late = new Promise<null>(resolve => {
        timer = clock.setTimeout(() => resolve(null), TERMINATING_MS_MAX)
      })
      const answer = await Promise.race([answered, late])
      const outcome = answer === null ? 'no answer' : errorName(answer.errorCode)
      logger.debug(`the last push of metrics: ${outcome}`)
    } catch (error) {
      logger.debug('the last push of metrics failed', { reason: (error as Error).message })
    } finally {
      clock.clearTimeout(timer)
    }
  }

  /** Null: there are more metrics than the broker takes. */
  private async build(subscription: Subscription): Promise<CompressedPayload | null> {
    const all = this.payloadOf(subscription, () => true)
    const compressed = await this.compressed(subscription, all)
    if (compressed.metrics.length <= maxBytesOf(subscription)) return compressed
    // Topics are what there can be very many of.
    const fewer = this.payloadOf(subscription, ({ tags }) => tags.topic === undefined)
    const smaller = await this.compressed(subscription, fewer)
    const { logger } = this.options
    const bytes = compressed.metrics.length
    logger.warn('the metrics are more than the cluster takes; those of topics are left out', {
      bytes,
      maxBytes: subscription.telemetryMaxBytes,
    })
    return smaller.metrics.length <= maxBytesOf(subscription) ? smaller : null
  }

  private payloadOf(
    { requestedMetrics, deltaTemporality }: Subscription,
    isTaken: (metric: RegisteredMetric) => boolean,
  ): Payload {
    const { telemetry, clock, resource } = this.options
    telemetry.recorder.settle()
    const metrics: RegisteredMetric[] = [...this.added.values()]
    telemetry.registry.visit(metric => {
      if (isTaken(metric)) metrics.push(metric)
    })
    return buildPayload({
      metrics,
      isWanted: selectorOf(requestedMetrics),
      isDelta: deltaTemporality,
      resource,
      last: this.last,
      nowMs: Math.floor(clock.now()),
      wallMs: clock.wallNow(),
    })
  }

  private async compressed(
    { acceptedCompressionTypes }: Subscription,
    { bytes, state }: Payload,
  ): Promise<CompressedPayload> {
    const { type, output } = await this.codecs.compress(bytes, acceptedCompressionTypes)
    return { compressionType: type, metrics: output, state }
  }

  private send(
    { subscriptionId }: Subscription,
    { compressionType, metrics }: CompressedPayload,
    terminating: boolean,
    timeoutMs: number,
  ) {
    const clientInstanceId = this.instanceId
    const body = { clientInstanceId, subscriptionId, terminating, compressionType, metrics }
    return this.options.client.request(this.target(), PushTelemetry, body, { timeoutMs })
  }

  /** True if the answer is an error, which has been seen to. */
  private treat(api: string, errorCode: number): boolean {
    const remedy = remedyFor(errorCode)
    if (remedy === null) return false
    this.options.logger.debug(`${api} was answered with ${errorName(errorCode)}`)
    if (remedy === 'off') this.disable(`${api} was answered with ${errorName(errorCode)}`)
    else if (this.become('SUBSCRIPTION_NEEDED')) {
      const isNow = remedy === 'subscribe-now' && !this.isAskedAgain
      this.isAskedAgain = isNow
      this.after(isNow ? 0 : this.intervalMs, () => this.subscribe())
    }
    return true
  }

  private onUnanswered(during: PushState, error: unknown): void {
    if (this.currentState !== during) return
    if (error instanceof UnsupportedVersionError) {
      this.options.logger.debug('the cluster asks for no metrics')
      this.end()
      return
    }
    const reason = error instanceof Error ? error.message : String(error)
    this.options.logger.debug('no answer about metrics', { reason })
    this.nodeId = null
    if (this.become('SUBSCRIPTION_NEEDED')) this.after(INTERVAL_DEFAULT_MS, () => this.subscribe())
  }

  private target(): RpcTarget {
    const { client } = this.options
    if (this.nodeId === null || !client.isReady(this.nodeId)) this.nodeId = client.usableNode()
    return this.nodeId ?? 'any'
  }

  private get intervalMs(): number {
    const intervalMs = this.subscription?.pushIntervalMs ?? 0
    return intervalMs > 0 ? intervalMs : INTERVAL_DEFAULT_MS
  }

  private takeId(id: Uint8Array): void {
    this.instanceId = Uint8Array.from(id)
    for (const { resolve, timer } of this.waiters) {
      this.options.clock.clearTimeout(timer)
      resolve(uuidText(id))
    }
    this.waiters.clear()
  }

  /** False: the step is none of the table's, which ends the pushing, or it has ended. */
  private become(to: PushState): boolean {
    if (isLegalStep(this.currentState, to)) {
      this.currentState = to
      return true
    }
    if (this.currentState !== 'TERMINATED') this.disable(`it cannot go from ${this.currentState} to ${to}`)
    return false
  }

  private disable(reason: string): void {
    this.options.logger.warn('metrics are no longer handed to the cluster', { reason })
    this.end()
  }

  /** Nothing more is pushed. */
  end(): void {
    this.currentState = 'TERMINATED'
    this.stopTimer()
    for (const { reject, timer } of this.waiters) {
      this.options.clock.clearTimeout(timer)
      reject(offError())
    }
    this.waiters.clear()
  }

  private after(ms: number, act: () => Promise<void>): void {
    this.stopTimer()
    this.timer = this.options.clock.setTimeout(() => {
      this.timer = null
      void act()
    }, ms)
    // Metrics are no reason for a process to go on.
    ;(this.timer as { unref?: () => void }).unref?.()
  }

  private stopTimer(): void {
    if (this.timer !== null) this.options.clock.clearTimeout(this.timer)
    this.timer = null
  }
}

interface CompressedPayload {
  readonly compressionType: number
  readonly metrics: Uint8Array
  readonly state: PayloadState
}

function maxBytesOf({ telemetryMaxBytes }: Subscription): number {
  return telemetryMaxBytes > 0 ? telemetryMaxBytes : Number.POSITIVE_INFINITY
}

function keyOf({ group, name, tags }: Pick<Metric, 'group' | 'name' | 'tags'>): string {
  return JSON.stringify([telemetryName(group, name), Object.entries(tags).sort()])
}

/** 22 characters, as Java shows a `Uuid`. */
function uuidText(id: Uint8Array): string {
  return Buffer.from(id).toString('base64url')
}

function offError(): IllegalStateError {
  return new IllegalStateError(
    'The metrics of this client are not handed to the cluster, so it has no id there.',
  )
}
