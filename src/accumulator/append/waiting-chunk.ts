import { isUint8Array } from 'node:util/types'
import { byteLength } from '../../common/views.js'
import type { NativeBytes } from '../../native/addon.js'
import { loadAddon } from '../../native/load.js'
import type { TopicState } from '../partition/topic-state.js'
import {
  type AppendableRecord,
  EncodedHeaders,
  type FailedRecord,
  type WaitingRecord,
} from './appendable-record.js'
import { type Delivery, GIVEN_UP } from './delivery.js'

/** Memory of this size comes from the system untouched. */
export const CHUNK_BYTES = 256 * 1024
/** A larger record gets a chunk of its own, of just its size: what it leaves of a chunk may fit no other. */
const OWN_CHUNK_BYTES = CHUNK_BYTES / 16

/** Words of a record's entry. Times are float64 and take two. */
const Entry = {
  WORDS: 10,
  PARTITION: 0,
  /** Bytes in the chunk; AS_GIVEN where the value itself is kept. */
  KEY_BYTES: 1,
  VALUE_BYTES: 2,
  /** -1 for none. */
  HEADER_BYTES: 3,
  /** Where key, value and headers stand, one after the other. */
  OFFSET: 4,
  ORDINAL: 5,
  TIMESTAMP: 6,
  DEADLINE: 8,
} as const
const ENTRY_BYTES = Entry.WORDS * Int32Array.BYTES_PER_ELEMENT
const AS_GIVEN = -1
const { at } = Uint8Array.prototype
/**
 * What a waiting record takes on the heap, about: its delivery, the promise or callback of that, and what the
 * caller has made of those. Not counted, records of 100 bytes would take several times `maxBlockBytes`.
 */
const DELIVERY_BYTES = 256

/**
 * Copies of records, first in first out: entries from the front of one piece of memory, their bytes from its
 * end. A waiting record so costs its own bytes and a few words, and nothing that the garbage collector would
 * have to move or find dead.
 */
export class WaitingChunk {
  private readonly bytes: Buffer
  private readonly words: Int32Array
  private readonly times: Float64Array
  private readonly topics: TopicState[] = []
  private readonly deliveries: Delivery[] = []
  /** Key and value where they are not bytes: strings, null, and what native code is to refuse. */
  private readonly keys: NativeBytes[] = []
  private readonly values: NativeBytes[] = []
  private head = 0
  private count = 0
  private bytesFrom: number

  constructor(bytes: number) {
    const memory = new ArrayBuffer(bytes)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    this.times = new Float64Array(memory)
    this.bytesFrom = bytes
  }

  /** A chunk that has room for a record of this size. */
  static for(recordBytes: number): WaitingChunk {
    if (recordBytes <= OWN_CHUNK_BYTES) return new WaitingChunk(CHUNK_BYTES)
    const needed = Math.ceil((ENTRY_BYTES + recordBytes) / Float64Array.BYTES_PER_ELEMENT)
    return new WaitingChunk(needed * Float64Array.BYTES_PER_ELEMENT)
  }

  get length(): number {
    return this.count - this.head
  }

  get capacityBytes(): number {
    return this.bytes.length
  }

  hasRoom(recordBytes: number): boolean {
    return this.bytesFrom - this.count * ENTRY_BYTES >= ENTRY_BYTES + recordBytes
  }

  /** Copies a record in. The caller has made sure that there is room. */
  push(record: AppendableRecord, delivery: Delivery, ordinal: number, deadlineMs: number): void {
    const { key, value, headers } = record
    const index = this.count++
    const at = index * Entry.WORDS
    const { words } = this
    const keyBytes = copiedBytes(key)
    const valueBytes = copiedBytes(value)
    const headerBytes = headers?.byteLength ?? -1
    let end = this.bytesFrom - Math.max(keyBytes, 0) - Math.max(valueBytes, 0) - Math.max(headerBytes, 0)
    this.bytesFrom = end
    words[at + Entry.PARTITION] = record.partition
    words[at + Entry.KEY_BYTES] = keyBytes
    words[at + Entry.VALUE_BYTES] = valueBytes
    words[at + Entry.HEADER_BYTES] = headerBytes
    words[at + Entry.OFFSET] = end
    words[at + Entry.ORDINAL] = ordinal
    this.times[(at + Entry.TIMESTAMP) >> 1] = record.timestampMs
    this.times[(at + Entry.DEADLINE) >> 1] = deadlineMs
    end += this.copy(key, keyBytes, end)
    end += this.copy(value, valueBytes, end)
    headers?.writeTo(this.bytes, end)
    this.topics[index] = record.topic
    this.deliveries[index] = delivery
    this.keys[index] = keyBytes === AS_GIVEN ? key : null
    this.values[index] = valueBytes === AS_GIVEN ? value : null
  }

  /** The oldest record; its bytes are views of the chunk. */
  peek(): WaitingRecord {
    const index = this.head
    const word = (offset: number) => this.words[index * Entry.WORDS + offset] as number
    const keyAt = word(Entry.OFFSET)
    const valueAt = keyAt + Math.max(word(Entry.KEY_BYTES), 0)
    const headersAt = valueAt + Math.max(word(Entry.VALUE_BYTES), 0)
    const view = (from: number, bytes: number) => this.bytes.subarray(from, from + bytes)
    const isCopied = (bytes: number) => bytes !== AS_GIVEN
    return {
      topic: this.headTopic,
      partition: this.headPartition,
      timestampMs: this.times[(index * Entry.WORDS + Entry.TIMESTAMP) >> 1] as number,
      key: isCopied(word(Entry.KEY_BYTES)) ? view(keyAt, word(Entry.KEY_BYTES)) : this.keys[index],
      value: isCopied(word(Entry.VALUE_BYTES)) ? view(valueAt, word(Entry.VALUE_BYTES)) : this.values[index],
      headers:
        word(Entry.HEADER_BYTES) < 0 ? null : new EncodedHeaders(view(headersAt, word(Entry.HEADER_BYTES))),
      delivery: this.headDelivery,
      ordinal: this.headOrdinal,
      deadlineMs: this.headDeadlineMs,
    }
  }

  get headTopic(): TopicState {
    return this.topics[this.head] as TopicState
  }

  get headPartition(): number {
    return this.words[this.head * Entry.WORDS + Entry.PARTITION] as number
  }

  get headDelivery(): Delivery {
    return this.deliveries[this.head] as Delivery
  }

  /** Takes a delivery off its records, which are dropped when their turn comes. Answers what they were. */
  giveUp(delivery: Delivery): FailedRecord[] {
    const given: FailedRecord[] = []
    for (let index = this.head; index < this.count; index++) {
      if (this.deliveries[index] !== delivery) continue
      this.deliveries[index] = GIVEN_UP
      const at = index * Entry.WORDS
      const ordinal = this.words[at + Entry.ORDINAL] as number
      const partition = this.words[at + Entry.PARTITION] as number
      given.push({ delivery, ordinal, topic: this.topics[index] as TopicState, partition })
    }
    return given
  }

  get headOrdinal(): number {
    return this.words[this.head * Entry.WORDS + Entry.ORDINAL] as number
  }

  get headDeadlineMs(): number {
    return this.times[(this.head * Entry.WORDS + Entry.DEADLINE) >> 1] as number
  }

  /** As {@link heldBytes}, of the oldest record. */
  get headHeldBytes(): number {
    const at = this.head * Entry.WORDS
    const wordAt = (offset: number) => Math.max(this.words[at + offset] as number, 0)
    const copied = wordAt(Entry.KEY_BYTES) + wordAt(Entry.VALUE_BYTES) + wordAt(Entry.HEADER_BYTES)
    const strings = stringBytes(this.keys[this.head]) + stringBytes(this.values[this.head])
    return ENTRY_BYTES + DELIVERY_BYTES + copied + strings
  }

  shift(): void {
    this.head++
  }

  /** Its records have left, and nobody reads their bytes any more. */
  free(): void {
    loadAddon().freeBuffer(this.bytes.buffer as ArrayBuffer)
  }

  /** Forgets everything, so that its memory can take other records. */
  clear(): void {
    this.head = 0
    this.count = 0
    this.bytesFrom = this.bytes.length
    for (const list of [this.topics, this.deliveries, this.keys, this.values]) list.length = 0
  }

  private copy(bytes: NativeBytes, length: number, at: number): number {
    if (length <= 0) return 0
    this.bytes.set(bytes as Uint8Array, at)
    return length
  }
}

/** Bytes that a waiting record takes in all, strings that are kept as they are included. */
export function heldBytes(record: AppendableRecord): number {
  const strings = stringBytes(record.key) + stringBytes(record.value)
  return ENTRY_BYTES + DELIVERY_BYTES + waitingBytes(record) + strings
}

/** A string has one byte a character, or two. Which of them is not known without looking at it all. */
function stringBytes(bytes: NativeBytes): number {
  return typeof bytes === 'string' ? bytes.length : 0
}

/** Bytes of key, value and headers that a chunk would hold of a record. */
export function waitingBytes({ key, value, headers }: AppendableRecord): number {
  return Math.max(copiedBytes(key), 0) + Math.max(copiedBytes(value), 0) + (headers?.byteLength ?? 0)
}

function copiedBytes(bytes: NativeBytes): number {
  if (!isUint8Array(bytes)) return AS_GIVEN
  const length = byteLength(bytes)
  // Native code tells a view whose bytes are gone from an empty one, so it has to see the view itself.
  return length === 0 && isGone(bytes) ? AS_GIVEN : length
}

/** Its buffer is detached, or has been shrunk below it: then no method takes the view. */
function isGone(view: Uint8Array): boolean {
  try {
    at.call(view, 0)
    return false
  } catch {
    return true
  }
}
