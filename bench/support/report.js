// The tables of bench/compare.js.
import { cases } from './cases.js'
import { machine } from './machine.js'
import { clients } from './peers.js'

const MIB = 1024 * 1024

export const median = numbers => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

/** The median run of each row, with the largest peak RSS, and its CPU over that of the best peer. */
export function withRatios(rows) {
  const medians = rows.map(({ runs, ...row }) => {
    const sorted = runs.toSorted((a, b) => a.cpuMicrosPerRecord - b.cpuMicrosPerRecord)
    return {
      ...row,
      ...sorted[sorted.length >> 1],
      title: clients[row.name].title,
      isPeer: clients[row.name].isPeer,
      recordsPerSecond: median(runs.map(run => run.recordsPerSecond)),
      peakRssBytes: Math.max(...runs.map(run => run.peakRssBytes)),
      spread: [sorted[0].cpuMicrosPerRecord, sorted.at(-1).cpuMicrosPerRecord],
      repetitions: runs.length,
      othersShares: runs.map(run => run.othersShare),
    }
  })
  return medians.map(row => {
    const peers = medians.filter(each => each.isPeer && each.caseName === row.caseName)
    if (peers.length === 0) return { ...row, ratio: Number.NaN, speedRatio: Number.NaN }
    const bestMicros = Math.min(...peers.map(each => each.cpuMicrosPerRecord))
    const bestSpeed = Math.max(...peers.map(each => each.recordsPerSecond))
    const ratio = row.cpuMicrosPerRecord / bestMicros
    return { ...row, ratio, speedRatio: row.recordsPerSecond / bestSpeed }
  })
}

export function table(head, lines) {
  const row = cells => `| ${cells.join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n')
}

const number = value => (Number.isNaN(value) ? '–' : value.toFixed(value < 10 ? 2 : 1))
const modeOf = ({ mode, unsettledMax }) =>
  unsettledMax > 10_000 ? `${mode}, ${unsettledMax.toLocaleString('en')} unsettled` : mode

function caseTable(rows) {
  const costs = ['CPU µs/record', '(from – to)', '× best peer', '1,000 records/s', 'peak RSS MiB']
  const head = ['client', 'mode', ...costs, 'records/batch', 'wire B/record']
  const lines = rows.map(row => [
    row.title,
    modeOf(row),
    row.cpuMicrosPerRecord.toFixed(row.cpuMicrosPerRecord < 10 ? 3 : 1),
    row.spread.map(number).join(' – '),
    number(row.ratio),
    Math.round(row.recordsPerSecond / 1000).toLocaleString('en'),
    (row.peakRssBytes / MIB).toFixed(0),
    row.recordsPerBatch.toFixed(0),
    row.bytesPerRecord.toFixed(0),
  ])
  return table(head, lines)
}

const percent = share => `${Math.round(Math.max(0, share) * 100)} %`

/** How quiet the machine was: the CPU that others used during the timed parts. */
export function disturbance(shares) {
  const most = percent(Math.max(...shares))
  return `CPU that others used meanwhile: median ${percent(median(shares))}, at most ${most} of a core`
}

function summary(rows) {
  const broker = Math.max(...rows.map(row => row.brokerMicrosPerRecord * row.recordsPerSecond)) / 1e6
  const versions = [...new Set(rows.map(row => row.version))]
  return [
    `- Machine: ${machine()}.`,
    `- Versions: ${versions.join('; ')}.`,
    `- Medians of ${rows[0].repetitions}. ${disturbance(rows.flatMap(row => row.othersShares))}.`,
    `- The broker was at most ${percent(broker)} busy.`,
    '- What the cases are and what each client is given: [bench/README.md](../README.md).',
  ].join('\n')
}

export function report(rows, verdicts) {
  const caseNames = [...new Set(rows.map(row => row.caseName))]
  const sections = caseNames.map(caseName => {
    const own = rows.filter(row => row.caseName === caseName)
    return `## ${caseName}: ${cases[caseName].title}\n\n${caseTable(own)}`
  })
  const goals =
    verdicts.length === 0
      ? []
      : [
          `## Goals\n\n${table(
            ['goal', 'measured', ''],
            verdicts.map(each => [each.goal, each.is, each.met]),
          )}`,
        ]
  const head = '# CPU per record, side by side\n\nPrinted by `npm run bench -- compare`.'
  return `${[head, summary(rows), ...goals, ...sections].join('\n\n')}\n`
}
