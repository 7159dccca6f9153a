import { bytesAdvice } from '../../common/bytes-advice.js'
import {
  BufferExhaustedError,
  InternalError,
  InvalidRecordError,
  type KafkaError,
  ProducerClosedError,
  RecordTooLargeError,
} from '../../errors/index.js'
import { AppendStatus } from '../../native/addon.js'

const INT32_MAX = 2 ** 31 - 1

/** The options that a record may run up against on its way into a batch. */
export interface AppendLimits {
  readonly maxRequestBytes: number
  readonly bufferBytes: number
  readonly maxBlockMs: number
}

/** Why native code has refused a record; `bytes` is its size where that is the reason. */
export function refusalError(status: number, topic: string, bytes: number, limits: AppendLimits): KafkaError {
  switch (status) {
    case AppendStatus.TOO_LARGE:
      return tooLargeError(topic, bytes, limits)
    case AppendStatus.DETACHED:
      return new InvalidRecordError(
        `A record to topic ${topic} has a key or value whose ArrayBuffer is detached or has been shrunk: ` +
          'its bytes are gone.',
        { topic },
      )
    case AppendStatus.BAD_TYPE:
      return badTypeError(topic)
    case AppendStatus.CLOSED:
      return new ProducerClosedError('The producer is closed.')
    default:
      return new InternalError(`The native appender answered with an unknown status ${status}.`)
  }
}

/** Key or value are nothing that can be sent as it is. */
export function badTypeError(topic: string, key?: unknown, value?: unknown): InvalidRecordError {
  const advice = bytesAdvice(value) || bytesAdvice(key)
  return new InvalidRecordError(
    `Key and value of a record to topic ${topic} must be a string, a Uint8Array or null; ` +
      `${advice || 'set key.serializer or value.serializer for anything else'}.`,
    { topic },
  )
}

export function tooLargeError(
  topic: string,
  bytes: number,
  { maxRequestBytes, bufferBytes }: AppendLimits,
): RecordTooLargeError {
  // Native code tells sizes as int32, and the largest of these for all beyond.
  const isOverBuffer = bytes <= maxRequestBytes && bytes > bufferBytes
  const [key, limit] = isOverBuffer ? ['buffer.memory', bufferBytes] : ['max.request.size', maxRequestBytes]
  const size = bytes >= INT32_MAX ? `${INT32_MAX} bytes or more` : `up to ${bytes} bytes`
  return new RecordTooLargeError(`A record to topic ${topic} takes ${size}, more than ${key} (${limit}).`, {
    topic,
  })
}

/** The runtime cannot allocate memory that `buffer.memory` still allows. */
export function unallocatedError(topic: string, bytes: number, cause: unknown): BufferExhaustedError {
  return new BufferExhaustedError(
    `No memory for a record to topic ${topic}: the runtime could not allocate ${bytes} bytes, ` +
      'though buffer.memory allows them. Lower buffer.memory, or give the process more.',
    { topic, cause },
  )
}

/** The runtime cannot allocate the copy of a record that has to wait. */
export function uncopiedError(topic: string, bytes: number, cause: unknown): BufferExhaustedError {
  return new BufferExhaustedError(
    `No memory for a record to topic ${topic}: it has to wait, and the runtime could not allocate a copy ` +
      `(${bytes} bytes), though maxBlockBytes allows it. Lower maxBlockBytes, or give the process more.`,
    { topic, cause },
  )
}

/** A record has waited for memory for too long. */
export function exhaustedError(
  topic: string,
  { maxBlockMs, bufferBytes }: AppendLimits,
): BufferExhaustedError {
  return new BufferExhaustedError(
    `No memory for a record to topic ${topic} within max.block.ms (${maxBlockMs} ms): ` +
      `buffer.memory (${bufferBytes} bytes) is held by records the brokers have not acknowledged yet. ` +
      'Send more slowly, or raise buffer.memory.',
    { topic },
  )
}
