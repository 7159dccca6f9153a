import { isUint8Array } from 'node:util/types'
import type { AppendableRecord } from '../../accumulator/append/appendable-record.js'
import type { Delivery } from '../../accumulator/append/delivery.js'
import type { WaitingBudget } from '../../accumulator/append/waiting-budget.js'
import type { FlushBarrier } from '../../accumulator/batch/flush-barrier.js'
import type { TopicState } from '../../accumulator/partition/topic-state.js'
import { DeadlineTimer } from '../../cluster/deadline-timer.js'
import type { Clock } from '../../common/clock.js'
import { Fifo } from '../../common/fifo.js'
import { inNoContext } from '../../common/no-context.js'
import { type KafkaError, TimeoutError } from '../../errors/index.js'
import type { Prepare } from '../../serialization/index.js'
import { asKafkaError } from '../record/record-errors.js'
import { type HeadersOf, readUnserialized, type UnserializedRecord } from '../record/unserialized-record.js'
import type { ProducerRecord } from '../types.js'

/** What an object counts as in `maxBlockBytes`: how large it is is not known before it is serialized. */
const OBJECT_BYTES = 1024

interface HeldRecord extends UnserializedRecord {
  readonly delivery: Delivery
  readonly ordinal: number
  /** What it counts as while it waits. */
  readonly bytes: number
  /** When `max.block.ms` is over, on the monotonic clock. */
  readonly deadlineMs: number
  /** The flushes that wait for it. */
  barriers: FlushBarrier[]
}

interface SerializerWaitOptions {
  /** Of the serializers that want to be asked. */
  readonly preparers: readonly Prepare[]
  readonly clock: Clock
  readonly maxBlockMs: number
  readonly heldGraceMaxMs: number
  readonly waitingBudget: WaitingBudget
  readonly topicOf: (name: unknown) => TopicState
  readonly headersOf: HeadersOf
  readonly read: (record: ProducerRecord<unknown, unknown>, nowMs: number) => AppendableRecord
  readonly handOver: (
    record: AppendableRecord,
    delivery: Delivery,
    ordinal: number,
    deadlineMs: number,
  ) => void
  /** Has a flush wait for records where they are once they have been handed over. */
  readonly follow: (barrier: FlushBarrier) => void
  /** Records of a topic fail here, before they were in a batch. */
  readonly onRefused: (topic: string, count: number, error: KafkaError) => void
}

/**
 * Records whose serializers get ready for their topic first (`Serializer.prepare`): in the order of their
 * sends, per topic. Serializers are asked once for a topic, and again after they have failed.
 */
export class SerializerWait {
  private readonly options: SerializerWaitOptions
  private readonly ready = new Set<string>()
  private readonly queues = new Map<string, Fifo<HeldRecord>>()
  private readonly timer: DeadlineTimer

  constructor(options: SerializerWaitOptions) {
    this.options = options
    this.timer = new DeadlineTimer(options.clock, asOfMs => this.expire(asOfMs), options.heldGraceMaxMs)
  }

  /**
   * Reads a record that has to wait; null if its serializers are ready. Throws what is wrong with it.
   */
  read(record: ProducerRecord<unknown, unknown>, nowMs: number): UnserializedRecord | null {
    const name: unknown = record?.topic
    if (this.ready.has(name as string) || typeof name !== 'string') return null
    const topic = this.options.topicOf(name)
    if (!this.queues.has(name)) this.prepare(name)
    return this.queues.has(name) ? readUnserialized(record, topic, nowMs, this.options.headersOf) : null
  }

  /**
   * What `read` has answered waits, unless the serializers have become ready meanwhile. Throws
   * BufferExhaustedError where too much waits already.
   */
  hold(unserialized: UnserializedRecord, delivery: Delivery, ordinal: number): void {
    const { maxBlockMs, waitingBudget, clock } = this.options
    const { topic } = unserialized
    const bytes = bytesOf(unserialized)
    const deadlineMs = clock.now() + maxBlockMs
    const record: HeldRecord = { ...unserialized, delivery, ordinal, bytes, deadlineMs, barriers: [] }
    const queue = this.queues.get(topic.name)
    if (queue === undefined) {
      this.send(record)
      return
    }
    waitingBudget.check(bytes, topic.name)
    waitingBudget.take(bytes)
    queue.push(record)
    this.timer.ensure(deadlineMs)
  }

  /** The earliest deadline of the records that wait, Infinity where none does. */
  earliestDeadlineMs(): number {
    let earliestMs = Number.POSITIVE_INFINITY
    for (const queue of this.queues.values())
      earliestMs = Math.min(earliestMs, queue.peek()?.deadlineMs ?? Number.POSITIVE_INFINITY)
    return earliestMs
  }

  /** The flush waits for all records that are here. */
  joinBarrier(barrier: FlushBarrier): void {
    for (const queue of this.queues.values()) {
      for (const record of queue) {
        if (record.barriers.includes(barrier)) continue
        record.barriers.push(barrier)
        barrier.add()
      }
    }
  }

  /** Fails all records that wait. What is being prepared goes on. */
  abortRecords(error: KafkaError): void {
    for (const queue of this.queues.values()) this.fail(queue.drain(), error)
    this.timer.cancel()
  }

  /** Afterwards the topic is ready, or has a queue. Serializers may send, too: that waits like all else. */
  private prepare(topic: string): void {
    this.queues.set(topic, new Fifo())
    const asked: PromiseLike<void>[] = []
    for (const prepare of this.options.preparers) {
      try {
        const answer = prepare(topic)
        if (answer !== undefined) asked.push(answer)
      } catch (thrown) {
        asked.push(Promise.reject(thrown))
      }
    }
    if (asked.length === 0) this.release(topic)
    else {
      // Others' records wait for them by then, too.
      inNoContext(() =>
        Promise.all(asked).then(
          () => this.release(topic),
          thrown => this.refuse(topic, asKafkaError(thrown, topic)),
        ),
      )
    }
  }

  /** Sends on what waits, and what is sent meanwhile; whoever is flushing goes on waiting for it. */
  private release(topic: string): void {
    const queue = this.queues.get(topic) as Fifo<HeldRecord>
    const flushes: FlushBarrier[] = []
    for (let record = queue.peek(); record !== undefined; record = queue.peek()) {
      // It may have to wait for its topic, or for memory, next.
      this.options.waitingBudget.giveBack(record.bytes)
      this.send(record)
      queue.shift()
      flushes.push(...record.barriers)
    }
    this.queues.delete(topic)
    this.ready.add(topic)
    for (const barrier of new Set(flushes)) this.options.follow(barrier)
    for (const barrier of flushes) barrier.leave()
  }

  /** All that waits fails; the next record has the serializers asked again. */
  private refuse(topic: string, error: KafkaError): void {
    const queue = this.queues.get(topic) as Fifo<HeldRecord>
    this.queues.delete(topic)
    this.fail(queue.drain(), error)
  }

  private send(held: HeldRecord): void {
    const { delivery, ordinal, topic, partition, record, deadlineMs } = held
    try {
      const routed = this.options.read(record, record.timestamp as number)
      // If code of the caller's has just ended the transaction, the record fails with all that is unsent.
      this.options.handOver(routed, delivery, ordinal, deadlineMs)
    } catch (thrown) {
      const error = asKafkaError(thrown, topic.name)
      this.options.onRefused(topic.name, 1, error)
      delivery.fail(error, ordinal, topic.name, partition)
    }
  }

  private expire(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY
    const { maxBlockMs } = this.options
    for (const [topic, queue] of this.queues) {
      const late: HeldRecord[] = []
      let head = queue.peek()
      for (; head !== undefined && head.deadlineMs <= nowMs; head = queue.peek()) {
        late.push(queue.shift() as HeldRecord)
      }
      if (head !== undefined) nextMs = Math.min(nextMs, head.deadlineMs)
      const reason = `not ready for topic ${topic} after max.block.ms (${maxBlockMs} ms)`
      this.fail(late, new TimeoutError(`The serializers were ${reason}.`, { topic }))
    }
    this.timer.ensure(nextMs)
  }

  /** Records of one topic that are in no queue any more. */
  private fail(records: readonly HeldRecord[], error: KafkaError): void {
    const [first] = records
    if (first === undefined) return
    for (const { bytes } of records) this.options.waitingBudget.giveBack(bytes)
    this.options.onRefused(first.topic.name, records.length, error)
    for (const record of records) {
      record.delivery.fail(error, record.ordinal, record.topic.name, record.partition)
    }
    for (const { barriers } of records) for (const barrier of barriers) barrier.leave()
  }
}

function bytesOf({ record: { key, value } }: UnserializedRecord): number {
  return OBJECT_BYTES + lengthOf(key) + lengthOf(value)
}

function lengthOf(data: unknown): number {
  if (typeof data === 'string') return data.length
  return isUint8Array(data) ? data.length : 0
}
