import type { Logger } from '../common/logger.js'
import type { RequestListener, SocketFactory } from '../common/network-hooks.js'
import type {
  NodeTlsOptions,
  OauthTokenProvider,
  SaslCredentialsProvider,
  SaslMechanism,
} from '../security/index.js'
import type { Bytes, SerializerLike } from '../serialization/index.js'
import type { MetricsReporter, ReportMetric } from '../telemetry/metrics/reporter.js'
import type { OptionDefinition } from './definition.js'
import type { DefinitionOf, OptionKey } from './definitions.js'
import type { CamelCase } from './names.js'
import type { Partition, Partitioner, ProducerInterceptor } from './plugins.js'

/** Options that take more, or something else, than their Java type says. */
interface OwnValues<K, V> {
  acks: 'all' | '-1' | '0' | '1' | -1 | 0 | 1
  'key.serializer': SerializerLike<K>
  'value.serializer': SerializerLike<V>
  'partitioner.class': Partitioner | Partition
  'interceptor.classes': readonly ProducerInterceptor<K, V>[]
  'metric.reporters': string | readonly (MetricsReporter | ReportMetric | string)[]
}

interface ValueOfType {
  string: string
  int: number
  long: number
  short: number
  double: number
  boolean: boolean
  list: string | readonly string[]
  password: string
  /** Java class names; none of these options is available outside the JVM. */
  class: string
}

type ValueOfDefinition<Definition extends OptionDefinition> = Definition extends {
  readonly values: readonly (infer Value extends string)[]
}
  ? Definition extends { readonly anyCase: true }
    ? Uppercase<Value> | Lowercase<Value>
    : Value
  : ValueOfType[Definition['type']]

/** What one option takes; null and undefined mean "not given". */
export type OptionValue<Key extends OptionKey, K = Bytes, V = Bytes> =
  | (Key extends keyof OwnValues<K, V> ? OwnValues<K, V>[Key] : ValueOfDefinition<DefinitionOf<Key>>)
  | null
  | undefined

type DottedOptions<K, V> = { readonly [Key in OptionKey]?: OptionValue<Key, K, V> }

type CamelCaseOptions<K, V> = { readonly [Key in OptionKey as CamelCase<Key>]?: OptionValue<Key, K, V> }

/**
 * What the constructor takes: every option of Java's producer under its own key (`'linger.ms'`) or in
 * camelCase (`lingerMs`), and a few more. Only `bootstrap.servers` is required. `describeOptions()` lists all
 * of them with their defaults. At run time numbers and booleans may also be text, as in a `.properties` file.
 */
export interface ProducerOptions<K = Bytes, V = Bytes> extends DottedOptions<K, V>, CamelCaseOptions<K, V> {
  /** Brokers to find the cluster with, `host:port` each (a list, or one string with commas). Required. */
  readonly bootstrapServers?: OptionValue<'bootstrap.servers'>
  /** The same as `partitioner.class`: chooses partitions instead of the built-in partitioner. */
  readonly partitioner?: OptionValue<'partitioner.class', K, V>
  /** The same as `interceptor.classes`: see each record before it is sent and its outcome, in order. */
  readonly interceptors?: OptionValue<'interceptor.classes', K, V>
  /**
   * Bytes of copies of records that wait, for metadata or because `buffer.memory` is used up. Beyond that a
   * record is refused with `BufferExhaustedError`. Default: 8 times `buffer.memory`, at least 16 MiB. Java
   * needs no such option, for its `send` blocks.
   */
  readonly maxBlockBytes?: number | null | undefined
  /**
   * Hosts that brokers may send this client to, as metadata and leader hints name them: names, IP addresses,
   * and domains such as `.kafka.example`. Others get no connection, and so no credentials and no records. A
   * list, or one string with commas; default any host, as in Java. `bootstrap.servers` need not be among
   * them.
   */
  readonly allowedBrokerHosts?: string | readonly string[] | null | undefined
  /** Where warnings and errors go; by default to the console. */
  readonly logger?: Logger | null | undefined
  /**
   * User name and password for PLAIN and SCRAM, instead of `sasl.jaas.config`. Asked at every connection and
   * re-authentication, so both may change at run time.
   */
  readonly saslCredentialsProvider?: SaslCredentialsProvider | null | undefined
  /**
   * Source of OAUTHBEARER tokens. Asked again shortly before a token ends; connections whose session ends are
   * authenticated again while records flow (KIP-368).
   */
  readonly saslOauthTokenProvider?: OauthTokenProvider | null | undefined
  /** Mechanisms of the application's own, chosen by their name in `sasl.mechanism`: for Kerberos, say. */
  readonly saslMechanisms?: readonly SaslMechanism[] | null | undefined
  /**
   * Node's own options of `tls.connect`, over those made of `ssl.*`; a function is asked for each connection.
   * Needs `security.protocol` SSL or SASL_SSL.
   */
  readonly tls?: NodeTlsOptions | null | undefined
  /**
   * Whether brokers may create a topic that is sent to and does not exist, where their
   * `auto.create.topics.enable` allows it. Default true, as in Java.
   */
  readonly allowAutoTopicCreation?: boolean | null | undefined
  /** Opens the sockets to brokers, through a SOCKS or HTTP proxy for example. */
  readonly socketFactory?: SocketFactory | null | undefined
  /** Sees each request to a broker when it has been answered or has timed out. */
  readonly requestListener?: RequestListener | null | undefined
}
