import type { WritableStream as NodeWritableStream, WritableStreamDefaultController } from 'node:stream/web'
import { Fifo } from '../common/fifo.js'
import type { KafkaProducer } from '../index.js'
import { failurePolicy } from './failures.js'
import { Intake, type Prepared } from './intake.js'
import {
  checkArguments,
  limitOf,
  type RecordInput,
  shareOfMemory,
  type ToRecord,
  type ToWritableStreamOptions,
  WRITABLE_STREAM_OPTIONS,
} from './options.js'
import { recordMaker } from './records.js'

/** Of `buffer.memory` by default: one for the queue, whose chunks are on the heap, one for the producer. */
const PARTS_OF_MEMORY = 8

/**
 * A WHATWG `WritableStream` whose chunks are sent; sizes are bytes of keys, values and headers.
 *
 * `write` resolves when its chunk is accepted, `ready` when there is room, `close` when all chunks are
 * acknowledged. `abort` drops the chunks that have not been accepted and rejects what is pending with its
 * reason, at once; what was accepted goes on in the producer, which stays open. (The `signal` of `pipeTo`, by
 * its standard, lets the chunks be written that were read. The option `signal` does not.)
 *
 * @throws ConfigError for options that make no sense
 */
export function toWritableStream<K, V, T>(
  producer: KafkaProducer<K, V>,
  options: ToWritableStreamOptions<K, V, T> & { readonly toRecord: ToRecord<K, V, T> },
): NodeWritableStream<T>
export function toWritableStream<K, V>(
  producer: KafkaProducer<K, V>,
  options?: ToWritableStreamOptions<K, V, RecordInput<K, V>>,
): NodeWritableStream<RecordInput<K, V>>
export function toWritableStream<K, V, T>(
  producer: KafkaProducer<K, V>,
  options: ToWritableStreamOptions<K, V, T> = {},
): NodeWritableStream<T> {
  const name = 'toWritableStream'
  checkArguments(name, producer, options, WRITABLE_STREAM_OPTIONS)
  const byDefault = shareOfMemory(producer, PARTS_OF_MEMORY)
  const bytes = limitOf(name, 'highWaterMark', options.highWaterMark, byDefault)
  const sink = new ProducerSink(producer, options, bytes)
  return new WritableStream(sink, { highWaterMark: bytes, size: chunk => sink.sizeOf(chunk) })
}

class ProducerSink<K, V, T> {
  private readonly intake: Intake<K, V, T, T | undefined>
  /** Chunks are needed again only where a function gets the failures. */
  private readonly keepsChunks: boolean
  /** The records of the chunks in the stream's queue, which asks for their sizes in its order. */
  private readonly queue = new Fifo<Prepared<K, V>>()
  private controller: WritableStreamDefaultController | null = null
  /** The option `signal`. */
  private readonly given: AbortSignal | undefined
  private readonly onAbort = () => this.stop(this.given?.reason)
  /** Why the stream has ended before its close. */
  private stopped: { readonly reason: unknown } | null = null
  /** Rejects what `write` or `close` waits for. */
  private rejectPending: ((reason: unknown) => void) | null = null

  constructor(producer: KafkaProducer<K, V>, options: ToWritableStreamOptions<K, V, T>, bytes: number) {
    this.given = options.signal
    this.keepsChunks = typeof options.onError === 'function'
    const stop = (reason: unknown) => this.stop(reason)
    const onFailure = failurePolicy(options.onError ?? 'destroy', stop)
    this.intake = new Intake({
      producer,
      limits: { records: Number.POSITIVE_INFINITY, bytes },
      toRecord: recordMaker(options),
      onSettled: (element, error) => (error === null ? undefined : onFailure(error, element as T)),
      onBroken: stop,
    })
  }

  /** At least 1: a queue whose chunks are all of no size would have no end. */
  sizeOf(chunk: T): number {
    const prepared = this.intake.prepare(chunk)
    this.queue.push(prepared)
    return Math.max(1, prepared.bytes)
  }

  start(controller: WritableStreamDefaultController): void {
    this.controller = controller
    // The stream calls `abort` only after what is pending, which is what an abort has to end.
    const { signal } = controller
    signal.addEventListener('abort', () => this.end(signal.reason), { once: true })
    const { given } = this
    if (given?.aborted) this.stop(given.reason)
    given?.addEventListener('abort', this.onAbort, { once: true })
  }

  write(chunk: T): Promise<void> | undefined {
    const prepared = this.queue.shift() as Prepared<K, V>
    this.intake.take(prepared, this.keepsChunks ? chunk : undefined)
    if (this.intake.hasRoom) return undefined
    return this.pending(resolve => this.intake.whenRoom(resolve))
  }

  async close(): Promise<void> {
    await this.pending((resolve, reject) => void this.intake.drained().then(resolve, reject))
    this.given?.removeEventListener('abort', this.onAbort)
  }

  /** A promise that ends with the stream, if nothing ends it before. */
  private async pending(
    begin: (resolve: () => void, reject: (reason: unknown) => void) => void,
  ): Promise<void> {
    if (this.stopped !== null) throw this.stopped.reason
    await new Promise<void>((resolve, reject) => {
      this.rejectPending = reject
      begin(resolve, reject)
    })
  }

  private stop(reason: unknown): void {
    if (this.stopped !== null) return
    this.controller?.error(reason)
    this.end(reason)
  }

  private end(reason: unknown): void {
    this.stopped ??= { reason }
    this.given?.removeEventListener('abort', this.onAbort)
    this.rejectPending?.(reason)
  }
}
