import {
  type DeliveryCallback,
  type KafkaError,
  type KafkaProducer,
  type ProducerRecord,
  RecordMetadata,
} from '../index.js'
import type { SinkCounts } from './counts.js'
import type { ResolvedLimits } from './options.js'
import { asRecordError, type RecordMaker, RecordSizes } from './records.js'

/** What became of an element. A promise keeps the element's room until it settles; it never rejects. */
type Settled<Item> = (item: Item, error: KafkaError | null, metadata: RecordMetadata) => void | Promise<void>

/** An element that has been made a record, or could not be. */
export type Prepared<K, V> =
  | { readonly record: ProducerRecord<K, V>; readonly bytes: number; readonly error: null }
  | { readonly record: null; readonly bytes: number; readonly error: KafkaError }

interface IntakeOptions<K, V, T, Item> {
  readonly producer: KafkaProducer<K, V>
  readonly toRecord: RecordMaker<K, V, T>
  readonly limits: ResolvedLimits
  readonly onSettled: Settled<Item>
  /** The producer cannot say when it has memory again. */
  readonly onBroken: (reason: unknown) => void
}

type OnOutcome<Item> = (slot: Slot<Item>, error: KafkaError | null, metadata: RecordMetadata) => void

/**
 * What is kept of a record on its way, and its callback. Used again for later records: thousands of callbacks
 * that are made anew and live as long as a record make V8's young generation grow, by a hundred MiB in a
 * minute.
 */
class Slot<Item> {
  item: Item | undefined
  bytes = 0
  /** Null where the record's size was known: `send` has copied it. */
  record: ProducerRecord<unknown, unknown> | null = null
  readonly callback: DeliveryCallback

  constructor(onOutcome: OnOutcome<Item>) {
    this.callback = (error, metadata) => onOutcome(this, error, metadata)
  }
}

/**
 * Gives elements to a producer and knows how many of them have no outcome yet. It takes whatever it is given:
 * who feeds it waits while there is no room. `Item` is what the owner wants back with the outcome, and all
 * that is kept of an element until then.
 */
export class Intake<K, V, T, Item> {
  private readonly options: IntakeOptions<K, V, T, Item>
  private readonly sizes = new RecordSizes()
  /** Slots that no record uses. */
  private readonly free: Slot<Item>[] = []
  private readonly onOutcome: OnOutcome<Item> = (slot, error, metadata) => {
    const { item, bytes, record } = slot
    slot.item = undefined
    slot.record = null
    this.free.push(slot)
    if (error === null && record !== null) this.sizes.learn(record, metadata)
    this.settle(item as Item, bytes, error, metadata)
  }
  private accepted = 0
  private acknowledged = 0
  private failed = 0
  private pending = 0
  private pendingBytes = 0
  /** `buffer.memory` is used up. */
  private isOutOfMemory = false
  private roomWaiter: (() => void) | null = null
  private idleWaiter: (() => void) | null = null
  private willWake = false

  constructor(options: IntakeOptions<K, V, T, Item>) {
    this.options = options
  }

  get counts(): SinkCounts {
    const { accepted, acknowledged, failed } = this
    return { accepted, acknowledged, failed, pending: accepted - acknowledged - failed }
  }

  get hasRoom(): boolean {
    const { records, bytes } = this.options.limits
    return !this.isOutOfMemory && this.pending < records && this.pendingBytes < bytes
  }

  /** Makes the record of an element and sends it. The outcome comes on a later turn. */
  accept(element: T, item: Item): void {
    this.take(this.prepare(element), item)
  }

  /** The first half of {@link accept}, for who has to know the size before. */
  prepare(element: T): Prepared<K, V> {
    try {
      const record = this.options.toRecord(element)
      return { record, bytes: this.sizes.of(record), error: null }
    } catch (thrown) {
      return { record: null, bytes: 0, error: asRecordError(thrown) }
    }
  }

  take({ record, bytes, error }: Prepared<K, V>, item: Item): void {
    this.accepted++
    this.pending++
    this.pendingBytes += bytes
    if (record === null) {
      queueMicrotask(() => this.settle(item, bytes, error, RecordMetadata.unsent('', -1)))
      return
    }
    const slot = this.free.pop() ?? new Slot(this.onOutcome)
    slot.item = item
    slot.bytes = bytes
    slot.record = this.sizes.isKnown(record) ? null : record
    if (!this.options.producer.send(record, slot.callback)) this.awaitMemory()
  }

  /** Calls back once, when there is room, on a later turn. One waits at a time. */
  whenRoom(callback: () => void): void {
    this.roomWaiter = callback
    this.wake()
  }

  /** Resolves when every element has its outcome. Batches do not linger meanwhile. */
  async drained(): Promise<void> {
    if (this.pending === 0) return
    await this.options.producer.flush()
    if (this.pending === 0) return
    await new Promise<void>(resolve => {
      this.idleWaiter = resolve
    })
  }

  private settle(item: Item, bytes: number, error: KafkaError | null, metadata: RecordMetadata): void {
    if (error === null) this.acknowledged++
    else this.failed++
    const handled = this.options.onSettled(item, error, metadata)
    if (handled === undefined) this.release(bytes)
    else void handled.then(() => this.release(bytes))
  }

  private release(bytes: number): void {
    this.pending--
    this.pendingBytes -= bytes
    this.wake()
    if (this.pending > 0) return
    this.idleWaiter?.()
    this.idleWaiter = null
  }

  /** Outcomes come by the batch: who waits goes on once all of it has been settled. */
  private wake(): void {
    if (this.willWake || this.roomWaiter === null || !this.hasRoom) return
    this.willWake = true
    queueMicrotask(() => {
      this.willWake = false
      const { roomWaiter } = this
      if (roomWaiter === null || !this.hasRoom) return
      this.roomWaiter = null
      roomWaiter()
    })
  }

  private awaitMemory(): void {
    const { producer, onBroken } = this.options
    if (this.isOutOfMemory) return
    this.isOutOfMemory = true
    const goOn = () => {
      this.isOutOfMemory = false
      this.wake()
    }
    producer.ready().then(goOn, reason => {
      goOn()
      onBroken(reason)
    })
  }
}
