import type { RecordAccumulator } from '../accumulator/accumulator.js'
import { type Batch, BatchPhase, NO_SEQUENCE } from '../accumulator/batch.js'
import { NO_LEADER, type TopicState } from '../accumulator/topic.js'
import type { ClusterClient } from '../cluster/cluster-client.js'
import { DeadlineTimer } from '../cluster/deadline-timer.js'
import type { Clock } from '../common/clock.js'
import { ExponentialBackoff } from '../common/exponential-backoff.js'
import type { Logger } from '../common/logger.js'
import { type KafkaError, TimeoutError, UnsupportedVersionError } from '../errors/index.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes, errorName, refreshesMetadata } from '../protocol/error-codes.js'
import { Produce, type ProducePartitionResponse, type ProduceResponse } from '../protocol/produce.js'
import { SequenceGate } from './drain-gate.js'
import { NodeLatency } from './node-latency.js'
import { ProduceRequest } from './produce-request.js'
import { requestProducerId } from './producer-id-request.js'
import { ProducerIdentity, sequenceAfter } from './producer-identity.js'
import { recordErrorsOf } from './record-errors.js'
import { judge, Verdict } from './verdict.js'

export interface SenderOptions {
  accumulator: RecordAccumulator
  client: ClusterClient
  clock: Clock
  logger: Logger
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
  /** A response has told the topic's new leaders; they are in the metadata cache. */
  onLeaderHint: (topic: TopicState) => void
}

/** First Produce version that takes zstd (KIP-110). */
const ZSTD_FROM = 7

/**
 * Sends what is ready. One `run` is scheduled at a time, on a later turn of the event loop, by whatever makes
 * work: a new or full batch, the one deadline timer, an answer, new metadata, a flush.
 */
export class Sender {
  /** Set once no record can be sent any more. */
  fatal: KafkaError | null = null
  readonly latency: NodeLatency
  private readonly options: SenderOptions
  private readonly accumulator: RecordAccumulator
  private readonly identity: ProducerIdentity
  private readonly gate: SequenceGate
  private readonly backoff: ExponentialBackoff
  private readonly clientId: Uint8Array
  private isScheduled = false
  private isClosed = false
  private isAskingForId = false
  /**
   * Linger, backoff and delivery time-outs. The latter are judged only here: the timer lets the sockets have a
   * turn first, so answers that came while the application held the event loop count.
   */
  private readonly timer: DeadlineTimer

  constructor(options: SenderOptions) {
    this.options = options
    this.accumulator = options.accumulator
    this.identity = new ProducerIdentity(options.idempotent)
    this.gate = new SequenceGate(this.identity, options.accumulator.core, options.maxInFlight === 1)
    this.backoff = new ExponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs)
    this.latency = new NodeLatency(options.availabilityTimeoutMs, options.clock)
    this.clientId = Buffer.from(options.clientId)
    this.timer = new DeadlineTimer(options.clock, () => this.onDeadline())
  }

  wakeup(): void {
    if (this.isScheduled || this.isClosed) return
    this.isScheduled = true
    this.options.clock.setImmediate(() => this.run())
  }

  close(): void {
    this.isClosed = true
    this.timer.cancel()
  }

  private run(): void {
    this.isScheduled = false
    if (this.isClosed) return
    const { accumulator } = this
    const nowMs = this.options.clock.now()
    accumulator.appender.drainStaged()
    accumulator.promote(nowMs)
    if (this.fatal !== null) accumulator.abort(this.fatal)
    else if (this.identity.isReady) this.sendReady()
    else this.askForProducerId()
    this.timer.ensure(accumulator.nextDeadlineMs())
  }

  private onDeadline(): void {
    if (this.isClosed) return
    const nowMs = this.options.clock.now()
    this.accumulator.appender.expireWaiting(nowMs)
    for (const batch of this.accumulator.expire(nowMs)) this.loseSequence(batch)
    this.accumulator.appender.serveWaiting()
    this.run()
  }

  private sendReady(): void {
    const { accumulator } = this
    const { client } = this.options
    for (const leader of accumulator.ready.leaders()) {
      if (leader === NO_LEADER) {
        for (const partition of accumulator.ready.partitionsOf(leader))
          client.trackTopic(partition.topic.name)
        client.requestUpdate()
        continue
      }
      const isReady = client.isReady(leader)
      this.latency.observe(leader, isReady)
      if (!isReady) {
        client.ensureConnection(leader)
        continue
      }
      do {
        const batches = accumulator.drain(leader, this.gate)
        if (batches.length === 0) break
        this.send(leader, batches)
      } while (client.isReady(leader))
    }
    // A bump may have used up the last epoch.
    if (!this.identity.isReady) this.askForProducerId()
  }

  private send(nodeId: number, batches: readonly Batch[]): void {
    const { client, acks, requestTimeoutMs, compressionName } = this.options
    const version = client.apiVersion(nodeId, Produce)
    const request = new ProduceRequest({
      nodeId,
      version,
      clientId: this.clientId,
      acks,
      timeoutMs: requestTimeoutMs,
      batches,
      onWritten: (written, error) => this.onWritten(written, error),
      onAnswer: (answered, error, response) => this.onAnswer(answered, error, response),
    })
    if (version < 0 || (compressionName === 'zstd' && version < ZSTD_FROM)) {
      const need = version < 0 ? 'Produce version 3 (Kafka 0.11) or later' : 'zstd (Kafka 2.1)'
      const error = new UnsupportedVersionError(`${client.brokerName(nodeId)} does not take ${need}.`)
      for (const batch of batches) {
        batch.partition.onWire--
        this.accumulator.release(batch)
        this.fail(batch, error)
      }
      return
    }
    client.send(nodeId, request)
  }

  private onWritten(request: ProduceRequest, error: Error | null): void {
    for (const batch of request.batches) {
      this.accumulator.release(batch)
      if (request.expectsResponse) continue
      if (error === null) this.complete(batch, request, ErrorCodes.NONE, null)
      else this.complete(batch, request, ErrorCodes.NETWORK_EXCEPTION, null)
    }
    this.afterEvent()
  }

  private onAnswer(
    request: ProduceRequest,
    error: KafkaError | null,
    response: ProduceResponse | null,
  ): void {
    if (response === null) {
      const code = error instanceof TimeoutError ? ErrorCodes.REQUEST_TIMED_OUT : ErrorCodes.NETWORK_EXCEPTION
      for (const batch of request.batches) this.complete(batch, request, code, null)
    } else {
      const { client, logger } = this.options
      client.throttle(request.nodeId, response.throttleTimeMs)
      request.match(
        response,
        (batch, partition) => {
          // An answer that leaves a batch out says nothing of its fate: it is as good as no answer.
          const code = partition?.errorCode ?? ErrorCodes.NETWORK_EXCEPTION
          this.complete(batch, request, code, partition)
          if (partition !== null) this.applyLeaderHint(batch, partition, response)
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
    batch: Batch,
    request: ProduceRequest,
    errorCode: number,
    answer: ProducePartitionResponse | null,
  ): void {
    const { partition } = batch
    partition.onWire--
    if (errorCode !== ErrorCodes.NONE && refreshesMetadata(errorCode)) this.options.client.requestUpdate()
    // Settled already: it expired, or the producer was closed, while the answer was on its way.
    if (batch.phase !== BatchPhase.SETTLED) {
      const verdict = judge(batch, errorCode, this.identity.idempotent, answer?.logStartOffset ?? -1n)
      if (verdict === Verdict.DONE) this.succeed(batch, request, answer)
      else if (verdict === Verdict.FATAL) this.failForGood(this.errorFor(batch, request, errorCode, answer))
      else if (verdict === Verdict.FAIL || batch.attempts >= this.options.retries) {
        batch.outcome.recordErrors = recordErrorsOf(batch, errorCode, answer)
        this.fail(batch, this.errorFor(batch, request, errorCode, answer))
      } else this.retry(batch, request, errorCode, verdict)
    }
    this.accumulator.refresh(partition)
  }

  private succeed(batch: Batch, request: ProduceRequest, answer: ProducePartitionResponse | null): void {
    const { outcome, partition } = batch
    if (answer !== null) {
      outcome.baseOffset = answer.baseOffset
      outcome.logAppendTimeMs = Number(answer.logAppendTimeMs)
      if (answer.baseOffset >= 0n)
        partition.lastAckedOffset = answer.baseOffset + BigInt(batch.recordCount - 1)
    }
    if (batch.baseSequence !== NO_SEQUENCE) {
      if (batch.identitySerial === partition.identitySerial) {
        partition.lastAckedSequence = sequenceAfter(batch.baseSequence, batch.recordCount - 1)
      }
      this.gate.prove(batch, request.nodeId)
    }
    this.accumulator.settle(batch)
  }

  private retry(batch: Batch, request: ProduceRequest, errorCode: number, verdict: Verdict): void {
    const { logger, client, clock } = this.options
    const { topic, index } = batch.partition
    logger.debug(
      `Retrying ${batch.recordCount} record(s) to ${topic.name}-${index} after ${errorName(errorCode)} ` +
        `from ${client.brokerName(request.nodeId)}, attempt ${batch.attempts + 1}`,
    )
    if (verdict === Verdict.RETRY_BUMPED) batch.partition.needsEpochBump = true
    this.accumulator.requeue(batch, clock.now() + this.backoff.delayMs(batch.attempts))
  }

  private fail(batch: Batch, error: KafkaError): void {
    this.accumulator.fail(batch, error)
    this.loseSequence(batch)
  }

  /**
   * A batch with a sequence has ended without being stored, or without it being known. What follows it in the
   * partition would be refused for the gap, so the partition drains and goes on under the next epoch.
   */
  private loseSequence(batch: Batch): void {
    if (batch.baseSequence === NO_SEQUENCE) return
    if (batch.identitySerial === batch.partition.identitySerial) batch.partition.needsEpochBump = true
    this.accumulator.refresh(batch.partition)
  }

  /** No record can be sent any more: everything fails with this error, now and later. */
  failForGood(error: KafkaError): void {
    this.fatal = error
    this.accumulator.abort(error)
  }

  private errorFor(
    batch: Batch,
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
    })
  }

  /** KIP-951: the refusing broker has named the new leader, which saves waiting for metadata. */
  private applyLeaderHint(batch: Batch, answer: ProducePartitionResponse, response: ProduceResponse): void {
    const { leaderId, leaderEpoch } = answer.currentLeader
    if (leaderId < 0 || leaderEpoch < 0) return
    const { topic, index } = batch.partition
    const hint = {
      topic: topic.name,
      partition: index,
      leaderId,
      leaderEpoch,
      endpoints: response.nodeEndpoints,
    }
    if (this.options.client.metadata.applyLeaderHint(hint)) this.options.onLeaderHint(topic)
  }

  private askForProducerId(): void {
    if (this.isAskingForId || !this.accumulator.hasIncomplete) return
    this.isAskingForId = true
    const { client, clock, logger, requestTimeoutMs } = this.options
    requestProducerId(client, requestTimeoutMs).then(
      ({ producerId, producerEpoch }) => {
        this.isAskingForId = false
        this.identity.set(producerId, producerEpoch)
        this.accumulator.refreshAll()
        this.wakeup()
      },
      (error: KafkaError) => {
        if (!error.retriable) this.failForGood(error)
        logger.debug(`No producer id: ${error.message}`)
        clock.setTimeout(() => {
          this.isAskingForId = false
          this.wakeup()
        }, this.backoff.delayMs(0))
      },
    )
  }

  /** Memory may have come back, and more may be sendable. */
  private afterEvent(): void {
    this.accumulator.appender.serveWaiting()
    this.wakeup()
  }
}
