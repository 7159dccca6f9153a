import type { RecordAccumulator } from '../accumulator/accumulator.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock } from '../common/clock.js'
import type { ProducerConfig } from '../config/index.js'
import { IllegalStateError } from '../errors/index.js'
import type { Metric } from '../telemetry/metrics/metric.js'
import { PushClient } from '../telemetry/push/push-client.js'
import { Telemetry } from '../telemetry/telemetry.js'

/** The parts that the metrics ask when they are read. */
interface MeasuredParts {
  readonly client: ClusterClient
  readonly accumulator: RecordAccumulator
}

/** A producer's metrics, and the cluster's share of them. Made first, as the parts tell it what they do. */
export class ProducerTelemetry {
  readonly observer: Telemetry
  private readonly config: ProducerConfig
  private readonly clock: Clock
  private parts: MeasuredParts | null = null
  /** Null: `enable.metrics.push` is false. */
  private push: PushClient | null = null

  constructor(config: ProducerConfig, clock: Clock) {
    this.config = config
    this.clock = clock
    const { logger, clientId, metricsNumSamples, metricsSampleWindowMs, metricReporters, bufferMemory } =
      config
    this.observer = new Telemetry({
      clock,
      logger,
      clientId,
      windows: { samples: metricsNumSamples, windowMs: metricsSampleWindowMs },
      reporters: metricReporters,
      gauges: {
        'buffer-total-bytes': () => bufferMemory,
        'buffer-available-bytes': () => this.parts?.accumulator.availableBytes ?? bufferMemory,
        'waiting-threads': () => this.parts?.accumulator.appender.waiting.length ?? 0,
        'requests-in-flight': () => this.parts?.client.requestsInFlight ?? 0,
        'metadata-age': () => this.metadataAgeS(),
      },
    })
  }

  /** The parts are there; nothing has been sent yet. */
  attach(parts: MeasuredParts): void {
    this.parts = parts
    const { config, clock, observer } = this
    if (!config.enableMetricsPush) return
    const { transactionalId, logger, requestTimeoutMs } = config
    const push = new PushClient({
      client: parts.client,
      clock,
      logger,
      telemetry: observer,
      requestTimeoutMs,
      resource: transactionalId === null ? [] : [['transactional_id', transactionalId]],
      random: Math.random,
    })
    this.push = push
    observer.onBrokerReady = () => push.start()
  }

  clientInstanceId(timeoutMs: number): Promise<string> {
    if (this.push !== null) return this.push.clientInstanceId(timeoutMs)
    const reason = 'enable.metrics.push is false, so the cluster gives this producer no instance id.'
    return Promise.reject(new IllegalStateError(reason))
  }

  addMetric(metric: Metric): void {
    this.push?.addMetric(metric)
  }

  removeMetric(metric: Metric): void {
    this.push?.removeMetric(metric)
  }

  /**
   * The last push, while there are connections, unless there is no time; takes at most a tenth of a second.
   * The parts are asked nothing after it.
   */
  async farewell(timeoutMs: number): Promise<void> {
    this.observer.onBrokerReady = () => {}
    if (timeoutMs > 0) await this.push?.close()
    else this.push?.end()
    this.parts = null
  }

  /** Before the first metadata they are as old as the epoch, as in Java. */
  private metadataAgeS(): number {
    const ageMs = this.parts?.client.metadataAgeMs ?? Number.POSITIVE_INFINITY
    return (Number.isFinite(ageMs) ? ageMs : this.clock.wallNow()) / 1000
  }
}
