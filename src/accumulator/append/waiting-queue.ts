import { Fifo } from '../../common/fifo.js'
import type { KafkaError } from '../../errors/index.js'
import type { FlushBarrier } from '../batch/flush-barrier.js'
import { uncopiedError } from './append-errors.js'
import {
  type AppendableRecord,
  type FailedRecord,
  failWaiting,
  type WaitingRecord,
} from './appendable-record.js'
import type { Delivery } from './delivery.js'
import type { WaitingBudget } from './waiting-budget.js'
import { CHUNK_BYTES, heldBytes, WaitingChunk, waitingBytes } from './waiting-chunk.js'

/** Chunks kept for later when they have become empty, beside as many as are in use. */
const SPARE_CHUNKS_MIN = 2

/** A flush that waits for the first records ever pushed, up to a number. */
interface Hold {
  readonly barrier: FlushBarrier
  until: number
}

/**
 * Records that wait, in the order of their sends, which is that of their deadlines but for records that have
 * waited for metadata before. The caller may overwrite a record's bytes as soon as `send` has returned, so
 * what waits is a copy.
 */
export class WaitingQueue {
  private chunks = new Fifo<WaitingChunk>()
  private tail: WaitingChunk | null = null
  private readonly spares: WaitingChunk[] = []
  /** Records ever pushed, and of those the ones that have left. */
  private pushed = 0
  private taken = 0
  /** In the order of `until`: a flush always waits for all that is there. */
  private holds: Hold[] = []
  /** No record's deadline is earlier; some may have left already. */
  private earliestMs = Number.POSITIVE_INFINITY
  private latestMs = Number.NEGATIVE_INFINITY
  private isSorted = true
  private readonly budget: WaitingBudget

  constructor(budget: WaitingBudget) {
    this.budget = budget
  }

  get length(): number {
    return this.pushed - this.taken
  }

  get nextDeadlineMs(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.earliestMs
  }

  /** The deadline of the record that waits longest, Infinity where none waits. */
  get headDeadlineMs(): number {
    return this.chunks.peek()?.headDeadlineMs ?? Number.POSITIVE_INFINITY
  }

  /**
   * The caller asks the budget before, unless the record has been accepted already. Throws, with nothing
   * changed, where the runtime cannot allocate the copy.
   */
  push(record: AppendableRecord, delivery: Delivery, ordinal: number, deadlineMs: number): void {
    const bytes = waitingBytes(record)
    const chunk = this.tail?.hasRoom(bytes) ? this.tail : this.extend(bytes, record.topic.name)
    if (this.length === 0) {
      this.isSorted = true
      this.earliestMs = deadlineMs
    } else {
      this.isSorted &&= deadlineMs >= this.latestMs
      this.earliestMs = Math.min(this.earliestMs, deadlineMs)
    }
    this.latestMs = this.isSorted ? deadlineMs : Math.max(this.latestMs, deadlineMs)
    chunk.push(record, delivery, ordinal, deadlineMs)
    this.budget.take(heldBytes(record))
    this.pushed++
  }

  /**
   * As `push`, of a record that has waited elsewhere. Answers why it cannot wait here: the runtime has no
   * memory for its copy.
   */
  adopt(record: WaitingRecord): KafkaError | null {
    try {
      this.push(record, record.delivery, record.ordinal, record.deadlineMs)
      return null
    } catch (error) {
      return error as KafkaError
    }
  }

  /** The record that waits longest; its bytes are good until it is shifted. */
  peek(): WaitingRecord | undefined {
    return this.chunks.peek()?.peek()
  }

  /** The flushes that wait for the record at the head. */
  get headBarriers(): readonly FlushBarrier[] {
    return this.holds.length === 0 ? [] : this.holds.map(({ barrier }) => barrier)
  }

  /** Takes the head out, which has had its outcome or has been handed on, and so have the flushes. */
  shift(): void {
    this.take()
    this.releaseHolds()
  }

  /** The flush waits for all records that are here. */
  joinBarrier(barrier: FlushBarrier): void {
    if (this.length === 0) return
    const hold = this.holds.find(hold => hold.barrier === barrier)
    if (hold !== undefined) hold.until = this.pushed
    else {
      this.holds.push({ barrier, until: this.pushed })
      barrier.add()
    }
  }

  /**
   * Takes everything out. The flushes that waited for a record are named with it; they go on waiting until
   * `use` has had all records and `done` has been called.
   */
  empty(
    use: (record: WaitingRecord, barriers: readonly FlushBarrier[]) => void,
    done: () => void = () => {},
  ): void {
    const { chunks, holds } = this
    let position = this.taken
    this.chunks = new Fifo()
    this.tail = null
    this.holds = []
    this.taken = this.pushed
    for (const chunk of chunks) {
      for (; chunk.length > 0; chunk.shift()) {
        const at = position++
        const waiting = holds.filter(({ until }) => at < until)
        const record = chunk.peek()
        this.budget.giveBack(chunk.headHeldBytes)
        use(
          record,
          waiting.map(({ barrier }) => barrier),
        )
      }
      chunk.free()
    }
    done()
    for (const { barrier } of holds) barrier.leave()
  }

  /** Fails the records of one delivery, whose sender has given them up. */
  giveUp(delivery: Delivery, error: KafkaError): void {
    const given = [...this.chunks].flatMap(chunk => chunk.giveUp(delivery))
    for (const record of given) failWaiting(record, error)
  }

  /** Fails every record whose time is over. */
  expire(nowMs: number, makeError: (record: FailedRecord) => KafkaError): void {
    if (this.nextDeadlineMs > nowMs) return
    // Only when all are out: their callbacks may send again, and that must not pass what still waits.
    const fail = (late: readonly FailedRecord[]) => {
      for (const record of late) failWaiting(record, makeError(record))
    }
    if (this.isSorted) {
      fail(this.takeHeads(nowMs))
      this.releaseHolds()
    } else this.takeAnywhere(nowMs, fail)
  }

  private takeHeads(nowMs: number): FailedRecord[] {
    const late: FailedRecord[] = []
    for (let chunk = this.chunks.peek(); chunk !== undefined; chunk = this.chunks.peek()) {
      this.earliestMs = chunk.headDeadlineMs
      if (this.earliestMs > nowMs) break
      const {
        headDelivery: delivery,
        headOrdinal: ordinal,
        headTopic: topic,
        headPartition: partition,
      } = chunk
      late.push({ delivery, ordinal, topic, partition })
      this.take()
    }
    return late
  }

  private takeAnywhere(nowMs: number, fail: (late: readonly FailedRecord[]) => void): void {
    const late: FailedRecord[] = []
    this.empty(
      (record, barriers) => {
        // What cannot be copied has waited for as long as it can.
        if (record.deadlineMs <= nowMs || this.adopt(record) !== null) late.push(record)
        else for (const barrier of barriers) this.joinBarrier(barrier)
      },
      () => fail(late),
    )
  }

  private extend(recordBytes: number, topic: string): WaitingChunk {
    const spare = this.spares.at(-1)
    const chunk = spare?.hasRoom(recordBytes) ? spare : newChunk(recordBytes, topic)
    if (chunk === spare) this.spares.pop()
    this.chunks.push(chunk)
    this.tail = chunk
    return chunk
  }

  private take(): void {
    const chunk = this.chunks.peek() as WaitingChunk
    const bytes = chunk.headHeldBytes
    chunk.shift()
    this.taken++
    this.dropEmpty(chunk)
    // Last: who waits for room may look at this queue.
    this.budget.giveBack(bytes)
  }

  private dropEmpty(chunk: WaitingChunk): void {
    if (chunk.length > 0) return
    this.chunks.shift()
    if (this.tail === chunk) this.tail = null
    if (chunk.capacityBytes === CHUNK_BYTES) {
      chunk.clear()
      this.spares.push(chunk)
    } else chunk.free()
    const spares = Math.max(this.chunks.length, SPARE_CHUNKS_MIN)
    while (this.spares.length > spares) this.spares.pop()?.free()
  }

  private releaseHolds(): void {
    while (this.holds.length > 0 && (this.holds[0] as Hold).until <= this.taken)
      this.holds.shift()?.barrier.leave()
  }
}

function newChunk(recordBytes: number, topic: string): WaitingChunk {
  try {
    return WaitingChunk.for(recordBytes)
  } catch (cause) {
    throw uncopiedError(topic, recordBytes, cause)
  }
}
