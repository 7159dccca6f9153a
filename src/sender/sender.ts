import type { RecordAccumulator } from '../accumulator/accumulator.js'
import { BatchPhase } from '../accumulator/batch/batch.js'
import { NO_LEADER, type PartitionBatch } from '../accumulator/partition/partition-state.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import { DeadlineTimer } from '../cluster/deadline-timer.js'
import type { Clock } from '../common/clock.js'
import { ExponentialBackoff } from '../common/exponential-backoff.js'
import type { Logger } from '../common/logger.js'
import type { Observer } from '../common/observer.js'
import { InternalError, type KafkaError, UnsupportedVersionError } from '../errors/index.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes, errorName, refreshesMetadata } from '../protocol/error-codes.js'
import { Produce, type ProducePartitionResponse, type ProduceResponse } from '../protocol/produce.js'
import type { TransactionManager } from '../transactions/transaction-manager.js'
import { leaderHintOf } from './leader-hint.js'
import { NodeLatency } from './node-latency.js'
import { ProduceRequest } from './produce-request.js'
import { ProducerIdSource } from './producer-id-source.js'
import { ProducerIdentity } from './producer-identity.js'
import { namedRecordErrors, withOthers } from './record-errors.js'
import { SequenceGate } from './sequence-gate.js'
import {
  codeOfNoAnswer,
  type DeliveryMode,
  isKnownMissing,
  isRefusal,
  isStored,
  judge,
  Verdict,
} from './verdict.js'

interface SenderOptions {
  accumulator: RecordAccumulator
  client: ClusterClient
  clock: Clock
  logger: Logger
  observer: Observer
  clientId: string
  acks: number
  idempotent: boolean
  maxInFlight: number
  retries: number
  requestTimeoutMs: number
  retryBackoffMs: number
  retryBackoffMaxMs: number
  availabilityTimeoutMs: number
  compressionName: string
  /** Null: the producer has none. */
  transactions?: TransactionManager | null
  /** A response has told the topic's new leaders; they are in the metadata cache. */
  onLeaderHint: (topic: string) => void
}

/** First Produce version that takes zstd (KIP-110). */
const ZSTD_FROM = 7

/** The transaction before this one is still being completed, which takes not long. */
const TRANSACTION_END_BACKOFF_MS = 20

/**
 * Sends what is ready. One `run` is scheduled at a time, on a later turn of the event loop, by whatever makes
 * work: a new or full batch, the one deadline timer, an answer, new metadata, a flush.
 */
export class Sender {
  /** Set once no record can be sent any more. */
  fatal: KafkaError | null = null
  readonly latency: NodeLatency
  /** When a broker has last acknowledged a batch, on the monotonic clock; NaN: none has. */
  lastAcknowledgedMs = Number.NaN
  /** When the outcome of the request in hand has come, on the monotonic clock. */
  private outcomeMs = Number.NaN
  private readonly options: SenderOptions
  private readonly accumulator: RecordAccumulator
  readonly identity: ProducerIdentity
  private readonly gate: SequenceGate
  private readonly mode: DeliveryMode
  private readonly transactions: TransactionManager | null
  private readonly backoff: ExponentialBackoff
  private readonly clientId: Uint8Array
  /** Topics that have had a batch split. */
  private readonly splitTopics = new Set<string>()
  /** Made once: a closure in `wakeup` would cost every call of it a context, 40 bytes a record. */
  private readonly turn = () => this.run()
  private isScheduled = false
  private isClosed = false
  private readonly producerIds: ProducerIdSource
  /** Linger and backoff. */
  private readonly timer: DeadlineTimer
  /**
   * `delivery.timeout.ms` and `max.block.ms`, judged only here: the timer lets the sockets have a turn first,
   * so answers that came while the application held the event loop count, and after a long hold more time, so
   * that what could not even be sent meanwhile may be.
   */
  private readonly timeouts: DeadlineTimer

  constructor(options: SenderOptions) {
    this.options = options
    this.accumulator = options.accumulator
    this.identity = new ProducerIdentity(options.idempotent)
    this.transactions = options.transactions ?? null
    this.gate = new SequenceGate(this.identity, options.maxInFlight === 1, this.transactions)
    this.mode = this.transactions !== null ? 'transactional' : options.idempotent ? 'idempotent' : 'plain'
    this.backoff = new ExponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs)
    this.producerIds = new ProducerIdSource({
      accumulator: options.accumulator,
      client: options.client,
      clock: options.clock,
      logger: options.logger,
      identity: this.identity,
      backoff: this.backoff,
      requestTimeoutMs: options.requestTimeoutMs,
      wakeup: () => this.wakeup(),
      failForGood: error => this.failForGood(error),
    })
    this.latency = new NodeLatency(options.availabilityTimeoutMs, options.clock)
    this.clientId = Buffer.from(options.clientId)
    this.timer = new DeadlineTimer(options.clock, () => this.run())
    const { clock, requestTimeoutMs } = options
    this.timeouts = new DeadlineTimer(clock, asOf => this.judgeTimeouts(asOf), requestTimeoutMs)
  }

  wakeup(): void {
    if (this.isScheduled || this.isClosed) return
    this.isScheduled = true
    this.options.clock.setImmediate(this.turn)
  }

  /** Has what the first record will need, as far as it can be had before. */
  async warmUp(timeoutMs: number): Promise<void> {
    // A transactional producer gets its id from its coordinator, by initTransactions.
    if (this.transactions === null) await this.producerIds.obtain(timeoutMs)
  }

  /** Why a batch that is not on its way has not been sent, or not again; null: nothing that is known. */
  lastCause({ producer, partition, lastError }: PartitionBatch): KafkaError | null {
    const { client } = this.options
    const idError = producer === null ? this.producerIds.lastError : null
    return idError ?? client.errorOf(partition.leaderId) ?? lastError ?? client.lastError
  }

  /** What has kept the oldest batch that has no outcome; null where there is none, or nothing is known. */
  undelivered(): KafkaError | null {
    const { oldestIncomplete } = this.accumulator
    return oldestIncomplete === null ? null : this.lastCause(oldestIncomplete)
  }

  close(): void {
    this.isClosed = true
    this.producerIds.close()
    this.timer.cancel()
    this.timeouts.cancel()
  }

  private run(): void {
    this.isScheduled = false
    if (this.isClosed) return
    const { accumulator } = this
    const nowMs = this.options.clock.now()
    this.options.observer.loopTurn(nowMs)
    accumulator.beginTurn(nowMs)
    this.gate.beginTurn(nowMs)
    if (this.fatal !== null) {
      this.transactions?.fail(this.fatal)
      accumulator.abort(this.fatal)
    } else if (this.transactions === null) {
      this.sendReady()
      if (!this.identity.isReady) this.producerIds.ask()
    } else if (this.transactions.step()) this.sendReady()
    accumulator.appender.serveWaiting()
    this.timer.ensure(accumulator.nextDeadlineMs())
    this.timeouts.ensure(accumulator.nextTimeoutMs())
  }

  /** `asOf`: what fell due since may have been answered already, by bytes that have not been read yet. */
  private judgeTimeouts(asOf: number): void {
    if (this.isClosed) return
    for (const batch of this.accumulator.expire(asOf)) this.afterFailure(batch)
    const nextMs = this.accumulator.nextTimeoutMs()
    // What else is overdue ends in the turns that follow, and is not sent before.
    if (nextMs <= asOf) this.timeouts.ensure(nextMs)
    else this.run()
  }

  private sendReady(): void {
    const { accumulator } = this
    const { client } = this.options
    for (const leader of accumulator.readyLeaders()) {
      if (leader === NO_LEADER) {
        for (const partition of accumulator.readyPartitionsOf(leader)) client.trackTopic(partition.topic.name)
        client.requestUpdate()
        continue
      }
      const isReady = client.isReady(leader)
      this.latency.observe(leader, isReady)
      if (!isReady) {
        client.ensureConnection(leader)
        continue
      }
      client.together(leader, () => this.sendTo(leader))
    }
  }

  private sendTo(leader: number): void {
    do {
      const batches = this.accumulator.drain(leader, this.gate)
      if (batches.length === 0) break
      this.send(leader, batches)
    } while (this.options.client.isReady(leader))
  }

  private send(nodeId: number, batches: readonly PartitionBatch[]): void {
    const { client, acks, requestTimeoutMs, compressionName } = this.options
    const { transactions } = this
    const highest = client.apiVersion(nodeId, Produce)
    const version = transactions === null ? highest : Math.min(highest, transactions.produceVersionMax)
    const request = new ProduceRequest({
      nodeId,
      version,
      clientId: this.clientId,
      transactionalId: transactions?.transactionalId ?? null,
      acks,
      timeoutMs: requestTimeoutMs,
      batches,
      onWritten: (written, error) => this.onWritten(written, error),
      onAnswer: (answered, response) => this.onAnswer(answered, response),
    })
    if (version < 0 || (compressionName === 'zstd' && version < ZSTD_FROM)) {
      const need = version < 0 ? 'Produce version 3 (Kafka 0.11) or later' : 'zstd (Kafka 2.1)'
      const error = new UnsupportedVersionError(`${client.brokerName(nodeId)} does not take ${need}.`)
      for (const batch of batches) {
        batch.partition.answered()
        this.accumulator.release(batch)
        this.fail(batch, error)
        this.accumulator.refresh(batch.partition)
      }
      return
    }
    this.options.observer.batchesSent(batches, nodeId)
    client.send(nodeId, request)
  }

  private onWritten(request: ProduceRequest, error: Error | null): void {
    let isNews = !request.expectsResponse
    if (isNews) this.outcomeMs = this.options.clock.now()
    for (const batch of request.batches) {
      if (this.accumulator.release(batch)) isNews = true
      if (!request.expectsResponse) {
        this.complete(batch, request, error === null ? ErrorCodes.NONE : ErrorCodes.NETWORK_EXCEPTION, null)
      } else if (batch.partition.sequences.needsEpochBump) {
        // The batch may have been the last that the bump had to wait for.
        this.accumulator.refresh(batch.partition)
        isNews = true
      }
    }
    if (isNews) this.afterEvent()
  }

  private onAnswer(request: ProduceRequest, response: ProduceResponse | null): void {
    this.outcomeMs = this.options.clock.now()
    if (response === null) {
      const code = codeOfNoAnswer(request.failure)
      for (const batch of request.batches) this.complete(batch, request, code, null)
    } else {
      const { client, logger } = this.options
      client.throttledBy(request.nodeId, Produce, request.version, response.throttleTimeMs)
      request.match(
        response,
        (batch, partition) => {
          // An answer that leaves a batch out says nothing of its fate: it is as good as no answer.
          const code = partition?.errorCode ?? ErrorCodes.NETWORK_EXCEPTION
          this.complete(batch, request, code, partition)
          const hint = partition === null ? null : leaderHintOf(batch, partition, response)
          if (hint !== null && client.metadata.applyLeaderHint(hint)) this.options.onLeaderHint(hint.topic)
        },
        (topic, partition) =>
          logger.warn(
            `${client.brokerName(request.nodeId)} answered for ${topic}-${partition}, which was not sent`,
          ),
      )
    }
    this.afterEvent()
  }

  /** What one batch's answer means for it and its partition. */
  private complete(
    batch: PartitionBatch,
    request: ProduceRequest,
    errorCode: number,
    answer: ProducePartitionResponse | null,
  ): void {
    const { partition } = batch
    partition.answered()
    if (errorCode !== ErrorCodes.NONE && refreshesMetadata(errorCode)) this.options.client.requestUpdate()
    if (batch.phase !== BatchPhase.SETTLED) this.decide(batch, request, errorCode, answer)
    else if (isStored(errorCode) && batch.baseSequence === partition.sequences.firstUnacknowledged) {
      // Expired while the answer was on its way. Nothing is missing in the log, so what follows fits on.
      partition.sequences.acknowledge(batch)
    }
    this.accumulator.refresh(partition)
  }

  private decide(
    batch: PartitionBatch,
    request: ProduceRequest,
    errorCode: number,
    answer: ProducePartitionResponse | null,
  ): void {
    const verdict = judge(batch, errorCode, this.mode, answer?.logStartOffset ?? -1n)
    if (verdict === Verdict.DONE) this.succeed(batch, request, answer)
    else if (verdict === Verdict.SPLIT) this.split(batch, request)
    else if (verdict === Verdict.FATAL) {
      const error = this.errorFor(batch, request, errorCode, answer)
      if (this.transactions === null) this.failForGood(error)
      else this.transactions.onProducerRefused(error, errorCode)
    } else if (verdict === Verdict.FAIL || batch.attempts >= this.options.retries) {
      if (errorCode === ErrorCodes.UNKNOWN_PRODUCER_ID && answer !== null)
        batch.partition.sequences.forgotten(answer.logStartOffset)
      this.refuse(batch, request, errorCode, answer, verdict === Verdict.FAIL && isRefusal(batch, errorCode))
    } else this.retry(batch, request, errorCode, answer, verdict)
  }

  /**
   * The batch will not be stored. Where the broker names records, only those fail and the others go again in
   * their place; not if an earlier attempt may have stored them all, and not in a transaction, which has
   * failed with the first lost record. `isCertain`: nothing of it is stored.
   */
  private refuse(
    batch: PartitionBatch,
    request: ProduceRequest,
    errorCode: number,
    answer: ProducePartitionResponse | null,
    isCertain: boolean,
  ): void {
    const named = namedRecordErrors(batch, errorCode, answer)
    const mayKeepOthers = this.transactions === null && !batch.mayBeStored
    if (named.size === 0 || named.size === batch.recordCount || !mayKeepOthers) {
      batch.outcome.recordErrors = withOthers(batch, errorCode, named)
      this.fail(batch, this.errorFor(batch, request, errorCode, answer), isCertain)
      return
    }
    const { observer } = this.options
    const parts = this.accumulator.dropRecords(batch, named)
    for (const error of named.values()) observer.recordsRefused(batch.partition.topic.name, 1, error)
    observer.batchSplit(batch, request.nodeId, parts)
  }

  private succeed(
    batch: PartitionBatch,
    request: ProduceRequest,
    answer: ProducePartitionResponse | null,
  ): void {
    const { outcome } = batch
    if (answer !== null) {
      this.lastAcknowledgedMs = this.outcomeMs
      outcome.baseOffset = answer.baseOffset
      if (answer.logAppendTimeMs >= 0n) outcome.logAppendTimeMs = Number(answer.logAppendTimeMs)
    }
    if (batch.producer !== null) {
      const { sequences } = batch.partition
      sequences.acknowledge(batch, outcome.baseOffset)
      // From now on the leader checks the sequences that follow.
      sequences.prove(request.nodeId, batch.attemptLeaderEpoch, batch.producer, this.outcomeMs)
    }
    this.options.observer.batchAcknowledged(batch, request.nodeId)
    this.accumulator.settle(batch)
  }

  private retry(
    batch: PartitionBatch,
    request: ProduceRequest,
    errorCode: number,
    answer: ProducePartitionResponse | null,
    verdict: Verdict,
  ): void {
    const { logger, client, clock } = this.options
    const { topic, index } = batch.partition
    logger.debug(
      `Retrying ${batch.recordCount} record(s) to ${topic.name}-${index} after ${errorName(errorCode)} ` +
        `from ${client.brokerName(request.nodeId)}, attempt ${batch.attempts + 1}`,
    )
    if (verdict === Verdict.RETRY_AFTER_EPOCH_BUMP || verdict === Verdict.RETRY_WITH_NEW_ID)
      batch.partition.sequences.demandEpochBump()
    if (verdict === Verdict.RETRY_WITH_NEW_ID && batch.producer === this.identity.current)
      this.identity.forget()
    const error = request.failure ?? this.errorFor(batch, request, errorCode, answer)
    const delayMs = this.retryDelayMs(batch, errorCode)
    this.options.observer.batchRetried(batch, request.nodeId, error, delayMs)
    this.accumulator.requeue(
      batch,
      error,
      !isKnownMissing(errorCode) && verdict !== Verdict.RETRY_WITH_NEW_ID,
      clock.now() + delayMs,
    )
  }

  private retryDelayMs(batch: PartitionBatch, errorCode: number): number {
    const delayMs = this.backoff.delayMs(batch.attempts)
    const isWaitForEnd = errorCode === ErrorCodes.CONCURRENT_TRANSACTIONS
    return isWaitForEnd ? Math.min(delayMs, TRANSACTION_END_BACKOFF_MS) : delayMs
  }

  /** Costs no attempt: the broker has not stored anything, and what is sent next is something else. */
  private split(batch: PartitionBatch, request: ProduceRequest): void {
    const { logger, client } = this.options
    const { topic, index } = batch.partition
    const name = `${topic.name}-${index}`
    // Once a topic: with a batch.size that does not fit, every batch comes here.
    logger[this.splitTopics.has(topic.name) ? 'debug' : 'warn'](
      `${client.brokerName(request.nodeId)} finds a batch of ${batch.recordCount} records ` +
        `(${batch.bytes} bytes) for ${name} too large; it is split. ` +
        'A lower batch.size or a higher max.message.bytes spares that',
    )
    this.splitTopics.add(topic.name)
    try {
      const parts = this.accumulator.split(batch)
      this.options.observer.batchSplit(batch, request.nodeId, parts)
    } catch (cause) {
      const message = `A batch for ${name} was too large for the broker and could not be split.`
      this.fail(batch, new InternalError(message, { topic: topic.name, partition: index, cause }))
    }
  }

  /** `isRefused`: the broker has certainly not stored it. */
  private fail(batch: PartitionBatch, error: KafkaError, isRefused = false): void {
    this.options.observer.batchFailed(batch, error)
    this.accumulator.fail(batch, error)
    this.afterFailure(batch, isRefused)
  }

  private afterFailure(batch: PartitionBatch, isRefused = false): void {
    this.loseSequence(batch)
    const { error } = batch.outcome
    if (error === null) return
    const gap = isRefused ? 'refused' : 'unsure'
    this.transactions?.onRecordsFailed(error, batch.producer === null ? 'none' : gap)
  }

  /**
   * A batch with a sequence has ended without being stored, or without it being known. What follows it in the
   * partition would be refused for the gap, so the partition drains and goes on under the next epoch.
   */
  private loseSequence(batch: PartitionBatch): void {
    if (batch.partition.sequences.lose(batch)) this.accumulator.refresh(batch.partition)
  }

  /**
   * Another cluster answers at the address: it knows neither the producer id nor what was stored. What is on
   * its way goes again under a new id.
   */
  clusterChanged(): void {
    if (this.transactions !== null || !this.identity.idempotent) return
    this.identity.forget()
    this.accumulator.forgetLogs()
    this.wakeup()
  }

  /** No record can be sent any more: everything fails with this error, now and later. */
  failForGood(error: KafkaError): void {
    this.fatal ??= error
    this.accumulator.abort(this.fatal)
  }

  /**
   * As {@link failForGood}, by whoever may be in the midst of something with a batch: what there is fails in
   * the next turn.
   */
  failForGoodSoon(error: KafkaError): void {
    this.fatal ??= error
    this.wakeup()
  }

  private errorFor(
    batch: PartitionBatch,
    request: ProduceRequest,
    errorCode: number,
    answer: ProducePartitionResponse | null,
  ): KafkaError {
    const { topic, index } = batch.partition
    return brokerError(errorCode, {
      topic: topic.name,
      partition: index,
      broker: this.options.client.brokerName(request.nodeId),
      ...(answer?.errorMessage ? { message: answer.errorMessage } : {}),
      ...(request.failure === null ? {} : { cause: request.failure }),
    })
  }

  /** Memory may have come back, and more may be sendable. */
  private afterEvent(): void {
    this.accumulator.appender.serveWaiting()
    this.wakeup()
  }
}
