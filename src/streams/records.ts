import {
  type Bytes,
  InvalidRecordError,
  KafkaError,
  type ProducerRecord,
  type RecordMetadata,
} from '../index.js'
import type { RecordMapping } from './options.js'

/** Makes the record of an element; throws a KafkaError for one that is none. */
export type RecordMaker<K, V, T> = (element: T) => ProducerRecord<K, V>

const RECORD_FIELDS: ReadonlySet<string> = new Set([
  ...['topic', 'partition', 'timestamp', 'key', 'value', 'headers'],
])

/** What the options say of elements. */
export function recordMaker<K, V, T>({ topic, toRecord }: RecordMapping<K, V, T>): RecordMaker<K, V, T> {
  if (toRecord === undefined) return element => recordOf<K, V>(element, topic)
  return element => {
    const record = toRecord(element) as ProducerRecord<K, V> | null | undefined
    if (typeof record !== 'object' || record === null) {
      throw new InvalidRecordError(`toRecord must return a record, not ${nameOf(record)}.`)
    }
    return record.topic === undefined || record.topic === null ? withTopic(record, topic) : record
  }
}

function recordOf<K, V>(element: unknown, topic: string | undefined): ProducerRecord<K, V> {
  if (element === null || element === undefined) {
    throw new InvalidRecordError('An element of the source is null or undefined, which is no record.')
  }
  const isValue = typeof element !== 'object' || ArrayBuffer.isView(element)
  if (isValue) return withTopic({ value: element as V } as ProducerRecord<K, V>, topic)
  const record = element as ProducerRecord<K, V>
  if (record.topic !== undefined && record.topic !== null) return record
  const stranger = Array.isArray(element)
    ? 'it is an array'
    : strangerIn(element, field => `it has a field ${JSON.stringify(field)}`)
  if (stranger === null) return withTopic(record, topic)
  // Taken for a record, an object with a field `value` would lose all others without a word.
  throw new InvalidRecordError(
    `An element of the source is an object and no record: ${stranger}. Say with toRecord what is to be ` +
      'sent, such as toRecord: element => ({ key: element.id, value: JSON.stringify(element) }).',
  )
}

function strangerIn(element: object, describe: (field: string) => string): string | null {
  for (const field in element) if (!RECORD_FIELDS.has(field)) return describe(field.slice(0, 80))
  return 'value' in element ? null : 'it has no value'
}

function withTopic<K, V>(record: ProducerRecord<K, V>, topic: string | undefined): ProducerRecord<K, V> {
  if (topic !== undefined) return { ...record, topic }
  throw new InvalidRecordError('An element of the source names no topic, and there is no option topic.', {
    code: 'TOPIC_INVALID',
  })
}

function nameOf(value: unknown): string {
  return value === null ? 'null' : value === undefined ? 'undefined' : `a ${typeof value}`
}

/** What a `toRecord` threw, or a getter of the element, becomes a coded error with its cause. */
export function asRecordError(thrown: unknown): KafkaError {
  if (thrown instanceof KafkaError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new InvalidRecordError(`An element of the source could not be made a record: ${message}`, {
    cause: thrown,
  })
}

/** Sizes of records before they are serialized. */
export class RecordSizes {
  /** Of what serializers have made of keys and values: a mean in which later ones count more. */
  private meanBytes = 1024

  /** Bytes of key, value and headers; the mean stands for what is yet to be serialized. */
  of(record: ProducerRecord<unknown, unknown>): number {
    return this.part(record.key) + this.part(record.value) + headerBytes(record.headers)
  }

  /** Whether the size is that of bytes, and not of what is yet to be serialized. */
  isKnown({ key, value }: ProducerRecord<unknown, unknown>): boolean {
    return isSized(key) && isSized(value)
  }

  /** Takes into account what a serializer has made of a record. */
  learn({ key, value }: ProducerRecord<unknown, unknown>, metadata: RecordMetadata): void {
    this.learnPart(key, metadata.serializedKeySize)
    this.learnPart(value, metadata.serializedValueSize)
  }

  private learnPart(part: unknown, bytes: number): void {
    if (isSized(part) || bytes < 0) return
    this.meanBytes += (bytes - this.meanBytes) / 16
  }

  private part(part: unknown): number {
    if (part === null || part === undefined) return 0
    return bytesOf(part) ?? Math.max(1, Math.round(this.meanBytes))
  }
}

function isSized(part: unknown): boolean {
  return part === null || part === undefined || typeof part === 'string' || ArrayBuffer.isView(part)
}

function bytesOf(part: unknown): number | null {
  if (typeof part === 'string') return Buffer.byteLength(part)
  return ArrayBuffer.isView(part) ? part.byteLength : null
}

/** Iterables other than arrays may be read only once, by the producer, and are not counted. */
function headerBytes(headers: ProducerRecord['headers']): number {
  if (headers === null || headers === undefined) return 0
  let bytes = 0
  const add = (name: unknown, value: unknown) => {
    bytes += (bytesOf(name) ?? 0) + (bytesOf(value) ?? 0)
  }
  if (Array.isArray(headers)) for (const pair of headers) add(pair?.[0], pair?.[1])
  else if (!(Symbol.iterator in headers)) {
    for (const [name, values] of Object.entries(headers as Record<string, Bytes | readonly Bytes[]>)) {
      for (const value of Array.isArray(values) ? values : [values]) add(name, value)
    }
  }
  return bytes
}
