import type { ClusterListener, PluginHooks } from '../../common/plugin-hooks.js'
import type { Metric } from './metric.js'

/**
 * Receives the metrics of a producer (Java: `MetricsReporter`). The metrics it gets are live: `value` is read
 * anew each time. What it throws is only logged.
 */
export interface MetricsReporter extends Omit<PluginHooks, 'close'>, ClusterListener {
  /** Once, when the producer is made, with the metrics that every producer has. */
  init?(metrics: readonly Metric[]): void
  /** A metric has been added: the first use of a broker or a topic adds some. */
  metricChange?(metric: Metric): void
  /** A metric goes away: all do when the producer is closed. */
  metricRemoval?(metric: Metric): void
  /** Once, when the producer is closed. */
  close?(): void
}

/** The function form of a {@link MetricsReporter}: called with each metric when it is added. */
export type ReportMetric = (metric: Metric) => void

/** A function reports what there is at first and what is added later. */
export function reporterOf(given: MetricsReporter | ReportMetric): MetricsReporter {
  if (typeof given !== 'function') return given
  return {
    init(metrics) {
      for (const metric of metrics) given(metric)
    },
    metricChange: given,
  }
}
