import type { Metric } from './metrics/metric.js'
import type { Telemetry } from './telemetry.js'

/** Under this key a producer shows its telemetry to the exporters; a copy of the library finds it, too. */
export const TELEMETRY = Symbol.for('millrace.telemetry')

/** What exporters take: a `Producer`, or anything else with metrics by Java's names. */
export interface MetricsSource {
  /** Every metric with its present value. */
  metrics(): readonly Metric[]
}

/** Null for a source that is no producer of this library. */
export function telemetryOf(source: MetricsSource): Telemetry | null {
  return (source as { [TELEMETRY]?: Telemetry })[TELEMETRY] ?? null
}
