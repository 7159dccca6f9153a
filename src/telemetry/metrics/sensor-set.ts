import type { MetricRow } from './definitions.js'
import type { Windows } from './sampled-stat.js'
import { isTotal, Sensor, type Stat } from './sensor.js'

/** A metric as it is registered: everything but its value. */
interface MetricIdentity {
  readonly name: string
  readonly group: string
  readonly description: string
  readonly tags: Readonly<Record<string, string>>
  /** Whether its value only grows. */
  readonly isTotal: boolean
}

type SensorRows<Name extends string> = Readonly<Record<Name, readonly MetricRow[]>>

interface SensorSetOptions<Name extends string, Rare extends Name> {
  readonly group: string
  readonly tags: Readonly<Record<string, string>>
  readonly rows: SensorRows<Name>
  readonly windows: Windows
  /** Wall-clock milliseconds of its registration, from which its totals count. */
  readonly sinceMs: number
  /** Sensors that are made when they are first used: of topics there may be very many. Default none. */
  readonly rare?: readonly Rare[]
}

/** The sensors of one producer, node or topic, which share their tags. */
export class SensorSet<Name extends string, Rare extends Name = never> {
  readonly group: string
  readonly tags: Readonly<Record<string, string>>
  readonly sinceMs: number
  /** Those that are there at once; others by {@link get}. */
  readonly sensors: Readonly<Record<Exclude<Name, Rare>, Sensor>>
  private readonly rows: SensorRows<Name>
  private readonly windows: Windows
  private readonly made: Partial<Record<Name, Sensor>> = {}

  constructor({ group, tags, rows, windows, sinceMs, rare = [] }: SensorSetOptions<Name, Rare>) {
    this.group = group
    this.tags = Object.freeze(tags)
    this.rows = rows
    this.windows = windows
    this.sinceMs = sinceMs
    const rareNames: readonly Name[] = rare
    for (const name of Object.keys(rows) as Name[]) if (!rareNames.includes(name)) this.make(name)
    this.sensors = this.made as Record<Exclude<Name, Rare>, Sensor>
  }

  get(name: Name): Sensor {
    return this.made[name] ?? this.make(name)
  }

  visit(visit: (identity: MetricIdentity, measure: (nowMs: number) => number) => void): void {
    const { group, tags, rows } = this
    for (const key of Object.keys(rows) as Name[]) {
      for (const [place, [name, stat, description]] of rows[key].entries()) {
        const identity = { name, group, description, tags, isTotal: isTotal(stat) }
        visit(identity, nowMs => this.measure(key, place, stat, nowMs))
      }
    }
  }

  /** The value of a total by its metric's name; 0 for another name. */
  totalOf(metric: string): number {
    const total = totalsOf(this.rows).get(metric)
    if (total === undefined) return 0
    return this.made[total.key as Name]?.measure(total.place, 0) ?? 0
  }

  private measure(key: Name, place: number, stat: Stat, nowMs: number): number {
    const sensor = this.made[key]
    if (sensor !== undefined) return sensor.measure(place, nowMs)
    return stat === 'avg' || stat === 'max' ? Number.NaN : 0
  }

  private make(name: Name): Sensor {
    const sensor = new Sensor(statsOf(this.rows[name]), this.windows)
    this.made[name] = sensor
    return sensor
  }
}

/** The statistics of a sensor: one array for all sensors of the same rows. */
const statLists = new Map<readonly MetricRow[], readonly Stat[]>()

function statsOf(rows: readonly MetricRow[]): readonly Stat[] {
  let stats = statLists.get(rows)
  if (stats === undefined) {
    stats = rows.map(([, stat]) => stat)
    statLists.set(rows, stats)
  }
  return stats
}

/** Where a total is: its sensor, and its place there. */
interface TotalPlace {
  readonly key: string
  readonly place: number
}

/** The totals of sets with the same rows, by their metrics' names. */
const totalMaps = new Map<object, ReadonlyMap<string, TotalPlace>>()

function totalsOf(rows: SensorRows<string>): ReadonlyMap<string, TotalPlace> {
  let totals = totalMaps.get(rows)
  if (totals === undefined) {
    const entries = Object.entries(rows).flatMap(([key, metrics]) =>
      metrics.flatMap(([name, stat], place) => (isTotal(stat) ? [[name, { key, place }] as const] : [])),
    )
    totals = new Map(entries)
    totalMaps.set(rows, totals)
  }
  return totals
}
