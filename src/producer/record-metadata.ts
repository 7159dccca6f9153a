import { inspect } from 'node:util'
import { BatchOutcome } from '../accumulator/batch/batch-outcome.js'

/** {@link RecordMetadata} as `JSON.stringify` writes it. */
export interface RecordMetadataJson {
  /** The topic that the record was sent to. */
  readonly topic: string
  /** Its partition; -1 if it failed before it was given one. */
  readonly partition: number
  /** Its place in the partition, as text; -1 where it is not known. */
  readonly offset: string
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** Bytes of the key as sent, -1 for null. */
  readonly serializedKeySize: number
  /** Bytes of the value as sent, -1 for null. */
  readonly serializedValueSize: number
}

/**
 * Where a record was stored. Read from its batch's outcome when looked at, so that a million acknowledged
 * records cost no offsets nobody asks for.
 */
export class RecordMetadata {
  /** Size of the key in bytes as it was sent, -1 for null. */
  readonly serializedKeySize: number
  /** Size of the value in bytes as it was sent, -1 for null. */
  readonly serializedValueSize: number
  private readonly outcome: BatchOutcome
  private readonly index: number
  private readonly createdMs: number

  /** @internal Made by producers. */
  constructor(outcome: BatchOutcome, index: number, createdMs: number, keyBytes: number, valueBytes: number) {
    this.outcome = outcome
    this.index = index
    this.createdMs = createdMs
    this.serializedKeySize = keyBytes
    this.serializedValueSize = valueBytes
  }

  /** @internal Metadata of a record that never reached a batch: everything but topic and partition is -1. */
  static unsent(topic: string, partition: number): RecordMetadata {
    return new RecordMetadata(new BatchOutcome(topic, partition), -1, -1, -1, -1)
  }

  /** @internal Metadata of a record in no batch; -1 for what is not known, and for the size of null. */
  static of(place: {
    topic: string
    partition: number
    offset: bigint
    timestampMs: number
    keyBytes: number
    valueBytes: number
  }): RecordMetadata {
    const outcome = new BatchOutcome(place.topic, place.partition)
    outcome.baseOffset = place.offset
    return new RecordMetadata(outcome, 0, place.timestampMs, place.keyBytes, place.valueBytes)
  }

  /** The topic that the record was sent to. */
  get topic(): string {
    return this.outcome.topic
  }

  /** The partition that it was sent to; -1 if it failed before it was given one. */
  get partition(): number {
    return this.outcome.partition
  }

  /** Its place in the partition; -1n with acks 0, and for a duplicate that the broker has no offset of. */
  get offset(): bigint {
    return this.outcome.offsetOf(this.index)
  }

  /** @internal The offset as text. */
  get offsetText(): string {
    const offset = this.outcome.safeOffsetOf(this.index)
    return Number.isNaN(offset) ? String(this.offset) : String(offset)
  }

  /**
   * Milliseconds since the epoch: the broker's time of append if the topic is LogAppendTime, else the
   * record's.
   */
  get timestamp(): number {
    const logAppendTimeMs = this.outcome.logAppendTimeOf(this.index)
    return logAppendTimeMs >= 0 ? logAppendTimeMs : this.createdMs
  }

  /**
   * All of it in a plain object, the offset as text. The fields of the metadata are read when asked for, so
   * `structuredClone`, `postMessage` and `{ ...spread }` need this form: `{ ...metadata.toJSON() }`.
   */
  toJSON(): RecordMetadataJson {
    const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } = this
    return { topic, partition, offset: `${offset}`, timestamp, serializedKeySize, serializedValueSize }
  }

  [inspect.custom](): object {
    const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } = this
    return { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize }
  }
}
