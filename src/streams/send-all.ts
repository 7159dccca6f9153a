import { ConfigError, type KafkaError, type KafkaProducer, type RecordMetadata } from '../index.js'
import { failurePolicy } from './failures.js'
import { Intake } from './intake.js'
import {
  checkArguments,
  limitsOf,
  type RecordInput,
  type ResolvedLimits,
  SEND_ALL_OPTIONS,
  type SendAllOptions,
  type ToRecord,
} from './options.js'
import { outcomeOf } from './outcome.js'
import { recordMaker } from './records.js'

/** The part of a WHATWG `ReadableStream` that is used. */
interface ReadableSource<T> {
  getReader(): {
    read(): Promise<{ done: boolean; value?: T | undefined }>
    cancel(reason?: unknown): Promise<unknown>
    releaseLock(): void
  }
}

/** Where elements may come from. */
export type RecordSource<T> = Iterable<T> | AsyncIterable<T> | ReadableSource<T>

/** What `sendAll` has sent. */
export interface SendAllResult {
  /** Elements of the source, all of which have an outcome. */
  readonly records: number
  /** Those of them that were not stored, or are not known to be; 0 unless failures do not reject. */
  readonly failed: number
}

/**
 * Sends everything a source has, in its order: a sync or async iterable, or a WHATWG `ReadableStream`. Pulls
 * only while there is room (see `highWaterMark`) and resolves when all records have an outcome.
 *
 * Rejects with the source's own error, with that of the first failed record (see `onError`), or with the
 * signal's reason. Before that the source is closed (`return` of an iterator, `cancel` of a stream) and, but
 * for the signal, all records that were accepted have got their outcome.
 */
export function sendAll<K, V, T>(
  producer: KafkaProducer<K, V>,
  source: RecordSource<T>,
  options: SendAllOptions<K, V, T> & { readonly toRecord: ToRecord<K, V, T> },
): Promise<SendAllResult>
export function sendAll<K, V, T extends RecordInput<K, V>>(
  producer: KafkaProducer<K, V>,
  source: RecordSource<T>,
  options?: SendAllOptions<K, V, T>,
): Promise<SendAllResult>
export async function sendAll<K, V, T>(
  producer: KafkaProducer<K, V>,
  source: RecordSource<T>,
  options: SendAllOptions<K, V, T> = {},
): Promise<SendAllResult> {
  checkArguments('sendAll', producer, options, SEND_ALL_OPTIONS)
  const pump = new Pump(producer, options, limitsOf('sendAll', producer, options))
  return await pump.run(openSource(source))
}

type Next<T> = IteratorResult<T, unknown>

interface Source<T> {
  /** The next element: at once where the source is a sync iterable. */
  next(): Next<T> | PromiseLike<Next<T>>
  /** Lets go of a source that is at its end. */
  end(): void
  /** Has a source end before its end. */
  close(reason: unknown): unknown
}

function openSource<T>(source: RecordSource<T>): Source<T> {
  const given = source as Partial<Iterable<T> & AsyncIterable<T> & ReadableSource<T>> | null | undefined
  if (typeof given?.getReader === 'function') {
    const reader = given.getReader()
    return {
      next: () => reader.read() as Promise<Next<T>>,
      end: () => reader.releaseLock(),
      close: async reason => {
        await reader.cancel(reason)
        reader.releaseLock()
      },
    }
  }
  const iterator = given?.[Symbol.asyncIterator]?.() ?? given?.[Symbol.iterator]?.()
  if (iterator === undefined) {
    throw new ConfigError('sendAll: the source must be an iterable, an async iterable or a ReadableStream.')
  }
  return {
    next: () => iterator.next(),
    end: () => {},
    close: () => iterator.return?.(),
  }
}

/** Something has ended the run before its source was at its end. */
interface Stop {
  readonly reason: unknown
  readonly isAbort: boolean
}

class Pump<K, V, T> {
  private readonly intake: Intake<K, V, T, T | undefined>
  private readonly options: SendAllOptions<K, V, T>
  /** Elements are needed again only where somebody gets the outcomes. */
  private readonly keepsElements: boolean
  /** The first one counts. */
  private stopped: Stop | null = null
  private isAborted = false
  /** Ends what the run waits for at the moment. */
  private interrupt: (() => void) | null = null

  constructor(producer: KafkaProducer<K, V>, options: SendAllOptions<K, V, T>, limits: ResolvedLimits) {
    this.options = options
    this.keepsElements = options.onOutcome !== undefined || typeof options.onError === 'function'
    const byDefault = options.onOutcome === undefined ? 'destroy' : 'continue'
    const stop = (reason: unknown) => this.stop({ reason, isAbort: false })
    const onFailure = failurePolicy<T>(options.onError ?? byDefault, stop)
    this.intake = new Intake({
      producer,
      limits,
      toRecord: recordMaker(options),
      onSettled: (element, error, metadata) => {
        this.tell(element as T, error, metadata)
        return error === null ? undefined : onFailure(error, element as T)
      },
      onBroken: stop,
    })
  }

  async run(source: Source<T>): Promise<SendAllResult> {
    const { signal } = this.options
    const onAbort = () => this.stop({ reason: signal?.reason, isAbort: true })
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await this.pump(source)
      if (!this.isAborted) await this.unlessStopped(this.intake.drained(), 'abort')
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    if (this.stopped !== null) throw this.stopped.reason
    const { accepted, failed } = this.intake.counts
    return { records: accepted, failed }
  }

  /** Takes elements until the source is at its end or something stops the run. */
  private async pump(source: Source<T>): Promise<void> {
    const { intake } = this
    let isAnswering = false
    try {
      while (this.stopped === null) {
        if (!intake.hasRoom) {
          await this.unlessStopped(new Promise<void>(resolve => intake.whenRoom(resolve)), 'any')
          continue
        }
        const given = source.next()
        isAnswering = isPromiseLike(given)
        const next: Next<T> | undefined = isPromiseLike<Next<T>>(given)
          ? await this.unlessStopped(given, 'any')
          : given
        if (next === undefined) break
        isAnswering = false
        if (next.done) {
          source.end()
          return
        }
        intake.accept(next.value, this.keepsElements ? next.value : undefined)
      }
    } catch (thrown) {
      // The source's own error: it has ended by itself.
      this.stop({ reason: thrown, isAbort: false })
      return
    }
    await this.close(source, isAnswering)
  }

  /**
   * Closes the source. Nobody waits for that after an abort, nor while the source has yet to answer: an async
   * generator closes only after that. What goes wrong in it is not what the caller has to know.
   */
  private async close(source: Source<T>, isAnswering: boolean): Promise<void> {
    const closing = (async () => source.close(this.stopped?.reason))().catch(() => {})
    if (!this.isAborted && !isAnswering) await this.unlessStopped(closing, 'abort')
  }

  /** Waits for the promise; undefined if a stop, or only an abort, comes first. */
  private unlessStopped<R>(promise: PromiseLike<R>, by: 'any' | 'abort'): Promise<R | undefined> {
    return new Promise((resolve, reject) => {
      this.interrupt = () => {
        if (by === 'any' || this.isAborted) resolve(undefined)
      }
      promise.then(resolve, reject)
    })
  }

  private stop(stop: Stop): void {
    this.stopped ??= stop
    this.isAborted ||= stop.isAbort
    this.interrupt?.()
  }

  private tell(element: T, error: KafkaError | null, metadata: RecordMetadata): void {
    try {
      this.options.onOutcome?.(outcomeOf(element, error, metadata))
    } catch (thrown) {
      this.stop({ reason: thrown, isAbort: false })
    }
  }
}

function isPromiseLike<R>(value: R | PromiseLike<R>): value is PromiseLike<R> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
