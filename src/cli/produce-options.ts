import { statSync } from 'node:fs'
import { type ProducerOptions, parseProperties } from '../index.js'
import {
  assignment,
  fileError,
  parseCommand,
  quote,
  UsageError,
  type Values,
  wholeNumber,
} from './arguments.js'
import { delimiterOf, LineReader, READER_PROPERTIES, readerOptions } from './line-reader.js'
import type { SplitOptions } from './ndjson.js'
import { FOREIGN_OPTIONS, PRODUCE_OPTIONS, PRODUCER_KEYS } from './produce-table.js'
import {
  asProducerOptions,
  given,
  optionOf,
  type Properties,
  propertiesOf,
  readConfig,
  readRdkafkaConfig,
  readTextFile,
} from './producer-options.js'
import { fromRdkafka } from './rdkafka-options.js'
import type { RecordTemplate } from './records.js'
import type { StandardInput } from './standard-input.js'

const DEFAULT_EVENTS = 1_000_000
const DEFAULT_TOPIC = 'millrace-events'
const DEFAULT_DRAIN_MS = 30_000
const CLIENT_ID = 'millrace-produce'
const COUNT_MAX = 1_000_000_000
/** The reader of Kafka's console producer, which is the one there is here. */
const LINE_READER = /(^|\.)LineMessageReader$/

/** Where the records come from. */
type Source =
  | { readonly kind: 'events'; readonly count: number }
  /** `prompt` is whether somebody types the lines; without a line there are `orEvents` generated events. */
  | { readonly kind: 'stdin'; readonly prompt?: true; readonly orEvents?: number }
  /** `bytes` is null where the size is not known beforehand, as with a named pipe. */
  | { readonly kind: 'file'; readonly path: string; readonly bytes: number | null }
  /** Several files of lines, one after the other. */
  | { readonly kind: 'files'; readonly paths: readonly string[]; readonly bytes: number | null }
  /** Each file is one record. */
  | { readonly kind: 'whole-files'; readonly paths: readonly string[] }

/** How lines become records; `null` is JSON. */
interface LineFormat {
  readonly reader: LineReader | null
  readonly split: SplitOptions
  /** What ends a line in the output of `--tee`. */
  readonly lineEnd: Buffer
}

/** What `produce` was asked to do. */
export interface ProducePlan {
  /** Options of the producer; without `bootstrap.servers` if `inProcess`. */
  readonly options: ProducerOptions
  /** No cluster was named: a broker is started in this process, and all is read back from it. */
  readonly inProcess: boolean
  readonly template: RecordTemplate
  /** All that get the records. */
  readonly topics: readonly string[]
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[]
  readonly keyField: string | undefined
  readonly topicField: string | undefined
  readonly fixedKey: Buffer | null
  readonly source: Source
  readonly format: LineFormat
  readonly maxMessages: number
  readonly tee: boolean
  readonly emptyAsNull: boolean
  readonly sync: boolean
  readonly transactional: boolean
  readonly keepGoing: boolean
  readonly drainTimeoutMs: number
  readonly lingerMs: number
  readonly servers: string
  readonly quiet: boolean
  readonly verbose: boolean
  /** To be said on stderr before the start: what is deprecated, what was found out. */
  readonly notices: readonly string[]
}

type Given = Values<typeof PRODUCE_OPTIONS>

/** Reads the options of `produce`. Throws {@link UsageError}. */
export function planProduce(args: readonly string[], stdin: StandardInput): ProducePlan {
  if (args.some((arg, index) => arg === '-p-1' || (arg === '-p' && args[index + 1] === '-1'))) {
    throw new UsageError("-p -1 is kcat's random partition; without -p records go where Java puts them")
  }
  const { values, positionals } = parseCommand(args, PRODUCE_OPTIONS, FOREIGN_OPTIONS)
  const notices: string[] = []
  const { properties, readerProperties } = sortProperties(values, notices)
  const options = producerOptions(values, properties, notices)
  const servers = optionOf(options, 'bootstrap.servers')
  const inProcess = servers === undefined
  const topicField = values['topic-field']
  if (!inProcess && values.topic.length === 0 && topicField === undefined) {
    throw new UsageError('--topic is missing')
  }
  const headers = values.header.map(text => {
    const [name, value] = assignment('header', text)
    return [name, Buffer.from(value)] as const
  })
  const source = sourceOf(values, positionals, { inProcess, stdin })
  const isJson = isJsonWanted(values, source, readerProperties, notices)
  checkFit(values, source, isJson)
  const topics = values.topic.length > 0 ? [...new Set(values.topic)] : inProcess ? [DEFAULT_TOPIC] : []
  const { partition, key } = values
  const maxMessages = values['max-messages']
  return {
    options: asProducerOptions(options),
    inProcess,
    template: {
      topic: topics[0] ?? '',
      partition: partition === undefined ? undefined : wholeNumber('partition', partition, 0, 2 ** 31 - 1),
      headers: headers.length === 0 ? undefined : headers,
    },
    topics,
    headers,
    keyField: values['key-field'],
    topicField,
    fixedKey: key === undefined ? null : Buffer.from(key),
    source,
    format: formatOf(values, isJson, readerProperties),
    maxMessages:
      maxMessages === undefined
        ? Number.POSITIVE_INFINITY
        : wholeNumber('max-messages', maxMessages, 1, Number.MAX_SAFE_INTEGER),
    tee: values.tee,
    emptyAsNull: values['empty-as-null'],
    sync: values.sync,
    transactional: optionOf(options, 'transactional.id') !== undefined,
    keepGoing: values['keep-going'],
    drainTimeoutMs: wholeNumber(
      'drain-timeout-ms',
      values['drain-timeout-ms'] ?? `${DEFAULT_DRAIN_MS}`,
      0,
      2 ** 31 - 1,
    ),
    lingerMs: Number(optionOf(options, 'linger.ms') ?? 0) || 0,
    servers: servers ?? '',
    quiet: values.quiet,
    verbose: values.verbose,
    notices,
  }
}

/**
 * `--property` was the reader's in Kafka's console producer and is the producer's here: no name is in both.
 */
function sortProperties(
  values: Given,
  notices: string[],
): { properties: Properties; readerProperties: Properties } {
  const own = propertiesOf('property', values.property)
  const isReaders = ([key]: [string, string]) => READER_PROPERTIES.includes(key)
  const readersOwn = Object.fromEntries(Object.entries(own).filter(isReaders))
  const properties = Object.fromEntries(Object.entries(own).filter(entry => !isReaders(entry)))
  if (Object.keys(readersOwn).length > 0) {
    if (values['reader-property'].length > 0) {
      throw new UsageError('--reader-property and --property with its names cannot be specified together')
    }
    notices.push('Warning: --property is deprecated for the reader. Use --reader-property instead.')
  }
  const config = values['reader-config']
  const file = config === undefined ? {} : parseProperties(readTextFile('reader-config', config))
  const readers = propertiesOf('reader-property', values['reader-property'].map(withValue))
  return { properties, readerProperties: { ...file, ...readersOwn, ...readers } }
}

/** Kafka takes `name` alone for `name=`. */
function withValue(text: string): string {
  return text.includes('=') ? text : `${text}=`
}

/**
 * As in Kafka's console producer an option has the last word over `--command-property`, and both over the
 * file; `--property` has it over all of them.
 */
function producerOptions(values: Given, properties: Properties, notices: string[]): Properties {
  const deprecated = (old: string, name: string) =>
    notices.push(
      `Warning: --${old} is deprecated and will be removed in a future version. Use --${name} instead.`,
    )
  const config = values['command-config'] ?? values['producer.config']
  if (values['producer.config'] !== undefined) {
    if (values['command-config'] !== undefined) throw together('--command-config', '--producer.config')
    deprecated('producer.config', 'command-config')
  }
  if (values['producer-property'].length > 0) {
    if (values['command-property'].length > 0) throw together('--command-property', '--producer-property')
    deprecated('producer-property', 'command-property')
  }
  if (values['max-partition-memory-bytes'] !== undefined)
    deprecated('max-partition-memory-bytes', 'batch-size')
  const metadataTimeout = values['metadata-timeout']
  const named: Record<string, string | undefined> = {}
  for (const [name, key] of Object.entries(PRODUCER_KEYS)) {
    const value = values[name as keyof typeof PRODUCER_KEYS]
    if (value !== undefined) named[key] = value
  }
  const rdkafkaConfig = values['rdkafka-config']
  return {
    'client.id': CLIENT_ID,
    ...(config === undefined ? {} : readConfig('command-config', config, text => notices.push(text))),
    ...(rdkafkaConfig === undefined ? {} : readRdkafkaConfig(rdkafkaConfig)),
    ...propertiesOf('command-property', [...values['command-property'], ...values['producer-property']]),
    ...fromRdkafka(values['rdkafka-property'].map(text => assignment('rdkafka-property', text))),
    ...given(named),
    ...given({
      'bootstrap.servers': values['bootstrap-server'],
      'compression.type': values.compression ?? values['compression-codec'],
      acks: values.acks ?? values['request-required-acks'],
      'transactional.id': values['transactional-id'],
      'max.block.ms':
        metadataTimeout === undefined
          ? undefined
          : `${wholeNumber('metadata-timeout', metadataTimeout, 1, 86_400) * 1000}`,
    }),
    ...properties,
  }
}

function together(one: string, other: string): UsageError {
  return new UsageError(`Options ${one} and ${other} cannot be specified together.`)
}

interface Surroundings {
  readonly inProcess: boolean
  readonly stdin: StandardInput
}

function sourceOf(values: Given, positionals: readonly string[], { inProcess, stdin }: Surroundings): Source {
  const { count, lines } = values
  const lineFiles = lines ? [...values.file, ...positionals] : values.file
  const wholeFiles = lines ? [] : positionals
  if (count !== undefined) {
    if (lineFiles.length > 0) {
      throw new UsageError('--count is for generated events and cannot be combined with --file')
    }
    if (wholeFiles.length > 0)
      throw new UsageError('--count is for generated events, FILE arguments are messages')
    return { kind: 'events', count: wholeNumber('count', count, 1, COUNT_MAX) }
  }
  if (wholeFiles.length > 0) {
    if (lineFiles.length > 0)
      throw new UsageError('FILE arguments are whole messages; --file or -l has lines')
    for (const path of wholeFiles) bytesOf('FILE', path)
    return { kind: 'whole-files', paths: wholeFiles }
  }
  if (lineFiles.length > 1) {
    if (lineFiles.includes('-')) throw new UsageError('--file - cannot be combined with other files')
    const sizes = lineFiles.map(path => bytesOf('--file', path))
    const bytes = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
    return { kind: 'files', paths: lineFiles, bytes }
  }
  const [file] = lineFiles
  if (file !== undefined && file !== '-') return { kind: 'file', path: file, bytes: bytesOf('--file', file) }
  // Without a cluster there is one to try out; with one, nothing is sent that nobody wrote.
  if (file === undefined && inProcess && !asksForLines(values)) {
    if (stdin !== 'piped') return { kind: 'events', count: DEFAULT_EVENTS }
    // Whoever starts this from a program often leaves an empty pipe there.
    return fitsEvents(values) ? { kind: 'stdin', orEvents: DEFAULT_EVENTS } : { kind: 'stdin' }
  }
  return stdin === 'terminal' && file === undefined ? { kind: 'stdin', prompt: true } : { kind: 'stdin' }
}

/** Whether an option is given that has a meaning for lines only. */
function asksForLines(values: Given): boolean {
  const { json, raw, tee, delimiter, lines } = values
  const texts = [delimiter, values['key-delimiter'], values['max-messages'], values['reader-config']]
  return (
    json ||
    raw ||
    tee ||
    lines ||
    texts.some(text => text !== undefined) ||
    values['reader-property'].length > 0
  )
}

/** Whether no option is given that {@link checkFit} refuses for generated events. */
function fitsEvents(values: Given): boolean {
  const ofLines = [values.key, values['key-field'], values['topic-field']]
  return ofLines.every(option => option === undefined)
}

/** Bytes of a file that is to be read; null where they are not known. */
function bytesOf(option: string, path: string): number | null {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw new Error('it is a directory')
    return stats.isFile() ? stats.size : null
  } catch (error) {
    throw fileError(option, path, 'read', error)
  }
}

const JSON_NAME = /\.(ndjson|jsonl)$/i

/** JSON is asked for by `--json` or by a field; a name that says so is believed, and the finding is said. */
function isJsonWanted(values: Given, source: Source, reader: Properties, notices: string[]): boolean {
  const { json, raw } = values
  if (json && raw) throw together('--json', '--raw')
  if (raw) return false
  if (json) return true
  const field = ['key-field', 'topic-field'].find(name => values[name as 'key-field'] !== undefined)
  if (field !== undefined) return true
  const paths = source.kind === 'file' ? [source.path] : source.kind === 'files' ? source.paths : []
  const asksForText = Object.keys(reader).length > 0 || values['key-delimiter'] !== undefined
  if (paths.length === 0 || asksForText || !paths.every(path => JSON_NAME.test(path))) return false
  notices.push(`${paths.join(', ')}: read as JSON, as the name says; --raw takes the lines as they stand`)
  return true
}

function formatOf(values: Given, isJson: boolean, properties: Properties): LineFormat {
  const { delimiter, key } = values
  const keyDelimiter = values['key-delimiter']
  const bytes = delimiter === undefined ? null : delimiterOf('delimiter', delimiter)
  const reader = readerOptions(properties)
  if (keyDelimiter !== undefined && reader.parseKey)
    throw together('--key-delimiter', '--reader-property parse.key')
  const hasDelimiter = keyDelimiter !== undefined
  return {
    reader: isJson
      ? null
      : new LineReader({
          ...reader,
          parseKey: reader.parseKey || hasDelimiter,
          keySeparator: hasDelimiter ? delimiterOf('key-delimiter', keyDelimiter) : reader.keySeparator,
          keyOptional: hasDelimiter,
          emptyAsNull: values['empty-as-null'],
          fixedKey: key === undefined ? null : Buffer.from(key),
        }),
    split: { delimiter: bytes, keepByteOrderMark: !isJson },
    lineEnd: bytes ?? Buffer.from('\n'),
  }
}

/** Throws {@link UsageError} for options that say something about an input that is not there. */
function checkFit(values: Given, source: Source, isJson: boolean): void {
  const lineReader = values['line-reader']
  if (lineReader !== undefined && !LINE_READER.test(lineReader)) {
    throw new UsageError(
      `--line-reader ${quote(lineReader)}: classes of Java cannot be run here; ` +
        '--json, --reader-property and -K read lines',
    )
  }
  if (values.compression !== undefined && values['compression-codec'] !== undefined) {
    throw together('--compression', '--compression-codec')
  }
  if (values['key-field'] !== undefined && source.kind === 'events') {
    throw new UsageError('--key-field needs --file or stdin: generated events have their user as the key')
  }
  if (values.key !== undefined && source.kind === 'events') {
    throw new UsageError('--key needs an input: generated events have their user as the key')
  }
  const forLines: [string, boolean][] = [
    ['--json', values.json],
    ['--raw', values.raw],
    ['--tee', values.tee],
    ['--delimiter', values.delimiter !== undefined],
    ['--key-delimiter', values['key-delimiter'] !== undefined],
    ['--reader-property', values['reader-property'].length > 0],
    ['--topic-field', values['topic-field'] !== undefined],
  ]
  if (source.kind === 'events' || source.kind === 'whole-files') {
    const wrong = forLines.find(([, isGiven]) => isGiven)
    const what = source.kind === 'events' ? 'events are generated here' : 'FILE arguments are whole messages'
    if (wrong) throw new UsageError(`${wrong[0]} is about lines; ${what}`)
  }
  if (isJson && (values['key-delimiter'] !== undefined || values['reader-property'].length > 0)) {
    throw new UsageError(
      '--key-delimiter and --reader-property are about text; --key-field is the one for JSON',
    )
  }
}
