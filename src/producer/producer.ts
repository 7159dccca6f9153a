import { inspect } from 'node:util'
import type { RecordAccumulator } from '../accumulator/accumulator.js'
import { WaitingBudget } from '../accumulator/append/waiting-budget.js'
import { FlushBarrier } from '../accumulator/batch/flush-barrier.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import { abortable } from '../common/abort.js'
import { type Clock, systemClock } from '../common/clock.js'
import type { Observer } from '../common/observer.js'
import { type PromiseView, SEND_VIEWED, viewed } from '../common/promise-view.js'
import {
  checkOptions,
  fetchVariables,
  type ProducerConfig,
  type ProducerOptions,
  parseProducerOptions,
} from '../config/index.js'
import type { KafkaError } from '../errors/index.js'
import type { Sender } from '../sender/sender.js'
import type { Bytes } from '../serialization/index.js'
import { limitedLogger } from '../telemetry/limited-logger.js'
import type { Metric } from '../telemetry/metrics/metric.js'
import { TELEMETRY } from '../telemetry/source.js'
import type { Telemetry } from '../telemetry/telemetry.js'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../transactions/offsets.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'
import { assemble } from './assembly.js'
import { CloseDeadline, closeTimeoutOf } from './close-deadline.js'
import { inTransaction } from './in-transaction.js'
import { Interceptors } from './interceptors.js'
import type { KafkaProducer } from './kafka-producer.js'
import { observeCallback, observePromise } from './observed-send.js'
import { optionsOfText } from './options-of-text.js'
import { readHealth } from './producer-health.js'
import { ProducerState } from './producer-state.js'
import { ProducerTelemetry } from './producer-telemetry.js'
import { reachCluster } from './reach-cluster.js'
import { PlainRecords } from './record/plain-records.js'
import { checkCallback } from './record/record-checks.js'
import { RecordClock } from './record/record-clock.js'
import { RecordReader } from './record/record-reader.js'
import type { Topics } from './record/topics.js'
import type { RecordMetadata } from './record-metadata.js'
import { CallbackWay } from './send/callback.js'
import { FailedCallbacks } from './send/callback-delivery.js'
import type { DeliveryCallback } from './send/callback-group.js'
import type { DeliveryReport } from './send/delivery-report.js'
import { SendEntry } from './send/entry.js'
import { sendIntercepted } from './send/intercepted.js'
import { ManyWay } from './send/many.js'
import { PromiseWay } from './send/promise.js'
import { Room } from './send/room.js'
import { sendSignalled, signalOf } from './send/signalled.js'
import { TopicWait } from './send/topic-wait.js'
import { shutDown } from './shut-down.js'
import type { ClusterInfo, ConnectOptions, PartitionInfo, ProducerHealth, ProducerRecord } from './types.js'

/**
 * A Kafka producer. One instance serves a whole application; it is not tied to topics.
 *
 * Sends to one partition are stored in the order of the calls, whatever is awaited. `send` copies: its
 * buffers may be used again as soon as it has returned.
 */
export class Producer<K = Bytes, V = Bytes> implements KafkaProducer<K, V> {
  private readonly config: ProducerConfig
  private readonly clock: Clock
  private readonly recordClock: RecordClock
  private readonly client: ClusterClient
  private readonly accumulator: RecordAccumulator
  private readonly sender: Sender
  private readonly state: ProducerState
  private readonly topics: Topics
  private readonly waiting: TopicWait
  private readonly interceptors: Interceptors | null
  private readonly transactions: TransactionManager | null
  private readonly failedCallbacks: FailedCallbacks
  private readonly entry: SendEntry
  private readonly promises: PromiseWay
  private readonly callbacks: CallbackWay
  private readonly many: ManyWay
  private closing: Promise<void> | null = null
  private readonly closeDeadline: CloseDeadline
  private readonly observer: Observer
  private readonly waitingBudget: WaitingBudget
  private readonly room: Room
  private readonly telemetry: ProducerTelemetry
  /** @internal For `millrace/prometheus` and `millrace/opentelemetry`. */
  readonly [TELEMETRY]: Telemetry

  /**
   * Checks everything that can be checked before connecting; connections are made by the first use.
   *
   * @throws ConfigError for an option that is unknown, out of range, in conflict or not available
   * @throws NativeAddonError if the native addon is missing
   */
  constructor(options: ProducerOptions<K, V>) {
    const parsed = parseProducerOptions(options)
    this.config = { ...parsed, logger: limitedLogger(parsed.logger, systemClock) }
    this.clock = systemClock
    this.recordClock = new RecordClock(systemClock)
    this.closeDeadline = new CloseDeadline(this.clock)
    const { config, clock } = this
    this.telemetry = new ProducerTelemetry(config, clock)
    const { observer } = this.telemetry
    this[TELEMETRY] = observer
    this.observer = observer
    const waitingBudget = new WaitingBudget(config.maxBlockBytes)
    this.waitingBudget = waitingBudget
    const { client, accumulator, sender, transactions, topics } = assemble(
      config,
      clock,
      observer,
      waitingBudget,
      {
        flush: () => this.settleAll(),
        abortUnsent: error => this.abortUnsent(error),
        undelivered: () => this.waiting.problem(),
      },
    )
    this.telemetry.attach({ client, accumulator })
    this.client = client
    this.accumulator = accumulator
    this.sender = sender
    this.transactions = transactions
    this.topics = topics
    this.state = new ProducerState(sender, transactions)
    this.failedCallbacks = new FailedCallbacks(clock, config.logger)
    const reader = new RecordReader(config, topics, client.metadata, this.state)
    this.interceptors = config.interceptors.length === 0 ? null : new Interceptors(config, reader)
    const { maxBlockMs, requestTimeoutMs: heldGraceMaxMs } = config
    const shared = { accumulator, clock, observer, waitingBudget, maxBlockMs, heldGraceMaxMs }
    this.waiting = new TopicWait({
      ...shared,
      client,
      proceed: record => this.entry.proceed(record),
      onRefused: error => transactions?.onLateRefusal(error),
    })
    const { appender } = accumulator
    const { state, waiting, failedCallbacks, interceptors } = this
    this.room = new Room(appender, waitingBudget, config.bufferMemory)
    const plain = new PlainRecords(reader, appender, state)
    const parts = { state, reader, topics, appender, waiting, sender, transactions }
    this.entry = new SendEntry({ ...shared, ...parts })
    this.promises = new PromiseWay(this.entry, reader, waiting, appender, sender)
    this.callbacks = new CallbackWay(this.entry, plain, appender, sender, failedCallbacks)
    this.many = new ManyWay(this.entry, plain, sender, interceptors)
    client.onUpdate = isMetadata => this.onClusterUpdate(isMetadata)
    client.onOtherCluster = () => sender.clusterChanged()
    client.lastUseOfTopicMs = name => this.lastUseOfTopicMs(name)
    client.onRefused = error => waiting.abort(error)
  }

  /**
   * Reaches a broker, authenticates and gets the producer id, within `timeoutMs` (default `max.block.ms`).
   * Nobody has to call it: it is for checks at start-up, and makes the first record faster. With `producerId`
   * false the id is left to the first record.
   */
  async connect(options: ConnectOptions = {}): Promise<ClusterInfo> {
    checkOptions('connect', options, ['signal', 'timeoutMs', 'producerId'])
    this.state.checkOpen()
    const { client, sender, clock } = this
    const { signal, timeoutMs = this.config.maxBlockMs, producerId = true } = options
    return await abortable(reachCluster(client, sender, clock, timeoutMs, producerId), signal)
  }

  /** A producer from the text of a Java `producer.properties` file. */
  static fromProperties(text: string): Producer {
    return new Producer(optionsOfText(text))
  }

  /**
   * As the constructor, or as {@link Producer.fromProperties} for a text, where a provider of
   * `config.providers` answers with a promise.
   */
  static async create<K = Bytes, V = Bytes>(
    options: ProducerOptions<K, V> | string,
  ): Promise<Producer<K, V>> {
    const given = typeof options === 'string' ? optionsOfText(options) : options
    return new Producer<K, V>((await fetchVariables(given)) as ProducerOptions<K, V>)
  }

  /**
   * Sends one record. Never throws, unless the callback is not a function.
   *
   * Without a callback: a promise of the metadata. If nobody catches it, it becomes an unhandled rejection
   * where the record fails. With a callback: no promise is made. It is called on a later turn of the event
   * loop, with the error or null and with metadata (never null). The answer is false when there is no room
   * for more records; then `ready()` resolves when there is. It runs in the AsyncLocalStorage context of no
   * request; `AsyncResource.bind(callback)` keeps the caller's.
   *
   * `signal` gives the record up while it waits for metadata or memory: the promise rejects with its reason.
   * Later it has no effect.
   */
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): boolean
  send(record: ProducerRecord<K, V>, options?: { signal?: AbortSignal }): Promise<RecordMetadata>
  send(
    record: ProducerRecord<K, V>,
    second?: DeliveryCallback | { signal?: AbortSignal },
  ): Promise<RecordMetadata> | boolean {
    if (typeof second === 'object' && second !== null) return this.sendSignalled(record, second)
    const callback = second
    if (callback !== undefined) checkCallback(callback)
    const { observer } = this
    if (!observer.watchesSends) return this.take(record, callback)
    if (callback !== undefined)
      return observeCallback(observer, record, callback, observed => this.take(record, observed))
    return observePromise(observer, 'send', record, () => this.take(record, undefined) as Promise<never>)
  }

  /**
   * Sends many records, of any topics, with one promise for all. Resolves to their metadata in input order,
   * or rejects with a `SendManyError` that has each record's own outcome. `signal` as with `send`.
   */
  sendMany(
    records: Iterable<ProducerRecord<K, V>>,
    options?: { signal?: AbortSignal },
  ): Promise<DeliveryReport> {
    let signal: AbortSignal | undefined
    try {
      signal = signalOf('sendMany', options)
    } catch (error) {
      return Promise.reject(error)
    }
    const start = () => this.many.send(records as never, this.recordClock.read(), signal)
    const { observer } = this
    return observer.watchesSends ? observePromise(observer, 'sendMany', records, start) : start()
  }

  /**
   * Resolves when there is room for more records: at once, unless `buffer.memory` is used up or records of as
   * many bytes wait for metadata. For loops that send faster than brokers take, whose `send` with a callback
   * answers false.
   */
  async ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    const signal = signalOf('ready', options)
    this.state.checkOpen()
    await this.room.ready(signal)
  }

  /**
   * Resolves once everything sent before it is settled, well or badly, and its callbacks have been called.
   * Batches do not linger meanwhile.
   */
  async flush(options: { signal?: AbortSignal } = {}): Promise<void> {
    const signal = signalOf('flush', options)
    const startedMs = this.clock.now()
    try {
      await abortable(this.settleAll(), signal)
    } finally {
      this.observer.flushed(this.clock.now() - startedMs)
    }
  }

  /**
   * Makes the producer ready for transactions; once, before all others of these calls. A transaction that an
   * earlier producer with the same `transactional.id` has left open is aborted, and that producer is fenced.
   *
   * This and the calls below reject with `TimeoutError` after `max.block.ms` but go on: made again, the same
   * call waits for the same outcome. `TransactionError` tells by `abortable` and `fatal` what to do next.
   */
  async initTransactions(): Promise<void> {
    await this.state.transactionsFor('initTransactions').initTransactions()
  }

  /** Opens a transaction; all records until its end belong to it. Throws where that is not possible. */
  beginTransaction(): void {
    this.state.transactionsFor('beginTransaction').beginTransaction()
  }

  /**
   * Commits a consumer group's offsets with the transaction: those of the next records to be read. The
   * consumer must not commit by itself.
   */
  async sendOffsetsToTransaction(
    offsets: Iterable<TopicPartitionOffset>,
    group: ConsumerGroupMetadata,
  ): Promise<void> {
    await this.state.transactionsFor('sendOffsetsToTransaction').sendOffsets(offsets, group)
  }

  /**
   * Sends what is left and commits: `read_committed` consumers see all records of the transaction, or, if any
   * of them could not be stored, none: then it rejects and `abortTransaction` is to be called.
   */
  async commitTransaction(): Promise<void> {
    await this.state.transactionsFor('commitTransaction').commitTransaction()
  }

  /** Aborts: what has not been sent fails, and `read_committed` consumers see nothing of the transaction. */
  async abortTransaction(): Promise<void> {
    await this.state.transactionsFor('abortTransaction').abortTransaction()
  }

  /**
   * Does `work` in a transaction, which is committed when its promise resolves and aborted when it rejects or
   * the commit fails in a way that can be aborted. Rejects with what `work` or the commit rejected with.
   */
  async transaction<T>(work: (producer: this) => Promise<T> | T): Promise<T> {
    const transactions = this.state.transactionsFor('transaction')
    return await inTransaction(
      transactions,
      () => work(this),
      () => this.commitTransaction(),
    )
  }

  /**
   * Sends what has been accepted, then closes all connections; a transaction that is open is aborted instead.
   * What is left after `timeoutMs` (default: no limit but `delivery.timeout.ms`) is rejected with
   * `ProducerClosedError`. Later calls get the same promise, and may shorten the time: `timeoutMs: 0` ends
   * it.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    try {
      this.closeDeadline.pull(closeTimeoutOf(options))
    } catch (error) {
      return Promise.reject(error)
    }
    this.state.close()
    this.closing ??= this.shutDown()
    return this.closing
  }

  /** For `await using`: {@link close} without a time-out. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The topic's partitions; waits up to `max.block.ms` for metadata. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.state.checkOpen()
    const { partitions } = await this.waiting.known(this.topics.of(topic))
    return partitions.map(({ index: partition, leaderId: leader, replicas, isr: inSyncReplicas }) => ({
      topic,
      partition,
      leader,
      replicas,
      inSyncReplicas,
    }))
  }

  /**
   * How the producer is doing, for readiness probes. It looks at what is there: it connects to nothing, waits
   * for nothing, and nothing is counted for it per record.
   */
  health(): ProducerHealth {
    const { accumulator, client, clock, sender, state, waiting } = this
    const { maxBlockMs } = this.config
    return readHealth({ accumulator, client, clock, maxBlockMs, sender, state, waiting })
  }

  /**
   * Every metric of this producer with its present value, by the names, groups and tags that they have in
   * Java (`KafkaProducer.metrics`): `producer-metrics`, `producer-node-metrics` for each broker connected to,
   * `producer-topic-metrics` for each topic sent to. Sizes are in bytes, times in milliseconds unless the
   * name says `ns`; an average or a maximum of nothing is NaN.
   */
  metrics(): readonly Metric[] {
    return this.telemetry.observer.metrics()
  }

  /**
   * The id under which the cluster knows this producer's metrics (KIP-714), 22 characters; connects if need
   * be. Rejects with `TimeoutError` after `timeoutMs` (default `max.block.ms`), and with `IllegalStateError`
   * where the cluster asks for no metrics or `enable.metrics.push` is false.
   */
  async clientInstanceId(options: { timeoutMs?: number } = {}): Promise<string> {
    this.state.checkOpen()
    return this.telemetry.clientInstanceId(options.timeoutMs ?? this.config.maxBlockMs)
  }

  /** Hands a metric of the application to the cluster with the producer's own (KIP-1076). */
  registerMetricForSubscription(metric: Metric): void {
    this.telemetry.addMetric(metric)
  }

  /** Takes back {@link registerMetricForSubscription}. */
  unregisterMetricFromSubscription(metric: Metric): void {
    this.telemetry.removeMetric(metric)
  }

  /** Bytes of `buffer.memory` that hold no record now. */
  get bufferAvailableBytes(): number {
    return this.accumulator.availableBytes
  }

  /** Bytes of the copies of records that wait for metadata or memory; at most `maxBlockBytes`. */
  get waitingBytes(): number {
    return this.waitingBudget.bytes
  }

  /** What consoles and logs show of it: nothing of its inside, which holds credentials and records. */
  toJSON(): object {
    const { clientId, bootstrapServers } = this.config
    return { clientId, bootstrapServers: bootstrapServers.map(({ host, port }) => `${host}:${port}`) }
  }

  [inspect.custom](): string {
    return `Producer ${inspect(this.toJSON())}`
  }

  /** `buffer.memory`. */
  get bufferTotalBytes(): number {
    return this.config.bufferMemory
  }

  private sendSignalled(
    record: ProducerRecord<K, V>,
    options: { signal?: AbortSignal },
  ): Promise<RecordMetadata> {
    let signal: AbortSignal | undefined
    try {
      signal = signalOf('send', options)
    } catch (error) {
      return Promise.reject(error)
    }
    if (signal === undefined) return this.send(record)
    const { entry, interceptors, observer, recordClock } = this
    const start = () => sendSignalled(entry, interceptors, record as never, recordClock.now(), signal)
    return observer.watchesSends ? observePromise(observer, 'send', record, start) : start()
  }

  private take(
    record: ProducerRecord<K, V>,
    callback: DeliveryCallback | undefined,
  ): Promise<RecordMetadata> | boolean {
    const nowMs = this.recordClock.now()
    const { interceptors, entry, failedCallbacks, room } = this
    if (interceptors !== null) {
      const sent = sendIntercepted(entry, interceptors, record as never, callback, nowMs, failedCallbacks)
      return sent ?? room.isThere
    }
    if (callback === undefined) return this.promises.send<RecordMetadata>(record as never, nowMs, null)
    this.callbacks.send(record as never, callback, nowMs)
    return room.isThere
  }

  /** @internal As `send(record)`, with what `view` makes of the outcome. For `millrace/kafkajs`. */
  [SEND_VIEWED]<T>(record: ProducerRecord<K, V>, view: PromiseView<RecordMetadata, T>): Promise<T> {
    const { interceptors, observer, promises, recordClock } = this
    if (interceptors !== null || observer.watchesSends) return viewed(this.send(record), view)
    return promises.send(record as never, recordClock.now(), view)
  }

  /** As {@link flush}, by the producer itself. */
  private async settleAll(): Promise<void> {
    const barrier = this.raiseBarrier()
    await barrier.done
    this.accumulator.endHurry()
    await this.failedCallbacks.called()
  }

  /** The transaction of these records is aborted, or has failed. */
  private abortUnsent(error: KafkaError): void {
    this.waiting.abortRecords(error)
    this.accumulator.abortUnsent(error)
  }

  private onClusterUpdate(isMetadata = false): void {
    if (isMetadata) this.config.plugins.onUpdate(this.client.metadata.clusterId)
    if (this.topics.followMetadata()) this.waiting.onMetadata()
    this.sender.wakeup()
  }

  /** A topic stays known while something of it is on its way: it may need new leaders at any time. */
  private lastUseOfTopicMs(name: string): number {
    const topic = this.topics.find(name)
    if (topic === undefined) return Number.NEGATIVE_INFINITY
    const isWaitedFor = this.waiting.has(topic) || this.accumulator.appender.hasWaiting
    return isWaitedFor ? Number.POSITIVE_INFINITY : topic.lastUseMs
  }

  private raiseBarrier(): FlushBarrier {
    const barrier = new FlushBarrier()
    this.waiting.joinBarrier(barrier)
    this.accumulator.beginHurry()
    this.accumulator.joinBarrier(barrier)
    barrier.leave()
    this.sender.wakeup()
    return barrier
  }

  private async shutDown(): Promise<void> {
    const { accumulator, client, closeDeadline, failedCallbacks, sender, telemetry, transactions } = this
    const { waiting } = this
    await shutDown({
      accumulator,
      client,
      closeDeadline,
      deliveryTimeoutMs: this.config.deliveryTimeoutMs,
      failedCallbacks,
      raiseBarrier: () => this.raiseBarrier(),
      sender,
      telemetry,
      transactions,
      waiting,
    })
    await this.config.plugins.close()
  }
}
