import type { Clock } from '../../common/clock.js'
import type { Logger } from '../../common/logger.js'
import { VERSION } from '../../common/version.js'
import {
  APP_INFO_GROUP,
  COUNT_GROUP,
  PRODUCER_GROUP,
  type ProducerGauge,
  producerGauges,
} from './definitions.js'
import type { Metric, RegisteredMetric } from './metric.js'
import type { MetricsReporter } from './reporter.js'
import type { SensorSet } from './sensor-set.js'

/** Metrics that share their tags. */
type MetricSet = Pick<SensorSet<string>, 'group' | 'tags' | 'sinceMs' | 'visit' | 'totalOf'>

export type Gauges = Readonly<Record<ProducerGauge, () => number>>

/** What a build has no commit id for, in Java's words. */
const UNKNOWN_COMMIT = 'unknown'

/** All metrics of one producer: its own, and sets that are added for each broker and topic. */
export class MetricsRegistry {
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly reporters: readonly MetricsReporter[]
  /** Metrics that are computed when they are read. */
  readonly fixed: RegisteredMetric[] = []
  readonly sets: MetricSet[] = []
  private readonly clientTags: Readonly<Record<string, string>>
  private count = 0
  private isReporting = false
  private isClosed = false

  constructor(clock: Clock, logger: Logger, clientId: string, reporters: readonly MetricsReporter[]) {
    this.clock = clock
    this.logger = logger
    this.clientTags = Object.freeze({ 'client-id': clientId })
    this.reporters = reporters
    this.addAppInfo()
  }

  get size(): number {
    return this.count
  }

  /** Registers the metrics of the producer that are computed when they are read. */
  addGauges(gauges: Gauges): void {
    const sinceMs = this.clock.wallNow()
    for (const name of Object.keys(producerGauges) as ProducerGauge[]) {
      const description = producerGauges[name]
      this.fix(PRODUCER_GROUP, name, description, sinceMs, gauges[name])
    }
  }

  add(set: MetricSet): void {
    this.sets.push(set)
    set.visit(() => this.count++)
    if (!this.isReporting) return
    for (const metric of this.metricsOf(set))
      this.report(reporter => reporter.metricChange?.(this.live(metric)))
  }

  /** Every metric with its present value. */
  metrics(): Metric[] {
    const nowMs = Math.floor(this.clock.now())
    const metrics: Metric[] = []
    this.visit(({ name, group, description, tags, measure }) =>
      metrics.push({ name, group, description, tags, value: measure(nowMs) }),
    )
    return metrics
  }

  visit(visit: (metric: RegisteredMetric) => void): void {
    for (const metric of this.fixed) visit(metric)
    for (const set of this.sets) for (const metric of this.metricsOf(set)) visit(metric)
  }

  /** Hands all metrics that there are to the reporters; later ones follow one by one. */
  startReporters(): void {
    if (this.reporters.length === 0) return
    this.isReporting = true
    const metrics: Metric[] = []
    this.visit(metric => metrics.push(this.live(metric)))
    this.report(reporter => reporter.init?.(metrics))
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    if (this.reporters.length > 0) {
      this.visit(metric => {
        const live = this.live(metric)
        this.report(reporter => reporter.metricRemoval?.(live))
      })
    }
    this.report(reporter => reporter.close?.())
  }

  private metricsOf(set: MetricSet): RegisteredMetric[] {
    const found: RegisteredMetric[] = []
    const { sinceMs } = set
    set.visit((identity, measure) => found.push({ ...identity, sinceMs, measure }))
    return found
  }

  private addAppInfo(): void {
    const startMs = this.clock.wallNow()
    this.fix(APP_INFO_GROUP, 'version', 'Version of the client', startMs, () => VERSION)
    this.fix(APP_INFO_GROUP, 'commit-id', 'Commit of the client', startMs, () => UNKNOWN_COMMIT)
    this.fix(APP_INFO_GROUP, 'start-time-ms', 'When the client was made', startMs, () => startMs)
    this.fix(COUNT_GROUP, 'count', 'Number of metrics, this one included', startMs, () => this.count)
  }

  private fix(
    group: string,
    name: string,
    description: string,
    sinceMs: number,
    measure: () => number | string,
  ): void {
    this.count++
    this.fixed.push({ name, group, description, tags: this.clientTags, isTotal: false, sinceMs, measure })
  }

  /** A metric whose value is read when it is looked at. */
  private live({ name, group, description, tags, measure }: RegisteredMetric): Metric {
    const { clock } = this
    return {
      name,
      group,
      description,
      tags,
      get value() {
        return measure(Math.floor(clock.now()))
      },
    }
  }

  private report(tell: (reporter: MetricsReporter) => void): void {
    for (const reporter of this.reporters) {
      try {
        tell(reporter)
      } catch (error) {
        this.logger.warn('A reporter of metric.reporters threw', { error })
      }
    }
  }
}
