import { addAbortSignal, Duplex } from 'node:stream'
import { Fifo } from '../common/fifo.js'
import type { KafkaProducer } from '../index.js'
import type { SinkCounts } from './counts.js'
import { Intake } from './intake.js'
import {
  checkArguments,
  limitsOf,
  type RecordInput,
  type ResolvedLimits,
  type ToRecord,
  type ToTransformOptions,
  TRANSFORM_OPTIONS,
} from './options.js'
import { outcomeOf, type RecordOutcome } from './outcome.js'
import { recordMaker } from './records.js'
import { asError, QUEUE_ELEMENTS } from './writable.js'

/** A Node stream in object mode that sends what is written and emits a `RecordOutcome` of each. */
export interface OutcomeTransform extends Duplex {
  /** What has become of the elements so far. */
  readonly counts: SinkCounts
}

/**
 * As `toWritable`, in the middle of a pipeline: emits `{ record, metadata, error }` of every element, in the
 * order in which they were written, whatever their partitions. Nothing is taken while `highWaterMark`
 * elements have been accepted and their outcomes not been read.
 *
 * @throws ConfigError for options that make no sense
 */
export function toTransform<K, V, T>(
  producer: KafkaProducer<K, V>,
  options: ToTransformOptions<K, V, T> & { readonly toRecord: ToRecord<K, V, T> },
): OutcomeTransform
export function toTransform<K, V>(
  producer: KafkaProducer<K, V>,
  options?: ToTransformOptions<K, V, RecordInput<K, V>>,
): OutcomeTransform
export function toTransform<K, V, T>(
  producer: KafkaProducer<K, V>,
  options: ToTransformOptions<K, V, T> = {},
): OutcomeTransform {
  checkArguments('toTransform', producer, options, TRANSFORM_OPTIONS)
  return new ProducerTransform(producer, options, limitsOf('toTransform', producer, options, 4))
}

type Callback = (error?: Error | null) => void

interface Entry<T> {
  readonly element: T
  outcome: RecordOutcome<T> | null
}

class ProducerTransform<K, V, T> extends Duplex implements OutcomeTransform {
  private readonly intake: Intake<K, V, T, Entry<T>>
  private readonly mostRecords: number
  /** Elements whose outcomes have not been emitted, in order. */
  private readonly entries = new Fifo<Entry<T>>()
  private held: Callback | null = null
  /** The reading side has asked for more. */
  private isWanted = false
  private hasEnded = false
  private willEmit = false
  private readonly goOn = () => {
    const { held, intake } = this
    if (held === null || this.entries.length >= this.mostRecords) return
    if (intake.hasRoom) {
      this.held = null
      held()
    } else {
      intake.whenRoom(this.goOn)
    }
  }

  constructor(producer: KafkaProducer<K, V>, options: ToTransformOptions<K, V, T>, limits: ResolvedLimits) {
    super({ objectMode: true, writableHighWaterMark: Math.min(QUEUE_ELEMENTS, limits.records) })
    this.mostRecords = limits.records
    this.intake = new Intake({
      producer,
      limits,
      toRecord: recordMaker(options),
      onSettled: (entry, error, metadata) => {
        entry.outcome = outcomeOf(entry.element, error, metadata)
        if (this.entries.peek() === entry) this.emitSoon()
      },
      onBroken: reason => void this.destroy(asError(reason)),
    })
    // Last: it may have been aborted already, and destroys the stream then.
    if (options.signal !== undefined) addAbortSignal(options.signal, this)
  }

  get counts(): SinkCounts {
    return this.intake.counts
  }

  override _write(element: T, _encoding: string, callback: Callback): void {
    const entry: Entry<T> = { element, outcome: null }
    this.entries.push(entry)
    this.intake.accept(element, entry)
    this.held = callback
    this.goOn()
  }

  override _final(callback: Callback): void {
    this.intake.drained().then(
      () => {
        this.hasEnded = true
        this.emitOutcomes()
        callback()
      },
      reason => callback(asError(reason)),
    )
  }

  override _read(): void {
    this.isWanted = true
    this.emitOutcomes()
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const { held } = this
    this.held = null
    held?.()
    callback(error)
  }

  /** Outcomes come by the batch: they are emitted once all of it has been settled. */
  private emitSoon(): void {
    if (this.willEmit) return
    this.willEmit = true
    queueMicrotask(() => {
      this.willEmit = false
      this.emitOutcomes()
    })
  }

  private emitOutcomes(): void {
    if (this.destroyed) return
    const { entries } = this
    while (this.isWanted) {
      const outcome = entries.peek()?.outcome ?? null
      if (outcome === null) break
      entries.shift()
      // Before: `push` may come back here by way of `_read`.
      this.isWanted = false
      if (this.push(outcome)) this.isWanted = true
    }
    this.goOn()
    if (!this.hasEnded || entries.length > 0) return
    this.hasEnded = false
    this.push(null)
  }
}
