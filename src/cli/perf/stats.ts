const SAMPLES_MAX = 500_000
const BYTES_PER_MB = 1024 * 1024
const SHARES = [0.5, 0.95, 0.99, 0.999] as const

/** A reporting interval that has passed, or the whole run. */
export interface Summary {
  readonly records: number
  readonly recordsPerSecond: number
  /** MiB, as the tool has it. */
  readonly megabytesPerSecond: number
  readonly averageMs: number
  readonly maxMs: number
}

/** A whole run. Latencies are milliseconds; the shares are of at most 500,000 samples. */
export interface Total extends Summary {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

interface StatsOptions {
  /** Records that are expected: how many samples are kept depends on it. */
  records: number
  reportingIntervalMs: number
  isSteadyState: boolean
  /** Takes an interval when it has passed; `isFirst` is whether none has before. */
  onInterval: (summary: Summary, isFirst: boolean) => void
  now: () => number
}

interface Sums {
  startedAt: number
  count: number
  bytes: number
  latencyMs: number
  maxMs: number
}

/** The figures of kafka-producer-perf-test, with its sampling and its percentiles. */
export class Stats {
  readonly #options: StatsOptions
  readonly #sampling: number
  readonly #samples: Float64Array
  readonly #all: Sums
  #window: Sums
  #sampled = 0

  constructor(options: StatsOptions) {
    const { records } = options
    this.#options = options
    this.#sampling = Math.floor(records / Math.min(records, SAMPLES_MAX))
    this.#samples = new Float64Array(Math.floor(records / this.#sampling) + 1)
    this.#all = this.#sums()
    this.#window = this.#sums()
  }

  get count(): number {
    return this.#all.count
  }

  /** A record that was acknowledged at `now`. */
  record(latencyMs: number, bytes: number, now: number): void {
    const all = this.#all
    const window = this.#window
    if (all.count % this.#sampling === 0) this.#samples[this.#sampled++] = latencyMs
    add(all, latencyMs, bytes)
    add(window, latencyMs, bytes)
    if (now - window.startedAt < this.#options.reportingIntervalMs) return
    this.#options.onInterval(summaryOf(window, this.#options.now()), all.count === window.count)
    this.#window = this.#sums()
  }

  total(): Total {
    const sorted = this.#samples.slice(0, this.#sampled).sort()
    const [p50Ms, p95Ms, p99Ms, p999Ms] = SHARES.map(share => sorted[Math.floor(share * sorted.length)] ?? 0)
    return {
      ...summaryOf(this.#all, this.#options.now()),
      p50Ms: p50Ms as number,
      p95Ms: p95Ms as number,
      p99Ms: p99Ms as number,
      p999Ms: p999Ms as number,
    }
  }

  #sums(): Sums {
    return { startedAt: this.#options.now(), count: 0, bytes: 0, latencyMs: 0, maxMs: 0 }
  }
}

function add(sums: Sums, latencyMs: number, bytes: number): void {
  sums.count++
  sums.bytes += bytes
  sums.latencyMs += latencyMs
  if (latencyMs > sums.maxMs) sums.maxMs = latencyMs
}

function summaryOf({ startedAt, count, bytes, latencyMs, maxMs }: Sums, now: number): Summary {
  const seconds = (now - startedAt) / 1000
  return {
    records: count,
    recordsPerSecond: count / seconds,
    megabytesPerSecond: bytes / seconds / BYTES_PER_MB,
    averageMs: latencyMs / count,
    maxMs,
  }
}

/** The line of an interval, as kafka-producer-perf-test prints it. */
export function intervalLine(summary: Summary): string {
  const { records, recordsPerSecond, megabytesPerSecond, averageMs, maxMs } = summary
  return (
    `${records} records sent, ${fixed(recordsPerSecond, 1)} records/sec ` +
    `(${fixed(megabytesPerSecond, 2)} MB/sec), ` +
    `${fixed(averageMs, 1)} ms avg latency, ${fixed(maxMs, 1)} ms max latency.`
  )
}

/** The line at the end, as kafka-producer-perf-test prints it. */
export function totalLine(total: Total, isSteadyState: boolean): string {
  const { records, recordsPerSecond, megabytesPerSecond, averageMs, maxMs } = total
  const whole = (ms: number) => `${Math.round(ms)} ms`
  return (
    `${records}${isSteadyState ? ' steady state' : ''} records sent, ` +
    `${fixed(recordsPerSecond, 6)} records/sec (${fixed(megabytesPerSecond, 2)} MB/sec), ` +
    `${fixed(averageMs, 2)} ms avg latency, ${fixed(maxMs, 2)} ms max latency, ` +
    `${whole(total.p50Ms)} 50th, ${whole(total.p95Ms)} 95th, ` +
    `${whole(total.p99Ms)} 99th, ${whole(total.p999Ms)} 99.9th.`
  )
}

/** `NaN` and `Infinity` are what Java prints, too. */
function fixed(value: number, digits: number): string {
  return value.toFixed(digits)
}
