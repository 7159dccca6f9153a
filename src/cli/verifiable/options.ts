import type { ProducerOptions } from '../../index.js'
import {
  type ForeignOptions,
  integer,
  type OptionTable,
  parseOptions,
  quote,
  UsageError,
  wholeNumber,
} from '../arguments.js'
import { asProducerOptions, given, optionOf, readConfig } from '../producer-options.js'

const OPTIONS = {
  'bootstrap-server': { type: 'string', short: 'b' },
  topic: { type: 'string', short: 't' },
  'max-messages': { type: 'string', short: 'c', negative: true },
  throughput: { type: 'string', negative: true },
  acks: { type: 'string', negative: true },
  'command-config': { type: 'string' },
  'producer.config': { type: 'string' },
  'message-create-time': { type: 'string', negative: true },
  'value-prefix': { type: 'string', negative: true },
  'repeating-keys': { type: 'string' },
  'drain-timeout-ms': { type: 'string' },
} as const satisfies OptionTable

const FOREIGN: ForeignOptions = {
  '--broker-list': 'it is --bootstrap-server here',
  '--brokers': 'it is --bootstrap-server here',
  '--bootstrap-servers': 'it is --bootstrap-server here, without the s',
  '--num-records': 'it is --max-messages here',
  '--count': 'it is --max-messages here',
  '--command-property': 'it is a line of the file of --command-config here, as in VerifiableProducer',
  '--property': 'it is a line of the file of --command-config here, as in VerifiableProducer',
}

const INT_MAX = 2 ** 31 - 1

/** What `verify` was asked to do. */
export interface VerifyPlan {
  readonly options: ProducerOptions
  readonly servers: string
  readonly lingerMs: number
  readonly topic: string
  /** Infinity without an end. */
  readonly maxMessages: number
  /** Messages per second as it was given: below zero for no limit. */
  readonly throughput: number
  /** Null for the time of sending. */
  readonly createTimeMs: number | null
  readonly valuePrefix: number | null
  readonly repeatingKeys: number | null
  readonly drainTimeoutMs: number
  /** Lines of the tool itself, before the events. */
  readonly announcements: readonly string[]
  /** For stderr. */
  readonly notices: readonly string[]
}

/** Reads the options of `verify`. Throws {@link UsageError}. */
export function planVerify(args: readonly string[]): VerifyPlan {
  const values = parseOptions(args, OPTIONS, FOREIGN)
  const announcements: string[] = []
  const notices: string[] = []
  const { topic } = values
  if (topic === undefined) throw new UsageError('--topic is missing')
  if (values['bootstrap-server'] === undefined) throw new UsageError('--bootstrap-server is missing')
  const acks = values.acks ?? '-1'
  if (!['-1', '0', '1'].includes(acks))
    throw new UsageError(`--acks is ${quote(acks)}, allowed are -1, 0 and 1`)
  const oldConfig = values['producer.config']
  if (oldConfig !== undefined) {
    if (values['command-config'] !== undefined) {
      throw new UsageError('Options --producer.config and --command-config are mutually exclusive.')
    }
    announcements.push(
      'Option --producer.config has been deprecated and will be removed in a future version. ' +
        'Use --command-config instead.',
    )
  }
  const config = values['command-config'] ?? oldConfig
  const file = config === undefined ? {} : readConfig('command-config', config, text => notices.push(text))
  // As in Kafka's tool the file goes before the options, and the client has no retries unless it says so.
  const options = {
    ...given({ 'bootstrap.servers': values['bootstrap-server'] }),
    acks,
    retries: '0',
    ...file,
  }
  const number = (name: keyof typeof OPTIONS, min: number, max = INT_MAX) => {
    const text = values[name] as string | undefined
    return text === undefined ? null : integer(name, text, min, max)
  }
  const maxMessages = number('max-messages', -INT_MAX) ?? -1
  const createTimeMs = number('message-create-time', -1, Number.MAX_SAFE_INTEGER) ?? -1
  const throughput = number('throughput', -INT_MAX) ?? -1
  if (throughput === 0)
    throw new UsageError('--throughput 0 would never send the second message; -1 is no limit')
  return {
    options: asProducerOptions(options),
    servers: optionOf(options, 'bootstrap.servers') ?? '',
    lingerMs: Number(optionOf(options, 'linger.ms') ?? 0) || 0,
    topic,
    maxMessages: maxMessages < 0 ? Number.POSITIVE_INFINITY : maxMessages,
    throughput,
    createTimeMs: createTimeMs === -1 ? null : createTimeMs,
    valuePrefix: number('value-prefix', -INT_MAX),
    repeatingKeys: number('repeating-keys', 1),
    drainTimeoutMs: wholeNumber('drain-timeout-ms', values['drain-timeout-ms'] ?? '30000', 0, INT_MAX),
    announcements,
    notices,
  }
}
