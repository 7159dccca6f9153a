import type { Metric } from '../../index.js'

/** Metrics that are a `long` in Java; all other numbers are doubles. */
const WHOLE_NUMBERS: ReadonlySet<string> = new Set(['start-time-ms'])

/** The metrics in the form of Kafka's tools: a heading, then one line each, by name. */
export function metricLines(metrics: readonly Pick<Metric, 'name' | 'group' | 'tags' | 'value'>[]): string[] {
  if (metrics.length === 0) return []
  const rows = metrics.map(({ group, name, tags, value }): [string, string] => [
    `${group}:${name}:{${Object.entries(tags)
      .map(([key, tag]) => `${key}=${tag}`)
      .join(', ')}}`,
    typeof value === 'number' && !WHOLE_NUMBERS.has(name) ? value.toFixed(3) : `${value}`,
  ])
  rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    '',
    `${'Metric Name'.padEnd(width)}   Value`,
    ...rows.map(([name, text]) => `${name.padEnd(width)} : ${text}`),
  ]
}
