import { ConfigError, type KafkaError, type KafkaProducer, type ProducerRecord } from '../index.js'
import type { RecordOutcome } from './outcome.js'

/** A record that goes to the sink's own topic. */
export type RecordWithoutTopic<K, V> = Omit<ProducerRecord<K, V>, 'topic'> & { topic?: undefined }

/**
 * What a sink takes where there is no `toRecord`: a record; with the option `topic` also one without a topic,
 * or a bare value that is no object (a `Uint8Array` is a value, too).
 */
export type RecordInput<K, V> = ProducerRecord<K, V> | RecordWithoutTopic<K, V> | V

/** Makes a record of an element. Without a topic of its own the record goes to the option `topic`. */
export type ToRecord<K, V, T> = (element: T) => ProducerRecord<K, V> | RecordWithoutTopic<K, V>

/** How elements become records. */
export interface RecordMapping<K, V, T> {
  /** Where elements go that name no topic. Default: each has to name one. */
  readonly topic?: string | undefined
  /** Default: elements are records already, or bare values of `topic`. */
  readonly toRecord?: ToRecord<K, V, T> | undefined
}

/**
 * Is told of every record that failed. A promise is waited for, and the record counts as not acknowledged
 * meanwhile. What it throws or rejects with ends the stream.
 */
export type FailureHandler<T> = (error: KafkaError, record: T) => unknown

/** How much may be on its way. */
interface Limits {
  /** Records that may be accepted and not acknowledged. Default 10,000. */
  readonly highWaterMark?: number | undefined
  /**
   * As `highWaterMark`, in bytes of keys, values and headers; whichever is reached first counts. Default half
   * of `buffer.memory`; of `toTransform`, which keeps the elements themselves, a quarter. What a serializer
   * has yet to make counts as the mean of what was acknowledged, 1 KiB at first.
   */
  readonly highWaterMarkBytes?: number | undefined
}

/** What a failed record does. */
export interface FailureOptions<T> {
  /**
   * `destroy` (default): the first record that fails ends the stream with its error. `continue`: failures are
   * only counted. A function gets each of them. An error after which the producer cannot send any more ends
   * the stream in any case.
   */
  readonly onError?: 'destroy' | 'continue' | FailureHandler<T> | undefined
}

/** Options of `toWritable`. */
export interface ToWritableOptions<K, V, T> extends RecordMapping<K, V, T>, Limits, FailureOptions<T> {
  /** Destroys the stream with an `AbortError`, as Node's own option. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `toTransform`. Failed records are outcomes like others; nothing ends the stream for them. */
export interface ToTransformOptions<K, V, T> extends RecordMapping<K, V, T>, Limits {
  /** Destroys the stream with an `AbortError`, as Node's own option. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `toWritableStream`. */
export interface ToWritableStreamOptions<K, V, T> extends RecordMapping<K, V, T>, FailureOptions<T> {
  /**
   * Bytes of keys, values and headers that may be accepted and not acknowledged; as many again may wait in
   * the stream's own queue. Default an eighth of `buffer.memory`.
   */
  readonly highWaterMark?: number | undefined
  /** Errors the stream with the signal's reason, at once. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `sendAll`. */
export interface SendAllOptions<K, V, T> extends RecordMapping<K, V, T>, Limits {
  /**
   * As with the streams: `destroy` rejects with the error of the first record that fails. Default `continue`
   * where there is an `onOutcome`, else `destroy`.
   */
  readonly onError?: FailureOptions<T>['onError']
  /** Is told what became of each record, in the order of acknowledgement. What it throws ends the call. */
  readonly onOutcome?: ((outcome: RecordOutcome<T>) => void) | undefined
  /** Rejects with the signal's reason and closes the source; records that were accepted go on. */
  readonly signal?: AbortSignal | undefined
}

/** Every option there is, as the rest of this room reads them. */
interface AnyOptions<K, V, T> extends SendAllOptions<K, V, T> {}

/** The bounds, with their defaults. */
export interface ResolvedLimits {
  readonly records: number
  readonly bytes: number
}

const RECORDS_DEFAULT = 10_000
/** Half of Java's default of `buffer.memory`, for producers that do not say what they have. */
const BYTES_DEFAULT = 16 * 1024 * 1024

const MAPPING = ['topic', 'toRecord'] as const
export const WRITABLE_OPTIONS = [...MAPPING, 'highWaterMark', 'highWaterMarkBytes', 'onError', 'signal']
export const TRANSFORM_OPTIONS = [...MAPPING, 'highWaterMark', 'highWaterMarkBytes', 'signal']
export const WRITABLE_STREAM_OPTIONS = [...MAPPING, 'highWaterMark', 'onError', 'signal']
export const SEND_ALL_OPTIONS = [...WRITABLE_OPTIONS, 'onOutcome']

/**
 * Throws what is wrong with the arguments of a sink.
 *
 * @throws ConfigError for a producer or an option that is none, with the option's name as `key`
 */
export function checkArguments(
  name: string,
  producer: unknown,
  options: unknown,
  known: readonly string[],
): void {
  if (typeof (producer as KafkaProducer | null)?.send !== 'function') {
    throw new ConfigError(`${name}: the first argument must be a producer.`)
  }
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(`${name}: options must be an object, such as { topic: 'events' }.`)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new ConfigError(
      `${name}: unknown option ${JSON.stringify(key)}; known are ${known.join(', ')}.`,
      key,
    )
  }
  const { topic, toRecord, onError, onOutcome, signal } = options as AnyOptions<unknown, unknown, unknown>
  const refuse = (key: string, allowed: string): never => {
    throw new ConfigError(`${name}: ${key} must be ${allowed}.`, key)
  }
  if (topic !== undefined && (typeof topic !== 'string' || topic === '')) {
    refuse('topic', 'a string that is not empty')
  }
  if (toRecord !== undefined && typeof toRecord !== 'function') refuse('toRecord', 'a function')
  if (onOutcome !== undefined && typeof onOutcome !== 'function') refuse('onOutcome', 'a function')
  const isPolicy = onError === 'destroy' || onError === 'continue' || typeof onError === 'function'
  if (onError !== undefined && !isPolicy) refuse('onError', "'destroy', 'continue' or a function")
  const isSignal = typeof signal === 'object' && signal !== null && 'aborted' in signal
  if (signal !== undefined && !isSignal) refuse('signal', 'an AbortSignal')
}

/** A bound that was given, or the default. */
export function limitOf(name: string, key: string, given: number | undefined, byDefault: number): number {
  if (given === undefined) return byDefault
  if (Number.isSafeInteger(given) && given >= 1) return given
  throw new ConfigError(`${name}: ${key} must be a whole number of at least 1, not ${String(given)}.`, key)
}

/** Bounds of a sink that has both. */
export function limitsOf(
  name: string,
  producer: KafkaProducer<never, never>,
  given: Limits,
  partsOfMemory = 2,
): ResolvedLimits {
  const bytes = shareOfMemory(producer, partsOfMemory)
  return {
    records: limitOf(name, 'highWaterMark', given.highWaterMark, RECORDS_DEFAULT),
    bytes: limitOf(name, 'highWaterMarkBytes', given.highWaterMarkBytes, bytes),
  }
}

/** One of so many parts of `buffer.memory`, in bytes. */
export function shareOfMemory({ bufferTotalBytes }: KafkaProducer<never, never>, parts: number): number {
  const isKnown = Number.isFinite(bufferTotalBytes) && bufferTotalBytes > 0
  return Math.max(1, Math.floor((isKnown ? bufferTotalBytes : BYTES_DEFAULT * 2) / parts))
}
