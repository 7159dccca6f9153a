import { abortable } from '../common/abort.js'
import { defaultLogger } from '../common/logger.js'
import {
  ConfigError,
  type DeliveryError,
  IllegalStateError,
  type KafkaError,
  ProducerClosedError,
} from '../errors/index.js'
import { closeTimeoutOf } from '../producer/close-deadline.js'
import type { KafkaProducer } from '../producer/kafka-producer.js'
import { checkCallback } from '../producer/record/record-checks.js'
import { asKafkaError } from '../producer/record/record-errors.js'
import type { RecordMetadata } from '../producer/record-metadata.js'
import type { DeliveryCallback } from '../producer/send/callback-group.js'
import { DeliveryReport, SendManyError } from '../producer/send/delivery-report.js'
import { givenUpError, givingUp, signalOf } from '../producer/send/signalled.js'
import type {
  ClusterInfo,
  ConnectOptions,
  PartitionInfo,
  ProducerHealth,
  ProducerRecord,
} from '../producer/types.js'
import type { Bytes } from '../serialization/index.js'
import type { Metric } from '../telemetry/metrics/metric.js'
import { abortedError } from '../transactions/failures.js'
import { type ConsumerGroupMetadata, checkGroup, type TopicPartitionOffset } from '../transactions/offsets.js'
import { type MockPlugins, MockRecordTaker } from './mock-record.js'
import { MockSends } from './mock-sends.js'
import { MockTelemetry } from './mock-telemetry.js'
import { MockTransactions, type OffsetsByGroup } from './mock-transactions.js'

/** Options of {@link MockProducer}; all may be left out. */
export interface MockProducerOptions<K = Bytes, V = Bytes> extends MockPlugins<K, V> {
  /** Whether sends succeed by themselves. Default true; else they wait for `completeNext` or `errorNext`. */
  readonly autoComplete?: boolean | undefined
  /** As the producer's option. Default: keys are strings, `Uint8Array`s or null. */
  readonly keySerializer?: MockPlugins<K, V>['keySerializer']
  /** As the producer's option. Default: values are strings, `Uint8Array`s or null. */
  readonly valueSerializer?: MockPlugins<K, V>['valueSerializer']
  /** As the producer's option. Default: by the key's hash as Java's; records without a key go to 0. */
  readonly partitioner?: MockPlugins<K, V>['partitioner']
  /** Partitions by topic, such as `{ orders: 6 }`. Default: any topic is there and has one. */
  readonly topics?: MockPlugins<K, V>['topics']
  /** With it records outside a transaction are refused, as `Producer` does. Default: they are taken. */
  readonly transactionalId?: string | null | undefined
  /** What `bufferTotalBytes` answers, and `bufferAvailableBytes` at first. Default 33,554,432. */
  readonly bufferMemory?: number | undefined
}

const OPTIONS: readonly string[] = [
  ...['autoComplete', 'keySerializer', 'valueSerializer', 'partitioner', 'topics', 'transactionalId'],
  'bufferMemory',
]
const BUFFER_MEMORY_DEFAULT = 33_554_432
/**
 * A producer for unit tests: no broker, no connection, no native addon. It keeps what was sent and lets the
 * test decide what becomes of it. (Java: `MockProducer`)
 *
 * Beyond Java's: sizes and timestamps in metadata are those a producer would tell; a record that names a
 * partition goes there though its topic is not described; keys are placed as by `Producer`.
 */
export class MockProducer<K = Bytes, V = Bytes> implements KafkaProducer<K, V> {
  /** While not null: what `initTransactions` rejects with. Nothing else changes then; so for all below. */
  initTransactionException: Error | null = null
  /** What `beginTransaction` throws. */
  beginTransactionException: Error | null = null
  /** What `sendOffsetsToTransaction` rejects with. */
  sendOffsetsToTransactionException: Error | null = null
  /** What `commitTransaction` rejects with. */
  commitTransactionException: Error | null = null
  /** What `abortTransaction` rejects with. */
  abortTransactionException: Error | null = null
  /** What every record fails with. */
  sendException: Error | null = null
  /** What `flush` rejects with. */
  flushException: Error | null = null
  /** What `partitionsFor` rejects with. */
  partitionsForException: Error | null = null
  /** What `close` rejects with. */
  closeException: Error | null = null

  /** Nothing waits in a mock; the test may say otherwise. */
  waitingBytes = 0
  /** `buffer.memory` as the option said. */
  readonly bufferTotalBytes: number
  /** What `health` says of it; the test may say otherwise. */
  connected = true
  private readonly taker: MockRecordTaker<K, V>
  private readonly isTransactional: boolean
  private readonly transactions = new MockTransactions<ProducerRecord<K, V>>()
  private readonly sends: MockSends<K, V>
  private readonly telemetry = new MockTelemetry()
  private availableBytes: number
  private readyWaiters: (() => void)[] = []
  private isClosed = false

  /** @throws ConfigError for options that make no sense */
  constructor(options: MockProducerOptions<K, V> = {}) {
    for (const name of Object.keys(options)) {
      if (OPTIONS.includes(name)) continue
      throw new ConfigError(
        `MockProducer: unknown option ${JSON.stringify(name)}; known are ${OPTIONS.join(', ')}.`,
        name,
      )
    }
    const { autoComplete = true, transactionalId = null, bufferMemory = BUFFER_MEMORY_DEFAULT } = options
    const { transactions } = this
    const taker = new MockRecordTaker(options)
    this.taker = taker
    this.sends = new MockSends({
      taker,
      transactions,
      autoComplete,
      checkSendable: () => this.checkSendable(),
      sendException: () => this.sendException,
    })
    this.isTransactional = transactionalId !== null && transactionalId !== ''
    this.bufferTotalBytes = bufferMemory
    this.availableBytes = bufferMemory
  }

  // ---- what a producer does ----

  send(record: ProducerRecord<K, V>, options?: { signal?: AbortSignal }): Promise<RecordMetadata>
  /** False while the test has set `bufferAvailableBytes` to 0. */
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): boolean
  send(
    record: ProducerRecord<K, V>,
    second?: DeliveryCallback | { signal?: AbortSignal },
  ): Promise<RecordMetadata> | boolean {
    if (second === undefined || (typeof second === 'object' && second !== null))
      return this.sendPromised(record, second)
    const callback = second
    checkCallback(callback)
    this.sends.start(record, {}, (error, metadata) => {
      try {
        callback(error as DeliveryError | null, metadata)
      } catch (thrown) {
        defaultLogger.error(`A delivery callback for a record to topic ${metadata.topic} threw`, {
          error: thrown,
        })
      }
    })
    return this.availableBytes > 0
  }

  async sendMany(
    records: Iterable<ProducerRecord<K, V>>,
    options?: { signal?: AbortSignal },
  ): Promise<DeliveryReport> {
    const signal = signalOf('sendMany', options)
    signal?.throwIfAborted()
    const owner = {}
    const report = this.sendAll(records, owner)
    if (signal === undefined) return await report
    const giveUp = () => this.sends.preparation.giveUp(owner, givenUpError(signal.reason))
    return await givingUp(report, signal, giveUp)
  }

  /** There is no cluster: it has no brokers. */
  async connect(options: ConnectOptions = {}): Promise<ClusterInfo> {
    options.signal?.throwIfAborted()
    return { clusterId: null, controllerId: -1, brokers: [] }
  }

  /** Resolves once `bufferAvailableBytes` is above 0. */
  async ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    const signal = signalOf('ready', options)
    signal?.throwIfAborted()
    if (this.availableBytes > 0) return
    const raised = new Promise<void>(resolve => this.readyWaiters.push(resolve))
    await abortable(raised, signal)
  }

  /** Completes all sends that are pending, successfully; those whose serializers get ready, after that. */
  async flush(options: { signal?: AbortSignal } = {}): Promise<void> {
    const signal = signalOf('flush', options)
    signal?.throwIfAborted()
    await abortable(this.completeAll(), signal)
  }

  /** Nothing is drained: what is pending stays so, and can still be completed. */
  async close(options: { timeoutMs?: number } = {}): Promise<void> {
    closeTimeoutOf(options)
    throwIfSet(this.closeException)
    this.isClosed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** As `topics` says; none for a topic it does not describe. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    throwIfSet(this.partitionsForException)
    return this.taker.partitionsFor(topic).map(({ partition, leader }) => ({
      topic,
      partition,
      leader,
      replicas: [leader],
      inSyncReplicas: [leader],
    }))
  }

  /** By {@link connected}, the sends that are pending, and `close` or `fenceProducer`. */
  health(): ProducerHealth {
    const { connected, sends, fatal } = this
    const nowMs = performance.now()
    const ageOf = (atMs: number) => (Number.isFinite(atMs) ? nowMs - atMs : null)
    return {
      connected,
      lastAcknowledgedMs: ageOf(sends.lastCompletedAtMs),
      oldestUnacknowledgedMs: ageOf(sends.oldestSentAtMs),
      fatal,
    }
  }

  /** What the test has set with {@link setMockMetrics}. */
  metrics(): readonly Metric[] {
    return this.telemetry.metrics
  }

  /** What the test has set with {@link setClientInstanceId}. */
  async clientInstanceId(_options: { timeoutMs?: number } = {}): Promise<string> {
    return this.telemetry.clientInstanceId()
  }

  registerMetricForSubscription(metric: Metric): void {
    this.telemetry.add(metric)
  }

  unregisterMetricFromSubscription(metric: Metric): void {
    this.telemetry.remove(metric)
  }

  /** Bytes of `buffer.memory` that are free. A mock uses none; the test sets what code is to see. */
  get bufferAvailableBytes(): number {
    return this.availableBytes
  }

  set bufferAvailableBytes(bytes: number) {
    this.availableBytes = bytes
    if (bytes <= 0) return
    for (const resolve of this.readyWaiters.splice(0)) resolve()
  }

  // ---- transactions ----

  async initTransactions(): Promise<void> {
    this.checkOpen()
    this.transactions.checkNotFenced()
    if (this.transactions.isInitialized) {
      throw new IllegalStateError('initTransactions may be called only once; the producer is initialised.')
    }
    throwIfSet(this.initTransactionException)
    this.transactions.isInitialized = true
  }

  beginTransaction(): void {
    this.checkOpen()
    this.transactions.checkInitialized()
    throwIfSet(this.beginTransactionException)
    this.transactions.begin()
  }

  async sendOffsetsToTransaction(
    offsets: Iterable<TopicPartitionOffset>,
    group: ConsumerGroupMetadata,
  ): Promise<void> {
    const { groupId } = checkGroup(group)
    this.checkInFlight()
    throwIfSet(this.sendOffsetsToTransactionException)
    this.transactions.addOffsets(groupId, offsets)
  }

  /** Completes what is pending; the transaction's records come into {@link history}. */
  async commitTransaction(): Promise<void> {
    this.checkInFlight()
    throwIfSet(this.commitTransactionException)
    await this.completeAll()
    this.sends.history.push(...this.transactions.commit())
  }

  /**
   * Completes what is pending, and fails what waits for its serializers; the transaction's records and
   * offsets are forgotten.
   */
  async abortTransaction(): Promise<void> {
    this.checkInFlight()
    throwIfSet(this.abortTransactionException)
    this.sends.preparation.failAll(abortedError())
    await this.completeAll()
    this.transactions.abort()
  }

  async transaction<T>(work: (producer: this) => Promise<T> | T): Promise<T> {
    this.beginTransaction()
    try {
      const result = await work(this)
      await this.commitTransaction()
      return result
    } catch (error) {
      if (this.transactions.isInFlight) await this.abortTransaction().catch(() => {})
      throw error
    }
  }

  // ---- what a test does ----

  /** Completes the oldest send that is pending, successfully. False if there is none. */
  completeNext(): boolean {
    return this.sends.complete(null)
  }

  /** Fails the oldest send that is pending. False if there is none. */
  errorNext(error: Error): boolean {
    return this.sends.complete(error)
  }

  /** From now on everything but `flush` and `close` fails with `ProducerFencedError`. */
  fenceProducer(): void {
    this.checkOpen()
    this.transactions.checkInitialized()
    this.transactions.isFenced = true
  }

  /** Records sent since the last {@link clear}, failed ones too; those of a transaction once it commits. */
  history(): ProducerRecord<K, V>[] {
    return [...this.sends.history]
  }

  /** Records of the open transaction. */
  uncommittedRecords(): ProducerRecord<K, V>[] {
    return [...this.transactions.uncommitted]
  }

  /** Offsets of the open transaction. */
  uncommittedOffsets(): OffsetsByGroup {
    return new Map(this.transactions.offsets)
  }

  /** Offsets of the transactions that were committed, one entry for each that had some. */
  consumerGroupOffsetsHistory(): OffsetsByGroup[] {
    return [...this.transactions.offsetsHistory]
  }

  /**
   * Forgets records, offsets of groups and pending sends, whose promises stay as they are. Offsets of records
   * go on, and the state of transactions stays.
   */
  clear(): void {
    this.sends.clear()
    this.transactions.clear()
  }

  /** No send is pending. */
  get flushed(): boolean {
    return this.sends.isEmpty
  }

  get closed(): boolean {
    return this.isClosed
  }

  get transactionInitialized(): boolean {
    return this.transactions.isInitialized
  }

  get transactionInFlight(): boolean {
    return this.transactions.isInFlight
  }

  /** Whether the last transaction was committed; false again once the next has begun. */
  get transactionCommitted(): boolean {
    return this.transactions.isCommitted
  }

  /** Whether the last transaction was aborted; false again once the next has begun. */
  get transactionAborted(): boolean {
    return this.transactions.isAborted
  }

  /** Transactions committed so far. */
  get commitCount(): number {
    return this.transactions.commits
  }

  /** Whether the last transaction that has begun was given offsets. */
  sentOffsets(): boolean {
    return this.transactions.hasSentOffsets
  }

  /** Adds a metric, or replaces the one of the same name, group and tags. */
  setMockMetrics(metric: Metric): void {
    this.telemetry.set(metric)
  }

  /** Metrics that were registered and not taken back. */
  addedMetrics(): readonly Metric[] {
    return this.telemetry.added
  }

  setClientInstanceId(id: string): void {
    this.telemetry.instanceId = id
  }

  /** The next `count` calls of `clientInstanceId` reject with `TimeoutError`. */
  injectTimeoutException(count: number): void {
    this.telemetry.timeoutsToInject = count
  }

  /** From now on `clientInstanceId` rejects with `IllegalStateError`. */
  disableTelemetry(): void {
    this.telemetry.isDisabled = true
  }

  // ---- inside ----

  private async sendPromised(
    record: ProducerRecord<K, V>,
    options: { signal?: AbortSignal } | undefined,
  ): Promise<RecordMetadata> {
    const signal = signalOf('send', options)
    signal?.throwIfAborted()
    const owner = {}
    const sent = new Promise<RecordMetadata>((resolve, reject) => {
      this.sends.start(record, owner, (error, metadata) =>
        error === null ? resolve(metadata) : reject(error),
      )
    })
    if (signal === undefined) return await sent
    return await givingUp(sent, signal, () => this.sends.preparation.giveUp(owner, signal.reason))
  }

  private sendAll(records: Iterable<ProducerRecord<K, V>>, owner: object): Promise<DeliveryReport> {
    return new Promise((resolve, reject) => {
      const all: ProducerRecord<K, V>[] = []
      try {
        for (const record of records) all.push(record)
      } catch (thrown) {
        reject(asKafkaError(thrown, ''))
        return
      }
      const metadataOfAll: RecordMetadata[] = []
      const errors = new Map<number, KafkaError>()
      const report = new DeliveryReport({ metadataOf: at => metadataOfAll[at] as RecordMetadata }, all.length)
      let pending = all.length
      const finish = () => {
        if (errors.size === 0) resolve(report)
        else reject(new SendManyError(report, new Map([...errors].sort(([one], [other]) => one - other))))
      }
      if (pending === 0) finish()
      for (const [at, record] of all.entries()) {
        this.sends.start(record, owner, (error, metadata) => {
          metadataOfAll[at] = metadata
          if (error !== null) errors.set(at, error)
          if (--pending === 0) finish()
        })
      }
    })
  }

  /** Waits for serializers where records do, then completes everything. */
  private async completeAll(): Promise<void> {
    this.checkOpen()
    throwIfSet(this.flushException)
    const prepared = this.sends.preparation.settled()
    if (prepared !== null) await prepared
    while (this.sends.complete(null));
  }

  private checkSendable(): void {
    this.checkOpen()
    this.transactions.checkNotFenced()
    throwIfSet(this.sendException)
    if (this.isTransactional && !this.transactions.isInFlight) {
      throw new IllegalStateError('send is not possible now: no transaction is open.')
    }
  }

  private get fatal(): KafkaError | null {
    if (this.isClosed) return new ProducerClosedError('The producer is closed.')
    return this.transactions.fencedError
  }

  private checkOpen(): void {
    if (this.isClosed) throw new ProducerClosedError('The producer is closed.')
  }

  private checkInFlight(): void {
    this.checkOpen()
    this.transactions.checkInFlight()
  }
}

function throwIfSet(error: Error | null): void {
  if (error !== null) throw error
}
