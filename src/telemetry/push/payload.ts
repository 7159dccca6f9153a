import type { RegisteredMetric } from '../metrics/metric.js'
import { telemetryLabels, telemetryName } from './metric-names.js'
import { ProtobufWriter } from './protobuf.js'

/*
 * OpenTelemetry's metrics as protobuf, as far as it is needed (opentelemetry/proto/metrics/v1/metrics.proto):
 *
 *     MetricsData      1 resource_metrics
 *     ResourceMetrics  1 resource, 2 scope_metrics
 *     Resource         1 attributes
 *     ScopeMetrics     2 metrics
 *     Metric           1 name, 5 gauge, 7 sum
 *     Gauge            1 data_points
 *     Sum              1 data_points, 2 aggregation_temporality, 3 is_monotonic
 *     NumberDataPoint  2 start_time_unix_nano, 3 time_unix_nano, 4 as_double, 6 as_int, 7 attributes
 *     KeyValue         1 key, 2 value; AnyValue 1 string_value
 */

const DELTA = 1
const CUMULATIVE = 2
const NS_PER_MS = 1_000_000n

/** One value of a metric. */
interface Point {
  readonly labels: readonly [name: string, value: string][]
  readonly value: number
  /** Wall-clock ms from which a sum counts; null for a gauge. */
  readonly sinceMs: number | null
}

interface PushedMetric {
  readonly isSum: boolean
  readonly isWhole: boolean
  readonly points: Point[]
}

/** What a total was when it was last pushed, and when. */
interface Pushed {
  readonly value: number
  readonly atMs: number
}

/** Totals as of a push; kept if the push is taken. */
export interface PayloadState {
  readonly totals: ReadonlyMap<string, Pushed>
}

export interface Payload {
  readonly bytes: Uint8Array
  readonly state: PayloadState
}

interface PayloadOptions {
  readonly metrics: Iterable<RegisteredMetric>
  readonly isWanted: (telemetryName: string) => boolean
  readonly isDelta: boolean
  readonly resource: readonly [name: string, value: string][]
  /** Of the last push that was taken, for deltas. */
  readonly last: PayloadState
  /** The clock's time, for windows, and the wall clock's. */
  readonly nowMs: number
  readonly wallMs: number
}

export const nothingPushed: PayloadState = { totals: new Map() }

/** The metrics that are wanted, in one resource, those of one name together. */
export function buildPayload(options: PayloadOptions): Payload {
  const { metrics, isWanted, isDelta, last, nowMs, wallMs } = options
  const byName = new Map<string, PushedMetric>()
  const totals = new Map<string, Pushed>()
  for (const metric of metrics) {
    const name = telemetryName(metric.group, metric.name)
    if (!isWanted(name)) continue
    const value = metric.measure(nowMs)
    // Text has no place in the format, and an average of nothing is better left out than sent as NaN.
    if (typeof value !== 'number' || Number.isNaN(value)) continue
    const labels = telemetryLabels(metric.tags)
    let point: Point = { labels, value, sinceMs: null }
    if (metric.isTotal) {
      const key = `${name} ${labels.flat().join(' ')}`
      const before = isDelta ? last.totals.get(key) : undefined
      totals.set(key, { value, atMs: wallMs })
      point = { labels, value: value - (before?.value ?? 0), sinceMs: before?.atMs ?? metric.sinceMs }
    }
    let pushed = byName.get(name)
    if (pushed === undefined) {
      pushed = { isSum: metric.isTotal, isWhole: metric.name === 'start-time-ms', points: [] }
      byName.set(name, pushed)
    }
    pushed.points.push(point)
  }
  const data = new ProtobufWriter()
  data.message(1, resource => writeResource(resource, options, byName))
  return { bytes: data.finish(), state: { totals } }
}

function writeResource(
  resourceMetrics: ProtobufWriter,
  { resource, isDelta, wallMs }: PayloadOptions,
  byName: ReadonlyMap<string, PushedMetric>,
): void {
  resourceMetrics.message(1, writer => {
    for (const [name, value] of resource) writeAttribute(writer, 1, name, value)
  })
  resourceMetrics.message(2, scope => {
    for (const [name, metric] of byName) {
      scope.message(2, writer => {
        writer.string(1, name)
        writer.message(metric.isSum ? 7 : 5, data => {
          for (const point of metric.points)
            data.message(1, to => writePoint(to, point, metric.isWhole, wallMs))
          if (!metric.isSum) return
          data.small(2, isDelta ? DELTA : CUMULATIVE)
          data.small(3, 1)
        })
      })
    }
  })
}

function writePoint(writer: ProtobufWriter, point: Point, isWhole: boolean, wallMs: number): void {
  const { labels, value, sinceMs } = point
  if (sinceMs !== null) writer.fixed64(2, nanoseconds(sinceMs))
  writer.fixed64(3, nanoseconds(wallMs))
  if (isWhole) writer.sfixed64(6, BigInt(Math.floor(value)))
  else writer.double(4, value)
  for (const [name, label] of labels) writeAttribute(writer, 7, name, label)
}

function writeAttribute(writer: ProtobufWriter, field: number, name: string, value: string): void {
  writer.message(field, pair => {
    pair.string(1, name)
    pair.message(2, any => any.string(1, value))
  })
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.floor(ms)) * NS_PER_MS
}
