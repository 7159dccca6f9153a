import type { Logger } from '../common/logger.js'
import type { RequestListener, SocketFactory } from '../common/network-hooks.js'
import type {
  NodeTlsOptions,
  OauthTokenProvider,
  SaslCredentialsProvider,
  SaslMechanism,
} from '../security/index.js'
import type { Bytes, SerializerLike } from '../serialization/index.js'
import type { ProducerCamelCaseOptions } from './option-types/producer-camel-case.js'
import type { ProducerDottedOptions } from './option-types/producer-dotted.js'
import type { SaslCamelCaseOptions } from './option-types/sasl-camel-case.js'
import type { SaslDottedOptions } from './option-types/sasl-dotted.js'
import type { TlsCamelCaseOptions } from './option-types/tls-camel-case.js'
import type { TlsDottedOptions } from './option-types/tls-dotted.js'
import type { Partition, Partitioner, ProducerInterceptor } from './plugins.js'

/** Every option of Java's producer, under Java's key and in camelCase; all of them optional. */
interface TableOptions<K, V>
  extends ProducerCamelCaseOptions<K, V>,
    ProducerDottedOptions<K, V>,
    SaslCamelCaseOptions,
    SaslDottedOptions,
    TlsCamelCaseOptions,
    TlsDottedOptions {}

type Servers = NonNullable<ProducerCamelCaseOptions['bootstrapServers']>

/** Brokers must be named, in one spelling or the other. */
type BootstrapServers = { readonly bootstrapServers: Servers } | { readonly 'bootstrap.servers': Servers }

/** Keys that are not bytes need a serializer. */
type KeySerializer<K> = [K] extends [Bytes]
  ? unknown
  : { readonly keySerializer: SerializerLike<K> } | { readonly 'key.serializer': SerializerLike<K> }

/** Values that are not bytes need a serializer. */
type ValueSerializer<V> = [V] extends [Bytes]
  ? unknown
  : { readonly valueSerializer: SerializerLike<V> } | { readonly 'value.serializer': SerializerLike<V> }

/**
 * What the constructor takes: every option of Java's producer under its own key (`'linger.ms'`) or in
 * camelCase (`lingerMs`), and a few more. Only `bootstrap.servers` is required, and a serializer for keys or
 * values that are not {@link Bytes}. `describeOptions()` lists all of them with their defaults. Null and
 * undefined mean "not given". At run time numbers and booleans may also be text, as in a `.properties` file.
 */
export type ProducerOptions<K = Bytes, V = Bytes> = ProducerSettings<K, V> &
  BootstrapServers &
  KeySerializer<K> &
  ValueSerializer<V>

/** {@link ProducerOptions} with nothing required: for options that are put together from parts. */
export interface ProducerSettings<K = Bytes, V = Bytes> extends TableOptions<K, V> {
  /** Of a provider that `config.providers` names: `config.providers.NAME.class`, and its `….NAME.param.…`. */
  readonly [setting: `config.providers.${string}`]: unknown
  /** Chooses partitions instead of the built-in partitioner. The same as `partitioner.class`. */
  readonly partitioner?: Partitioner | Partition | null | undefined
  /** See each record before it is sent and its outcome, in order. The same as `interceptor.classes`. */
  readonly interceptors?: readonly ProducerInterceptor<K, V>[] | null | undefined
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
  /** Mechanisms of the application's own, chosen by their name in `sasl.mechanism`. */
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
