import type { Sender } from '../../sender/sender.js'
import type { Headers } from '../../serialization/index.js'
import type { Interceptors } from '../interceptors.js'
import type { PlainRecords } from '../record/plain-records.js'
import { arrayOf, lengthOf } from '../record/record-checks.js'
import { asKafkaError } from '../record/record-errors.js'
import type { ProducerRecord } from '../types.js'
import type { DeliveryReport } from './delivery-report.js'
import type { SendEntry } from './entry.js'
import { intercept } from './intercepted-record.js'
import { type OnManyDone, SendManyCollector } from './many-collector.js'
import { givenUpError, givingUp } from './signalled.js'

/**
 * Records that the short way may refuse before the rest of an array does not try it any more: each one costs
 * the staging a native call of its own.
 */
const PLAIN_MISSES_MAX = 16

/** The way in of `sendMany`: one promise for all records of an array. */
export class ManyWay {
  private readonly entry: SendEntry
  private readonly plain: PlainRecords
  private readonly sender: Sender
  private readonly interceptors: Interceptors | null

  constructor(entry: SendEntry, plain: PlainRecords, sender: Sender, interceptors: Interceptors | null) {
    this.entry = entry
    this.plain = plain
    this.sender = sender
    this.interceptors = interceptors
  }

  send(
    given: Iterable<ProducerRecord<never, never>>,
    nowMs: number,
    signal: AbortSignal | undefined,
  ): Promise<DeliveryReport> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { interceptors } = this
    let collector: SendManyCollector
    let records: readonly ProducerRecord<never, never>[]
    // Plug-ins may change the array meanwhile: as many records as there are now are sent.
    let count: number
    const headers: Headers[] = []
    try {
      records = arrayOf(given) as readonly ProducerRecord<never, never>[]
      count = lengthOf(records)
      const onDone: OnManyDone | null =
        interceptors === null ? null : (report, errors) => interceptors.onReport(report, errors, headers)
      collector = new SendManyCollector(count, nowMs, onDone)
    } catch (thrown) {
      return Promise.reject(asKafkaError(thrown, ''))
    }
    let misses = 0
    for (let ordinal = 0; ordinal < count; ordinal++) {
      if (misses <= PLAIN_MISSES_MAX && interceptors === null) {
        const first = ordinal
        ordinal = this.plain.stageMany(records, nowMs, collector, first, count)
        if (ordinal > first) this.sender.wakeup()
        if (ordinal === count) break
      }
      misses++
      this.take(records, ordinal, collector, nowMs, headers)
    }
    if (signal === undefined) return collector.promise
    const giveUp = () => this.entry.giveUp(collector, givenUpError(signal.reason))
    return givingUp(collector.promise, signal, giveUp)
  }

  private take(
    records: readonly ProducerRecord<never, never>[],
    ordinal: number,
    collector: SendManyCollector,
    nowMs: number,
    headersOfAll: Headers[],
  ): void {
    let record: ProducerRecord<never, never>
    try {
      record = records[ordinal] as ProducerRecord<never, never>
    } catch (thrown) {
      collector.fail(asKafkaError(thrown, ''), ordinal, '', -1)
      return
    }
    const { interceptors } = this
    if (interceptors !== null) {
      const sent = intercept(interceptors, record)
      record = sent.record
      headersOfAll[ordinal] = sent.headers
    }
    this.entry.take(record, collector, ordinal, nowMs)
  }
}
