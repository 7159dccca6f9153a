import { controlBatch, MarkerType } from './control-batch.js'
import { ProducerStates } from './producer-state.js'
import {
  type BatchHeader,
  type BrokerRecord,
  decodeRecords,
  stampBatch,
  stampLogAppendTime,
} from './record-batch.js'
import { TransactionIndex } from './transaction-index.js'

/** A stored batch: its bytes as they are served, base offset and leader epoch stamped in. */
interface StoredBatch {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  /** Only where the batch is part of a transaction. */
  readonly producerId: bigint | null
  /** A transaction's marker, which consumers do not see. */
  readonly control: boolean
}

/** Which records of transactions a reader sees: all, or those of committed ones only. */
export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** Where an append put a batch. */
export interface Appended {
  readonly baseOffset: number
  /** -1 where the topic keeps the producer's timestamps. */
  readonly logAppendTimeMs: number
}

/** What the log has to know of its topic. */
interface LogOptions {
  readonly logAppendTime: boolean
  /** False: batches are counted and dropped. */
  readonly retain: boolean
}

/** The log of one partition, in memory, and the place of its leader. */
export class PartitionLog {
  readonly index: number
  readonly producers = new ProducerStates()
  readonly transactions = new TransactionIndex()
  /** -1: none of the nodes is up. */
  leaderId: number
  leaderEpoch = 0
  /** Offset of the first record still there. */
  startOffset = 0
  /** Offset of the next record: the high watermark, for every append is committed at once. */
  endOffset = 0
  private batches: StoredBatch[] = []
  private readonly options: LogOptions
  private readonly watchers = new Set<() => void>()

  constructor(index: number, leaderId: number, options: LogOptions) {
    this.index = index
    this.leaderId = leaderId
    this.options = options
  }

  /** Stores a checked batch. The bytes are the log's from now on, and are changed. */
  append(received: Uint8Array, header: BatchHeader): Appended {
    const { logAppendTime, retain } = this.options
    const baseOffset = this.endOffset
    const logAppendTimeMs = logAppendTime ? Date.now() : -1
    this.endOffset += header.recordCount
    const { transactional, producerId, producerEpoch } = header
    if (retain) {
      const bytes = detached(received)
      if (logAppendTime) stampLogAppendTime(bytes, logAppendTimeMs)
      stampBatch(bytes, BigInt(baseOffset), this.leaderEpoch)
      this.batches.push({
        bytes,
        baseOffset,
        lastOffset: this.endOffset - 1,
        maxTimestamp: logAppendTime ? logAppendTimeMs : Number(header.maxTimestamp),
        producerId: transactional ? producerId : null,
        control: false,
      })
    } else {
      this.startOffset = this.endOffset
    }
    if (transactional) this.transactions.appended(producerId, producerEpoch, baseOffset)
    this.changed()
    return { baseOffset, logAppendTimeMs }
  }

  /** Stores the marker that ends a producer's transaction. */
  appendMarker(producerId: bigint, producerEpoch: number, committed: boolean): void {
    const baseOffset = this.endOffset
    const timestampMs = Date.now()
    this.endOffset++
    if (this.options.retain) {
      const type = committed ? MarkerType.COMMIT : MarkerType.ABORT
      const bytes = controlBatch(producerId, producerEpoch, type, timestampMs)
      stampBatch(bytes, BigInt(baseOffset), this.leaderEpoch)
      const maxTimestamp = timestampMs
      this.batches.push({
        bytes,
        baseOffset,
        lastOffset: baseOffset,
        maxTimestamp,
        producerId,
        control: true,
      })
    } else {
      this.startOffset = this.endOffset
    }
    this.transactions.ended(producerId, committed, baseOffset)
    this.producers.ended(producerId, producerEpoch)
    this.changed()
  }

  /** Offset up to which a reader of this isolation level may read. */
  readableOffset(isolation: IsolationLevel): number {
    if (isolation === 'read_uncommitted') return this.endOffset
    return Math.max(this.startOffset, this.transactions.lastStableOffset(this.endOffset))
  }

  /** Moves the leadership, or takes it away with -1. */
  lead(nodeId: number): void {
    this.leaderId = nodeId
    this.leaderEpoch++
    this.changed()
  }

  /**
   * Whole batches from the one that holds `offset` on and before `endOffset`: at most `maxBytes`, yet one in
   * any case if `atLeastOne`.
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean, endOffset = this.endOffset): Uint8Array[] {
    const read: Uint8Array[] = []
    let bytes = 0
    for (let i = this.indexOf(offset); i < this.batches.length; i++) {
      const batch = this.batches[i] as StoredBatch
      if (batch.baseOffset >= endOffset) break
      bytes += batch.bytes.length
      if (bytes > maxBytes && !(atLeastOne && read.length === 0)) break
      read.push(batch.bytes)
    }
    return read
  }

  /** Index of the first batch that ends at or after `offset`. */
  private indexOf(offset: number): number {
    let low = 0
    let high = this.batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first record whose timestamp is `timestamp` or later. */
  findTimestamp(timestamp: number): BrokerRecord | null {
    for (const batch of this.batches) {
      if (batch.control || batch.maxTimestamp < timestamp) continue
      for (const record of decodeRecords(batch.bytes, this.index)) {
        if (record.timestamp >= timestamp) return record
      }
    }
    return null
  }

  /** The largest timestamp stored, -1 in an empty log. */
  get maxTimestamp(): number {
    let max = -1
    for (const { control, maxTimestamp } of this.batches) if (!control) max = Math.max(max, maxTimestamp)
    return max
  }

  /** The records in the order of their offsets, as a consumer of this isolation level reads them. */
  *records(isolation: IsolationLevel = 'read_uncommitted'): Generator<BrokerRecord> {
    const endOffset = this.readableOffset(isolation)
    for (const { bytes, baseOffset, producerId, control } of this.batches) {
      if (baseOffset >= endOffset) return
      if (control) continue
      const isHidden = isolation === 'read_committed' && producerId !== null
      if (isHidden && this.transactions.isAborted(producerId, baseOffset)) continue
      yield* decodeRecords(bytes, this.index)
    }
  }

  /** Deletes what is stored, as retention does: offsets go on where they were. */
  clear(): void {
    this.batches = []
    this.startOffset = this.endOffset
    this.producers.forget()
    this.transactions.truncate(this.startOffset)
    this.changed()
  }

  /** Calls back after every append, leader move and clearing. Answers how to stop that. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  private changed(): void {
    for (const watcher of this.watchers) watcher()
  }
}

/**
 * The bytes themselves where they are most of the memory they live in, a copy otherwise: a small batch must
 * not keep the whole chunk alive that it was received in.
 */
function detached(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 >= bytes.buffer.byteLength ? bytes : Uint8Array.prototype.slice.call(bytes)
}
