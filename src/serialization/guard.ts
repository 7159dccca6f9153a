import { isUint8Array } from 'node:util/types'
import { bytesAdvice } from '../common/bytes-advice.js'
import { KafkaError, SerializationError } from '../errors/index.js'
import type { Bytes, GuardedSerializer, Headers, Prepare, Serialize, SerializerLike } from './types.js'

/**
 * Wraps an application's serializer so that it can only answer bytes or throw a SerializationError: what
 * it throws becomes the cause, and any other answer (a promise, undefined, an object) is refused.
 */
export function guardSerializer(
  serializer: SerializerLike<unknown>,
  field: 'key' | 'value',
): GuardedSerializer {
  if (typeof serializer === 'function') {
    return { serialize: guardSerialize(serializer, field), prepare: null, addsHeaders: false }
  }
  const { addsHeaders = false } = serializer
  const serialize: Serialize<unknown> = (topic, data, headers) => serializer.serialize(topic, data, headers)
  return {
    serialize: guardSerialize(serialize, field),
    prepare: typeof serializer.prepare === 'function' ? guardPrepare(serializer, field) : null,
    addsHeaders: addsHeaders === true,
  }
}

function guardPrepare(
  serializer: Exclude<SerializerLike<unknown>, Serialize<unknown>>,
  field: string,
): Prepare {
  return topic => {
    const refuse = (cause: unknown): never => {
      const reason = cause instanceof Error ? cause.message : nameType(cause)
      const retriable = cause instanceof KafkaError && cause.retriable
      throw new SerializationError(`the ${field} serializer is not ready for topic '${topic}': ${reason}`, {
        topic,
        cause,
        retriable,
      })
    }
    try {
      const answer: unknown = serializer.prepare?.(topic)
      if (typeof answer !== 'object' || answer === null || !('then' in answer)) return undefined
      return Promise.resolve(answer as PromiseLike<unknown>).then(() => {}, refuse)
    } catch (cause) {
      return refuse(cause)
    }
  }
}

function guardSerialize(serialize: Serialize<unknown>, field: 'key' | 'value'): Serialize<unknown> {
  return (topic, data, headers) => {
    const bytes = callSerializer(serialize, field, topic, data, headers)
    if (typeof bytes === 'string' || bytes === null || isUint8Array(bytes)) return bytes
    const hint = bytesAdvice(bytes)
    const advice = isPromise(bytes)
      ? '; serializers must answer at once, not with a promise (what they need first, prepare may fetch)'
      : hint && `; ${hint}`
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
