import { InvalidRecordError } from '../errors/index.js'
import type { Bytes, ProducerRecord } from '../index.js'

/**
 * An event, as the package `cloudevents` makes it or as a plain object: the attributes of CloudEvents 1.0 by
 * their names, and extensions beside them.
 */
export interface CloudEventLike {
  readonly id: string
  readonly source: string
  readonly type: string
  /** Default `1.0`. */
  readonly specversion?: string
  readonly subject?: string
  readonly time?: string | Date
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly data?: unknown
  /** Data that is binary, as text; it counts where there is no `data`. */
  readonly data_base64?: string
}

/** Where the record of an event goes, and how the event is written into it. */
export interface CloudEventRecordOptions {
  readonly topic: string
  /**
   * `binary` (the default) sends the data as the value and the attributes as headers. `structured` sends the
   * whole event as JSON.
   */
  readonly mode?: 'binary' | 'structured'
  /** Default: the extension `partitionkey`, else null, which means none. */
  readonly key?: Bytes
  /**
   * In binary mode: `encode` (the default) sends strings and bytes as they are and all else as JSON; `keep`
   * leaves the data to the producer's value serializer.
   */
  readonly data?: 'encode' | 'keep'
}

const STRUCTURED_TYPE = 'application/cloudevents+json; charset=utf-8'
const VERSION = '1.0'
const NOT_ATTRIBUTES: readonly string[] = ['data', 'data_base64']
const ATTRIBUTE_NAME = /^[a-z0-9]+$/

/**
 * The record of an event, by the Kafka protocol binding of CloudEvents 1.0.2. Throws `InvalidRecordError`
 * for an event without `id`, `source` or `type`, or with an attribute whose name or value the binding
 * cannot have.
 */
export function cloudEventRecord<V = Bytes>(
  event: CloudEventLike,
  options: CloudEventRecordOptions,
): ProducerRecord<Bytes, V> {
  const { topic, mode = 'binary' } = options
  if (mode !== 'binary' && mode !== 'structured') throw wrong(topic, 'mode must be binary or structured')
  const attributes = attributesOf(event, topic)
  const key = options.key === undefined ? (attributes.get('partitionkey') ?? null) : options.key
  if (mode === 'structured') {
    const headers: [string, string][] = [['content-type', STRUCTURED_TYPE]]
    return { topic, key, value: structured(event) as V, headers }
  }
  const headers: [string, string][] = []
  for (const [name, value] of attributes) {
    headers.push(name === 'datacontenttype' ? ['content-type', value] : [`ce_${name}`, value])
  }
  const data = dataOf(event)
  if (options.data === 'keep') return { topic, key, value: (data ?? null) as V, headers }
  const isEncoded = typeof data === 'string' || data instanceof Uint8Array
  if (!isEncoded && data !== null && !attributes.has('datacontenttype')) {
    headers.push(['content-type', 'application/json'])
  }
  return { topic, key, value: (isEncoded || data === null ? data : JSON.stringify(data)) as V, headers }
}

/** A message for Kafka, as `Kafka.binary(event)` and `Kafka.structured(event)` of `cloudevents` make it. */
export interface CloudEventMessage {
  readonly key?: unknown
  readonly value?: unknown
  readonly headers?: object
  readonly timestamp?: string | number
}

/**
 * The record of a message that the package `cloudevents` has made: the timestamp becomes a number, a value
 * that is an object becomes JSON. Throws `InvalidRecordError` for a timestamp that is no number.
 */
export function recordOfCloudEventMessage(topic: string, message: CloudEventMessage): ProducerRecord {
  const { key, value, headers = {}, timestamp } = message
  const pairs = Object.entries(headers).flatMap(([name, given]): [string, string][] =>
    given === undefined || given === null ? [] : [[name, textOf(given)]],
  )
  const timestampMs = timestamp === undefined ? undefined : Number(timestamp)
  if (timestampMs !== undefined && !Number.isFinite(timestampMs)) {
    throw wrong(topic, 'its timestamp is no number of milliseconds')
  }
  return {
    topic,
    key: encoded(key),
    value: encoded(value),
    headers: pairs,
    ...(timestampMs === undefined ? {} : { timestamp: timestampMs }),
  }
}

function encoded(value: unknown): Bytes {
  if (value === undefined || value === null) return null
  return typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value)
}

/** Attributes and extensions that have a value, as text. */
function attributesOf(event: CloudEventLike, topic: string): Map<string, string> {
  if (typeof event !== 'object' || event === null) throw wrong(topic, 'it is no object')
  const attributes = new Map([['specversion', VERSION]])
  for (const [name, value] of Object.entries(event)) {
    const isAbsent = value === undefined || value === null || typeof value === 'function'
    if (isAbsent || NOT_ATTRIBUTES.includes(name)) continue
    if (!ATTRIBUTE_NAME.test(name)) {
      throw wrong(topic, `${JSON.stringify(name)} is no name of an attribute: lower-case letters and digits`)
    }
    if (typeof value === 'object' && !(value instanceof Date)) {
      throw wrong(topic, `attribute ${name} must be text, a number or a boolean`)
    }
    attributes.set(name, textOf(value))
  }
  for (const name of ['id', 'source', 'type']) {
    if ((attributes.get(name) ?? '') === '') throw wrong(topic, `it has no ${name}`)
  }
  if (attributes.get('specversion') !== VERSION) throw wrong(topic, `its specversion is not ${VERSION}`)
  return attributes
}

function textOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value)
}

function dataOf({ data, data_base64: base64 }: CloudEventLike): unknown {
  if (data !== undefined && data !== null) return data
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : null
}

function structured(event: CloudEventLike): string {
  const { data, data_base64: base64, ...attributes } = event
  const bytes = data instanceof Uint8Array ? Buffer.from(data).toString('base64') : base64
  const content = data instanceof Uint8Array || data === undefined || data === null ? {} : { data }
  const binary = 'data' in content || bytes === undefined ? {} : { data_base64: bytes }
  return JSON.stringify({ specversion: VERSION, ...attributes, ...content, ...binary })
}

function wrong(topic: string, reason: string): InvalidRecordError {
  return new InvalidRecordError(`The CloudEvent for topic ${topic} cannot be sent: ${reason}.`, { topic })
}
