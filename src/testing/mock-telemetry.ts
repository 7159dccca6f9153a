import { IllegalStateError, TimeoutError } from '../errors/index.js'
import type { Metric } from '../telemetry/metrics/metric.js'

/** What a mock answers of its metrics and of its id, as the test has set them. */
export class MockTelemetry {
  metrics: readonly Metric[] = []
  /** Metrics of the application. */
  added: readonly Metric[] = []
  instanceId: string | null = null
  isDisabled = false
  timeoutsToInject = 0

  /** Adds a metric, or replaces the one of the same name, group and tags. */
  set(metric: Metric): void {
    const name = nameOf(metric)
    this.metrics = [...this.metrics.filter(other => nameOf(other) !== name), metric]
  }

  add(metric: Metric): void {
    this.added = [...this.added, metric]
  }

  remove(metric: Metric): void {
    this.added = this.added.filter(other => other !== metric)
  }

  clientInstanceId(): string {
    if (this.isDisabled) throw new IllegalStateError('Telemetry is disabled.')
    if (this.instanceId === null) throw new IllegalStateError('setClientInstanceId has not been called.')
    if (this.timeoutsToInject > 0) {
      this.timeoutsToInject--
      throw new TimeoutError('A time-out that injectTimeoutException has asked for.')
    }
    return this.instanceId
  }
}

function nameOf({ name, group, tags }: Metric): string {
  return JSON.stringify([group, name, Object.entries(tags).sort()])
}
