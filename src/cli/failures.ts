import { printable } from './printable.js'
import type { Totals } from './summary.js'

/** Of a message; it may quote the line. */
const MESSAGE_MAX = 1000

/** Counts and reports records that failed, each with the number of its line (or event). */
export class Failures {
  readonly #unit: 'line' | 'event' | 'file'
  readonly #totals: Totals
  readonly #report: (text: string) => void
  readonly #nameOf: ((number: number) => string) | undefined

  /** `nameOf` gives what a number stands for, where that says more. */
  constructor(
    unit: 'line' | 'event' | 'file',
    totals: Totals,
    report: (text: string) => void,
    nameOf?: (number: number) => string,
  ) {
    this.#unit = unit
    this.#nameOf = nameOf
    this.#totals = totals
    this.#report = report
  }

  /** Records that failed for the same reason. The numbers are to be in order. */
  add(numbers: readonly number[], message: string): void {
    if (numbers.length === 0) return
    this.#totals.failed += numbers.length
    const nameOf = this.#nameOf
    const which = nameOf ? numbers.map(nameOf).join(', ') : ranges(numbers)
    this.#report(
      `${this.#unit}${numbers.length === 1 ? '' : 's'} ${which}: ${printable(message, MESSAGE_MAX)}`,
    )
  }
}

/** `1-3, 7` */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = []
  let first = numbers[0] as number
  for (const [index, number] of numbers.entries()) {
    const next = numbers[index + 1]
    if (next === number + 1) continue
    parts.push(first === number ? `${first}` : `${first}-${number}`)
    first = next as number
  }
  return parts.join(', ')
}
