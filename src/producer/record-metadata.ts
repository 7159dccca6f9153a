import { inspect } from 'node:util'
import { BatchOutcome } from '../accumulator/batch/batch-outcome.js'

/** {@link RecordMetadata} as `JSON.stringify` writes it. */
export interface RecordMetadataJson {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly timestamp: number
  readonly serializedKeySize: number
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

  constructor(outcome: BatchOutcome, index: number, createdMs: number, keyBytes: number, valueBytes: number) {
    this.outcome = outcome
    this.index = index
    this.createdMs = createdMs
    this.serializedKeySize = keyBytes
    this.serializedValueSize = valueBytes
  }

  /** Metadata of a record that never reached a batch: everything but topic and partition is -1. */
  static unsent(topic: string, partition: number): RecordMetadata {
    return new RecordMetadata(new BatchOutcome(topic, partition), -1, -1, -1, -1)
  }

  /** Metadata of a record that is in no batch; -1 for what is not known, and for the size of null. */
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

  get topic(): string {
    return this.outcome.topic
  }

  /** -1 if the record failed before it was given a partition. */
  get partition(): number {
    return this.outcome.partition
  }

  /** -1n with acks 0, and where the broker did not tell (a duplicate of an older batch). */
  get offset(): bigint {
    return this.outcome.offsetOf(this.index)
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
