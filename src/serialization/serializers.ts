import { isAnyArrayBuffer, isUint8Array } from 'node:util/types'
import { SerializationError } from '../errors/index.js'
import { nameType } from './guard.js'
import type { Bytes, Serializer } from './types.js'

/** Refuses data of a wrong type without showing it. */
function refuse(topic: string, name: string, wanted: string, data: unknown): never {
  throw new SerializationError(
    `the ${name} serializer takes ${wanted} or null, not ${nameType(data)} (topic '${topic}')`,
    { topic },
  )
}

/** Refuses data of the right type and a wrong value. */
function refuseValue(topic: string, name: string, wanted: string): never {
  throw new SerializationError(`the ${name} serializer takes ${wanted} (topic '${topic}')`, { topic })
}

/** A serializer for which null and undefined are null, as all of Java's are. */
function nullable<T>(encode: (data: T, topic: string) => Bytes): Serializer<T | null | undefined> {
  return {
    serialize: (topic, data) => (data === null || data === undefined ? null : encode(data, topic)),
  }
}

type WriteNumber = (view: DataView, data: number) => void

/** Big-endian integers of `size` bytes within a signed range. */
function integerOf(name: string, size: number, write: WriteNumber) {
  const limit = 2 ** (size * 8 - 1)
  return nullable<number>((data, topic) => {
    if (typeof data !== 'number') refuse(topic, name, 'a number', data)
    if (!Number.isInteger(data) || data < -limit || data >= limit)
      refuseValue(topic, name, `whole numbers from ${-limit} to ${limit - 1}`)
    return encodeNumber(size, write, data)
  })
}

/** Big-endian IEEE 754 numbers of `size` bytes. */
function floatOf(name: string, size: number, write: WriteNumber) {
  return nullable<number>((data, topic) => {
    if (typeof data !== 'number') refuse(topic, name, 'a number', data)
    return encodeNumber(size, write, data)
  })
}

function encodeNumber(size: number, write: WriteNumber, data: number): Uint8Array {
  const bytes = new Uint8Array(size)
  write(new DataView(bytes.buffer), data)
  return bytes
}

function encodeLong(data: bigint | number, topic: string): Uint8Array {
  if (typeof data !== 'bigint' && typeof data !== 'number')
    refuse(topic, 'long', 'a bigint or a number', data)
  if (typeof data === 'number' && !Number.isSafeInteger(data))
    refuseValue(topic, 'long', 'numbers that are safe integers; use a bigint beyond 2^53')
  const value = BigInt(data)
  if (BigInt.asIntN(64, value) !== value) refuseValue(topic, 'long', 'integers of at most 64 bits')
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, value)
  return bytes
}

function encodeBytes(data: ArrayBufferView | ArrayBufferLike, topic: string): Uint8Array {
  if (isUint8Array(data)) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (isAnyArrayBuffer(data)) return new Uint8Array(data)
  return refuse(topic, 'bytes', 'a Uint8Array, another view or an ArrayBuffer', data)
}

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function encodeUuid(data: string, topic: string): string {
  if (typeof data !== 'string') refuse(topic, 'uuid', 'a string', data)
  if (!UUID_TEXT.test(data))
    refuseValue(topic, 'uuid', 'text of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx')
  return data.toLowerCase()
}

function encodeJson(data: unknown, topic: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : nameType(cause)
    throw new SerializationError(`the json serializer failed for topic '${topic}': ${reason}`, {
      topic,
      cause,
    })
  }
  if (text === undefined) refuse(topic, 'json', 'what JSON can express', data)
  return text
}

/**
 * The built-in serializers. Each takes null and undefined for "no value" and throws `SerializationError` for
 * data of another type. Where none is configured, keys and values may be a string, a `Uint8Array` or null.
 */
export const serializers = {
  /** UTF-8 text (Java: `StringSerializer`). */
  string: nullable<string>((data, topic) =>
    typeof data === 'string' ? data : refuse(topic, 'string', 'a string', data),
  ),
  /** Bytes as they are; Buffers, other views and ArrayBuffers included (Java: `ByteArraySerializer`). */
  bytes: nullable<ArrayBufferView | ArrayBufferLike>(encodeBytes),
  /** 2 bytes, big-endian, signed (Java: `ShortSerializer`). */
  short: integerOf('short', 2, (view, data) => view.setInt16(0, data)),
  /** 4 bytes, big-endian, signed (Java: `IntegerSerializer`). */
  integer: integerOf('integer', 4, (view, data) => view.setInt32(0, data)),
  /** 8 bytes, big-endian, signed, from a bigint or a safe integer (Java: `LongSerializer`). */
  long: nullable<bigint | number>(encodeLong),
  /** 4 bytes, big-endian IEEE 754, rounded to the nearest (Java: `FloatSerializer`). */
  float: floatOf('float', 4, (view, data) => view.setFloat32(0, data)),
  /** 8 bytes, big-endian IEEE 754 (Java: `DoubleSerializer`). */
  double: floatOf('double', 8, (view, data) => view.setFloat64(0, data)),
  /** One byte, 0 or 1 (Java: `BooleanSerializer`). */
  boolean: nullable<boolean>((data, topic) =>
    typeof data === 'boolean' ? Uint8Array.of(data ? 1 : 0) : refuse(topic, 'boolean', 'a boolean', data),
  ),
  /** The 36 characters of a UUID, in lower case as Java prints them (Java: `UUIDSerializer`). */
  uuid: nullable<string>(encodeUuid),
  /** Nothing but null (Java: `VoidSerializer`). */
  void: nullable<never>((data, topic) => refuse(topic, 'void', 'undefined', data)),
  /** `JSON.stringify` of anything it can express. null and undefined are no value, not the text `null`. */
  json: nullable<unknown>(encodeJson),
} as const

const JAVA_PACKAGE = 'org.apache.kafka.common.serialization.'

const JAVA_CLASSES: ReadonlyMap<string, Serializer<never>> = new Map<string, Serializer<never>>([
  ['StringSerializer', serializers.string],
  ['ByteArraySerializer', serializers.bytes],
  ['ByteBufferSerializer', serializers.bytes],
  ['BytesSerializer', serializers.bytes],
  ['ShortSerializer', serializers.short],
  ['IntegerSerializer', serializers.integer],
  ['LongSerializer', serializers.long],
  ['FloatSerializer', serializers.float],
  ['DoubleSerializer', serializers.double],
  ['BooleanSerializer', serializers.boolean],
  ['UUIDSerializer', serializers.uuid],
  ['VoidSerializer', serializers.void],
])

/** The built-in serializer that does what a class of the Java client does, by the class's full name. */
export function serializerOfJavaClass(className: string): Serializer<never> | undefined {
  if (!className.startsWith(JAVA_PACKAGE)) return undefined
  return JAVA_CLASSES.get(className.slice(JAVA_PACKAGE.length))
}
