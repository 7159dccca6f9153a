import type { MetricRow } from './definitions.js'
import type { Windows } from './sampled-stat.js'
import { isTotal, Sensor } from './sensor.js'

/** A metric as it is registered: everything but its value. */
interface MetricIdentity {
  readonly name: string
  readonly group: string
  readonly description: string
  readonly tags: Readonly<Record<string, string>>
  /** Whether its value only grows. */
  readonly isTotal: boolean
}

/** The sensors of one producer, node or topic, which share their tags. */
export class SensorSet<Name extends string> {
  readonly group: string
  readonly tags: Readonly<Record<string, string>>
  /** Wall-clock milliseconds of its registration, from which its totals count. */
  readonly sinceMs: number
  readonly sensors: Readonly<Record<Name, Sensor>>
  private readonly rows: Readonly<Record<Name, readonly MetricRow[]>>

  constructor(
    group: string,
    tags: Readonly<Record<string, string>>,
    rows: Readonly<Record<Name, readonly MetricRow[]>>,
    windows: Windows,
    sinceMs: number,
  ) {
    this.group = group
    this.tags = Object.freeze(tags)
    this.rows = rows
    this.sinceMs = sinceMs
    const sensors: Partial<Record<Name, Sensor>> = {}
    for (const name of Object.keys(rows) as Name[]) sensors[name] = new Sensor(statsOf(rows[name]), windows)
    this.sensors = sensors as Record<Name, Sensor>
  }

  visit(visit: (identity: MetricIdentity, sensor: Sensor, place: number) => void): void {
    const { group, tags, rows, sensors } = this
    for (const key of Object.keys(rows) as Name[]) {
      const sensor = sensors[key]
      for (const [place, [name, stat, description]] of rows[key].entries())
        visit({ name, group, description, tags, isTotal: isTotal(stat) }, sensor, place)
    }
  }
}

/** The statistics of a sensor: one array for all sensors of the same rows. */
const statLists = new Map<readonly MetricRow[], readonly MetricRow[1][]>()

function statsOf(rows: readonly MetricRow[]): readonly MetricRow[1][] {
  let stats = statLists.get(rows)
  if (stats === undefined) {
    stats = rows.map(([, stat]) => stat)
    statLists.set(rows, stats)
  }
  return stats
}
