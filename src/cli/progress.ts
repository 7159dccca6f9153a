import { formatCount, formatDuration, formatMegabytes, type Totals } from './summary.js'

const BAR_CELLS = 24
const TTY_INTERVAL_MS = 100
const LINE_INTERVAL_MS = 3_000
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
  /** Between plain lines, where the stream is no terminal. */
  lineIntervalMs?: number
}

/** One line on a terminal that is drawn over and over; a plain line every few seconds elsewhere. */
export class Progress {
  readonly #stream: ProgressStream
  readonly #totals: Totals
  readonly #share: () => number | null
  readonly #now: () => number
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  #drawn = false

  constructor({ stream, totals, share, now = () => performance.now(), lineIntervalMs }: ProgressOptions) {
    this.#stream = stream
    this.#totals = totals
    this.#share = share
    this.#now = now
    this.#startedAt = now()
    const interval = stream.isTTY ? TTY_INTERVAL_MS : (lineIntervalMs ?? LINE_INTERVAL_MS)
    this.#timer = setInterval(() => this.draw(), interval)
    this.#timer.unref()
  }

  /** Shows how things stand now. */
  draw(): void {
    const text = this.#text()
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`)
      return
    }
    // One column is left free: a full line would wrap and could not be drawn over.
    this.#stream.write(CLEAR_LINE + text.slice(0, Math.max(20, (this.#stream.columns ?? 80) - 1)))
    this.#drawn = true
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

  #text(): string {
    const seconds = Math.max(1e-3, (this.#now() - this.#startedAt) / 1000)
    const { delivered, failed, deliveredBytes } = this.#totals
    const share = this.#share()
    const parts: string[] = []
    if (share !== null) {
      const done = Math.min(1, share)
      const cells = Math.round(done * BAR_CELLS)
      if (this.#stream.isTTY) parts.push(`[${'='.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}]`)
      parts.push(`${Math.floor(done * 100)}%`.padStart(4))
    }
    parts.push(`${formatCount(delivered)} records`, formatMegabytes(deliveredBytes))
    parts.push(`${formatCount(delivered / seconds)} records/s`)
    if (failed > 0) parts.push(`${formatCount(failed)} failed`)
    if (share !== null && share > 0 && share < 1) {
      parts.push(`ETA ${formatDuration((seconds * (1 - share)) / share)}`)
    }
    return parts.join('  ')
  }
}
