/** One metric and its value at the time it is read. */
export interface Metric {
  /** Java's name, such as `record-send-rate`. */
  readonly name: string
  /** Java's group, such as `producer-metrics`. */
  readonly group: string
  /** What it measures, in words. */
  readonly description: string
  /** `client-id`, and `node-id` or `topic` where the metric is one of a broker or a topic. */
  readonly tags: Readonly<Record<string, string>>
  /** Its value now; text for versions and ids. NaN: an average or a maximum of nothing. */
  readonly value: number | string
}

/** A metric that is registered. */
export interface RegisteredMetric {
  readonly name: string
  readonly group: string
  readonly description: string
  readonly tags: Readonly<Record<string, string>>
  /** Whether its value only grows, from `sinceMs` on. */
  readonly isTotal: boolean
  /** Wall-clock milliseconds. */
  readonly sinceMs: number
  measure(nowMs: number): number | string
}
