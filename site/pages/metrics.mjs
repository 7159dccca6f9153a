// reference/metrics.md: Java's metrics, what Prometheus gets, the diagnostics channels.
import { built, code, generatedBy, table } from './support.mjs'

const KINDS = {
  avg: 'average',
  max: 'maximum',
  rate: 'per second',
  total: 'total',
  ratio: 'share',
  'event-rate': 'per second',
  'event-total': 'total',
}

function rowsOf(sensors) {
  return Object.values(sensors)
    .flat()
    .map(([name, stat, description]) => [code(name), KINDS[stat], description])
}

const section = (title, tags, rows) =>
  `## ${title}\n\n${tags}\n\n${table(['metric', 'kind', 'what it says'], rows)}`

export async function metricsPage() {
  const { producerSensors, nodeSensors, topicSensors, producerGauges } = await built(
    'telemetry/metrics/definitions.js',
  )
  const { exportedMetrics, PREFIX } = await built('telemetry/prometheus/names.js')
  const { familyHeads } = await built('telemetry/prometheus/families.js')
  const javaNames = new Map(exportedMetrics.map(({ name, metric }) => [PREFIX + name, metric]))
  const gauges = Object.entries(producerGauges).map(([name, text]) => [code(name), 'now', text])
  return `${[
    '# Metrics reference',
    generatedBy('the tables of metrics'),
    `\`producer.metrics()\` has these metrics, with the names, groups and tags of Java's producer 4.3. [Metrics, traces and logs](../metrics.md)
says how to get them into Prometheus, OpenTelemetry or code of your own, and which of them to watch.`,
    section('producer-metrics', 'Of the whole producer. Tag: `client-id`.', [
      ...rowsOf(producerSensors),
      ...gauges,
    ]),
    section('producer-node-metrics', 'Of one broker. Tags: `client-id`, `node-id`.', rowsOf(nodeSensors)),
    section('producer-topic-metrics', 'Of one topic. Tags: `client-id`, `topic`.', rowsOf(topicSensors)),
    '## app-info and kafka-metrics-count',
    'As in Java: `version`, `commit-id` and `start-time-ms` of the client, and `count`, the number of metrics.',
    '## Prometheus',
    'Names of `millrace/prometheus`. Times are in seconds and sizes in bytes. Labels are `client_id`, and `topic`, `node_id` or `reason`.',
    table(
      ['name', 'type', 'what it says', "Java's metric"],
      familyHeads.map(({ name, type, help }) => [
        code(name),
        type,
        help,
        javaNames.has(name) ? code(javaNames.get(name)) : '–',
      ]),
    ),
  ].join('\n\n')}\n`
}
