import { byteLength } from '../common/byte-length.js'
import { Fifo } from '../common/fifo.js'
import type { KafkaError } from '../errors/index.js'
import type { NativeBytes } from '../native/addon.js'
import type { Delivery, FlushBarrier } from './delivery.js'
import type { TopicState } from './topic.js'

/** A record as it is appended: checked, serialized, its headers in wire form. */
export interface AppendableRecord {
  readonly topic: TopicState
  /** A partition, or PARTITION_BY_KEY / PARTITION_STICKY. */
  readonly partition: number
  readonly timestampMs: number
  readonly key: NativeBytes
  readonly value: NativeBytes
  readonly headers: Uint8Array | null
}

/** A record that has been accepted but has no place in a batch yet. It owns copies of the caller's bytes. */
export interface WaitingRecord extends AppendableRecord {
  readonly delivery: Delivery
  readonly ordinal: number
  /** When `max.block.ms` is over, on the monotonic clock. */
  readonly deadlineMs: number
  barriers: FlushBarrier[] | null
}

/**
 * A record that has to wait. The caller may overwrite its bytes as soon as `send` has returned, so what waits
 * is a copy.
 */
export function waitingCopy(
  record: AppendableRecord,
  delivery: Delivery,
  ordinal: number,
  deadlineMs: number,
): WaitingRecord {
  const { topic, partition, timestampMs, key, value, headers } = record
  return {
    topic,
    partition,
    timestampMs,
    key: copyBytes(key),
    value: copyBytes(value),
    headers: headers === null ? null : Buffer.from(headers),
    delivery,
    ordinal,
    deadlineMs,
    barriers: null,
  }
}

function copyBytes(bytes: NativeBytes): NativeBytes {
  if (!(bytes instanceof Uint8Array)) return bytes
  const length = byteLength(bytes)
  // Native code tells a detached view from an empty one, so it has to see the view itself.
  if (length === 0 && isDetached(bytes.buffer)) return bytes
  const copy = Buffer.allocUnsafe(length)
  copy.set(bytes)
  return copy
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

export function failWaiting(record: WaitingRecord, error: KafkaError): void {
  record.delivery.fail(error, record.ordinal, record.topic.name, Math.max(record.partition, -1))
  releaseBarriers(record)
}

export function releaseBarriers(record: WaitingRecord): void {
  if (record.barriers === null) return
  for (const barrier of record.barriers) barrier.leave()
  record.barriers = null
}

export function joinBarrier(record: WaitingRecord, barrier: FlushBarrier): void {
  if (record.barriers === null) record.barriers = [barrier]
  else record.barriers.push(barrier)
  barrier.add()
}

/**
 * Records that wait, in the order of their sends, which is that of their deadlines but for records that have
 * waited for metadata before.
 */
export class WaitingQueue extends Fifo<WaitingRecord> {
  /** No record's deadline is earlier; some may have left already. */
  private earliestMs = Number.POSITIVE_INFINITY
  private latestMs = Number.NEGATIVE_INFINITY
  private isSorted = true

  get nextDeadlineMs(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.earliestMs
  }

  override push(record: WaitingRecord): void {
    const { deadlineMs } = record
    if (this.length === 0) {
      this.isSorted = true
      this.earliestMs = deadlineMs
    } else {
      this.isSorted &&= deadlineMs >= this.latestMs
      this.earliestMs = Math.min(this.earliestMs, deadlineMs)
    }
    this.latestMs = this.isSorted ? deadlineMs : Math.max(this.latestMs, deadlineMs)
    super.push(record)
  }

  /** Fails every record whose time is over. */
  expire(nowMs: number, makeError: (record: WaitingRecord) => KafkaError): void {
    if (this.nextDeadlineMs > nowMs) return
    const late = this.isSorted ? this.takeHeads(nowMs) : this.takeAnywhere(nowMs)
    // Only now: who hears of it may send again, and that must not pass what still waits.
    for (const record of late) failWaiting(record, makeError(record))
  }

  private takeHeads(nowMs: number): WaitingRecord[] {
    const late: WaitingRecord[] = []
    let head = this.peek()
    for (; head !== undefined && head.deadlineMs <= nowMs; head = this.peek()) {
      late.push(head)
      this.shift()
    }
    this.earliestMs = head?.deadlineMs ?? Number.POSITIVE_INFINITY
    return late
  }

  private takeAnywhere(nowMs: number): WaitingRecord[] {
    const late: WaitingRecord[] = []
    for (const record of this.drain()) {
      if (record.deadlineMs > nowMs) this.push(record)
      else late.push(record)
    }
    return late
  }
}
