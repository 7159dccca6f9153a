// What is to be reached, and whether it was: read from the rows of a run of bench/compare.js. Only what the
// run has measured is judged.
const MIB = 1024 * 1024

/** CPU per record on Node 24 over that of the best peer, at most: many, callback, record. */
const RATIO_LIMITS = {
  A: [0.28, 0.33, 0.78],
  B: [0.2, 0.3, 0.75],
  C: [0.48, 0.52, 0.8],
  D: [0.55, 0.58, 0.68],
  E: [0.55, 0.58, 0.65],
  F: [0.35, 0.4, 0.75],
  F1: [0.5, 0.55, 0.8],
  H: [0.45, 0.5, 0.85],
  H1: [0.55, 0.6, 0.9],
  FH: [0.5, 0.55, 0.9],
  FH1: [0.6, 0.65, 0.9],
  T: [0.4, 0.45, 0.85],
  T1: [0.75, 0.8, 0.95],
  A12: [0.34, 0.4, 0.88],
  A100: [0.34, 0.4, 0.88],
  C12: [0.55, 0.6, 0.92],
  C100: [0.55, 0.6, 0.92],
  X100: [0.9, 0.9, 0.9],
  Zs: [0.8, 0.8, 0.9],
  Zg: [0.8, 0.8, 0.85],
}
const MODES = ['many', 'callback', 'record']
const SPEED_RATIO_MIN = 3
const MANY_UNSETTLED = 100_000
const MANY_UNSETTLED_RATIO_MAX = 1.5
const RUNTIME_RATIO_MAX = 1.3
const RUNTIME_CASES = ['A', 'B', 'C', 'F', 'F1', 'H', 'H1']
/** In A; and with large values buffer.memory and what a process needs beside it. */
const RSS_MIB_MAX = { A: 150, X100: 32 + 96 }

export const met = isMet => (isMet ? 'met' : 'NOT MET')

const atMost = (goal, value, limit, digits = 2) => ({
  goal: `${goal} ≤ ${limit}`,
  is: value.toFixed(digits),
  met: met(value <= limit),
})

/** One line each of what is judged by the rows of one client: `judge` gives it, or nothing. */
function linesOf(rows, judge) {
  return rows.map(judge).filter(line => line !== undefined)
}

function ratioGoals(own) {
  return MODES.flatMap((mode, at) =>
    linesOf(
      own.filter(row => row.mode === mode && row.unsettledMax < MANY_UNSETTLED && !Number.isNaN(row.ratio)),
      ({ caseName, ratio }) => {
        const limit = RATIO_LIMITS[caseName]?.[at]
        return limit && atMost(`${mode}, ${caseName}: × best peer`, ratio, limit)
      },
    ),
  )
}

function speedGoals(own) {
  return linesOf(own, ({ caseName, mode, speedRatio }) => {
    if (caseName !== 'B' || mode !== 'many' || Number.isNaN(speedRatio)) return
    const isMet = speedRatio >= SPEED_RATIO_MIN
    const goal = `many, B: records/s ≥ ${SPEED_RATIO_MIN} × best peer`
    return { goal, is: speedRatio.toFixed(2), met: met(isMet) }
  })
}

function crowdedGoals(own) {
  const record = own.filter(({ caseName, mode }) => caseName === 'A' && mode === 'record')
  const usual = record.find(row => row.unsettledMax < MANY_UNSETTLED)
  const crowded = record.find(row => row.unsettledMax >= MANY_UNSETTLED)
  if (usual === undefined || crowded === undefined) return []
  const ratio = crowded.cpuMicrosPerRecord / usual.cpuMicrosPerRecord
  return [atMost('record, A: 100,000 unsettled × 10,000', ratio, MANY_UNSETTLED_RATIO_MAX)]
}

function runtimeGoals(rows, own) {
  const others = rows.filter(
    ({ name, caseName }) => ['bun', 'deno'].includes(name) && RUNTIME_CASES.includes(caseName),
  )
  return linesOf(others, ({ name, caseName, mode, unsettledMax, cpuMicrosPerRecord }) => {
    const node = own.find(
      row => row.caseName === caseName && row.mode === mode && row.unsettledMax === unsettledMax,
    )
    if (node === undefined) return
    const ratio = cpuMicrosPerRecord / node.cpuMicrosPerRecord
    return atMost(`${mode}, ${caseName}: ${name} × Node 24`, ratio, RUNTIME_RATIO_MAX)
  })
}

function memoryGoals(own) {
  return linesOf(own, ({ caseName, mode, unsettledMax, peakRssBytes }) => {
    const limit = RSS_MIB_MAX[caseName]
    if (limit === undefined || unsettledMax >= MANY_UNSETTLED) return
    return atMost(`${mode}, ${caseName}: peak RSS in MiB`, peakRssBytes / MIB, limit, 0)
  })
}

/** With options of Node's that the README tells of; the goals above are for its defaults. */
function youngGenerationGoals(rows) {
  return [8, 16].flatMap(mib => {
    const row = rows.find(({ name, caseName }) => name === `node24-young${mib}` && caseName === 'A')
    if (row === undefined) return []
    const how = `record, A, --max-semi-space-size=${mib}`
    const [, , limit] = RATIO_LIMITS.A
    return [
      ...(Number.isNaN(row.ratio) ? [] : [atMost(`${how}: × best peer`, row.ratio, limit)]),
      atMost(`${how}: peak RSS in MiB`, row.peakRssBytes / MIB, RSS_MIB_MAX.A, 0),
    ]
  })
}

export function verdicts(rows) {
  const own = rows.filter(({ name }) => name === 'node24')
  return [
    ...ratioGoals(own),
    ...speedGoals(own),
    ...crowdedGoals(own),
    ...runtimeGoals(rows, own),
    ...memoryGoals(own),
    ...youngGenerationGoals(rows),
  ]
}
