import type { RecordAccumulator } from '../../accumulator/accumulator.js'
import {
  type AppendableRecord,
  type FailedRecord,
  failWaiting,
  isPlaceable,
  type WaitingRecord,
} from '../../accumulator/append/appendable-record.js'
import { type Delivery, GIVEN_UP } from '../../accumulator/append/delivery.js'
import type { WaitingBudget } from '../../accumulator/append/waiting-budget.js'
import { heldBytes } from '../../accumulator/append/waiting-chunk.js'
import { WaitingQueue } from '../../accumulator/append/waiting-queue.js'
import type { FlushBarrier } from '../../accumulator/batch/flush-barrier.js'
import type { TopicState } from '../../accumulator/partition/topic-state.js'
import type { ClusterClient } from '../../cluster/cluster-client.js'
import { DeadlineTimer } from '../../cluster/deadline-timer.js'
import type { TopicMetadata } from '../../cluster/metadata-cache.js'
import type { Clock } from '../../common/clock.js'
import type { Observer } from '../../common/observer.js'
import { type KafkaError, PermissionError, TimeoutError } from '../../errors/index.js'
import { brokerError } from '../../protocol/broker-error.js'
import { ErrorCodes, errorName, refusesTopic } from '../../protocol/error-codes.js'
import type { SerializerWait } from './serializer-wait.js'

/** How long, and how often, a closing producer looks whether what waits for its topic has any hope. */
const CLOSE_GRACE_MS = 1000
const CLOSE_WATCH_MS = 50

/** When a topic's metadata were asked for. */
interface Question {
  /** The version of the metadata then: an error that is older does not count. */
  readonly version: number
  readonly askedMs: number
}

/** A call that waits for a topic's metadata. */
interface MetadataWaiter {
  topic: TopicState
  question: Question
  deadlineMs: number
  resolve: (metadata: TopicMetadata) => void
  reject: (error: KafkaError) => void
}

interface TopicWaitOptions {
  accumulator: RecordAccumulator
  client: ClusterClient
  clock: Clock
  observer: Observer
  /** Shared with the records that wait for memory. */
  waitingBudget: WaitingBudget
  maxBlockMs: number
  /** Time that records get beyond it after the application has held the event loop. */
  heldGraceMaxMs: number
  /** Sends a record on whose topic is known now. */
  proceed: (record: WaitingRecord) => void
  /** Records fail here, before they were in a batch. */
  onRefused: (error: KafkaError) => void
}

/** Records whose topic, or partition, is not known yet; in the order of their sends, per topic. */
export class TopicWait {
  /** Where records wait before they come here; null where no serializer has to get ready. */
  serializers: SerializerWait | null = null
  private readonly options: TopicWaitOptions
  private readonly queues = new Map<TopicState, WaitingQueue>()
  /** When each topic in `queues` was asked for. */
  private readonly questions = new Map<TopicState, Question>()
  private waiters: MetadataWaiter[] = []
  private readonly timer: DeadlineTimer
  /** While records are sent on: the flushes that were called meanwhile. Null at all other times. */
  private flushesOfRelease: Set<FlushBarrier> | null = null

  constructor(options: TopicWaitOptions) {
    this.options = options
    const { clock, heldGraceMaxMs } = options
    this.timer = new DeadlineTimer(clock, asOfMs => this.expire(asOfMs), heldGraceMaxMs)
  }

  /** Throws BufferExhaustedError where too much waits already. */
  push(record: AppendableRecord, delivery: Delivery, ordinal: number, deadlineMs: number): void {
    this.options.waitingBudget.check(heldBytes(record), record.topic.name)
    this.queueOf(record.topic).push(record, delivery, ordinal, deadlineMs)
    this.ask(record.topic, deadlineMs)
  }

  /** The earliest deadline of the records that wait, Infinity where none does. */
  earliestDeadlineMs(): number {
    let earliestMs = this.serializers?.earliestDeadlineMs() ?? Number.POSITIVE_INFINITY
    for (const { headDeadlineMs } of this.queues.values()) earliestMs = Math.min(earliestMs, headDeadlineMs)
    return earliestMs
  }

  /** Whether records or calls wait for the topic. */
  has(topic: TopicState): boolean {
    return this.queues.has(topic) || this.waiters.some(waiter => waiter.topic === topic)
  }

  /** What keeps the records that wait; null where none do, or nothing is known. */
  problem(): KafkaError | null {
    const { metadata, lastError } = this.options.client
    for (const { name } of this.queues.keys()) {
      const code = metadata.topicError(name)
      if (code !== ErrorCodes.NONE) return brokerError(code, { topic: name })
      if (lastError !== null) return lastError
    }
    return null
  }

  /** The topic's metadata, which may have to be asked for first. */
  async known(topic: TopicState): Promise<TopicMetadata> {
    const { client, clock, maxBlockMs } = this.options
    client.trackTopic(topic.name)
    if (topic.metadata !== null) return topic.metadata
    const deadlineMs = clock.now() + maxBlockMs
    return await new Promise<TopicMetadata>((resolve, reject) => {
      this.waiters.push({ topic, question: this.newQuestion(), deadlineMs, resolve, reject })
      this.ask(topic, deadlineMs)
    })
  }

  /**
   * Whether a record need not wait here: its partition is known, and no records of its topic that have waited
   * are being sent on. A partitioner that is asked for one of those may send.
   */
  isNext(record: AppendableRecord): boolean {
    return isPlaceable(record) && (this.flushesOfRelease === null || !this.queues.has(record.topic))
  }

  /** New metadata has been taken over: sends on what it was missing, fails what it will never serve. */
  onMetadata(): void {
    if (this.flushesOfRelease !== null) return
    this.flushesOfRelease = new Set()
    // A copy: what still waits afterwards stands at the end of the map again.
    for (const [topic, queue] of [...this.queues]) {
      const error = this.refusalSince(topic, this.questions.get(topic) as Question)
      if (error !== null) {
        this.forget(topic)
        this.refuse(topic, queue, error)
      } else if (topic.partitionCount > 0) this.release(topic, queue)
    }
    const flushes = this.flushesOfRelease
    this.flushesOfRelease = null
    for (const barrier of flushes) {
      this.options.accumulator.joinBarrier(barrier)
      barrier.leave()
    }
    const { waiters } = this
    this.waiters = []
    for (const waiter of waiters) {
      const { topic, question } = waiter
      const error = this.refusalSince(topic, question)
      if (error !== null) waiter.reject(error)
      else if (topic.metadata !== null) {
        this.observeWait(topic, question)
        waiter.resolve(topic.metadata)
      } else this.waiters.push(waiter)
    }
    // Whatever the answer was, it did not serve these. The next one comes when the backoff allows it.
    if (this.queues.size > 0 || this.waiters.length > 0) this.options.client.requestUpdate()
  }

  /** The flush waits for all records that wait, here and for their serializers. */
  joinBarrier(barrier: FlushBarrier): void {
    this.joinQueues(barrier)
    this.serializers?.joinBarrier(barrier)
  }

  /** The flush waits for all records that wait for their topic. */
  joinQueues(barrier: FlushBarrier): void {
    const { flushesOfRelease } = this
    if (flushesOfRelease !== null && !flushesOfRelease.has(barrier)) {
      flushesOfRelease.add(barrier)
      barrier.add()
    }
    for (const queue of this.queues.values()) queue.joinBarrier(barrier)
  }

  /** The sender of these records gives them up, as far as they wait for metadata. */
  giveUp(delivery: Delivery, error: KafkaError): void {
    for (const queue of this.queues.values()) queue.giveUp(delivery, error)
  }

  /** Fails all records that wait. */
  abortRecords(error: KafkaError): void {
    const queues = [...this.queues]
    this.queues.clear()
    this.questions.clear()
    for (const [topic, queue] of queues) this.failAll(topic, queue, error)
    this.serializers?.abortRecords(error)
  }

  /** Fails all that waits. */
  abort(error: KafkaError): void {
    this.options.onRefused(error)
    this.abortRecords(error)
    for (const waiter of this.waiters.splice(0)) waiter.reject(error)
    this.timer.cancel()
    // Batches have time-outs of their own, but no broker of theirs may ever be connected to.
    if (error instanceof PermissionError) this.options.accumulator.abort(error)
  }

  /**
   * The producer closes. What waits fails after a second if the cluster is out of reach, or goes on saying
   * that there is no such topic. (Java fails it at once, but its `send` has waited for the metadata.)
   */
  beginClose(error: KafkaError): void {
    this.watchWhileClosing(error, this.options.clock.now() + CLOSE_GRACE_MS)
  }

  private watchWhileClosing(error: KafkaError, untilMs: number): void {
    const { client, clock } = this.options
    const topics = [...this.queues.keys(), ...this.waiters.map(({ topic }) => topic)]
    if (topics.length === 0) return
    const isHopeless =
      client.lastError !== null ||
      topics.some(({ name }) => client.metadata.topicError(name) !== ErrorCodes.NONE)
    if (isHopeless && clock.now() >= untilMs) this.abort(error)
    else clock.setTimeout(() => this.watchWhileClosing(error, untilMs), CLOSE_WATCH_MS)
  }

  private ask(topic: TopicState, deadlineMs: number): void {
    const { client } = this.options
    // A topic that is new to the client is asked for at once, one that was refused when the backoff is over.
    if (!client.trackTopic(topic.name)) client.requestUpdate()
    this.timer.ensure(deadlineMs)
  }

  /** Sends on what waits for the topic, and what is sent meanwhile; what names a missing partition stays. */
  private release(topic: TopicState, queue: WaitingQueue): void {
    const released = new Set<FlushBarrier>()
    const missing = new WaitingQueue(this.options.waitingBudget)
    const lost: [record: FailedRecord, error: KafkaError][] = []
    const proceed = (record: WaitingRecord, barriers: readonly FlushBarrier[]) => {
      if (record.delivery === GIVEN_UP) return
      if (record.partition < topic.partitionCount) {
        this.options.proceed(record)
        for (const barrier of barriers) released.add(barrier)
        return
      }
      const error = missing.adopt(record)
      if (error !== null) lost.push([record, error])
      else for (const barrier of barriers) missing.joinBarrier(barrier)
    }
    // The records are in batches now, or wait for memory: a flush goes on waiting for them there.
    const done = () => {
      for (const barrier of released) this.options.accumulator.joinBarrier(barrier)
    }
    this.observeWait(topic, this.questions.get(topic) as Question)
    while (queue.length > 0) queue.empty(proceed, done)
    this.forget(topic)
    for (const [record, error] of lost) {
      this.options.onRefused(error)
      this.options.observer.recordsRefused(topic.name, 1, error)
      failWaiting(record, error)
    }
    if (missing.length === 0) return
    this.queues.set(topic, missing)
    this.questions.set(topic, this.newQuestion())
    this.ask(topic, missing.nextDeadlineMs)
  }

  private queueOf(topic: TopicState): WaitingQueue {
    let queue = this.queues.get(topic)
    if (queue === undefined) {
      queue = new WaitingQueue(this.options.waitingBudget)
      this.queues.set(topic, queue)
      this.questions.set(topic, this.newQuestion())
    }
    return queue
  }

  private newQuestion(): Question {
    const { client, clock } = this.options
    return { version: client.metadata.version, askedMs: clock.now() }
  }

  private observeWait(topic: TopicState, { askedMs }: Question): void {
    const { clock, observer } = this.options
    observer.metadataWaited(topic.name, clock.now() - askedMs)
  }

  private refuse(topic: TopicState, queue: WaitingQueue, error: KafkaError): void {
    this.options.onRefused(error)
    this.failAll(topic, queue, error)
  }

  private failAll(topic: TopicState, queue: WaitingQueue, error: KafkaError): void {
    if (queue.length === 0) return
    this.options.observer.recordsRefused(topic.name, queue.length, error)
    queue.empty(record => failWaiting(record, error))
  }

  private forget(topic: TopicState): void {
    this.queues.delete(topic)
    this.questions.delete(topic)
  }

  /** The broker's refusal of the topic in an answer that is newer than the question. */
  private refusalSince(topic: TopicState, question: Question): KafkaError | null {
    const { metadata } = this.options.client
    const code = metadata.topicError(topic.name)
    if (!refusesTopic(code) || metadata.topicErrorVersion(topic.name) <= question.version) return null
    return brokerError(code, { topic: topic.name })
  }

  private expire(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const [topic, queue] of this.queues) {
      const refusals = new Map<number, { error: KafkaError; count: number }>()
      queue.expire(nowMs, ({ partition }) => {
        const named = topic.partitionCount > 0 ? partition : -1
        let refusal = refusals.get(named)
        if (refusal === undefined) {
          refusal = { error: this.timeout(topic, partition), count: 0 }
          refusals.set(named, refusal)
          this.options.onRefused(refusal.error)
        }
        refusal.count++
        return refusal.error
      })
      for (const { error, count } of refusals.values())
        this.options.observer.recordsRefused(topic.name, count, error)
      if (queue.length === 0) this.forget(topic)
      nextMs = Math.min(nextMs, queue.nextDeadlineMs)
    }
    for (const waiter of this.waiters.splice(0)) {
      if (waiter.deadlineMs <= nowMs) waiter.reject(this.timeout(waiter.topic, -1))
      else {
        this.waiters.push(waiter)
        nextMs = Math.min(nextMs, waiter.deadlineMs)
      }
    }
    this.timer.ensure(nextMs)
  }

  private timeout(topic: TopicState, partition: number): TimeoutError {
    const { client, maxBlockMs } = this.options
    const { name, partitionCount } = topic
    const details = { topic: name, ...(partition >= 0 ? { partition } : {}) }
    if (partitionCount > 0) {
      return new TimeoutError(
        `Partition ${partition} of topic ${name} is not there: it has ${partitionCount} partition(s), ` +
          `still so after max.block.ms (${maxBlockMs} ms).`,
        details,
      )
    }
    const code = client.metadata.topicError(name)
    const cause =
      code === ErrorCodes.NONE ? (client.lastError ?? undefined) : brokerError(code, { topic: name })
    const reason =
      code !== ErrorCodes.NONE
        ? `the brokers say ${errorName(code)}`
        : (cause?.message ?? 'no broker has named it')
    return new TimeoutError(
      `Topic ${name} is not in the cluster's metadata after max.block.ms (${maxBlockMs} ms): ${reason}.`,
      { ...details, cause },
    )
  }
}
