import { byteLength } from '../common/byte-length.js'
import { type NativeBytes, Result, Staged } from '../native/addon.js'
import type { Delivery } from './delivery.js'
import type { TopicState } from './topic.js'
import type { AppendableRecord } from './waiting.js'

/** Records that one native call appends at most. */
const CAPACITY_RECORDS = 256
/** Bytes of keys, values and headers staged at most. */
const CAPACITY_BYTES = 256 * 1024
/** A record above this is appended directly: copying it twice costs more than a call of its own. */
export const STAGED_RECORD_BYTES_MAX = 4096

/** Answer of {@link stageableBytes} for what has to be appended directly. */
export const NOT_STAGEABLE = -2

/**
 * Bytes a key or value takes in the staging, -1 for null. Strings are appended directly, and so are empty
 * views: native code tells empty from detached.
 */
export function stageableBytes(bytes: NativeBytes): number {
  if (bytes === null || bytes === undefined) return -1
  return bytes instanceof Uint8Array ? byteLength(bytes) || NOT_STAGEABLE : NOT_STAGEABLE
}

/**
 * Memory shared with native code: descriptors and bytes of records that wait for the next native call, and
 * the result words that every append fills.
 */
export class Staging {
  readonly descriptors = new Int32Array(Staged.WORDS * CAPACITY_RECORDS)
  readonly result = new Int32Array(Result.WORDS)
  readonly bytes: Uint8Array
  readonly deliveries: (Delivery | null)[] = new Array<Delivery | null>(CAPACITY_RECORDS).fill(null)
  readonly ordinals = new Int32Array(CAPACITY_RECORDS)
  private readonly timestamps = new Float64Array(this.descriptors.buffer)
  /** Records staged. */
  count = 0
  /** Bytes staged. */
  used = 0

  /** `headerBytesMax`: the encoded headers of a direct append pass through the same memory. */
  constructor(headerBytesMax: number) {
    this.bytes = new Uint8Array(Math.max(CAPACITY_BYTES, headerBytesMax))
  }

  hasRoom(bytes: number): boolean {
    return this.count < CAPACITY_RECORDS && this.used + bytes <= CAPACITY_BYTES
  }

  /**
   * Copies one record in, of sizes given by {@link stageableBytes}. The caller has made sure that there is
   * room. True when the staging is full.
   */
  put(
    record: AppendableRecord,
    keyBytes: number,
    valueBytes: number,
    delivery: Delivery,
    ordinal: number,
  ): boolean {
    const { topic, partition, timestampMs, key, value, headers } = record
    const { descriptors, bytes } = this
    const at = this.count * Staged.WORDS
    let end = this.used
    descriptors[at + Staged.TOPIC] = topic.handle
    descriptors[at + Staged.PARTITION] = partition
    descriptors[at + Staged.KEY_BYTES] = keyBytes
    descriptors[at + Staged.VALUE_BYTES] = valueBytes
    descriptors[at + Staged.OFFSET] = end
    if (keyBytes > 0) {
      bytes.set(key as Uint8Array, end)
      end += keyBytes
    }
    if (valueBytes > 0) {
      bytes.set(value as Uint8Array, end)
      end += valueBytes
    }
    if (headers === null) descriptors[at + Staged.HEADER_BYTES] = 0
    else {
      descriptors[at + Staged.HEADER_BYTES] = headers.length
      bytes.set(headers, end)
      end += headers.length
    }
    this.timestamps[(at + Staged.TIMESTAMP) >> 1] = timestampMs
    this.deliveries[this.count] = delivery
    this.ordinals[this.count] = ordinal
    this.used = end
    return ++this.count === CAPACITY_RECORDS
  }

  /** Handle of the topic of a staged record. */
  topicOf(record: number): number {
    return this.descriptors[record * Staged.WORDS + Staged.TOPIC] as number
  }

  /** A record that native code has not appended, as it was put; its bytes are views of the staging. */
  recordAt(record: number, topic: TopicState): AppendableRecord {
    const at = record * Staged.WORDS
    const word = (offset: number) => this.descriptors[at + offset] as number
    const view = (from: number, bytes: number) => (bytes < 0 ? null : this.bytes.subarray(from, from + bytes))
    const keyAt = word(Staged.OFFSET)
    const valueAt = keyAt + Math.max(word(Staged.KEY_BYTES), 0)
    const headersAt = valueAt + Math.max(word(Staged.VALUE_BYTES), 0)
    const headerBytes = word(Staged.HEADER_BYTES)
    return {
      topic,
      partition: word(Staged.PARTITION),
      timestampMs: this.timestampOf(record),
      key: view(keyAt, word(Staged.KEY_BYTES)),
      value: view(valueAt, word(Staged.VALUE_BYTES)),
      headers: headerBytes === 0 ? null : view(headersAt, headerBytes),
    }
  }

  timestampOf(record: number): number {
    return this.timestamps[(record * Staged.WORDS + Staged.TIMESTAMP) >> 1] as number
  }

  clear(): void {
    this.deliveries.fill(null, 0, this.count)
    this.count = 0
    this.used = 0
  }
}
