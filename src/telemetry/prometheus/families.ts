import { APP_INFO_GROUP } from '../metrics/definitions.js'
import type { Histogram } from '../metrics/histogram.js'
import type { Metric } from '../metrics/metric.js'
import type { MetricsRecorder } from '../metrics/recorder.js'
import { type MetricsSource, telemetryOf } from '../source.js'
import type { Telemetry } from '../telemetry.js'
import { exportedMetrics, type FamilyType, PREFIX } from './names.js'

export type Labels = Readonly<Record<string, string>>

/** One line: a value under a name, which differs from the family's in histograms. */
export interface Sample {
  readonly suffix: '' | '_bucket' | '_sum' | '_count'
  readonly labels: Labels
  readonly value: number
}

/** All samples of one name, of all producers. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: FamilyType
  readonly samples: readonly Sample[]
}

type FamilyHead = Omit<Family, 'samples'>

/** What is not among Java's metrics. */
const OWN_FAMILIES: readonly (FamilyHead & {
  collect(recorder: MetricsRecorder, labels: Labels): Sample[]
})[] = [
  {
    name: `${PREFIX}records_acknowledged_total`,
    help: 'Records of the topic that brokers have stored.',
    type: 'counter',
    collect: ({ acknowledged }, labels) =>
      Array.from(acknowledged, ([topic, value]) => ({ suffix: '', labels: { ...labels, topic }, value })),
  },
  {
    name: `${PREFIX}records_failed_total`,
    help: 'Records that were not stored as far as is known, by the code of their error.',
    type: 'counter',
    collect: ({ failures }, labels) =>
      Array.from(failures, ([reason, value]) => ({ suffix: '', labels: { ...labels, reason }, value })),
  },
  {
    name: `${PREFIX}delivery_latency_seconds`,
    help: 'Time of records from the opening of their batch to its acknowledgement.',
    type: 'histogram',
    collect: ({ deliveryLatency }, labels) => histogramSamples(deliveryLatency, labels),
  },
  {
    name: `${PREFIX}request_latency_seconds`,
    help: 'Time from a Produce request to its answer.',
    type: 'histogram',
    collect: ({ requestLatency }, labels) => histogramSamples(requestLatency, labels),
  },
  {
    name: `${PREFIX}batch_size_bytes`,
    help: 'Bytes of the batches sent.',
    type: 'histogram',
    collect: ({ batchBytes }, labels) => histogramSamples(batchBytes, labels),
  },
]

const INFO: FamilyHead = { name: `${PREFIX}info`, help: 'The client and its version.', type: 'gauge' }
const STARTED: FamilyHead = {
  name: `${PREFIX}start_time_seconds`,
  help: 'When the producer was made, since the epoch.',
  type: 'gauge',
}

/** Every family there is, whether it has samples or not; the same for all producers. */
export const familyHeads: readonly FamilyHead[] = [
  INFO,
  STARTED,
  ...exportedMetrics.map(({ name, help, type }) => ({ name: PREFIX + name, help, type })),
  ...OWN_FAMILIES.map(({ name, help, type }) => ({ name, help, type })),
]

/** The families of all producers, with what they have now. */
export function collect(sources: readonly MetricsSource[]): Family[] {
  const samples = new Map<string, Sample[]>(familyHeads.map(({ name }) => [name, []]))
  for (const source of new Set(sources)) {
    const telemetry = telemetryOf(source)
    if (telemetry === null) for (const metric of source.metrics()) addMetric(samples, metric)
    else addTelemetry(samples, telemetry)
  }
  return familyHeads.map(head => ({ ...head, samples: samples.get(head.name) as Sample[] }))
}

/** Reads what is exported and nothing else: of a thousand topics there are nine thousand metrics. */
function addTelemetry(samples: Map<string, Sample[]>, { clientId, recorder, registry }: Telemetry): void {
  recorder.settle()
  for (const { name, group, description, tags, measure } of registry.fixed)
    addMetric(samples, { name, group, description, tags, value: measure(0) })
  for (const set of registry.sets) {
    const labels = labelsOf(set.tags)
    for (const { group, metric, name, type, scale } of exportedMetrics) {
      if (group !== set.group || type !== 'counter') continue
      const family = samples.get(PREFIX + name) as Sample[]
      family.push({ suffix: '', labels, value: set.totalOf(metric) * scale })
    }
  }
  const labels = { client_id: clientId }
  for (const { name, collect } of OWN_FAMILIES)
    (samples.get(name) as Sample[]).push(...collect(recorder, labels))
}

const byJavaName: ReadonlyMap<string, (typeof exportedMetrics)[number]> = new Map(
  exportedMetrics.map(exported => [`${exported.group} ${exported.metric}`, exported]),
)

function addMetric(samples: Map<string, Sample[]>, { group, name, tags, value }: Metric): void {
  const labels = labelsOf(tags)
  if (group === APP_INFO_GROUP) {
    if (name === 'version')
      samples.get(INFO.name)?.push({ suffix: '', labels: { ...labels, version: String(value) }, value: 1 })
    if (name === 'start-time-ms')
      samples.get(STARTED.name)?.push({ suffix: '', labels, value: Number(value) / 1000 })
    return
  }
  const exported = byJavaName.get(`${group} ${name}`)
  if (exported === undefined || typeof value !== 'number' || Number.isNaN(value)) return
  const family = samples.get(PREFIX + exported.name) as Sample[]
  family.push({ suffix: '', labels, value: value * exported.scale })
}

function labelsOf(tags: Readonly<Record<string, string>>): Labels {
  const labels: Record<string, string> = {}
  for (const [key, value] of Object.entries(tags))
    labels[key.replaceAll('-', '_')] = key === 'node-id' ? value.replace(/^node-/, '') : value
  return labels
}

function histogramSamples(histogram: Histogram, labels: Labels): Sample[] {
  const samples: Sample[] = []
  let below = 0
  for (const [bucket, count] of histogram.counts.entries()) {
    below += count
    const bound = histogram.bounds[bucket]
    const le = bound === undefined ? '+Inf' : String(bound)
    samples.push({ suffix: '_bucket', labels: { ...labels, le }, value: below })
  }
  samples.push({ suffix: '_sum', labels, value: histogram.sum })
  samples.push({ suffix: '_count', labels, value: histogram.count })
  return samples
}
