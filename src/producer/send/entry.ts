import type { RecordAccumulator } from '../../accumulator/accumulator.js'
import type { AppendableRecord, WaitingRecord } from '../../accumulator/append/appendable-record.js'
import { PARTITION_BY_PARTITIONER } from '../../accumulator/append/appendable-record.js'
import type { Appender } from '../../accumulator/append/appender.js'
import type { Delivery } from '../../accumulator/append/delivery.js'
import type { WaitingBudget } from '../../accumulator/append/waiting-budget.js'
import type { Clock } from '../../common/clock.js'
import type { Observer } from '../../common/observer.js'
import type { KafkaError } from '../../errors/index.js'
import type { Sender } from '../../sender/sender.js'
import type { TransactionManager } from '../../transactions/transaction-manager.js'
import type { ProducerState } from '../producer-state.js'
import { asKafkaError, placeOf } from '../record/record-errors.js'
import type { RecordReader } from '../record/record-reader.js'
import type { Topics } from '../record/topics.js'
import type { UnserializedRecord } from '../record/unserialized-record.js'
import type { ProducerRecord } from '../types.js'
import { SerializerWait } from './serializer-wait.js'
import type { TopicWait } from './topic-wait.js'

interface SendEntryOptions {
  state: ProducerState
  reader: RecordReader
  topics: Topics
  accumulator: RecordAccumulator
  appender: Appender
  waiting: TopicWait
  sender: Sender
  transactions: TransactionManager | null
  clock: Clock
  observer: Observer
  maxBlockMs: number
  /** Time that records get beyond it after the application has held the event loop. */
  heldGraceMaxMs: number
  waitingBudget: WaitingBudget
}

/** The entry that all ways to send share, for every record that no shorter way has taken. */
export class SendEntry {
  private readonly options: SendEntryOptions
  /** Null where no serializer has to get ready. */
  private readonly serializers: SerializerWait | null

  constructor(options: SendEntryOptions) {
    this.options = options
    this.serializers = this.makeSerializerWait()
    options.waiting.serializers = this.serializers
  }

  /** Takes a record in. Whatever is wrong with it reaches its delivery, and nobody else. */
  take(record: ProducerRecord<never, never>, delivery: Delivery, ordinal: number, nowMs: number): void {
    try {
      const unserialized = this.readUnready(record, nowMs)
      if (unserialized !== null) this.hold(unserialized, delivery, ordinal)
      else this.handOver(this.options.reader.read(record, nowMs), delivery, ordinal)
    } catch (thrown) {
      const { topic, partition } = placeOf(record)
      delivery.fail(this.refusal(thrown, topic), ordinal, topic, partition)
    }
  }

  /** The coded error of a record that was not taken in. */
  refusal(thrown: unknown, topic: string): KafkaError {
    const error = asKafkaError(thrown, topic)
    this.options.transactions?.onSendFailed(error)
    this.options.observer.recordsRefused(topic, 1, error)
    return error
  }

  /**
   * Reads a record whose serializers are not ready for its topic; null for any other. Throws what is wrong
   * with it.
   */
  readUnready(record: ProducerRecord<never, never>, nowMs: number): UnserializedRecord | null {
    const { serializers } = this
    if (serializers === null) return null
    const { state } = this.options
    state.checkSendable()
    const unserialized = serializers.read(record, nowMs)
    // As the reader does.
    if (unserialized !== null) state.checkSendable()
    return unserialized
  }

  /** What `readUnready` has answered waits for its serializers. */
  hold(record: UnserializedRecord, delivery: Delivery, ordinal: number): void {
    this.serializers?.hold(record, delivery, ordinal)
  }

  /** The sender of these records gives them up, as far as they wait. What is in a batch goes its way. */
  giveUp(delivery: Delivery, error: KafkaError): void {
    this.options.waiting.giveUp(delivery, error)
    this.options.appender.abandon(delivery, error)
  }

  /** A record that has been read goes into a batch, or waits for its topic's metadata. */
  handOver(record: AppendableRecord, delivery: Delivery, ordinal: number, deadlineMs?: number): void {
    const { appender, clock, maxBlockMs, sender, waiting } = this.options
    if (waiting.isNext(record)) {
      appender.append(record, delivery, ordinal)
      sender.wakeup()
      return
    }
    appender.checkSize(record)
    waiting.push(record, delivery, ordinal, deadlineMs ?? clock.now() + maxBlockMs)
  }

  /** Sends a record on whose topic has become known. */
  proceed(record: WaitingRecord): void {
    const { appender, observer, reader, sender, transactions } = this.options
    const { topic, delivery, ordinal } = record
    let placed = record
    if (record.partition === PARTITION_BY_PARTITIONER) {
      try {
        placed = { ...record, partition: reader.askPartitioner(record) }
      } catch (thrown) {
        const error = asKafkaError(thrown, topic.name)
        transactions?.onLateRefusal(error)
        observer.recordsRefused(topic.name, 1, error)
        delivery.fail(error, ordinal, topic.name, -1)
        return
      }
    }
    appender.appendWaited(placed)
    sender.wakeup()
  }

  private makeSerializerWait(): SerializerWait | null {
    const { reader, topics, waiting, accumulator, transactions, observer } = this.options
    const { preparers } = reader
    if (preparers.length === 0) return null
    return new SerializerWait({
      ...this.options,
      preparers,
      topicOf: name => topics.of(name),
      headersOf: (headers, topic) => reader.keepHeaders(headers, topic),
      read: (record, nowMs) => reader.readTaken(record, nowMs),
      handOver: (record, delivery, ordinal, deadlineMs) => {
        this.handOver(record, delivery, ordinal, deadlineMs)
      },
      follow: barrier => {
        waiting.joinQueues(barrier)
        accumulator.joinBarrier(barrier)
      },
      onRefused: (topic, count, error) => {
        transactions?.onLateRefusal(error)
        observer.recordsRefused(topic, count, error)
      },
    })
  }
}
