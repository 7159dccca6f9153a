import type { Totals } from './summary.js'

/**
 * Counts and reports records that failed, each with the number of its line (or event). Neighbours that failed
 * with the same message are reported together.
 */
export class Failures {
  readonly #unit: 'line' | 'event'
  readonly #totals: Totals
  readonly #report: (text: string) => void
  #first = 0
  #last = 0
  #message: string | null = null

  constructor(unit: 'line' | 'event', totals: Totals, report: (text: string) => void) {
    this.#unit = unit
    this.#totals = totals
    this.#report = report
  }

  add(number: number, message: string): void {
    this.#totals.failed++
    if (message === this.#message && number === this.#last + 1) {
      this.#last = number
      return
    }
    this.flush()
    this.#first = number
    this.#last = number
    this.#message = message
  }

  /** Reports what is held back for its neighbours. */
  flush(): void {
    if (this.#message === null) return
    const range =
      this.#first === this.#last
        ? `${this.#unit} ${this.#first}`
        : `${this.#unit}s ${this.#first}-${this.#last}`
    this.#report(`${range}: ${this.#message}`)
    this.#message = null
  }
}
