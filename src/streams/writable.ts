import { addAbortSignal, Writable } from 'node:stream'
import type { KafkaProducer } from '../index.js'
import type { SinkCounts } from './counts.js'
import { failurePolicy } from './failures.js'
import { Intake } from './intake.js'
import {
  checkArguments,
  limitsOf,
  type RecordInput,
  type ResolvedLimits,
  type ToRecord,
  type ToWritableOptions,
  WRITABLE_OPTIONS,
} from './options.js'
import { recordMaker } from './records.js'

/** Elements that Node's own queue holds in front of the sink: more would be held beside the bound. */
export const QUEUE_ELEMENTS = 16

/** A Node stream in object mode that ends in a producer. */
export interface ProducerWritable extends Writable {
  /** What has become of the elements so far. */
  readonly counts: SinkCounts
}

/**
 * A Node `Writable` in object mode whose elements are sent.
 *
 * An element is accepted as soon as there is room for it, without waiting for its acknowledgement; the stream
 * finishes, and `pipeline` resolves, when all are acknowledged. While `highWaterMark` records (or
 * `highWaterMarkBytes`) have been accepted and are not acknowledged, nothing more is taken. A destroyed
 * stream drops what it has not accepted; what it has goes on in the producer, which stays open.
 *
 * @throws ConfigError for options that make no sense
 */
export function toWritable<K, V, T>(
  producer: KafkaProducer<K, V>,
  options: ToWritableOptions<K, V, T> & { readonly toRecord: ToRecord<K, V, T> },
): ProducerWritable
export function toWritable<K, V>(
  producer: KafkaProducer<K, V>,
  options?: ToWritableOptions<K, V, RecordInput<K, V>>,
): ProducerWritable
export function toWritable<K, V, T>(
  producer: KafkaProducer<K, V>,
  options: ToWritableOptions<K, V, T> = {},
): ProducerWritable {
  checkArguments('toWritable', producer, options, WRITABLE_OPTIONS)
  return new ProducerSink(producer, options, limitsOf('toWritable', producer, options))
}

type Callback = (error?: Error | null) => void

class ProducerSink<K, V, T> extends Writable implements ProducerWritable {
  private readonly intake: Intake<K, V, T, T | undefined>
  /** Elements are needed again only where a function gets the failures. */
  private readonly keepsElements: boolean
  /** Frees the element that was accepted last; kept while there is no room for another. */
  private held: Callback | null = null
  private readonly goOn = () => {
    const { held } = this
    this.held = null
    held?.()
  }

  constructor(producer: KafkaProducer<K, V>, options: ToWritableOptions<K, V, T>, limits: ResolvedLimits) {
    super({ objectMode: true, highWaterMark: Math.min(QUEUE_ELEMENTS, limits.records) })
    this.keepsElements = typeof options.onError === 'function'
    const stop = (reason: unknown) => void this.destroy(asError(reason))
    const onFailure = failurePolicy(options.onError ?? 'destroy', stop)
    this.intake = new Intake({
      producer,
      limits,
      toRecord: recordMaker(options),
      onSettled: (element, error) => (error === null ? undefined : onFailure(error, element as T)),
      onBroken: stop,
    })
    // Last: it may have been aborted already, and destroys the stream then.
    if (options.signal !== undefined) addAbortSignal(options.signal, this)
  }

  get counts(): SinkCounts {
    return this.intake.counts
  }

  override _write(element: T, _encoding: string, callback: Callback): void {
    this.intake.accept(element, this.keepsElements ? element : undefined)
    this.held = callback
    if (this.intake.hasRoom) this.goOn()
    else this.intake.whenRoom(this.goOn)
  }

  override _final(callback: Callback): void {
    this.intake.drained().then(
      () => callback(),
      reason => callback(asError(reason)),
    )
  }

  override _destroy(error: Error | null, callback: Callback): void {
    // Its element was accepted: that settles whoever waits for it.
    this.goOn()
    callback(error)
  }
}

/** A stream is destroyed with an error or none: what else was thrown becomes the cause of one. */
export function asError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new Error(`The stream was ended: ${String(reason)}`, { cause: reason })
}
