import { randomUUID } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ProducerOptions } from '../../index.js'
import {
  type ForeignOptions,
  fileError,
  integer,
  type OptionTable,
  parseOptions,
  quote,
  UsageError,
  type Values,
  wholeNumber,
} from '../arguments.js'
import { javaPattern } from '../line-reader.js'
import {
  asProducerOptions,
  given,
  optionOf,
  type Properties,
  propertiesOf,
  readConfig,
} from '../producer-options.js'
import { chartKind } from './chart.js'

const OPTIONS = {
  'bootstrap-server': { type: 'string', short: 'b' },
  topic: { type: 'string', short: 't' },
  'num-records': { type: 'string' },
  throughput: { type: 'string', negative: true },
  'record-size': { type: 'string' },
  'payload-file': { type: 'string' },
  'payload-delimiter': { type: 'string' },
  'payload-monotonic': { type: 'boolean' },
  'command-property': { type: 'string', multiple: true, greedy: true },
  'command-config': { type: 'string' },
  'producer-props': { type: 'string', multiple: true, greedy: true },
  'producer.config': { type: 'string' },
  'print-metrics': { type: 'boolean' },
  'transactional-id': { type: 'string' },
  'transaction-duration-ms': { type: 'string' },
  'warmup-records': { type: 'string', negative: true },
  'reporting-interval': { type: 'string' },
  mode: { type: 'string' },
  json: { type: 'boolean' },
  chart: { type: 'string' },
  'drain-timeout-ms': { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} as const satisfies OptionTable

const FOREIGN: ForeignOptions = {
  '--broker-list': 'it is --bootstrap-server here',
  '--brokers': 'it is --bootstrap-server here',
  '--bootstrap-servers': 'it is --bootstrap-server here, without the s',
  '--messages': 'it is --num-records here',
  '--count': 'it is --num-records here',
  '--num-messages': 'it is --num-records here',
  '--message-size': 'it is --record-size here',
  '--size': 'it is --record-size here',
  '--rate': 'it is --throughput here',
  '--producer-property': 'it is --command-property here',
  '--property': 'it is --command-property here',
  '--transaction-id': 'it is --transactional-id here',
  '--threads': 'one process has one producer; start several',
  '--compression': 'it is --command-property compression.type=… here',
  '--acks': 'it is --command-property acks=… here',
  '--compression-codec': 'it is --command-property compression.type=… here',
}

const MODES = ['callback', 'promise', 'many'] as const
type Mode = (typeof MODES)[number]

/** What the values of the records are. */
type Payload =
  | { readonly kind: 'random'; readonly bytes: number }
  | { readonly kind: 'choice'; readonly values: readonly Buffer[] }
  | { readonly kind: 'monotonic' }

/** What `perf` was asked to do. */
export interface PerfPlan {
  readonly options: ProducerOptions
  readonly servers: string
  readonly lingerMs: number
  readonly topic: string
  readonly records: number
  /** Records per second, Infinity for no limit. */
  readonly throughput: number
  readonly payload: Payload
  /** Null without transactions. */
  readonly transactionMs: number | null
  readonly warmupRecords: number
  readonly reportingIntervalMs: number
  readonly printMetrics: boolean
  readonly mode: Mode
  readonly json: boolean
  readonly chart: string | null
  readonly drainTimeoutMs: number
  readonly quiet: boolean
  /** Lines of the tool itself, before its figures. */
  readonly announcements: readonly string[]
  /** For stderr. */
  readonly notices: readonly string[]
}

/** Reads the options of `perf`. Throws {@link UsageError}. */
export function planPerf(args: readonly string[]): PerfPlan {
  const values = parseOptions(args, OPTIONS, FOREIGN)
  const announcements: string[] = []
  const notices: string[] = []
  const missing = (['topic', 'num-records', 'throughput'] as const).filter(name => values[name] === undefined)
  if (missing.length > 0) throw new UsageError(`missing: ${missing.map(name => `--${name}`).join(', ')}`)
  const records = wholeNumber('num-records', values['num-records'] ?? '', 1, Number.MAX_SAFE_INTEGER)
  const warmupRecords = Math.max(0, integer('warmup-records', values['warmup-records'] ?? '0', -(2 ** 31)))
  if (warmupRecords >= records) throw new UsageError('--warmup-records must be fewer than --num-records')
  const payload = payloadOf(values, announcements)
  const options = producerOptions(values, announcements, notices)
  const transactionMs = transactionsOf(values, options)
  const mode = values.mode ?? 'callback'
  if (!isMode(mode)) throw new UsageError(`--mode is ${quote(mode)}, allowed are ${MODES.join(', ')}`)
  if (values.chart !== undefined) checkChart(values.chart)
  return {
    options: asProducerOptions(options),
    servers: optionOf(options, 'bootstrap.servers') ?? '',
    lingerMs: Number(optionOf(options, 'linger.ms') ?? 0) || 0,
    topic: values.topic ?? '',
    records,
    throughput: throughputOf(values.throughput ?? ''),
    payload,
    transactionMs,
    warmupRecords,
    reportingIntervalMs: wholeNumber(
      'reporting-interval',
      values['reporting-interval'] ?? '5000',
      1,
      2 ** 31 - 1,
    ),
    printMetrics: values['print-metrics'],
    mode,
    json: values.json,
    chart: values.chart ?? null,
    drainTimeoutMs: wholeNumber('drain-timeout-ms', values['drain-timeout-ms'] ?? '30000', 0, 2 ** 31 - 1),
    quiet: values.quiet,
    announcements,
    notices,
  }
}

/** A chart that cannot be written is to be known before the run, not after it. */
function checkChart(path: string): void {
  chartKind(path)
  try {
    accessSync(dirname(resolve(path)), constants.W_OK)
  } catch (error) {
    throw fileError('--chart', path, 'written', error)
  }
}

function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text)
}

function throughputOf(text: string): number {
  const value = /^-?\d+(\.\d+)?([eE]\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value))
    throw new UsageError(`--throughput is ${quote(text)}, expected records per second, or -1`)
  if (value === 0) throw new UsageError('--throughput 0 would never send the second record; -1 is no limit')
  return value < 0 ? Number.POSITIVE_INFINITY : value
}

type Given = Values<typeof OPTIONS>

function payloadOf(values: Given, announcements: string[]): Payload {
  const size = values['record-size']
  const file = values['payload-file']
  const monotonic = values['payload-monotonic']
  if (Number(size !== undefined) + Number(file !== undefined) + Number(monotonic) !== 1) {
    throw new UsageError('exactly one of --record-size, --payload-file and --payload-monotonic is needed')
  }
  if (monotonic) return { kind: 'monotonic' }
  if (size !== undefined) return { kind: 'random', bytes: wholeNumber('record-size', size, 1, 2 ** 31 - 1) }
  return {
    kind: 'choice',
    values: payloadsOf(file as string, values['payload-delimiter'] ?? '\\n', announcements),
  }
}

/** The payloads of a file, split as Java's `Scanner` does. */
function payloadsOf(path: string, delimiter: string, announcements: string[]): Buffer[] {
  announcements.push(`Reading payloads from: ${resolve(path)}`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError('--payload-file', path, 'read', error)
  }
  if (text === '') throw new UsageError(`--payload-file ${quote(path)} is empty`)
  const pattern = javaPattern('payload-delimiter', delimiter === '\\n' ? '\n' : delimiter)
  const parts: string[] = []
  let start = 0
  // `split` would give what the pattern captures, too.
  for (const match of text.matchAll(pattern)) {
    if (match[0] === '') continue
    parts.push(text.slice(start, match.index))
    start = match.index + match[0].length
  }
  parts.push(text.slice(start))
  if (parts[0] === '') parts.shift()
  if (parts.at(-1) === '') parts.pop()
  announcements.push(`Number of records read: ${parts.length}`)
  if (parts.length === 0) throw new UsageError(`--payload-file ${quote(path)} has nothing but delimiters`)
  return parts.map(part => Buffer.from(part))
}

function producerOptions(values: Given, announcements: string[], notices: string[]): Properties {
  const oldProperties = values['producer-props']
  const oldConfig = values['producer.config']
  const config = values['command-config'] ?? oldConfig
  if (oldProperties.length > 0 && values['command-property'].length > 0) {
    throw new UsageError('--command-property and --producer-props cannot be specified together.')
  }
  if (oldConfig !== undefined && values['command-config'] !== undefined) {
    throw new UsageError('--command-config and --producer.config cannot be specified together.')
  }
  const deprecated = (old: string, name: string) =>
    announcements.push(
      `Option --${old} has been deprecated and will be removed in a future version. Use --${name} instead.`,
    )
  if (oldProperties.length > 0) deprecated('producer-props', 'command-property')
  if (oldConfig !== undefined) deprecated('producer.config', 'command-config')
  const options = {
    'client.id': 'perf-producer-client',
    ...(config === undefined ? {} : readConfig('command-config', config, text => notices.push(text))),
    ...propertiesOf('command-property', [...values['command-property'], ...oldProperties]),
    ...given({ 'bootstrap.servers': values['bootstrap-server'] }),
  }
  if (optionOf(options, 'bootstrap.servers') === undefined) {
    throw new UsageError('--bootstrap-server is missing, and no property or file has bootstrap.servers')
  }
  return options
}

/** Sets `transactional.id` where transactions are asked for, and answers how long one takes. */
function transactionsOf(values: Given, options: Properties): number | null {
  const text = values['transaction-duration-ms']
  const duration = text === undefined ? null : wholeNumber('transaction-duration-ms', text, 1, 2 ** 31 - 1)
  const id = values['transactional-id'] ?? optionOf(options, 'transactional.id')
  if (duration === null && id === undefined) return null
  delete options.transactionalId
  options['transactional.id'] = id ?? `performance-producer-${randomUUID()}`
  return duration ?? 3000
}
