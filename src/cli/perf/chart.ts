import { quote, UsageError } from '../arguments.js'
import { printable } from '../printable.js'
import type { TimelinePoint } from './timeline.js'

interface Chart {
  title: string
  /** A row each: what, and how much. */
  facts: readonly (readonly [name: string, value: string])[]
  points: readonly TimelinePoint[]
}

const WIDTH = 900
const LEFT = 84
const RIGHT = 24
const PANEL_HEIGHT = 200
const PANEL_TOPS = [64, 330] as const
const HEIGHT = 580
const TICKS = 5

/** What the name of a chart's file asks for. Throws {@link UsageError} for anything but .svg and .html. */
export function chartKind(path: string): 'svg' | 'html' {
  const [, extension] = /\.(svg|html?)$/i.exec(path) ?? []
  if (extension === undefined)
    throw new UsageError(`--chart ${quote(path)}: the name must end in .svg or .html`)
  return extension.toLowerCase() === 'svg' ? 'svg' : 'html'
}

/** The chart as a file of its own: nothing in it is fetched from elsewhere. */
export function chartFile(kind: 'svg' | 'html', chart: Chart): string {
  return kind === 'svg' ? `${svg(chart)}\n` : html(chart)
}

function html({ title, facts, points }: Chart): string {
  const rows = facts.map(
    ([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
svg { height: auto; width: 100% }
table { border-collapse: collapse }
th { font-weight: 600; padding-right: 1.5rem; text-align: left }
td { font-variant-numeric: tabular-nums }
</style>
<h1>${escaped(title)}</h1>
${svg({ title, facts, points })}
<table>
${rows.join('\n')}
</table>
</html>
`
}

interface Line {
  readonly name: string
  readonly color: string
  readonly dash?: string
  readonly read: (point: TimelinePoint) => number | null
}

const RATE: readonly Line[] = [{ name: 'records/s', color: '#0b62a4', read: point => point.recordsPerSecond }]

// Told apart by their dashes as well, for print and for eyes that see no colours.
const LATENCIES: readonly Line[] = [
  { name: 'p50', color: '#0b62a4', read: point => point.p50Ms },
  { name: 'p99', color: '#b8500b', dash: '8 3', read: point => point.p99Ms },
  { name: 'max', color: '#666666', dash: '2 3', read: point => point.maxMs },
]

function svg({ title, facts, points }: Chart): string {
  const endSeconds = Math.max(0.001, ...points.map(({ seconds }) => seconds))
  const summary = facts.map(([name, value]) => `${name}: ${value}`).join('; ')
  const panels = [
    panel({ top: PANEL_TOPS[0], label: 'records acknowledged per second', lines: RATE, points, endSeconds }),
    panel({ top: PANEL_TOPS[1], label: 'latency, ms', lines: LATENCIES, points, endSeconds }),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" \
font-family="system-ui, sans-serif" font-size="13">
<title>${escaped(title)}</title>
<desc>${escaped(summary)}</desc>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${LEFT}" y="24" font-size="17" font-weight="600">${escaped(title)}</text>
${panels.join('\n')}
<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">seconds since the start</text>
</svg>`
}

interface Panel {
  top: number
  label: string
  lines: readonly Line[]
  points: readonly TimelinePoint[]
  endSeconds: number
}

function panel({ top, label, lines, points, endSeconds }: Panel): string {
  const values = points.flatMap(point => lines.map(({ read }) => read(point) ?? 0))
  const highest = niceCeiling(Math.max(0, ...values))
  const bottom = top + PANEL_HEIGHT
  const width = WIDTH - LEFT - RIGHT
  const xOf = (seconds: number) => round(LEFT + (seconds / endSeconds) * width)
  const yOf = (value: number) => round(bottom - (value / highest) * PANEL_HEIGHT)
  const parts = [`<text x="${LEFT}" y="${top - 12}" font-weight="600">${escaped(label)}</text>`]
  for (let tick = 0; tick <= TICKS; tick++) {
    const value = (highest * tick) / TICKS
    const seconds = (endSeconds * tick) / TICKS
    parts.push(
      `<path d="M${LEFT} ${yOf(value)}H${WIDTH - RIGHT}" stroke="#dddddd"/>`,
      `<text x="${LEFT - 8}" y="${yOf(value) + 4}" text-anchor="end">${tickText(value)}</text>`,
      `<text x="${xOf(seconds)}" y="${bottom + 18}" text-anchor="middle">${tickText(seconds)}</text>`,
    )
  }
  for (const [index, { name, color, dash, read }] of lines.entries()) {
    const style = `fill="none" stroke="${color}" stroke-width="2"${dash ? ` stroke-dasharray="${dash}"` : ''}`
    parts.push(`<path d="${pathOf(points, read, xOf, yOf)}" ${style}/>`)
    if (lines.length === 1) continue
    const x = WIDTH - RIGHT - (lines.length - index) * 80
    parts.push(
      `<path d="M${x} ${top - 16}h28" ${style}/>`,
      `<text x="${x + 34}" y="${top - 12}">${escaped(name)}</text>`,
    )
  }
  return parts.join('\n')
}

/** A line with a gap wherever there is no value. */
function pathOf(
  points: readonly TimelinePoint[],
  read: Line['read'],
  xOf: (seconds: number) => number,
  yOf: (value: number) => number,
): string {
  let path = ''
  let isDrawing = false
  for (const point of points) {
    const value = read(point)
    if (value !== null) path += `${isDrawing ? 'L' : 'M'}${xOf(point.seconds)} ${yOf(value)}`
    // A point between two gaps has no length: round it would be seen, a dot of its own is simpler.
    if (value !== null && !isDrawing) path += 'h0.1'
    isDrawing = value !== null
  }
  return path
}

/** The next 1, 2, 2.5 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5].find(step => step * power >= value) ?? 10) * power
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function tickText(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text of XML; control characters, which XML does not allow, are escaped as on a terminal. */
function escaped(text: string): string {
  return printable(text).replace(/[&<>"]/g, character => ENTITIES[character] as string)
}
