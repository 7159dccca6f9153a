import type { Headers } from '../../serialization/index.js'
import { type Interceptors, NO_HEADERS } from '../interceptors.js'
import type { ProducerRecord } from '../types.js'

/** A record as the interceptors have made it, and the headers that they are shown with its outcome. */
interface InterceptedRecord {
  readonly record: ProducerRecord<never, never>
  readonly headers: Headers
}

/**
 * Asks the interceptors. Headers that can be gone through only once, and those that a serializer adds to, are
 * read into an array now, which the record is sent with: so the outcome comes with those it was sent with.
 */
export function intercept(
  interceptors: Interceptors,
  given: ProducerRecord<never, never>,
): InterceptedRecord {
  const record = interceptors.onSend(given)
  let headers: Headers | null | undefined
  try {
    headers = record.headers
    if (!interceptors.mayAddHeaders) {
      if (headers === undefined || headers === null) return { record, headers: NO_HEADERS }
      if (!isIterator(headers)) return { record, headers }
    }
    headers = interceptors.keepHeaders(headers ?? NO_HEADERS, record.topic)
  } catch (error) {
    // What the record is refused with when it is read. Read again, its headers might be at their end.
    return { record: withHeaders(record, throwing(error)), headers: NO_HEADERS }
  }
  return { record: withHeaders(record, headers), headers }
}

function isIterator(headers: Headers): boolean {
  return Symbol.iterator in headers && typeof Reflect.get(headers, 'next') === 'function'
}

function throwing(error: unknown): Headers {
  return {
    [Symbol.iterator]: () => {
      throw error
    },
  }
}

/** The record itself for all else: fields may be getters, or come from its class. */
function withHeaders(record: ProducerRecord<never, never>, headers: Headers): ProducerRecord<never, never> {
  if (typeof record !== 'object' || record === null) return record
  return new Proxy(record, {
    get: (target, field) => (field === 'headers' ? headers : Reflect.get(target, field)),
  })
}
