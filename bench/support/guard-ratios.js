// What bench/guard.js says of its figures.
import { median } from './report.js'

const SLOWER_BY = 0.15

const microsOf = ({ runs }) => median(runs.map(run => run.cpuMicrosPerRecord))

/** By load (`A many`): CPU per record in µs, the median, and its ratio to that of the floor. */
export function ratiosOf(floor, rows) {
  const floorMicros = microsOf(floor)
  const entries = rows.map(row => {
    const micros = microsOf(row)
    return [`${row.caseName} ${row.mode}`, { micros, ratio: micros / floorMicros }]
  })
  return Object.fromEntries(entries)
}

/** Loads that cost 15 % more than stored, and by how much; none where nothing is stored for them. */
export function slowerThan(stored, ratios) {
  return Object.entries(ratios)
    .map(([load, { ratio }]) => ({ load, more: ratio / (stored?.[load] ?? Number.POSITIVE_INFINITY) - 1 }))
    .filter(({ more }) => more > SLOWER_BY)
    .map(({ load, more }) => ({ load, percent: Math.round(more * 100) }))
}
