import { isUint8Array } from 'node:util/types'
import { SerializationError } from '../errors/index.js'
import type { Bytes, Headers, Serialize, SerializerLike } from './types.js'

/**
 * Wraps an application's serializer so that it can only answer bytes or throw a SerializationError: what
 * it throws becomes the cause, and any other answer (a promise, undefined, an object) is refused.
 */
export function guardSerializer<T>(serializer: SerializerLike<T>, field: 'key' | 'value'): Serialize<T> {
  const serialize: Serialize<T> =
    typeof serializer === 'function'
      ? serializer
      : (topic, data, headers) => serializer.serialize(topic, data, headers)
  return (topic, data, headers) => {
    const bytes = callSerializer(serialize, field, topic, data, headers)
    if (typeof bytes === 'string' || bytes === null || isUint8Array(bytes)) return bytes
    const advice = isPromise(bytes) ? '; serializers must answer at once, not with a promise' : ''
    throw new SerializationError(
      `the ${field} serializer returned ${nameType(bytes)} for topic '${topic}'; ` +
        `it must return a string, a Uint8Array or null${advice}`,
      { topic },
    )
  }
}

function callSerializer<T>(
  serialize: Serialize<T>,
  field: 'key' | 'value',
  topic: string,
  data: T,
  headers: Headers | undefined,
): Bytes {
  try {
    return serialize(topic, data, headers)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : nameType(cause)
    throw new SerializationError(`cannot serialize the ${field} for topic '${topic}': ${reason}`, {
      topic,
      cause,
    })
  }
}

function isPromise(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('then' in value)) return false
  // A promise nobody will await must not become an unhandled rejection.
  Promise.resolve(value as PromiseLike<unknown>).catch(() => {})
  return true
}

/** What a value is, in words and without showing the value, which may be private. */
export function nameType(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== '' ? `an object of class ${name}` : 'an object'
}
