/** KafkaJS's types of the client and the producer, by its names. */
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { CompressionTypes, logLevel } from './enums.js'
import type { producerEvents } from './producer-events.js'

export type ValueOf<T> = T[keyof T]

export type BrokersFunction = () => string[] | Promise<string[]>

export interface KafkaConfig {
  /** `host:port` each, or a function that is asked for them at every `connect`. */
  brokers: string[] | BrokersFunction
  ssl?: ConnectionOptions | boolean
  sasl?: SASLOptions | Mechanism
  clientId?: string
  /** Milliseconds for a TCP connection, default 1000. */
  connectionTimeout?: number
  /** Accepted; an authentication has the request time-out. */
  authenticationTimeout?: number
  /** Accepted; sessions are renewed in time by themselves (KIP-368). */
  reauthenticationThreshold?: number
  /** Milliseconds for an answer, default 30000. */
  requestTimeout?: number
  enforceRequestTimeout?: boolean
  retry?: RetryOptions
  socketFactory?: ISocketFactory
  logLevel?: logLevel
  logCreator?: logCreator
}

export interface RetryOptions {
  maxRetryTime?: number
  initialRetryTime?: number
  factor?: number
  multiplier?: number
  retries?: number
  restartOnFailure?: (e: Error) => Promise<boolean>
}

export interface ISocketFactoryArgs {
  host: string
  port: number
  ssl: ConnectionOptions
  onConnect: () => void
}
export type ISocketFactory = (args: ISocketFactoryArgs) => Socket

export interface OauthbearerProviderResponse {
  value: string
}

interface SaslMechanismOptions {
  plain: { username: string; password: string }
  'scram-sha-256': { username: string; password: string }
  'scram-sha-512': { username: string; password: string }
  /** Refused when the producer connects: see the guide. */
  aws: { authorizationIdentity: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> }
}
export type SASLMechanism = keyof SaslMechanismOptions
export type SASLOptions = {
  [Name in SASLMechanism]: { mechanism: Name } & SaslMechanismOptions[Name]
}[SASLMechanism]

export interface SaslAuthenticationRequest {
  /** The message with its length as an int32 in front. */
  encode: () => Buffer | Promise<Buffer>
}
export interface SaslAuthenticationResponse<ParseResult> {
  /** Is given the answer with its length as an int32 in front. */
  decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>
  parse: (data: Buffer) => ParseResult
}
export interface SaslAuthenticateArgs<ParseResult> {
  request: SaslAuthenticationRequest
  response?: SaslAuthenticationResponse<ParseResult>
}
export interface Authenticator {
  authenticate: () => Promise<void>
}
export interface AuthenticationProviderArgs {
  host: string
  port: number
  logger: Logger
  saslAuthenticate: <ParseResult>(args: SaslAuthenticateArgs<ParseResult>) => Promise<ParseResult | undefined>
}
/** A SASL mechanism of the application's own. */
export interface Mechanism {
  mechanism: string
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator
}

export interface ProducerConfig {
  createPartitioner?: ICustomPartitioner
  retry?: RetryOptions
  metadataMaxAge?: number
  allowAutoTopicCreation?: boolean
  idempotent?: boolean
  transactionalId?: string
  transactionTimeout?: number
  maxInFlightRequests?: number
}

export interface IHeaders {
  [key: string]: Buffer | string | (Buffer | string)[] | undefined
}

export interface Message {
  key?: Buffer | string | null
  value: Buffer | string | null
  partition?: number
  headers?: IHeaders
  timestamp?: string
}

export interface PartitionMetadata {
  partitionErrorCode: number
  partitionId: number
  leader: number
  replicas: number[]
  isr: number[]
  offlineReplicas?: number[]
}
export interface PartitionerArgs {
  topic: string
  partitionMetadata: PartitionMetadata[]
  message: Message
}
export type ICustomPartitioner = () => (args: PartitionerArgs) => number
export type DefaultPartitioner = ICustomPartitioner
export type LegacyPartitioner = ICustomPartitioner

export interface TopicMessages {
  topic: string
  messages: Message[]
}
/** Options of one call. */
export interface SendOptions {
  /** -1 (default): all replicas in sync; 1: the leader; 0: nobody answers. */
  acks?: number
  /** Milliseconds that brokers may wait for replicas; below `requestTimeout` it has no effect. */
  timeout?: number
  compression?: CompressionTypes
}
export interface ProducerRecord extends TopicMessages, SendOptions {}
export interface ProducerBatch extends SendOptions {
  topicMessages?: TopicMessages[]
}

/** What became of the messages of one partition; 64-bit numbers are text. */
export interface RecordMetadata {
  topicName: string
  partition: number
  errorCode: number
  offset?: string
  timestamp?: string
  baseOffset?: string
  logAppendTime?: string
  logStartOffset?: string
}

/** The next offset that a consumer group is to read. */
export interface PartitionOffset {
  partition: number
  offset: string
}
export interface TopicOffsets {
  topic: string
  partitions: PartitionOffset[]
}
export interface Offsets {
  topics: TopicOffsets[]
}

export interface Sender {
  send(record: ProducerRecord): Promise<RecordMetadata[]>
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

export interface Transaction extends Sender {
  sendOffsets(offsets: Offsets & { consumerGroupId: string }): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
  isActive(): boolean
}

export type ProducerEvents = typeof producerEvents

export interface InstrumentationEvent<T> {
  id: string
  type: string
  timestamp: number
  payload: T
}
export type RemoveInstrumentationEventListener<_T> = () => void
export type ConnectEvent = InstrumentationEvent<null>
export type DisconnectEvent = InstrumentationEvent<null>

interface RequestTimes {
  apiKey: number
  apiName: string
  apiVersion: number
  broker: string
  clientId: string
  correlationId: number
  createdAt: number
  pendingDuration: number
  sentAt: number
}
export type RequestEvent = InstrumentationEvent<RequestTimes & { duration: number; size: number }>
export type RequestTimeoutEvent = InstrumentationEvent<RequestTimes>
export type RequestQueueSizeEvent = InstrumentationEvent<{
  broker: string
  clientId: string
  queueSize: number
}>

/** `on` of a client whose network events have these names. */
export interface NetworkEventSource<
  Names extends Record<
    'CONNECT' | 'DISCONNECT' | 'REQUEST' | 'REQUEST_TIMEOUT' | 'REQUEST_QUEUE_SIZE',
    string
  >,
> {
  on(name: Names['CONNECT'], listener: (event: ConnectEvent) => void): () => void
  on(name: Names['DISCONNECT'], listener: (event: DisconnectEvent) => void): () => void
  on(name: Names['REQUEST'], listener: (event: RequestEvent) => void): () => void
  on(name: Names['REQUEST_TIMEOUT'], listener: (event: RequestTimeoutEvent) => void): () => void
  on(name: Names['REQUEST_QUEUE_SIZE'], listener: (event: RequestQueueSizeEvent) => void): () => void
  // biome-ignore lint/suspicious/noExplicitAny: the payload depends on the event
  on(name: ValueOf<Names>, listener: (event: InstrumentationEvent<any>) => void): () => void
}

export interface Producer extends Sender, NetworkEventSource<ProducerEvents> {
  connect(): Promise<void>
  disconnect(): Promise<void>
  isIdempotent(): boolean
  readonly events: ProducerEvents
  transaction(): Promise<Transaction>
  logger(): Logger
}

export interface LoggerEntryContent {
  readonly timestamp: string
  readonly message: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the caller of the logger adds
  [key: string]: any
}
export interface LogEntry {
  namespace: string
  level: logLevel
  label: string
  log: LoggerEntryContent
}
/** Called once for each `Kafka`; what it answers is called with every entry of the level or below. */
export type logCreator = (logLevel: logLevel) => (entry: LogEntry) => void

export interface Logger {
  info: (message: string, extra?: object) => void
  error: (message: string, extra?: object) => void
  warn: (message: string, extra?: object) => void
  debug: (message: string, extra?: object) => void
  namespace: (namespace: string, logLevel?: logLevel) => Logger
  setLogLevel: (logLevel: logLevel) => void
}
