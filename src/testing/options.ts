import { randomBytes } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import { ConfigError } from '../errors/index.js'
import type { ApiName } from './api-names.js'
import type { SaslServerOptions } from './sasl.js'
import type { TelemetrySubscription } from './telemetry-store.js'

/** Where clients are told to connect to. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Options of {@link startBroker}. */
export interface BrokerOptions {
  /** Brokers of the cluster, all in this process, with ids from 1 on. Default 1. */
  nodes?: number
  /** Partitions of topics that are made without saying how many. Default 1. */
  partitions?: number
  /** Port of the first node, the others follow it. Default 0: any free port for each. */
  port?: number
  /** Only a loopback address is taken. Default `127.0.0.1`. */
  host?: string
  /** Default: random. */
  clusterId?: string
  /** `none` checks and counts records but keeps no bytes of them. Default `all`. */
  retain?: 'all' | 'none'
  /**
   * Whether CRC, structure and sequences of batches are checked. Kafka takes some batches that are not
   * written by the book, such as those with a sequence and no producer id. `true` takes them, too, and says
   * so in the log; `strict` refuses them with INVALID_RECORD. Default true.
   */
  verify?: boolean | 'strict'
  /** Largest batch taken, in bytes; Kafka's `message.max.bytes`. Default 1048588. */
  maxMessageBytes?: number
  /** Whether asking for the metadata of a topic makes it. Default true. */
  autoCreateTopics?: boolean
  /**
   * Level of the finalized feature `transaction.version` (KIP-890): 0 and 1 are older clusters, where
   * ApiVersions tells none at 0. Default 2, as with Kafka 4.
   */
  transactionVersion?: number
  /** What clients are told to connect to, for a proxy in between. Default: where the node listens. */
  advertise?: (node: Endpoint & { readonly id: number }) => Endpoint
  /**
   * Version ranges to announce and take instead of all that are implemented, to stand for an older broker;
   * null takes an API away.
   */
  apiVersions?: { readonly [Name in ApiName]?: readonly [min: number, max: number] | null }
  /** Node's own options of a TLS server, `key` and `cert` among them. Default: no TLS. */
  tls?: TlsOptions
  /** What clients must authenticate with. Default: nothing. */
  sasl?: SaslServerOptions
  /** Asks clients for metrics (KIP-714). Default: none are wanted, and clients cannot ask. */
  telemetry?: TelemetrySubscription
  /** Takes what the broker has to say, a line at a time. Default: writes it to stderr. */
  log?: (line: string) => void
  /** Says nothing at all. Default false. */
  quiet?: boolean
  /** Lets the process end although the broker listens. Default false. */
  unref?: boolean
}

/** {@link BrokerOptions} with every default filled in. */
export interface BrokerSettings {
  readonly nodes: number
  readonly partitions: number
  readonly port: number
  readonly host: string
  readonly clusterId: string
  readonly retain: boolean
  readonly verify: boolean | 'strict'
  readonly maxMessageBytes: number
  readonly autoCreateTopics: boolean
  readonly transactionVersion: number
  readonly advertise: (node: Endpoint & { readonly id: number }) => Endpoint
  readonly apiVersions: NonNullable<BrokerOptions['apiVersions']>
  readonly tls: TlsOptions | null
  readonly sasl: SaslServerOptions | null
  readonly telemetry: TelemetrySubscription | null
  readonly log: (line: string) => void
  readonly unref: boolean
}

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '::1', 'localhost']
const MOST_NODES = 1000
/** The most partitions that a topic may have here. */
export const MOST_PARTITIONS = 100_000

/** Checks the options and fills in the defaults. Throws {@link ConfigError}. */
export function resolveOptions(options: BrokerOptions): BrokerSettings {
  const host = options.host ?? '127.0.0.1'
  if (!LOOPBACK_HOSTS.includes(host)) {
    throw new ConfigError(
      `host is ${JSON.stringify(host)}: the in-process broker is for development and tests and listens on ` +
        `loopback only (${LOOPBACK_HOSTS.join(', ')}); for anything else use Apache Kafka`,
      'host',
    )
  }
  const { retain = 'all' } = options
  if (retain !== 'all' && retain !== 'none') {
    throw new ConfigError(`retain is ${JSON.stringify(retain)}, allowed are "all" and "none"`, 'retain')
  }
  const { verify = true } = options
  if (typeof verify !== 'boolean' && verify !== 'strict') {
    throw new ConfigError(
      `verify is ${JSON.stringify(verify)}, allowed are true, false and "strict"`,
      'verify',
    )
  }
  const nodes = integer('nodes', options.nodes ?? 1, 1, MOST_NODES)
  return {
    nodes,
    partitions: integer('partitions', options.partitions ?? 1, 1, MOST_PARTITIONS),
    port: integer('port', options.port ?? 0, 0, 65536 - nodes),
    host,
    clusterId: options.clusterId ?? randomBytes(16).toString('base64url'),
    retain: retain === 'all',
    verify,
    maxMessageBytes: integer('maxMessageBytes', options.maxMessageBytes ?? 1048588, 1, 0x7fffffff),
    autoCreateTopics: options.autoCreateTopics ?? true,
    transactionVersion: integer('transactionVersion', options.transactionVersion ?? 2, 0, 2),
    advertise: options.advertise ?? (({ host, port }) => ({ host, port })),
    apiVersions: options.apiVersions ?? {},
    tls: options.tls ?? null,
    sasl: options.sasl ?? null,
    telemetry: options.telemetry ?? null,
    log: options.quiet ? () => {} : (options.log ?? (line => process.stderr.write(`${line}\n`))),
    unref: options.unref ?? false,
  }
}

/** The value, if it is a whole number of the range; throws {@link ConfigError} otherwise. */
export function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new ConfigError(`${name} is ${String(value)}, allowed are whole numbers from ${min} to ${max}`, name)
}
