import { Sampled, SampledStat, type Windows } from './sampled-stat.js'

/**
 * What a metric makes of the values of its sensor.
 *
 * - `avg`, `max`: over the windows
 * - `rate`, `event-rate`: the sum of the values, or their number, per second over the windows
 * - `ratio`: of values that are nanoseconds, their share of the windows' time
 * - `total`, `event-total`: the sum of the values, or their number, since the producer was made
 */
export type Stat = 'avg' | 'max' | 'rate' | 'event-rate' | 'ratio' | 'total' | 'event-total'

const SAMPLED: Readonly<Record<Exclude<Stat, 'total' | 'event-total'>, Sampled>> = {
  avg: Sampled.AVG,
  max: Sampled.MAX,
  rate: Sampled.SUM,
  'event-rate': Sampled.COUNT,
  ratio: Sampled.SUM,
}

const MS_PER_SECOND = 1000
const NS_PER_MS = 1_000_000

/** Whether the statistic only grows: a counter to whom it is exported. */
export function isTotal(stat: Stat): boolean {
  return stat === 'total' || stat === 'event-total'
}

/**
 * One kind of event and the statistics of its values (Java: `Sensor`). Values of one millisecond are gathered
 * and handed to the statistics together, which changes no result.
 */
export class Sensor {
  private readonly stats: readonly Stat[]
  /** In the order of `stats`; null for totals, which are the sensor's own. */
  private readonly sampled: readonly (SampledStat | null)[]
  private total = 0
  private eventTotal = 0
  /** Gathered and not handed on: how many values, their sum, the largest, and when. */
  private count = 0
  private sum = 0
  private max = Number.NEGATIVE_INFINITY
  private atMs = Number.NEGATIVE_INFINITY

  constructor(stats: readonly Stat[], windows: Windows) {
    this.stats = stats
    this.sampled = stats.map(stat =>
      isTotal(stat) ? null : new SampledStat(SAMPLED[stat as keyof typeof SAMPLED], windows),
    )
  }

  /** `atMs`: whole milliseconds, never less than before. */
  record(value: number, atMs: number): void {
    this.recordAll(1, value, value, atMs)
  }

  /** As `record` of each of `count` values, of which only the sum and the largest count. */
  recordAll(count: number, sum: number, max: number, atMs: number): void {
    if (atMs !== this.atMs) this.handOn()
    this.atMs = atMs
    this.count += count
    this.sum += sum
    if (max > this.max) this.max = max
  }

  /** The value of the statistic at that place of the sensor's list. */
  measure(place: number, nowMs: number): number {
    this.handOn()
    const stat = this.stats[place]
    if (stat === 'total') return this.total
    if (stat === 'event-total') return this.eventTotal
    const sampled = this.sampled[place] as SampledStat
    const value = sampled.measure(nowMs)
    if (stat === 'ratio') return value / (sampled.coveredMs(nowMs) * NS_PER_MS)
    if (stat === 'rate' || stat === 'event-rate') return value / (sampled.coveredMs(nowMs) / MS_PER_SECOND)
    return value
  }

  private handOn(): void {
    const { count, sum, max, atMs } = this
    if (count === 0) return
    this.count = 0
    this.sum = 0
    this.max = Number.NEGATIVE_INFINITY
    this.total += sum
    this.eventTotal += count
    for (const stat of this.sampled) if (stat !== null) stat.add(count, sum, max, atMs)
  }
}
