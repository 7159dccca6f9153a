import { Histogram } from '../histogram.js'

const FIRST_WIDTH_MS = 100
const BUCKETS_MAX = 240

/** What happened in one stretch of the run. */
export interface TimelinePoint {
  /** Seconds since the start of the run, of the middle of the stretch. */
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Null where nothing was acknowledged. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
}

interface Bucket {
  count: number
  maxMs: number
  latency: Histogram
}

/** Acknowledgements over time, in at most 240 stretches of equal length that grow with the run. */
export class Timeline {
  #widthMs = FIRST_WIDTH_MS
  #buckets: Bucket[] = []
  #lastMs = 0

  /** A record that was acknowledged `atMs` after the start. */
  record(atMs: number, latencyMs: number): void {
    let index = Math.floor(atMs / this.#widthMs)
    while (index >= BUCKETS_MAX) {
      this.#halve()
      index = Math.floor(atMs / this.#widthMs)
    }
    while (this.#buckets.length <= index) this.#buckets.push({ count: 0, maxMs: 0, latency: new Histogram() })
    const bucket = this.#buckets[index] as Bucket
    bucket.count++
    bucket.latency.add(latencyMs)
    if (latencyMs > bucket.maxMs) bucket.maxMs = latencyMs
    if (atMs > this.#lastMs) this.#lastMs = atMs
  }

  points(): TimelinePoint[] {
    return this.#buckets.map(({ count, maxMs, latency }, index) => {
      const startMs = index * this.#widthMs
      // The last stretch is as long as the run had got into it.
      const lengthMs = Math.max(1, Math.min(this.#widthMs, this.#lastMs - startMs))
      return {
        seconds: (startMs + lengthMs / 2) / 1000,
        recordsPerSecond: (count * 1000) / lengthMs,
        p50Ms: quantile(latency, 0.5, maxMs),
        p99Ms: quantile(latency, 0.99, maxMs),
        maxMs: count === 0 ? null : maxMs,
      }
    })
  }

  /** Two stretches become one. */
  #halve(): void {
    const merged: Bucket[] = []
    for (const [index, bucket] of this.#buckets.entries()) {
      const last = merged.at(-1)
      if (index % 2 === 0 || last === undefined) merged.push(bucket)
      else {
        last.count += bucket.count
        last.maxMs = Math.max(last.maxMs, bucket.maxMs)
        last.latency.merge(bucket.latency)
      }
    }
    this.#buckets = merged
    this.#widthMs *= 2
  }
}

/** A histogram's quantiles are a little too high; none is above the highest value. */
function quantile(latency: Histogram, share: number, maxMs: number): number | null {
  const value = latency.quantile(share)
  return value === null ? null : Math.min(value, maxMs)
}
