import type { Batch } from '../../accumulator/batch/batch.js'
import type { BatchOutcome, Settlement } from '../../accumulator/batch/delivery.js'
import type { PartitionState } from '../../accumulator/partition/topic-state.js'
import { isInt32 } from '../../common/int32.js'
import { RecordMetadata } from '../record-metadata.js'

/** Words kept per record: index in the batch, key and value size, timestamp after the group's first. */
const WORDS = 4
/** Records a table has room for at first: few, for every batch has one. It grows, and is used again. */
const RECORDS_FIRST = 16
/** Tables kept for the next groups. */
const SPARE_TABLES_MAX = 64

/** Promises made at once at most. */
const AHEAD_MAX = 64
const NONE: Promise<RecordMetadata>[] = []

const spareTables: Int32Array[] = []

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
export class PromiseGroup implements Settlement {
  private readonly outcome: BatchOutcome
  private readonly baseTimestampMs: number
  private readonly settled: Promise<void>
  private readonly next: () => RecordMetadata | undefined
  private readonly partition: PartitionState
  private resolve: () => void = () => {}
  private table = spareTables.pop() ?? new Int32Array(RECORDS_FIRST * WORDS)
  private added = 0
  private taken = 0
  /** All promises, as they were made. */
  private readonly chunks: Promise<RecordMetadata>[][] = []
  /** The chunk that promises are taken from. */
  private ahead = NONE
  private aheadTaken = 0

  private constructor(batch: Batch, timestampMs: number) {
    this.outcome = batch.outcome
    this.partition = batch.partition
    this.baseTimestampMs = timestampMs
    this.settled = new Promise(resolve => {
      this.resolve = resolve
    })
    this.next = () => this.takeNext()
    batch.settlements.push(this)
  }

  /** The group of a batch; made when the batch has none that can hold this timestamp. */
  static of(batch: Batch, timestampMs: number): PromiseGroup {
    let group = batch.promiseGroup as PromiseGroup | null
    if (group === null || !isInt32(timestampMs - group.baseTimestampMs)) {
      group = new PromiseGroup(batch, timestampMs)
      batch.promiseGroup = group
    }
    return group
  }

  /** The promise of one more record. */
  add(index: number, keyBytes: number, valueBytes: number, timestampMs: number): Promise<RecordMetadata> {
    const at = this.added++ * WORDS
    if (at === this.table.length) this.grow()
    const { table } = this
    table[at] = index
    table[at + 1] = keyBytes
    table[at + 2] = valueBytes
    table[at + 3] = timestampMs - this.baseTimestampMs
    if (this.aheadTaken === this.ahead.length) this.makeAhead()
    return this.ahead[this.aheadTaken++] as Promise<RecordMetadata>
  }

  settle(): void {
    for (const chunk of this.chunks) lookAt(chunk)
    // A dead group that the old generation still holds must not keep its promises alive.
    this.chunks.length = 0
    this.ahead = NONE
    this.partition.promisesLast = this.added
    this.resolve()
  }

  private takeNext(): RecordMetadata | undefined {
    if (this.taken === this.added) return undefined
    const { table, outcome } = this
    const at = this.taken++ * WORDS
    const index = table[at] as number
    const keyBytes = table[at + 1] as number
    const valueBytes = table[at + 2] as number
    const timestampMs = this.baseTimestampMs + (table[at + 3] as number)
    // The batch is settled, so no record joins any more: after the last one the table is free.
    if (this.taken === this.added && spareTables.length < SPARE_TABLES_MAX) spareTables.push(table)
    const error = outcome.errorOf(index)
    if (error !== null) throw error
    return new RecordMetadata(outcome, index, timestampMs, keyBytes, valueBytes)
  }

  /** As many as are likely to be taken, in chunks that double. */
  private makeAhead(): void {
    const { settled, next, partition } = this
    const made = this.added - 1
    const missing = partition.promisesLast - made
    const count = Math.min(Math.max(missing > 0 ? Math.min(missing, made) : -missing, 1), AHEAD_MAX)
    const chunk = new Array<Promise<RecordMetadata>>(count)
    for (let at = 0; at < count; at++) chunk[at] = settled.then(next) as Promise<RecordMetadata>
    this.chunks.push(chunk)
    this.ahead = chunk
    this.aheadTaken = 0
  }

  private grow(): void {
    const grown = new Int32Array(this.table.length * 2)
    grown.set(this.table)
    this.table = grown
  }
}

/** What has been seen, so that looking is not found useless and left out. */
export let promisesSeen = 0

/** Has the promises in the cache. */
function lookAt(promises: readonly unknown[]): void {
  let seen = 0
  for (let at = 0; at < promises.length; at++) if (promises[at] instanceof Promise) seen++
  promisesSeen = (promisesSeen + seen) | 0
}
