import { RecordTable } from '../../accumulator/append/record-table.js'
import {
  type AwaitedBatch,
  type AwaitedPartition,
  type BatchOutcome,
  type BatchPart,
  partOf,
  type Settlement,
} from '../../accumulator/batch/batch-outcome.js'
import { isInt32 } from '../../common/int32.js'
import type { PromiseView } from '../../common/promise-view.js'
import type { KafkaError } from '../../errors/index.js'
import { RecordMetadata } from '../record-metadata.js'
import { deliveriesOf } from './batch-deliveries.js'
import { PromiseDelivery, seen } from './promise-delivery.js'

/** Promises made at once at most. */
const AHEAD_MAX = 64
const NONE: Promise<never>[] = []

/**
 * The promises of records that went into one batch, all derived from one promise of the batch.
 *
 * A promise made by its constructor keeps four more objects alive until it is settled; one derived by `then`
 * keeps one. The handler is shared too: handlers run in the order in which they were attached, so a cursor
 * tells each call which record it is for.
 *
 * The promises are made ahead of their records, some at a time. When the batch is settled, its promise's
 * reactions are turned around and walked link by link; strewn among what callers allocate, every link is a
 * cache miss. Side by side they are not, and looking at them just before has those that are left fetched
 * together. The promises that no record has taken resolve to nothing, and nobody holds them.
 */
export class PromiseGroup<T> implements Settlement {
  private readonly outcome: BatchOutcome
  private readonly baseTimestampMs: number
  private readonly settled: Promise<void>
  private readonly next: () => T | Promise<T> | undefined
  /** Of all its promises; null: they are of metadata. */
  private readonly view: PromiseView<RecordMetadata, T> | null
  /** As many promises are likely as in its last batch. */
  private readonly partition: AwaitedPartition
  private resolve: () => void = () => {}
  private readonly table = RecordTable.take()
  private added = 0
  private taken = 0
  /** All promises, as they were made. */
  private readonly chunks: Promise<T>[][] = []
  /** The chunk that promises are taken from. */
  private ahead: Promise<T>[] = NONE
  private aheadTaken = 0
  /** Of each record, where smaller batches have taken the batch's place. */
  private deliveries: PromiseDelivery[] | null = null

  private constructor(batch: AwaitedBatch, timestampMs: number, view: PromiseView<RecordMetadata, T> | null) {
    this.view = view
    this.outcome = batch.outcome
    this.partition = batch.partition
    this.baseTimestampMs = timestampMs
    this.settled = new Promise(resolve => {
      this.resolve = resolve
    })
    this.next = () => this.takeNext()
    batch.settlements.push(this)
  }

  /** The group of a batch; made when its newest has another view, or cannot hold this timestamp. */
  static of<T = RecordMetadata>(
    batch: AwaitedBatch,
    timestampMs: number,
    view: PromiseView<RecordMetadata, T> | null,
  ): PromiseGroup<T> {
    const deliveries = deliveriesOf(batch)
    let group = deliveries.promises as PromiseGroup<T> | null
    if (group === null || group.view !== view || !isInt32(timestampMs - group.baseTimestampMs)) {
      group = new PromiseGroup(batch, timestampMs, view)
      deliveries.promises = group
    }
    return group
  }

  /** The promise of one more record. */
  add(index: number, keyBytes: number, valueBytes: number, timestampMs: number): Promise<T> {
    this.table.set(this.added++, timestampMs - this.baseTimestampMs, index, keyBytes, valueBytes)
    if (this.aheadTaken === this.ahead.length) this.makeAhead()
    return this.ahead[this.aheadTaken++] as Promise<T>
  }

  settle(): void {
    for (const chunk of this.chunks) lookAt(chunk)
    // A dead group that the old generation still holds must not keep its promises alive.
    this.chunks.length = 0
    this.ahead = NONE
    this.partition.likelyPromises = this.added
    this.resolve()
  }

  /** Each record waits for its part from now on: its promise follows one of its own. */
  followParts(parts: readonly BatchPart[], outcome: BatchOutcome): void {
    const { table, baseTimestampMs } = this
    this.deliveries = []
    for (let record = 0; record < this.added; record++) {
      const index = table.indexOf(record)
      const delivery = new PromiseDelivery()
      this.deliveries.push(delivery)
      const part = partOf(parts, index)
      if (part === undefined) delivery.fail(outcome.errorOf(index) as KafkaError)
      else {
        const { keyBytes, valueBytes } = table.sizesOf(record)
        const timestampMs = baseTimestampMs + table.tagOf(record)
        delivery.attach(part.batch, index - part.firstIndex, 0, keyBytes, valueBytes, timestampMs)
      }
    }
    table.giveBack()
    this.settle()
  }

  private takeNext(): T | Promise<T> | undefined {
    if (this.taken === this.added) return undefined
    if (this.deliveries !== null) return this.nextOfParts(this.deliveries)
    const { table, outcome, view } = this
    const record = this.taken++
    const index = table.indexOf(record)
    const keyBytes = table.keyBytesOf(record)
    const valueBytes = table.valueBytesOf(record)
    const timestampMs = this.baseTimestampMs + table.tagOf(record)
    // The batch is settled, so no record joins any more: after the last one the table is free.
    if (this.taken === this.added) table.giveBack()
    const error = outcome.error === null ? null : outcome.errorOf(index)
    if (error !== null) throw view === null ? error : view.errorOf(error)
    const metadata = new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes)
    return view === null ? (metadata as T) : view.resultOf(metadata)
  }

  private nextOfParts(deliveries: readonly PromiseDelivery[]): Promise<T> | undefined {
    const delivery = deliveries[this.taken++]
    return delivery === undefined ? undefined : seen(delivery, this.view)
  }

  /** As many as are likely to be taken, in chunks that double. */
  private makeAhead(): void {
    const { settled, next, partition } = this
    const made = this.added - 1
    const missing = partition.likelyPromises - made
    const count = Math.min(Math.max(missing > 0 ? Math.min(missing, made) : -missing, 1), AHEAD_MAX)
    const chunk = new Array<Promise<T>>(count)
    for (let at = 0; at < count; at++) chunk[at] = settled.then(next) as Promise<T>
    this.chunks.push(chunk)
    this.ahead = chunk
    this.aheadTaken = 0
  }
}

/** Keeps V8 from removing the loop below. */
export let promisesSeen = 0

/** Reads the promises, only to have them in the cache. */
function lookAt(promises: readonly unknown[]): void {
  let seen = 0
  for (let at = 0; at < promises.length; at++) if (promises[at] instanceof Promise) seen++
  promisesSeen = (promisesSeen + seen) | 0
}
