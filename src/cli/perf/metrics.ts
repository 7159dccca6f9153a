import { UsageError } from '../arguments.js'

/** A metric as `producer.metrics()` gives it. */
export interface Metric {
  readonly name: string
  readonly group: string
  readonly tags: Readonly<Record<string, string>>
  readonly value: unknown
}

/** How to read the producer's metrics. Throws {@link UsageError} where it has none. */
export function metricsOf(producer: object): () => readonly Metric[] {
  const { metrics } = producer as { metrics?: () => readonly Metric[] }
  if (typeof metrics !== 'function')
    throw new UsageError('--print-metrics: this version of the producer has none')
  return () => metrics.call(producer)
}

/** The metrics in the form of Kafka's tools: a heading, then one line each, by name. */
export function metricLines(metrics: readonly Metric[]): string[] {
  if (metrics.length === 0) return []
  const rows = metrics.map(({ group, name, tags, value }): [string, string] => [
    `${group}:${name}:{${Object.entries(tags)
      .map(([key, tag]) => `${key}=${tag}`)
      .join(', ')}}`,
    typeof value === 'number' ? value.toFixed(3) : `${value}`,
  ])
  rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    '',
    `${'Metric Name'.padEnd(width)}   Value`,
    ...rows.map(([name, text]) => `${name.padEnd(width)} : ${text}`),
  ]
}
