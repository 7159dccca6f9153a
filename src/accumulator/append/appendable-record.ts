import type { KafkaError } from '../../errors/index.js'
import type { NativeBytes } from '../../native/addon.js'
import type { TopicState } from '../partition/topic-state.js'
import type { Delivery } from './delivery.js'

export { PARTITION_BY_KEY, PARTITION_STICKY } from '../../native/addon.js'

/** The custom partitioner has to be asked once the topic is known. Native code never sees this one. */
export const PARTITION_BY_PARTITIONER = -3

/** Headers that have been read and checked. Writing them runs no code of the caller's. */
export interface EncodableHeaders {
  /** Bytes of their wire form. To count them may take as long as to write them. */
  readonly byteLength: number
  /** Bytes of it at least, which are known at once: a third of them or more. */
  readonly leastBytes: number
  /** Writes the wire form, none for no headers, and answers where it ends. */
  writeTo(target: Buffer, at: number): number
}

/** Headers in their wire form. */
export class EncodedHeaders implements EncodableHeaders {
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get byteLength(): number {
    return this.bytes.length
  }

  get leastBytes(): number {
    return this.bytes.length
  }

  writeTo(target: Buffer, at: number): number {
    target.set(this.bytes, at)
    return at + this.bytes.length
  }
}

/** A record as it is appended: checked and serialized. */
export interface AppendableRecord {
  readonly topic: TopicState
  /** A partition, or PARTITION_BY_KEY, PARTITION_STICKY or PARTITION_BY_PARTITIONER. */
  readonly partition: number
  readonly timestampMs: number
  readonly key: NativeBytes
  readonly value: NativeBytes
  readonly headers: EncodableHeaders | null
}

/** A record that has been accepted but has no place in a batch yet. Its bytes belong to the queue. */
export interface WaitingRecord extends AppendableRecord {
  readonly delivery: Delivery
  readonly ordinal: number
  /** When `max.block.ms` is over, on the monotonic clock. */
  readonly deadlineMs: number
}

/** What is needed to tell a record's delivery that it has failed. */
export type FailedRecord = Pick<WaitingRecord, 'delivery' | 'ordinal' | 'topic' | 'partition'>

export function failWaiting({ delivery, ordinal, topic, partition }: FailedRecord, error: KafkaError): void {
  delivery.fail(error, ordinal, topic.name, Math.max(partition, -1))
}

/** Whether the record's partition, or enough to choose it, is known. */
export function isPlaceable({ topic, partition }: AppendableRecord): boolean {
  return topic.partitionCount > 0 && partition < topic.partitionCount
}
