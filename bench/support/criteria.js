// What is to be reached, and whether it was: read from the rows of a whole run of bench/compare.js.
const MIB = 1024 * 1024

/** CPU per record on Node 24 over that of the best peer, at most. */
const RATIO_LIMITS = {
  many: { A: 0.3, B: 0.22, C: 0.6, D: 0.8, E: 0.8 },
  callback: { A: 0.55, B: 0.6, C: 0.75 },
  record: { A: 0.8, B: 0.9, C: 1, D: 1, E: 1 },
}
const SPEED_RATIO_MIN = 3
const MANY_UNSETTLED_RATIO_MAX = 1.5
const RUNTIME_RATIO_MAX = 1.4
const RSS_MIB_MAX = 150

export const met = isMet => (isMet ? 'met' : 'NOT MET')

export function verdicts(rows) {
  const rowOf = (name, caseName, mode, unsettledMax = 10_000) =>
    rows.find(
      row =>
        row.name === name &&
        row.caseName === caseName &&
        row.mode === mode &&
        row.unsettledMax === unsettledMax,
    )
  const atMost = (goal, value, limit, digits = 2) => ({
    goal: `${goal} ≤ ${limit}`,
    is: value.toFixed(digits),
    met: met(value <= limit),
  })
  const found = []
  for (const [mode, limits] of Object.entries(RATIO_LIMITS)) {
    for (const [caseName, limit] of Object.entries(limits)) {
      const { ratio } = rowOf('node24', caseName, mode)
      found.push(atMost(`${mode}, ${caseName}: × best peer`, ratio, limit))
    }
  }
  const { speedRatio } = rowOf('node24', 'B', 'many')
  found.push({
    goal: `many, B: records/s ≥ ${SPEED_RATIO_MIN} × best peer`,
    is: speedRatio.toFixed(2),
    met: met(speedRatio >= SPEED_RATIO_MIN),
  })
  const record = rowOf('node24', 'A', 'record').cpuMicrosPerRecord
  const crowded = rowOf('node24', 'A', 'record', 100_000).cpuMicrosPerRecord
  const crowdedGoal = 'record, A: 100,000 unsettled × 10,000'
  found.push(atMost(crowdedGoal, crowded / record, MANY_UNSETTLED_RATIO_MAX))
  for (const name of ['bun', 'deno']) {
    for (const { caseName, mode, cpuMicrosPerRecord } of rows.filter(row => row.name === name)) {
      const ratio = cpuMicrosPerRecord / rowOf('node24', caseName, mode).cpuMicrosPerRecord
      found.push(atMost(`${mode}, ${caseName}: ${name} × Node 24`, ratio, RUNTIME_RATIO_MAX))
    }
  }
  for (const mode of Object.keys(RATIO_LIMITS)) {
    const { peakRssBytes } = rowOf('node24', 'A', mode)
    found.push(atMost(`${mode}, A: peak RSS in MiB`, peakRssBytes / MIB, RSS_MIB_MAX, 0))
  }
  // With options of Node's that the README tells of; the goals above are for its defaults.
  for (const mib of [8, 16]) {
    const { ratio, peakRssBytes } = rowOf(`node24-young${mib}`, 'A', 'record')
    const how = `record, A, --max-semi-space-size=${mib}`
    found.push(atMost(`${how}: × best peer`, ratio, RATIO_LIMITS.record.A))
    found.push(atMost(`${how}: peak RSS in MiB`, peakRssBytes / MIB, RSS_MIB_MAX, 0))
  }
  return found
}
