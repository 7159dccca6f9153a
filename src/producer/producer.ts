import { RecordAccumulator } from '../accumulator/accumulator.js'
import { type Delivery, FlushBarrier } from '../accumulator/delivery.js'
import type { TopicState } from '../accumulator/topic.js'
import { copyBytes, type WaitingRecord } from '../accumulator/waiting.js'
import { ClusterClient } from '../cluster/cluster-client.js'
import { type Clock, systemClock } from '../common/clock.js'
import { createCodec, defaultCompressionLevels } from '../compression/index.js'
import {
  type ProducerConfig,
  type ProducerOptions,
  parseProducerOptions,
  parseProperties,
} from '../config/index.js'
import {
  ConfigError,
  InternalError,
  InvalidRecordError,
  KafkaError,
  ProducerClosedError,
} from '../errors/index.js'
import { PARTITION_BY_KEY, PARTITION_STICKY, Result } from '../native/addon.js'
import { loadAddon } from '../native/load.js'
import { Sender } from '../sender/sender.js'
import type { Bytes, Serialize } from '../serialization/index.js'
import { CallbackDelivery, type DeliveryCallback, PromiseDelivery } from './deliveries.js'
import { type DeliveryReport, SendManyCollector } from './delivery-report.js'
import { encodeHeaders } from './headers.js'
import { Interceptors } from './interceptors.js'
import { MetadataWait } from './metadata-wait.js'
import { PartitionerView } from './partitioner-view.js'
import { PromiseGroup } from './promise-group.js'
import { checkPartition, checkTimestamp, checkTopic } from './record-checks.js'
import type { RecordMetadata } from './record-metadata.js'
import type { PartitionInfo, ProducerRecord } from './types.js'

/** The custom partitioner is to be asked once the topic is known. */
const PARTITION_BY_PARTITIONER = -3

/** A record that has been read, checked, serialized and given a partition or the way to one. */
interface RoutedRecord {
  topic: TopicState
  /** A partition, PARTITION_BY_KEY, PARTITION_STICKY or PARTITION_BY_PARTITIONER. */
  partition: number
  timestampMs: number
  key: Bytes | undefined
  value: Bytes | undefined
  headers: Uint8Array | null
}

/**
 * A Kafka producer. One instance serves a whole application; it is not tied to topics.
 *
 * Sends to one partition are stored in the order of the calls, whatever is awaited. `send` copies: its buffers
 * may be used again as soon as it has returned.
 */
export class Producer<K = Bytes, V = Bytes> implements AsyncDisposable {
  private readonly config: ProducerConfig
  private readonly clock: Clock
  private readonly client: ClusterClient
  private readonly accumulator: RecordAccumulator
  private readonly sender: Sender
  private readonly waiting: MetadataWait
  private readonly topics = new Map<string, TopicState>()
  private readonly interceptors: Interceptors | null
  private readonly partitioner: PartitionerView | null
  private readonly keySerializer: Serialize<unknown> | null
  private readonly valueSerializer: Serialize<unknown> | null
  private lastTopic: TopicState | null = null
  private metadataVersion = -1
  private closing: Promise<void> | null = null

  /**
   * Checks everything that can be checked before connecting; connections are made by the first use.
   *
   * @throws ConfigError for an option that is unknown, out of range, in conflict with another or not available
   * @throws NativeAddonError if the native addon is missing
   */
  constructor(options: ProducerOptions<K, V>) {
    this.config = parseProducerOptions(options)
    const { config } = this
    this.clock = systemClock
    this.keySerializer = config.keySerializer
    this.valueSerializer = config.valueSerializer
    this.interceptors =
      config.interceptors.length === 0 ? null : new Interceptors(config.interceptors, config.logger)
    this.client = new ClusterClient(clientOptions(config, this.clock))
    this.accumulator = this.createAccumulator()
    this.sender = this.createSender()
    this.waiting = new MetadataWait({
      accumulator: this.accumulator,
      client: this.client,
      clock: this.clock,
      maxBlockMs: config.maxBlockMs,
      proceed: record => this.proceed(record),
    })
    this.partitioner =
      config.partitioner === null ? null : new PartitionerView(config.partitioner, this.client.metadata)
    this.client.onUpdate = () => this.onClusterUpdate()
    this.client.onFatal = error => this.sender.failForGood(error)
  }

  /** A producer from the text of a Java `producer.properties` file. */
  static fromProperties(text: string): Producer {
    return new Producer(parseProperties(text) as unknown as ProducerOptions<Bytes, Bytes>)
  }

  /**
   * Sends one record. With a callback no promise is made; it is called on a later turn of the event loop, with
   * the error or null and with metadata (never null). Without one, a promise that nobody catches becomes an
   * unhandled rejection if the record fails. Never throws, unless the callback is not a function.
   */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): void
  send(record: ProducerRecord<K, V>, callback?: DeliveryCallback): Promise<RecordMetadata> | undefined {
    const nowMs = this.clock.wallNow()
    if (this.interceptors !== null) return this.sendIntercepted(record, callback, nowMs)
    if (callback === undefined) return this.sendPromised(record, nowMs)
    checkCallback(callback)
    this.dispatch(record, new CallbackDelivery(callback, this.config.logger), 0, nowMs)
    return undefined
  }

  /**
   * Sends many records, of any topics, with one promise for all. Resolves to their metadata in input order, or
   * rejects with a `SendManyError` that has each record's own outcome; one bad record does not hold up others.
   */
  sendMany(records: readonly ProducerRecord<K, V>[]): Promise<DeliveryReport> {
    if (!Array.isArray(records)) {
      return Promise.reject(new InvalidRecordError('sendMany takes an array of records.'))
    }
    const { interceptors } = this
    const nowMs = this.clock.wallNow()
    const acknowledge =
      interceptors === null
        ? null
        : (report: DeliveryReport, errors: ReadonlyMap<number, KafkaError>) => {
            let ordinal = 0
            for (const metadata of report)
              interceptors.onAcknowledgement(metadata, errors.get(ordinal++) ?? null)
          }
    const collector = new SendManyCollector(records.length, nowMs, acknowledge)
    for (let ordinal = 0; ordinal < records.length; ordinal++) {
      const record = records[ordinal] as ProducerRecord<K, V>
      this.dispatch(interceptors === null ? record : interceptors.onSend(record), collector, ordinal, nowMs)
    }
    return collector.promise
  }

  /** Resolves once everything sent before it is settled, well or badly. Batches do not linger meanwhile. */
  async flush(): Promise<void> {
    const barrier = this.raiseBarrier()
    await barrier.done
    this.accumulator.endUrgency()
  }

  /**
   * Sends what has been accepted, then closes all connections. What is left after `timeoutMs` (default: no
   * limit but `delivery.timeout.ms`) is rejected with `ProducerClosedError`. Later calls get the same promise.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      return Promise.reject(new ConfigError(`close: timeoutMs must be at least 0, not ${timeoutMs}.`))
    }
    this.closing ??= this.shutDown(timeoutMs)
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The topic's partitions; waits up to `max.block.ms` for metadata. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.checkOpen()
    const state = this.topicOf(topic)
    await this.waiting.known(state)
    const partitions = this.client.metadata.topic(topic)?.partitions ?? []
    return partitions.map(({ index, leaderId, replicas, isr }) => ({
      topic,
      partition: index,
      leader: leaderId,
      replicas,
      inSyncReplicas: isr,
    }))
  }

  /** Bytes of `buffer.memory` that hold no record now. */
  get bufferAvailableBytes(): number {
    return this.accumulator.core.availableBytes()
  }

  /** `buffer.memory`. */
  get bufferTotalBytes(): number {
    return this.config.bufferMemory
  }

  private sendIntercepted(
    record: ProducerRecord<K, V>,
    callback: DeliveryCallback | undefined,
    nowMs: number,
  ): Promise<RecordMetadata> | undefined {
    const interceptors = this.interceptors as Interceptors
    const { logger } = this.config
    if (callback !== undefined) {
      checkCallback(callback)
      const acknowledge: DeliveryCallback = (error, metadata) => {
        interceptors.onAcknowledgement(metadata, error)
        callback(error, metadata)
      }
      this.dispatch(interceptors.onSend(record), new CallbackDelivery(acknowledge, logger), 0, nowMs)
      return undefined
    }
    return new Promise((resolve, reject) => {
      const settle: DeliveryCallback = (error, metadata) => {
        interceptors.onAcknowledgement(metadata, error)
        if (error === null) resolve(metadata)
        else reject(error)
      }
      this.dispatch(interceptors.onSend(record), new CallbackDelivery(settle, logger), 0, nowMs)
    })
  }

  /**
   * A promise for a record that is written at once: it derives from its batch's, which is cheaper by far than one
   * of its own (see PromiseGroup). A record that has to wait gets its own.
   */
  private sendPromised(record: ProducerRecord<K, V>, nowMs: number): Promise<RecordMetadata> {
    let routed: RoutedRecord
    try {
      routed = this.route(record, nowMs)
      const { topic, partition, timestampMs, key, value, headers } = routed
      if (isKnown(topic, partition)) {
        const { appender, staging } = this.accumulator
        const batch = appender.appendNow(topic, partition, timestampMs, key, value, headers)
        if (batch !== null) {
          this.sender.wakeup()
          const { result } = staging
          return PromiseGroup.of(batch, timestampMs).add(
            result[Result.INDEX] as number,
            result[Result.KEY_BYTES] as number,
            result[Result.VALUE_BYTES] as number,
            timestampMs,
          )
        }
      }
    } catch (error) {
      return Promise.reject(asKafkaError(error, placeOf(record).topic))
    }
    const delivery = new PromiseDelivery()
    this.handOver(routed, delivery, 0)
    return delivery.promise
  }

  /** Whatever is wrong with a record reaches its delivery, and nobody else. */
  private dispatch(record: ProducerRecord<K, V>, delivery: Delivery, ordinal: number, nowMs: number): void {
    try {
      this.handOver(this.route(record, nowMs), delivery, ordinal)
    } catch (error) {
      const { topic, partition } = placeOf(record)
      delivery.fail(asKafkaError(error, topic), ordinal, topic, partition)
    }
  }

  /** Into a batch, or to wait for the topic's metadata. */
  private handOver(routed: RoutedRecord, delivery: Delivery, ordinal: number): void {
    const { topic, partition, timestampMs, key, value, headers } = routed
    if (isKnown(topic, partition)) {
      const { appender } = this.accumulator
      appender.append(topic, partition, timestampMs, key, value, headers, delivery, ordinal)
      this.sender.wakeup()
      return
    }
    this.waiting.push({
      topic,
      partition,
      timestampMs,
      key: copyBytes(key),
      value: copyBytes(value),
      headers: headers === null ? null : Buffer.from(headers),
      delivery,
      ordinal,
      deadlineMs: this.clock.now() + this.config.maxBlockMs,
      barriers: null,
    })
  }

  /** Reads and checks a record: what it is to be appended as. The answer is valid until the next call. */
  private route(record: ProducerRecord<K, V>, nowMs: number): RoutedRecord {
    this.checkOpen()
    if (record === null || typeof record !== 'object') {
      throw new InvalidRecordError('A record must be an object with at least a topic.')
    }
    const { topic: name, timestamp } = record
    const topic = name === this.lastTopic?.name ? this.lastTopic : this.topicOf(name)
    this.lastTopic = topic
    const timestampMs =
      timestamp === undefined || timestamp === null ? nowMs : checkTimestamp(timestamp, name)
    const key =
      this.keySerializer === null
        ? (record.key as Bytes | undefined)
        : this.keySerializer(name, record.key ?? null, record.headers ?? undefined)
    const value =
      this.valueSerializer === null
        ? (record.value as Bytes | undefined)
        : this.valueSerializer(name, record.value ?? null, record.headers ?? undefined)
    const partition = this.partitionOf(record, topic, key, value)
    const headers =
      record.headers === undefined || record.headers === null ? null : encodeHeaders(record.headers)
    return { topic, partition, timestampMs, key, value, headers }
  }

  private partitionOf(
    record: ProducerRecord<K, V>,
    topic: TopicState,
    key: Bytes | undefined,
    value: Bytes | undefined,
  ): number {
    if (record.partition !== undefined && record.partition !== null) {
      return checkPartition(record.partition, topic.name)
    }
    if (this.partitioner !== null) {
      if (topic.partitionCount === 0) return PARTITION_BY_PARTITIONER
      return this.partitioner.choose(topic, key ?? null, value ?? null)
    }
    const hasKey = key !== undefined && key !== null
    return hasKey && !this.config.partitionerIgnoreKeys ? PARTITION_BY_KEY : PARTITION_STICKY
  }

  /** Sends a record on whose topic has become known. */
  private proceed(record: WaitingRecord): void {
    const { topic, timestampMs, key, value, headers, delivery, ordinal, deadlineMs } = record
    let { partition } = record
    if (partition === PARTITION_BY_PARTITIONER) {
      try {
        partition = (this.partitioner as PartitionerView).choose(topic, key ?? null, value ?? null)
      } catch (error) {
        delivery.fail(asKafkaError(error, topic.name), ordinal, topic.name, -1)
        return
      }
    }
    const { appender } = this.accumulator
    appender.appendUnstaged(topic, partition, timestampMs, key, value, headers, delivery, ordinal, deadlineMs)
    this.sender.wakeup()
  }

  private topicOf(name: unknown): TopicState {
    const known = this.topics.get(name as string)
    if (known !== undefined) return known
    checkTopic(name)
    const topic = this.accumulator.addTopic(name)
    this.topics.set(name, topic)
    this.takeMetadata(topic)
    return topic
  }

  private checkOpen(): void {
    if (this.closing !== null) throw new ProducerClosedError('The producer is closed.')
    if (this.sender.fatal !== null) throw this.sender.fatal
  }

  private onClusterUpdate(): void {
    const { metadata } = this.client
    if (metadata.version !== this.metadataVersion) {
      this.metadataVersion = metadata.version
      let moved = false
      for (const topic of this.topics.values()) if (this.takeMetadata(topic)) moved = true
      if (moved) this.accumulator.leadersChanged()
      this.waiting.onMetadata()
    }
    this.sender.wakeup()
  }

  /** True if the topic's leaders have moved. */
  private takeMetadata(topic: TopicState): boolean {
    const metadata = this.client.metadata.topic(topic.name)
    if (metadata === undefined || metadata === topic.metadata) return false
    return this.accumulator.updateTopic(topic, metadata)
  }

  private raiseBarrier(): FlushBarrier {
    const barrier = new FlushBarrier()
    this.waiting.joinBarrier(barrier)
    this.accumulator.beginUrgency()
    this.accumulator.joinBarrier(barrier)
    barrier.leave()
    this.sender.wakeup()
    return barrier
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const barrier = this.raiseBarrier()
    await this.settledWithin(barrier, timeoutMs)
    const error = new ProducerClosedError(
      `The producer was closed before the record was delivered (close time-out ${timeoutMs} ms).`,
    )
    this.waiting.abort(error)
    this.accumulator.abort(error)
    this.sender.close()
    this.accumulator.core.close()
    await this.client.close()
  }

  private settledWithin(barrier: FlushBarrier, timeoutMs: number): Promise<void> {
    if (timeoutMs === Number.POSITIVE_INFINITY) return barrier.done
    return new Promise(resolve => {
      const timer = this.clock.setTimeout(resolve, timeoutMs)
      barrier.done.then(() => {
        this.clock.clearTimeout(timer)
        resolve()
      })
    })
  }

  private createAccumulator(): RecordAccumulator {
    const { config } = this
    const { compressionType, compressionLevel } = config
    const level = compressionLevel ?? undefined
    return new RecordAccumulator({
      addon: loadAddon(),
      bufferBytes: config.bufferMemory,
      batchBytes: config.batchSize,
      maxRequestBytes: config.maxRequestSize,
      lingerMs: config.lingerMs,
      maxBlockMs: config.maxBlockMs,
      deliveryTimeoutMs: config.deliveryTimeoutMs,
      codec: createCodec(compressionType, {
        gzip: level ?? defaultCompressionLevels.gzip,
        zstd: level ?? defaultCompressionLevels.zstd,
      }),
      adaptivePartitioning: config.partitionerAdaptivePartitioningEnable,
      isDrainable: leaderId => this.sender.latency.isDrainable(leaderId),
      clock: this.clock,
      logger: config.logger,
      random: Math.random,
      fillFreed: process.env.MILLRACE_FILL_FREED === '1',
      onWork: () => this.sender.wakeup(),
      onTopicUsed: topic => this.client.trackTopic(topic),
    })
  }

  private createSender(): Sender {
    const { config, accumulator, client, clock } = this
    return new Sender({
      accumulator,
      client,
      clock,
      logger: config.logger,
      clientId: config.clientId,
      acks: config.acks,
      idempotent: config.enableIdempotence,
      maxInFlight: config.maxInFlightRequestsPerConnection,
      retries: config.retries,
      requestTimeoutMs: config.requestTimeoutMs,
      retryBackoffMs: config.retryBackoffMs,
      retryBackoffMaxMs: config.retryBackoffMaxMs,
      availabilityTimeoutMs: config.partitionerAvailabilityTimeoutMs,
      compressionName: config.compressionType,
      onLeaderHint: topic => {
        if (topic.metadata !== null && topic.update(topic.metadata)) accumulator.leadersChanged()
      },
    })
  }
}

function isKnown(topic: TopicState, partition: number): boolean {
  return topic.partitionCount > 0 && partition < topic.partitionCount
}

function checkCallback(callback: unknown): asserts callback is DeliveryCallback {
  if (typeof callback !== 'function') throw new TypeError('send: the callback must be a function.')
}

/** Where a failed record was to go, as far as it can be read. */
function placeOf(record: unknown): { topic: string; partition: number } {
  try {
    const { topic, partition } = record as ProducerRecord
    return {
      topic: typeof topic === 'string' ? topic : '',
      partition: Number.isInteger(partition) ? (partition as number) : -1,
    }
  } catch {
    return { topic: '', partition: -1 }
  }
}

/** What a caller's getter, iterator or plug-in threw becomes a coded error with its cause. */
function asKafkaError(error: unknown, topic: string): KafkaError {
  if (error instanceof KafkaError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof TypeError || error instanceof RangeError) {
    return new InvalidRecordError(`The record to topic ${topic} could not be read: ${message}`, {
      topic,
      cause: error,
    })
  }
  return new InternalError(`The record to topic ${topic} could not be sent: ${message}`, {
    topic,
    cause: error,
  })
}

function clientOptions(config: ProducerConfig, clock: Clock): ConstructorParameters<typeof ClusterClient>[0] {
  return {
    bootstrapServers: config.bootstrapServers,
    clientId: config.clientId,
    requestTimeoutMs: config.requestTimeoutMs,
    maxInFlight: config.maxInFlightRequestsPerConnection,
    reconnectBackoffMs: config.reconnectBackoffMs,
    reconnectBackoffMaxMs: config.reconnectBackoffMaxMs,
    retryBackoffMs: config.retryBackoffMs,
    retryBackoffMaxMs: config.retryBackoffMaxMs,
    connectionSetupTimeoutMs: config.socketConnectionSetupTimeoutMs,
    connectionSetupTimeoutMaxMs: config.socketConnectionSetupTimeoutMaxMs,
    connectionsMaxIdleMs: config.connectionsMaxIdleMs,
    metadataMaxAgeMs: config.metadataMaxAgeMs,
    metadataMaxIdleMs: config.metadataMaxIdleMs,
    recoveryStrategy: config.metadataRecoveryStrategy,
    rebootstrapTriggerMs: config.metadataRecoveryRebootstrapTriggerMs,
    clock,
    logger: config.logger,
  }
}
