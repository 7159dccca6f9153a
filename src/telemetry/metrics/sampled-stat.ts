/** The windows of all sampled statistics: `metrics.num.samples` and `metrics.sample.window.ms`. */
export interface Windows {
  readonly samples: number
  readonly windowMs: number
}

/** What a sampled statistic makes of the values of its windows. */
export const Sampled = { AVG: 0, MAX: 1, SUM: 2, COUNT: 3 } as const
export type Sampled = (typeof Sampled)[keyof typeof Sampled]

/** Numbers of one sample in the ring: when it began, its last event, how many there were, and its value. */
const START = 0
const LAST = 1
const COUNT = 2
const VALUE = 3
const WORDS = 4
const NO_SAMPLES: number[] = []

/**
 * A statistic over the last windows (Java: `SampledStat`).
 *
 * Values go into the current sample until that is one window old; then the next sample of the ring begins.
 * The ring has one sample more than `metrics.num.samples`, so that a sample stays which began before the time
 * that is looked at but had an event in it. A sample without an event for `samples` windows begins anew.
 */
export class SampledStat {
  private readonly kind: Sampled
  private readonly windows: Windows
  /** The samples one after another; an array of doubles without boxes, as there are very many statistics. */
  private ring: number[] = NO_SAMPLES
  /** Where the current sample begins in the ring. */
  private current = 0

  constructor(kind: Sampled, windows: Windows) {
    this.kind = kind
    this.windows = windows
  }

  /** Takes `count` values of one millisecond, of which it needs the sum and the largest. */
  add(count: number, sum: number, max: number, atMs: number): void {
    const { windowMs } = this.windows
    if (this.ring.length === 0) this.append(atMs)
    else if (atMs - (this.ring[this.current + START] as number) >= windowMs) this.advance(atMs)
    const { ring } = this
    const place = this.current + VALUE
    const before = ring[place] as number
    ring[place] = this.updated(before, count, sum, max)
    ring[this.current + COUNT] = (ring[this.current + COUNT] as number) + count
    ring[this.current + LAST] = atMs
  }

  /** NaN: nothing was recorded in the windows, and the statistic is one of single values. */
  measure(nowMs: number): number {
    this.purge(nowMs)
    const { ring, kind } = this
    let count = 0
    let total = 0
    let largest = Number.NEGATIVE_INFINITY
    for (let at = 0; at < ring.length; at += WORDS) {
      const value = ring[at + VALUE] as number
      count += ring[at + COUNT] as number
      total += value
      if (value > largest) largest = value
    }
    if (kind >= Sampled.SUM) return total
    if (count === 0) return Number.NaN
    return kind === Sampled.AVG ? total / count : largest
  }

  /**
   * The time that the samples cover, as a rate divides by it, in milliseconds: from the start of the oldest
   * sample to now, at least `samples - 1` windows longer than what is left of a first one (Java:
   * `Rate.windowSize`). So a new rate is never one of a short while.
   */
  coveredMs(nowMs: number): number {
    this.purge(nowMs)
    if (this.ring.length === 0) this.append(nowMs)
    const { ring } = this
    let oldestMs = ring[START] as number
    for (let at = WORDS; at < ring.length; at += WORDS)
      oldestMs = Math.min(oldestMs, ring[at + START] as number)
    const { samples, windowMs } = this.windows
    const elapsedMs = nowMs - oldestMs
    const missing = windowMs === 0 ? 0 : samples - 1 - Math.floor(elapsedMs / windowMs)
    return Math.max(elapsedMs + Math.max(missing, 0) * windowMs, 1)
  }

  private updated(before: number, count: number, sum: number, max: number): number {
    const { kind } = this
    if (kind === Sampled.MAX) return Math.max(before, max)
    return before + (kind === Sampled.COUNT ? count : sum)
  }

  private get initial(): number {
    return this.kind === Sampled.MAX ? Number.NEGATIVE_INFINITY : 0
  }

  private append(atMs: number): void {
    // As long as it has to be: to push would make room for a dozen numbers more.
    this.ring = [...this.ring, atMs, atMs, 0, this.initial]
  }

  private advance(atMs: number): void {
    this.current = (this.current + WORDS) % ((this.windows.samples + 1) * WORDS)
    if (this.current >= this.ring.length) this.append(atMs)
    else this.reset(this.current, atMs)
  }

  private reset(at: number, atMs: number): void {
    const { ring } = this
    ring[at + START] = atMs
    ring[at + LAST] = atMs
    ring[at + COUNT] = 0
    ring[at + VALUE] = this.initial
  }

  private purge(nowMs: number): void {
    const { ring } = this
    const { samples, windowMs } = this.windows
    for (let at = 0; at < ring.length; at += WORDS) {
      if (nowMs - (ring[at + LAST] as number) >= samples * windowMs) this.reset(at, nowMs)
    }
  }
}
