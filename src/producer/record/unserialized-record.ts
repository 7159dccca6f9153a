import { isUint8Array } from 'node:util/types'
import type { TopicState } from '../../accumulator/partition/topic-state.js'
import type { Bytes, Headers } from '../../serialization/index.js'
import type { ProducerRecord } from '../types.js'
import { checkPartition, checkTimestamp, noValue } from './record-checks.js'

/**
 * A record whose serializers are not ready yet: read and checked as far as it can be, its bytes copied. Keys
 * and values that are other objects are kept as they are until they are serialized.
 */
export interface UnserializedRecord {
  readonly topic: TopicState
  /** -1 where the record names none. */
  readonly partition: number
  readonly record: ProducerRecord<unknown, unknown>
}

/** The headers as pairs, in an array of its own, their bytes copied. Throws what is wrong with them. */
export type HeadersOf = (headers: Headers, topic: string) => readonly (readonly [string, Bytes])[]

/** Reads a record, of whose topic the name has been read already. Throws what is wrong with it. */
export function readUnserialized(
  record: ProducerRecord<unknown, unknown>,
  topic: TopicState,
  nowMs: number,
  headersOf: HeadersOf,
): UnserializedRecord {
  const { partition, timestamp, key, value, headers } = record
  const { name } = topic
  if (value === undefined) throw noValue(record, name)
  const isNamed = partition !== undefined && partition !== null
  const isTimed = timestamp !== undefined && timestamp !== null
  const hasHeaders = headers !== undefined && headers !== null
  return {
    topic,
    partition: isNamed ? checkPartition(partition, name) : -1,
    record: {
      topic: name,
      ...(isNamed ? { partition } : {}),
      timestamp: isTimed ? checkTimestamp(timestamp, name) : nowMs,
      key: copyOf(key),
      value: copyOf(value),
      ...(hasHeaders ? { headers: headersOf(headers, name) } : {}),
    },
  }
}

/** As `send` promises, the caller may write over bytes as soon as it has returned. */
export function copyOf(data: unknown): unknown {
  return isUint8Array(data) ? Uint8Array.prototype.slice.call(data) : data
}
