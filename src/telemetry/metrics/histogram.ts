/** Counts of values up to bounds, as Prometheus and OpenTelemetry have them. */
export class Histogram {
  /** Ascending; values above the last are counted in one bucket more. */
  readonly bounds: readonly number[]
  /** How many values each bucket has, not those below it. */
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Counts the value `times` times. */
  record(value: number, times: number): void {
    const { bounds, counts } = this
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    counts[bucket] = (counts[bucket] as number) + times
    this.sum += value * times
    this.count += times
  }
}

/** Seconds; those of OpenTelemetry's `messaging.client.operation.duration` and shorter ones. */
export const LATENCY_BOUNDS_S = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 120],
]

/** Bytes, from 256 to 1 MiB by fours. */
export const BATCH_BYTES_BOUNDS = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576]
