import { APP_INFO_GROUP } from '../metrics/definitions.js'
import type { Histogram } from '../metrics/histogram.js'
import type { Metric } from '../metrics/metric.js'
import type { MetricsRecorder } from '../metrics/recorder.js'
import { type MetricsSource, telemetryOf } from '../source.js'
import type { Telemetry } from '../telemetry.js'
import { exportedMetrics, type FamilyType, PREFIX } from './names.js'

export type Labels = Readonly<Record<string, string>>

/** What samples of one thing have in common. */
class LabelSet {
  readonly labels: Labels
  private written: string | null = null

  constructor(labels: Labels) {
    this.labels = labels
  }

  /** As the text format has them, made when it is first asked for. */
  get text(): string {
    this.written ??= labelText(this.labels)
    return this.written
  }
}

type Suffix = '' | '_bucket' | '_sum' | '_count'

/** Takes one line: a value under a name, which differs from the family's in histograms. */
type TakeSample = (family: number, suffix: Suffix, labels: LabelSet, value: number) => void

/** One name, under which are samples of all producers. */
interface FamilyHead {
  readonly name: string
  readonly help: string
  readonly type: FamilyType
}

/** What is not among Java's metrics. */
const OWN_FAMILIES: readonly (FamilyHead & {
  collect(recorder: MetricsRecorder, labels: LabelSet, take: (...sample: OwnSample) => void): void
})[] = [
  {
    name: `${PREFIX}records_acknowledged_total`,
    help: 'Records of the topic that brokers have stored.',
    type: 'counter',
    collect: ({ topics }, _labels, take) => {
      for (const { set, acknowledged } of topics) {
        if (acknowledged > 0) take('', labelSetOf(set.tags), acknowledged)
      }
    },
  },
  {
    name: `${PREFIX}records_failed_total`,
    help: 'Records that were not stored as far as is known, by the code of their error.',
    type: 'counter',
    collect: ({ failures }, { labels }, take) => {
      for (const [reason, value] of failures) take('', new LabelSet({ ...labels, reason }), value)
    },
  },
  {
    name: `${PREFIX}delivery_latency_seconds`,
    help: 'Time of records from the opening of their batch to its acknowledgement.',
    type: 'histogram',
    collect: ({ deliveryLatency }, labels, take) => takeHistogram(deliveryLatency, labels, take),
  },
  {
    name: `${PREFIX}request_latency_seconds`,
    help: 'Time from a Produce request to its answer.',
    type: 'histogram',
    collect: ({ requestLatency }, labels, take) => takeHistogram(requestLatency, labels, take),
  },
  {
    name: `${PREFIX}batch_size_bytes`,
    help: 'Bytes of the batches sent.',
    type: 'histogram',
    collect: ({ batchBytes }, labels, take) => takeHistogram(batchBytes, labels, take),
  },
]

type OwnSample = [suffix: Suffix, labels: LabelSet, value: number]

/** Every family there is, whether it has samples or not; the same for all producers. */
export const familyHeads: readonly FamilyHead[] = [
  { name: `${PREFIX}info`, help: 'The client and its version.', type: 'gauge' },
  {
    name: `${PREFIX}start_time_seconds`,
    help: 'When the producer was made, since the epoch.',
    type: 'gauge',
  },
  ...exportedMetrics.map(({ name, help, type }) => ({ name: PREFIX + name, help, type })),
  ...OWN_FAMILIES.map(({ name, help, type }) => ({ name, help, type })),
]

/** Places in {@link familyHeads}. */
const INFO = 0
const STARTED = 1
const FIRST_EXPORTED = 2
const FIRST_OWN = FIRST_EXPORTED + exportedMetrics.length

/** A metric by Java's name, and the place of its family. */
interface Exported {
  readonly family: number
  readonly metric: string
  readonly scale: number
}

const exportedByName = new Map<string, Exported>()
const countersByGroup = new Map<string, Exported[]>()
for (const [place, { group, metric, type, scale }] of exportedMetrics.entries()) {
  const exported = { family: FIRST_EXPORTED + place, metric, scale }
  exportedByName.set(`${group} ${metric}`, exported)
  if (type !== 'counter') continue
  const counters = countersByGroup.get(group)
  if (counters === undefined) countersByGroup.set(group, [exported])
  else counters.push(exported)
}

/** What all producers have now, one producer after another; of a family in the order of its lines. */
export function collect(sources: readonly MetricsSource[], take: TakeSample): void {
  for (const source of new Set(sources)) {
    const telemetry = telemetryOf(source)
    if (telemetry === null) for (const metric of source.metrics()) takeMetric(metric, take)
    else takeTelemetry(telemetry, take)
  }
}

/** Reads what is exported and nothing else: of a thousand topics there are nine thousand metrics. */
function takeTelemetry({ clientId, recorder, registry }: Telemetry, take: TakeSample): void {
  recorder.settle()
  for (const { name, group, description, tags, measure } of registry.fixed)
    takeMetric({ name, group, description, tags, value: measure(0) }, take)
  for (const set of registry.sets) {
    const labels = labelSetOf(set.tags)
    for (const { family, metric, scale } of countersByGroup.get(set.group) ?? [])
      take(family, '', labels, set.totalOf(metric) * scale)
  }
  const labels = new LabelSet({ client_id: clientId })
  for (const [place, { collect }] of OWN_FAMILIES.entries())
    collect(recorder, labels, (suffix, of, value) => take(FIRST_OWN + place, suffix, of, value))
}

function takeMetric({ group, name, tags, value }: Metric, take: TakeSample): void {
  if (group === APP_INFO_GROUP) {
    const labels = labelsOf(tags)
    if (name === 'version') take(INFO, '', new LabelSet({ ...labels, version: String(value) }), 1)
    if (name === 'start-time-ms') take(STARTED, '', new LabelSet(labels), Number(value) / 1000)
    return
  }
  const exported = exportedByName.get(`${group} ${name}`)
  if (exported === undefined || typeof value !== 'number' || Number.isNaN(value)) return
  take(exported.family, '', new LabelSet(labelsOf(tags)), value * exported.scale)
}

/** The labels of the tags of sensor sets, which stay as they are: one scrape has them from the last. */
const labelSets = new WeakMap<Readonly<Record<string, string>>, LabelSet>()

function labelSetOf(tags: Readonly<Record<string, string>>): LabelSet {
  let labels = labelSets.get(tags)
  if (labels === undefined) {
    labels = new LabelSet(labelsOf(tags))
    labelSets.set(tags, labels)
  }
  return labels
}

function labelsOf(tags: Readonly<Record<string, string>>): Labels {
  const labels: Record<string, string> = {}
  for (const [key, value] of Object.entries(tags))
    labels[key.replaceAll('-', '_')] = key === 'node-id' ? value.replace(/^node-/, '') : value
  return labels
}

function labelText(labels: Labels): string {
  let text = ''
  for (const [key, value] of Object.entries(labels))
    text += `${text === '' ? '{' : ','}${key}="${escapeLabel(value)}"`
  return text === '' ? '' : `${text}}`
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function takeHistogram(
  { bounds, counts, sum, count }: Histogram,
  labels: LabelSet,
  take: (...sample: OwnSample) => void,
): void {
  let below = 0
  for (const [bucket, inBucket] of counts.entries()) {
    below += inBucket
    const bound = bounds[bucket]
    const le = bound === undefined ? '+Inf' : String(bound)
    take('_bucket', new LabelSet({ ...labels.labels, le }), below)
  }
  take('_sum', labels, sum)
  take('_count', labels, count)
}
