// The chart of bench/compare.js: bars of CPU per record, a panel for each case, as SVG that needs no script
// and reads on light and dark pages.
import { cases } from './cases.js'

const WIDTH = 880
const LABEL_WIDTH = 330
const VALUE_WIDTH = 60
const BAR_HEIGHT = 16
const ROW_HEIGHT = 22
const PANEL_GAP = 34
const MARGIN = 16
const COLOURS = { own: '#d9480f', floor: '#868e96', peer: '#4c6ef5' }
const STYLE =
  'text{font:12px system-ui,sans-serif;fill:#222}.h{font-weight:600;font-size:14px}' +
  '@media (prefers-color-scheme:dark){text{fill:#ddd}}'

/** A bar beyond this many times the best peer would leave the others no room. */
const LONGEST_RATIO = 10

const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

function colourOf({ name, isPeer }) {
  if (isPeer) return COLOURS.peer
  return name === 'floor' ? COLOURS.floor : COLOURS.own
}

function bar(row, top, longest) {
  const length = (row.cpuMicrosPerRecord / longest) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN)
  const left = MARGIN + LABEL_WIDTH
  const middle = top + BAR_HEIGHT - 4
  const label = escaped(`${row.title}: ${row.mode}`)
  const size = `width="${length.toFixed(1)}" height="${BAR_HEIGHT}"`
  return [
    `<text x="${left - 8}" y="${middle}" text-anchor="end">${label}</text>`,
    `<rect x="${left}" y="${top}" ${size} fill="${colourOf(row)}"/>`,
    `<text x="${(left + length + 6).toFixed(1)}" y="${middle}">${row.cpuMicrosPerRecord.toFixed(2)}</text>`,
  ].join('')
}

function panel(caseName, rows, top) {
  const shown = rows
    .filter(row => row.caseName === caseName && row.unsettledMax <= 10_000 && row.ratio <= LONGEST_RATIO)
    .toSorted((a, b) => a.cpuMicrosPerRecord - b.cpuMicrosPerRecord)
  const longest = Math.max(...shown.map(row => row.cpuMicrosPerRecord))
  const heading = escaped(`${caseName}: ${cases[caseName].title}`)
  const title = `<text class="h" x="${MARGIN}" y="${top + 14}">${heading}</text>`
  const bars = shown.map((row, i) => bar(row, top + 26 + i * ROW_HEIGHT, longest))
  return { text: [title, ...bars].join('\n'), bottom: top + 26 + shown.length * ROW_HEIGHT }
}

export function chart(rows) {
  let top = MARGIN + 28
  const panels = []
  for (const caseName of new Set(rows.map(row => row.caseName))) {
    const { text, bottom } = panel(caseName, rows, top)
    panels.push(text)
    top = bottom + PANEL_GAP
  }
  const height = top - PANEL_GAP + MARGIN
  const left = `more than ${LONGEST_RATIO} × the best peer is left out`
  const title = `CPU of the client per record in µs; less is better; ${left}`
  const box = `viewBox="0 0 ${WIDTH} ${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-label="${title}">`,
    `<style>${STYLE}</style>`,
    `<text x="${MARGIN}" y="${MARGIN + 10}">${title}</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n')
}
