import { formatCount, formatDuration, formatMegabytes, type Totals } from './summary.js'

const BAR_CELLS = 24
/** Fewer say little, but on a narrow terminal they are better than nothing. */
const BAR_CELLS_MIN = 8
const BAR_CELLS_MIN_NARROW = 2
const NARROW_COLUMNS = 60
const COLUMNS = 80
const TTY_INTERVAL_MS = 100
const LINE_INTERVAL_MS = 3_000
const GAP = '  '
/** Back to the first column, and clear the line. */
const CLEAR_LINE = '\r\x1b[2K'

/** Where progress is shown. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

interface ProgressOptions {
  stream: ProgressStream
  totals: Totals
  /** How much of the whole is done, 0 to 1; null if that is not known. */
  share: () => number | null
  now?: () => number
  /** More to be shown, the most important first. */
  details?: () => readonly string[]
  /** Between plain lines, where the stream is no terminal. */
  lineIntervalMs?: number
}

/** One line on a terminal that is drawn over and over; a plain line every few seconds elsewhere. */
export class Progress {
  readonly #stream: ProgressStream
  readonly #totals: Totals
  readonly #share: () => number | null
  readonly #now: () => number
  readonly #details: () => readonly string[]
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  #drawn = false

  constructor(options: ProgressOptions) {
    const { stream, totals, share, now = () => performance.now(), lineIntervalMs } = options
    this.#stream = stream
    this.#totals = totals
    this.#share = share
    this.#now = now
    this.#details = options.details ?? (() => [])
    this.#startedAt = now()
    const interval = stream.isTTY ? TTY_INTERVAL_MS : (lineIntervalMs ?? LINE_INTERVAL_MS)
    this.#timer = setInterval(() => this.draw(), interval)
    this.#timer.unref()
  }

  /** Shows how things stand now. */
  draw(): void {
    if (!this.#stream.isTTY) {
      this.#stream.write(`${this.#text(COLUMNS)}\n`)
      return
    }
    // One column is left free: a full line would wrap and could not be drawn over.
    this.#stream.write(CLEAR_LINE + this.#text((this.#stream.columns || COLUMNS) - 1))
    this.#drawn = true
  }

  /** Takes the bar off the line, for somebody else's output; the next draw brings it back. */
  clear(): void {
    if (this.#drawn) this.#stream.write(CLEAR_LINE)
    this.#drawn = false
  }

  /** Writes a line of its own without tearing the bar. */
  note(text: string): void {
    this.#stream.write(`${this.#drawn ? CLEAR_LINE : ''}${text}\n`)
    this.#drawn = false
  }

  /** Draws the last state of the bar and ends its line. */
  stop(): void {
    clearInterval(this.#timer)
    if (!this.#stream.isTTY) return
    this.draw()
    this.#stream.write('\n')
    this.#drawn = false
  }

  /** As much as fits; what matters least is left out first. The bar takes what is left. */
  #text(columns: number): string {
    const seconds = Math.max(1e-3, (this.#now() - this.#startedAt) / 1000)
    const { delivered, failed, deliveredBytes } = this.#totals
    const share = this.#share()
    const percent = share === null ? null : `${Math.floor(Math.min(1, share) * 100)}%`.padStart(4)
    // In the order of the line, with how much each matters.
    const parts: [text: string, rank: number][] = [[`${formatCount(delivered)} records`, 9]]
    if (percent !== null) parts.unshift([percent, 8])
    parts.push([formatMegabytes(deliveredBytes), 2], [`${formatCount(delivered / seconds)} records/s`, 5])
    if (failed > 0) parts.push([`${formatCount(failed)} failed`, 7])
    for (const [index, detail] of this.#details().entries()) parts.push([detail, 6 - index * 0.1])
    if (share !== null && share > 0 && share < 1) {
      parts.push([`ETA ${formatDuration((seconds * (1 - share)) / share)}`, 4])
    }
    const lengthOf = () => parts.reduce((sum, [text]) => sum + text.length, (parts.length - 1) * GAP.length)
    while (parts.length > 1 && lengthOf() > columns) {
      const least = parts.reduce((low, part) => (part[1] < low[1] ? part : low))
      parts.splice(parts.indexOf(least), 1)
    }
    const text = parts.map(([part]) => part).join(GAP)
    if (share === null || !this.#stream.isTTY) return text.slice(0, columns)
    const cells = Math.min(BAR_CELLS, columns - text.length - GAP.length - 2)
    if (cells < (columns < NARROW_COLUMNS ? BAR_CELLS_MIN_NARROW : BAR_CELLS_MIN))
      return text.slice(0, columns)
    const done = Math.round(Math.min(1, share) * cells)
    return `[${'='.repeat(done)}${' '.repeat(cells - done)}]${GAP}${text}`
  }
}
