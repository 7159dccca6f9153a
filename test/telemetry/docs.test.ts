import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { familyHeads } from '../../dist/telemetry/prometheus/families.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { batchOf, newTelemetry, node } from './support.js'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

/** Names of families that a text speaks of; what histograms add to their names is taken off. */
function namesIn(text: string): string[] {
  const known = new Set(familyHeads.map(({ name }) => name))
  return [...new Set(text.match(/millrace_producer_[a-z_]+/g))].map(name =>
    known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
  )
}

const known = new Set(familyHeads.map(({ name }) => name))

test('docs/metrics.md has a row for every metric that the JMX exporter would show, and no other name', () => {
  const telemetry = newTelemetry(new FakeClock())
  telemetry.connectBegan(node)
  telemetry.batchesSent([batchOf()], 1)
  const text = read('docs/metrics.md')
  for (const { group, name } of telemetry.metrics()) {
    if (group === 'app-info' || group === 'kafka-metrics-count') continue
    const jmx = `kafka_producer_${group}_${name}`.replaceAll('-', '_')
    assert.ok(text.includes(`| \`${jmx}\` |`), jmx)
  }
  const families = namesIn(text).filter(name => name !== 'millrace_producer_')
  for (const name of families) assert.ok(known.has(name), name)
})

test('the Grafana dashboard asks for metrics that there are', () => {
  const dashboard = JSON.parse(read('docs/grafana/millrace-producer.json')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  assert.ok(expressions.length > 25)
  for (const expression of expressions) {
    const names = namesIn(expression)
    assert.ok(names.length > 0, expression)
    for (const name of names) assert.ok(known.has(name), `${name} in ${expression}`)
  }
})
