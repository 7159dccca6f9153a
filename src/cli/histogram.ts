/** Buckets per doubling: a quantile is at most 1/32 too high. */
const STEPS = 32
const DOUBLINGS = 36
const BUCKETS = STEPS * DOUBLINGS

/** Counts of latencies from 1 µs to 19 hours in a fixed 9 KiB. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0

  add(milliseconds: number, count = 1): void {
    const exact = Math.ceil(Math.log2(Math.max(1, milliseconds * 1000)) * STEPS)
    const bucket = Math.min(BUCKETS - 1, exact)
    this.#counts[bucket] = (this.#counts[bucket] as number) + count
    this.#total += count
  }

  get total(): number {
    return this.#total
  }

  /** Takes over the counts of another. */
  merge(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#counts[bucket] = (this.#counts[bucket] as number) + (other.#counts[bucket] as number)
    }
    this.#total += other.#total
  }

  /** Milliseconds that this share (0 to 1) of all counts do not exceed; null if there are none. */
  quantile(share: number): number | null {
    if (this.#total === 0) return null
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number
      if (seen >= share * this.#total) return 2 ** (bucket / STEPS) / 1000
    }
    return null
  }
}
