import { inspect } from 'node:util'
import type { RecordAccumulator } from '../accumulator/accumulator.js'
import type { AppendableRecord, WaitingRecord } from '../accumulator/append/waiting-queue.js'
import { type Delivery, FlushBarrier } from '../accumulator/batch/delivery.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import { type Clock, systemClock } from '../common/clock.js'
import {
  type ProducerConfig,
  type ProducerOptions,
  parseProducerOptions,
  parseProperties,
} from '../config/index.js'
import { ConfigError, IllegalStateError, type KafkaError, ProducerClosedError } from '../errors/index.js'
import { Result } from '../native/addon.js'
import type { Sender } from '../sender/sender.js'
import type { Bytes } from '../serialization/index.js'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../transactions/offsets.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'
import { assemble } from './assembly.js'
import { CloseDeadline } from './close-deadline.js'
import { Interceptors } from './interceptors.js'
import { checkCallback, lengthOf } from './record/record-checks.js'
import { RecordClock } from './record/record-clock.js'
import {
  asKafkaError,
  isPlaceable,
  PARTITION_BY_PARTITIONER,
  placeOf,
  RecordRouter,
} from './record/record-router.js'
import type { RecordMetadata } from './record-metadata.js'
import { CallbackDelivery, CallbackRun, type DeliveryCallback, failuresTold } from './send/callback-group.js'
import { PromiseDelivery } from './send/deliveries.js'
import { type DeliveryReport, SendManyCollector } from './send/delivery-report.js'
import { PromiseGroup } from './send/promise-group.js'
import { MetadataWait } from './send/topic-wait.js'
import type { PartitionInfo, ProducerRecord } from './types.js'

/**
 * Records of a `sendMany` that the short way may refuse before the rest is not tried any more: each one costs
 * the staging a native call of its own.
 */
const PLAIN_MISSES_MAX = 16
/** As {@link PLAIN_MISSES_MAX}, of `send` with a callback. */
const CALLBACKS_DISPATCHED_AFTER_MISS = 64

/**
 * A Kafka producer. One instance serves a whole application; it is not tied to topics.
 *
 * Sends to one partition are stored in the order of the calls, whatever is awaited. `send` copies: its
 * buffers may be used again as soon as it has returned.
 */
export class Producer<K = Bytes, V = Bytes> implements AsyncDisposable {
  private readonly config: ProducerConfig
  private readonly clock: Clock
  private readonly recordClock: RecordClock
  private readonly client: ClusterClient
  private readonly accumulator: RecordAccumulator
  private readonly sender: Sender
  private readonly router: RecordRouter
  private readonly waiting: MetadataWait
  private readonly interceptors: Interceptors | null
  private readonly transactions: TransactionManager | null
  private readonly callbackRun: CallbackRun
  /** Records with callbacks that do not try the short way. */
  private callbacksToDispatch = 0
  private closing: Promise<void> | null = null
  private readonly closeDeadline: CloseDeadline
  /** Whether the producer is open, and in a transaction if it has them. */
  private readonly takesRecords = (): boolean => {
    if (this.closing !== null || this.sender.fatal !== null) return false
    return this.transactions === null || this.transactions.state === 'IN_TRANSACTION'
  }

  /**
   * Checks everything that can be checked before connecting; connections are made by the first use.
   *
   * @throws ConfigError for an option that is unknown, out of range, in conflict with another or not
   * available
   * @throws NativeAddonError if the native addon is missing
   */
  constructor(options: ProducerOptions<K, V>) {
    this.config = parseProducerOptions(options)
    this.clock = systemClock
    this.recordClock = new RecordClock(systemClock)
    this.closeDeadline = new CloseDeadline(this.clock)
    const { config, clock } = this
    this.callbackRun = new CallbackRun(config.logger)
    const { client, accumulator, sender, transactions } = assemble(config, clock, {
      flush: () => this.flush(),
      abortUnsent: error => this.abortUnsent(error),
    })
    this.client = client
    this.accumulator = accumulator
    this.sender = sender
    this.transactions = transactions
    this.router = new RecordRouter(config, accumulator, client.metadata)
    this.interceptors =
      config.interceptors.length === 0 ? null : new Interceptors(config.interceptors, config.logger)
    this.waiting = new MetadataWait({
      accumulator,
      client,
      clock,
      maxBlockMs: config.maxBlockMs,
      heldGraceMaxMs: config.requestTimeoutMs,
      proceed: record => this.proceed(record),
      onRefused: error => transactions?.onRecordsFailed(error, false),
    })
    client.onUpdate = () => this.onClusterUpdate()
    client.onAuthenticationFailed = error => this.waiting.abort(error)
  }

  /** A producer from the text of a Java `producer.properties` file. */
  static fromProperties(text: string): Producer {
    return new Producer(parseProperties(text) as unknown as ProducerOptions<Bytes, Bytes>)
  }

  /**
   * Sends one record. With a callback no promise is made; it is called on a later turn of the event loop,
   * with the error or null and with metadata (never null). Without one, a promise that nobody catches becomes
   * an unhandled rejection if the record fails. Never throws, unless the callback is not a function.
   */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): void
  send(record: ProducerRecord<K, V>, callback?: DeliveryCallback): Promise<RecordMetadata> | undefined {
    const nowMs = this.recordClock.now()
    if (this.interceptors !== null) return this.sendIntercepted(this.interceptors, record, callback, nowMs)
    if (callback === undefined) return this.sendPromised(record, nowMs)
    checkCallback(callback)
    if (!this.stageCalledBack(record, callback, nowMs)) {
      this.dispatch(record, new CallbackDelivery(callback, this.config.logger), 0, nowMs)
    }
    return undefined
  }

  /**
   * Sends many records, of any topics, with one promise for all. Resolves to their metadata in input order,
   * or rejects with a `SendManyError` that has each record's own outcome; one bad record does not hold up
   * others.
   */
  sendMany(records: readonly ProducerRecord<K, V>[]): Promise<DeliveryReport> {
    const { interceptors } = this
    const nowMs = this.recordClock.read()
    let collector: SendManyCollector
    // Plug-ins may change the array meanwhile: as many records as there are now are sent.
    let count: number
    let misses = 0
    try {
      count = lengthOf(records)
      collector = new SendManyCollector(
        count,
        nowMs,
        interceptors === null ? null : (report, errors) => interceptors.onReport(report, errors),
      )
    } catch (thrown) {
      return Promise.reject(asKafkaError(thrown, ''))
    }
    for (let ordinal = 0; ordinal < count; ordinal++) {
      if (misses <= PLAIN_MISSES_MAX && interceptors === null) {
        const first = ordinal
        ordinal = this.router.stageMany(records, nowMs, collector, first, count, this.takesRecords)
        if (ordinal > first) this.sender.wakeup()
        if (ordinal === count) break
      }
      let record: ProducerRecord<K, V>
      try {
        record = records[ordinal] as ProducerRecord<K, V>
      } catch (thrown) {
        collector.fail(asKafkaError(thrown, ''), ordinal, '', -1)
        continue
      }
      misses++
      this.dispatch(interceptors === null ? record : interceptors.onSend(record), collector, ordinal, nowMs)
    }
    return collector.promise
  }

  /**
   * Resolves once everything sent before it is settled, well or badly, and its callbacks have been called.
   * Batches do not linger meanwhile.
   */
  async flush(): Promise<void> {
    const barrier = this.raiseBarrier()
    await barrier.done
    this.accumulator.endUrgency()
    await failuresTold()
  }

  /**
   * Makes the producer ready for transactions; once, before all others of these calls. A transaction that an
   * earlier producer with the same `transactional.id` has left open is aborted, and that producer is fenced.
   *
   * This and the calls below reject with `TimeoutError` after `max.block.ms` but go on: made again, the same
   * call waits for the same outcome. `TransactionError` tells by `abortable` and `fatal` what to do next.
   */
  async initTransactions(): Promise<void> {
    await this.transactional('initTransactions').initTransactions()
  }

  /** Opens a transaction; all records until its end belong to it. Throws where that is not possible. */
  beginTransaction(): void {
    this.transactional('beginTransaction').beginTransaction()
  }

  /**
   * Commits a consumer group's offsets with the transaction: those of the next records to be read. The
   * consumer must not commit by itself.
   */
  async sendOffsetsToTransaction(
    offsets: Iterable<TopicPartitionOffset>,
    group: ConsumerGroupMetadata,
  ): Promise<void> {
    await this.transactional('sendOffsetsToTransaction').sendOffsets(offsets, group)
  }

  /**
   * Sends what is left and commits: `read_committed` consumers see all records of the transaction, or, if any
   * of them could not be stored, none: then it rejects and `abortTransaction` is to be called.
   */
  async commitTransaction(): Promise<void> {
    await this.transactional('commitTransaction').commitTransaction()
  }

  /** Aborts: what has not been sent fails, and `read_committed` consumers see nothing of the transaction. */
  async abortTransaction(): Promise<void> {
    await this.transactional('abortTransaction').abortTransaction()
  }

  /**
   * Does `work` in a transaction, which is committed when its promise resolves and aborted when it rejects or
   * the commit fails in a way that can be aborted. Rejects with what `work` or the commit rejected with.
   */
  async transaction<T>(work: (producer: this) => Promise<T> | T): Promise<T> {
    const transactions = this.transactional('transaction')
    await transactions.awaitAbort()
    transactions.beginTransaction()
    try {
      const result = await work(this)
      await this.commitTransaction()
      return result
    } catch (error) {
      // That the abort fails, too, is not what the caller has to hear of: later calls say so.
      if (transactions.mayAbort) await transactions.abortTransaction().catch(() => {})
      throw error
    }
  }

  /**
   * Sends what has been accepted, then closes all connections; a transaction that is open is aborted instead.
   * What is left after `timeoutMs` (default: no limit but `delivery.timeout.ms`) is rejected with
   * `ProducerClosedError`. Later calls get the same promise, and may shorten the time: `timeoutMs: 0` ends
   * it.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      return Promise.reject(new ConfigError(`close: timeoutMs must be at least 0, not ${timeoutMs}.`))
    }
    this.closeDeadline.pull(timeoutMs)
    this.closing ??= this.shutDown()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The topic's partitions; waits up to `max.block.ms` for metadata. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.checkOpen()
    await this.waiting.known(this.router.topicOf(topic))
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

  private sendIntercepted(
    interceptors: Interceptors,
    record: ProducerRecord<K, V>,
    callback: DeliveryCallback | undefined,
    nowMs: number,
  ): Promise<RecordMetadata> | undefined {
    const start = (deliver: DeliveryCallback) => {
      const acknowledge: DeliveryCallback = (error, metadata) => {
        interceptors.onAcknowledgement(metadata, error)
        deliver(error, metadata)
      }
      const delivery = new CallbackDelivery(acknowledge, this.config.logger)
      this.dispatch(interceptors.onSend(record), delivery, 0, nowMs)
    }
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        start((error, metadata) => (error === null ? resolve(metadata) : reject(error)))
      })
    }
    checkCallback(callback)
    start(callback)
    return undefined
  }

  /**
   * A promise for a record that is written at once: it derives from its batch's, which is cheaper by far than
   * one of its own (see PromiseGroup). A record that has to wait gets its own.
   */
  private sendPromised(record: ProducerRecord<K, V>, nowMs: number): Promise<RecordMetadata> {
    try {
      this.checkSendable()
      const routed = this.router.route(record, nowMs)
      // Code of the caller's that ran meanwhile may have closed the producer or ended the transaction.
      this.checkSendable()
      const written = this.isNext(routed) ? this.writeNow(routed) : null
      if (written !== null) return written
      const delivery = new PromiseDelivery()
      this.handOver(routed, delivery, 0)
      return delivery.promise
    } catch (thrown) {
      const error = asKafkaError(thrown, placeOf(record).topic)
      this.transactions?.onSendFailed(error)
      return Promise.reject(error)
    }
  }

  /** Null if the record has to wait for memory. */
  private writeNow(record: AppendableRecord): Promise<RecordMetadata> | null {
    const { appender, staging } = this.accumulator
    const { timestampMs } = record
    const batch = appender.appendNow(record)
    if (batch === null) return null
    this.sender.wakeup()
    const { result } = staging
    return PromiseGroup.of(batch, timestampMs).add(
      result[Result.INDEX] as number,
      result[Result.KEY_BYTES] as number,
      result[Result.VALUE_BYTES] as number,
      timestampMs,
    )
  }

  /** False if the record needs a closer look; the ones after it do not try this way. */
  private stageCalledBack(record: ProducerRecord<K, V>, callback: DeliveryCallback, nowMs: number): boolean {
    if (this.callbacksToDispatch > 0) {
      this.callbacksToDispatch--
      return false
    }
    const { callbackRun, takesRecords } = this
    const { staging } = this.accumulator
    if (!this.router.stageOne(record, nowMs, callbackRun, staging.nextOrdinal, takesRecords)) {
      this.callbacksToDispatch = CALLBACKS_DISPATCHED_AFTER_MISS
      return false
    }
    callbackRun.set(staging.count - 1, callback)
    this.sender.wakeup()
    return true
  }

  /** Whatever is wrong with a record reaches its delivery, and nobody else. */
  private dispatch(record: ProducerRecord<K, V>, delivery: Delivery, ordinal: number, nowMs: number): void {
    try {
      this.checkSendable()
      const routed = this.router.route(record, nowMs)
      // As in `sendPromised`.
      this.checkSendable()
      this.handOver(routed, delivery, ordinal)
    } catch (thrown) {
      const { topic, partition } = placeOf(record)
      const error = asKafkaError(thrown, topic)
      this.transactions?.onSendFailed(error)
      delivery.fail(error, ordinal, topic, partition)
    }
  }

  /** Into a batch, or to wait for the topic's metadata. */
  private handOver(record: AppendableRecord, delivery: Delivery, ordinal: number): void {
    if (this.isNext(record)) {
      this.accumulator.appender.append(record, delivery, ordinal)
      this.sender.wakeup()
      return
    }
    this.accumulator.appender.checkSize(record)
    const deadlineMs = this.clock.now() + this.config.maxBlockMs
    this.waiting.push(record, delivery, ordinal, deadlineMs)
  }

  /** Whether a record need not wait for its topic's metadata, or behind others that have waited for them. */
  private isNext(record: AppendableRecord): boolean {
    return isPlaceable(record) && !this.waiting.isReleasing(record.topic)
  }

  /** Sends a record on whose topic has become known. */
  private proceed(record: WaitingRecord): void {
    const { topic, delivery, ordinal } = record
    let placed = record
    if (record.partition === PARTITION_BY_PARTITIONER) {
      try {
        placed = { ...record, partition: this.router.askPartitioner(record) }
      } catch (thrown) {
        const error = asKafkaError(thrown, topic.name)
        this.transactions?.onRecordsFailed(error, false)
        delivery.fail(error, ordinal, topic.name, -1)
        return
      }
    }
    this.accumulator.appender.appendWaited(placed)
    this.sender.wakeup()
  }

  private checkOpen(): void {
    if (this.closing !== null) throw new ProducerClosedError('The producer is closed.')
    if (this.sender.fatal !== null) throw this.sender.fatal
  }

  private checkSendable(): void {
    this.checkOpen()
    this.transactions?.checkSend()
  }

  /** The transactions of an open producer; throws where there are none. */
  private transactional(call: string): TransactionManager {
    if (this.transactions === null) {
      throw new IllegalStateError(`${call} needs the option transactional.id, which turns transactions on.`)
    }
    if (this.closing !== null) throw new ProducerClosedError('The producer is closed.')
    return this.transactions
  }

  /** The transaction of these records is aborted, or has failed. */
  private abortUnsent(error: KafkaError): void {
    this.waiting.abortRecords(error)
    this.accumulator.abortUnsent(error)
  }

  private onClusterUpdate(): void {
    if (this.router.followMetadata()) this.waiting.onMetadata()
    this.sender.wakeup()
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

  private async shutDown(): Promise<void> {
    const { closeDeadline } = this
    const ended = this.transactions?.finish()
    await Promise.race([this.raiseBarrier().done, closeDeadline.passed])
    if (ended !== undefined) {
      // A coordinator that is not there has no time-out of its own, as records have.
      closeDeadline.pull(this.config.deliveryTimeoutMs)
      await Promise.race([ended, closeDeadline.passed])
    }
    closeDeadline.end()
    const { timeoutMs } = closeDeadline
    const error: KafkaError = new ProducerClosedError(
      `The producer was closed before the record was delivered (close time-out ${timeoutMs} ms).`,
    )
    this.transactions?.close(error)
    this.waiting.abort(error)
    this.accumulator.abort(error)
    this.sender.close()
    this.accumulator.core.close()
    await this.client.close()
    await failuresTold()
  }
}
