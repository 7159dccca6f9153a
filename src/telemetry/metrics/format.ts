import type { Metric } from './registry.js'

/**
 * Metrics as Kafka's own tools print them: a line each, `group:name:{tag=value, …} : value`, sorted, values in
 * one column and numbers with three decimals.
 */
export function formatMetrics(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ group, name, tags, value }): [string, string] => {
    const pairs = Object.entries(tags).map(([tag, of]) => `${tag}=${of}`)
    const shown = typeof value === 'number' ? value.toFixed(3) : value
    return [`${group}:${name}:{${pairs.join(', ')}}`, shown]
  })
  rows.sort(([one], [other]) => (one < other ? -1 : 1))
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)} : ${value}\n`).join('')
}
