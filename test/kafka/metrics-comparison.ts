import type { Metric } from '../../dist/index.js'

/** A metric of either producer, reduced to what is compared. */
export interface ComparedMetric {
  /** Group, name and tags. */
  readonly key: string
  readonly name: string
  readonly type: 'number' | 'string'
  readonly value: number | string
}

/** Why values of these metrics are not compared. */
export const EXCEPTIONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/(?<!compression)-rate$/, 'divided by the run time of each producer; the total beside it is compared'],
  [/^(io-|select-|network-io)/, 'an event loop has no poll of its own: turns of the loop are counted'],
  [/-(time-ns-total|wait-ratio)$/, 'times of a thread that waits here and of a loop that does not there'],
  [/^metadata-age$/, 'age at the moment of reading'],
  [
    /^(request-latency|record-queue-time)-(avg|max)$/,
    'times of this machine: JVM and Node warm up differently',
  ],
  [
    /^(incoming|outgoing)-byte-total$/,
    'client names differ in length, and so do the versions that are asked for',
  ],
  [/^(request|response)-total$/, 'metadata are asked for at other moments'],
  [/^request-size-avg$/, 'an average over requests of which some are for metadata'],
  [/^start-time-ms$|^version$|^commit-id$/, 'of another client'],
  [
    /^connection-(count|creation-total|close-total)$/,
    'the bootstrap connection is closed as soon as it is spent',
  ],
  [/^buffer-available-bytes$/, 'slabs are given back at once here, and kept in a free list there'],
  [/^batch-split-total$/, 'a batch is divided into halves here, and into batches of batch.size there'],
]

export function fromJava(line: string): ComparedMetric {
  const [group, name, tags, type, value] = line.split('\t') as [string, string, string, string, string]
  const pairs = tags.slice(1, -1).split(', ').sort()
  const isText = type === 'String'
  return {
    key: keyOf(group, name, pairs),
    name,
    type: isText ? 'string' : 'number',
    value: isText ? value : Number(value),
  }
}

export function fromOurs({ group, name, tags, value }: Metric): ComparedMetric {
  const pairs = Object.entries(tags)
    .map(([tag, of]) => `${tag}=${of}`)
    .sort()
  return {
    key: keyOf(group, name, pairs),
    name,
    type: typeof value === 'string' ? 'string' : 'number',
    value,
  }
}

function keyOf(group: string, name: string, pairs: readonly string[]): string {
  return `${group}:${name}:{${pairs.join(', ')}}`
}

export interface Comparison {
  /** Names, groups, tags or types that only one of them has. */
  readonly sets: string[]
  /** Values that differ and have no reason to. */
  readonly values: string[]
  readonly compared: number
}

/**
 * Compares two producers' metrics: the sets, totals and gauges exactly, averages and maxima within a tenth.
 * `excused` are further names whose values the scenario leaves open.
 */
export function compareMetrics(
  java: readonly ComparedMetric[],
  ours: readonly ComparedMetric[],
  excused: readonly string[] = [],
): Comparison {
  const theirs = new Map(java.map(metric => [metric.key, metric]))
  const own = new Map(ours.map(metric => [metric.key, metric]))
  const sets = [
    ...java.filter(({ key }) => !own.has(key)).map(({ key }) => `only Java: ${key}`),
    ...ours.filter(({ key }) => !theirs.has(key)).map(({ key }) => `only millrace: ${key}`),
  ]
  const values: string[] = []
  let compared = 0
  for (const metric of ours) {
    const other = theirs.get(metric.key)
    if (other === undefined) continue
    if (other.type !== metric.type) sets.push(`${metric.key}: ${other.type} in Java, ${metric.type} here`)
    const isExcused =
      excused.includes(metric.name) || EXCEPTIONS.some(([pattern]) => pattern.test(metric.name))
    if (isExcused || typeof metric.value === 'string' || typeof other.value === 'string') continue
    compared++
    if (!isClose(metric.name, other.value, metric.value))
      values.push(`${metric.key}: ${other.value} in Java, ${metric.value} here`)
  }
  return { sets, values, compared }
}

function isClose(name: string, java: number, ours: number): boolean {
  if (Object.is(java, ours)) return true
  return /-(avg|max)$|^compression-rate$/.test(name) && Math.abs(java - ours) <= 0.1 * Math.abs(java)
}
