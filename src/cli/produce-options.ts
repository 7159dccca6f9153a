import { readFileSync, statSync } from 'node:fs'
import { type ProducerOptions, parseProperties } from '../index.js'
import { assignment, type OptionTable, parseOptions, quote, UsageError, wholeNumber } from './arguments.js'
import type { RecordTemplate } from './records.js'

const OPTIONS = {
  'bootstrap-server': { type: 'string' },
  topic: { type: 'string' },
  file: { type: 'string' },
  'key-field': { type: 'string' },
  partition: { type: 'string' },
  header: { type: 'string', multiple: true },
  compression: { type: 'string' },
  acks: { type: 'string' },
  property: { type: 'string', multiple: true },
  'command-config': { type: 'string' },
  count: { type: 'string' },
  quiet: { type: 'boolean' },
} as const satisfies OptionTable

const DEFAULT_EVENTS = 1_000_000
const DEFAULT_TOPIC = 'millrace-events'

/** Where the records come from. */
type Source =
  | { readonly kind: 'events'; readonly count: number }
  | { readonly kind: 'stdin' }
  /** `bytes` is null where the size is not known beforehand, as with a named pipe. */
  | { readonly kind: 'file'; readonly path: string; readonly bytes: number | null }

/** What `produce` was asked to do. */
export interface ProducePlan {
  /** Options of the producer; without `bootstrap.servers` if `inProcess`. */
  readonly options: ProducerOptions
  /** No cluster was named: a broker is started in this process, and all is read back from it. */
  readonly inProcess: boolean
  readonly template: RecordTemplate
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[]
  readonly keyField: string | undefined
  readonly source: Source
  readonly quiet: boolean
}

/** Reads the options of `produce`. `terminal` is whether stdin is one. Throws {@link UsageError}. */
export function planProduce(args: readonly string[], terminal: boolean): ProducePlan {
  const values = parseOptions(args, OPTIONS)
  const file = values['command-config'] === undefined ? {} : readConfig(values['command-config'])
  const extra = values.property.map(text => assignment('property', text))
  const options = producerOptions(file, values, extra)
  const inProcess = !('bootstrap.servers' in options || 'bootstrapServers' in options)
  if (!inProcess && values.topic === undefined) throw new UsageError('--topic is missing')

  const headers = values.header.map(text => {
    const [name, value] = assignment('header', text)
    return [name, Buffer.from(value)] as const
  })
  const { partition } = values
  const source = sourceOf(values.file, values.count, inProcess || terminal)
  if (source.kind === 'events' && values['key-field'] !== undefined) {
    throw new UsageError('--key-field needs --file or stdin: generated events have their user as the key')
  }
  return {
    options,
    inProcess,
    template: {
      topic: values.topic ?? DEFAULT_TOPIC,
      partition: partition === undefined ? undefined : wholeNumber('partition', partition, 0, 2 ** 31 - 1),
      headers: headers.length === 0 ? undefined : headers,
    },
    headers,
    keyField: values['key-field'],
    source,
    quiet: values.quiet,
  }
}

function sourceOf(file: string | undefined, count: string | undefined, eventsByDefault: boolean): Source {
  if (file !== undefined && count !== undefined) {
    throw new UsageError('--count is for generated events and cannot be combined with --file')
  }
  if (count !== undefined) {
    return { kind: 'events', count: wholeNumber('count', count, 1, 1_000_000_000) }
  }
  if (file === '-') return { kind: 'stdin' }
  if (file === undefined) {
    return eventsByDefault ? { kind: 'events', count: DEFAULT_EVENTS } : { kind: 'stdin' }
  }
  try {
    const stats = statSync(file)
    if (stats.isDirectory()) throw new Error('it is a directory')
    return { kind: 'file', path: file, bytes: stats.isFile() ? stats.size : null }
  } catch (error) {
    throw new UsageError(`--file ${quote(file)} cannot be read: ${(error as Error).message}`)
  }
}

function readConfig(path: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--command-config ${quote(path)} cannot be read: ${(error as Error).message}`)
  }
  return parseProperties(text)
}

interface OptionProperties {
  'bootstrap-server': string | undefined
  compression: string | undefined
  acks: string | undefined
}

/** The options have the last word over the file, and `--property` over both. */
function producerOptions(
  file: Readonly<Record<string, string>>,
  values: OptionProperties,
  extra: readonly (readonly [key: string, value: string])[],
): ProducerOptions {
  const options: Record<string, string> = { 'client.id': 'millrace-produce', ...file }
  const own = [
    ['bootstrap.servers', values['bootstrap-server']],
    ['compression.type', values.compression],
    ['acks', values.acks],
    ...extra,
  ] as const
  for (const [key, value] of own) if (value !== undefined) options[key] = value
  return options
}
