import type { MetricsSource } from '../source.js'
import { collect, familyHeads, type Labels } from './families.js'
import type { FamilyType } from './names.js'

export type { MetricsSource } from '../source.js'

/** The content type of {@link prometheusText}. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * The metrics of producers in Prometheus' text format (version 0.0.4), for the answer to a scrape. Names
 * begin with `millrace_producer_`. Labels are `client_id` and, where a metric is one of a topic or a broker,
 * `topic` or `node_id`. Times are in seconds, sizes in bytes. The text ends with a line feed, so that it can
 * be put before or after other metrics.
 */
export function prometheusText(...producers: readonly MetricsSource[]): string {
  const lines = new Array<string>(familyHeads.length).fill('')
  collect(producers, (family, suffix, labels, value) => {
    const { name } = familyHeads[family] as (typeof familyHeads)[number]
    lines[family] += `${name}${suffix}${labels.text} ${numberText(value)}\n`
  })
  let text = ''
  for (const [family, { name, help, type }] of familyHeads.entries()) {
    if (lines[family] !== '')
      text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines[family]}`
  }
  return text
}

/** One value as `prom-client` formats it. */
export interface PromClientValue {
  readonly metricName: string
  readonly labels: Labels
  readonly value: number
}

/** A metric as `prom-client`'s `Registry.registerMetric` takes it; none of that package's classes. */
export interface PromClientMetric {
  readonly name: string
  readonly help: string
  readonly type: FamilyType
  readonly aggregator: 'sum'
  get(): Promise<{
    readonly name: string
    readonly help: string
    readonly type: FamilyType
    readonly aggregator: 'sum'
    readonly values: readonly PromClientValue[]
  }>
  /** Does nothing: the totals are the producer's. */
  reset(): void
}

/** What is needed of `prom-client`'s `Registry`. */
export interface PromClientRegistry {
  // biome-ignore lint/suspicious/noExplicitAny: its own type is a union of its classes
  registerMetric(metric: any): void
}

/**
 * The metrics of producers for `prom-client`, without depending on it: one object for each name, which is
 * read at every scrape. With a registry as the first argument they are registered there at once:
 *
 *     promClientCollector(register, producer)
 *     for (const metric of promClientCollector(producer)) register.registerMetric(metric)
 */
export function promClientCollector(
  ...given: readonly (MetricsSource | PromClientRegistry)[]
): readonly PromClientMetric[] {
  const registries = given.filter((one): one is PromClientRegistry => 'registerMetric' in one)
  const producers = given.filter((one): one is MetricsSource => !('registerMetric' in one))
  const scrape = new SharedScrape(producers)
  const metrics = familyHeads.map(({ name, help, type }): PromClientMetric => {
    const head = { name, help, type, aggregator: 'sum' } as const
    return { ...head, get: async () => ({ ...head, values: scrape.valuesOf(name) }), reset() {} }
  })
  for (const registry of registries) for (const metric of metrics) registry.registerMetric(metric)
  return metrics
}

/** A scrape asks for each metric by itself, in one turn: all get what was collected for the first. */
class SharedScrape {
  private readonly producers: readonly MetricsSource[]
  private families: Map<string, readonly PromClientValue[]> | null = null

  constructor(producers: readonly MetricsSource[]) {
    this.producers = producers
  }

  valuesOf(name: string): readonly PromClientValue[] {
    if (this.families === null) {
      const families = familyHeads.map(({ name }) => ({ name, values: [] as PromClientValue[] }))
      collect(this.producers, (family, suffix, { labels }, value) => {
        const { name, values } = families[family] as (typeof families)[number]
        values.push({ metricName: name + suffix, labels, value })
      })
      this.families = new Map(families.map(({ name, values }) => [name, values]))
      setImmediate(() => {
        this.families = null
      })
    }
    return this.families.get(name) ?? []
  }
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
