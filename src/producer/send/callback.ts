import type { Appender } from '../../accumulator/append/appender.js'
import type { Sender } from '../../sender/sender.js'
import type { PlainRecords } from '../record/plain-records.js'
import type { ProducerRecord } from '../types.js'
import { CallbackDelivery, type FailedCallbacks } from './callback-delivery.js'
import type { DeliveryCallback } from './callback-group.js'
import { CallbackRun } from './callback-run.js'
import type { SendEntry } from './entry.js'

/** Records that do not try the short way after one that it has refused: each try may cost a native call. */
const TAKEN_AFTER_MISS = 64

/** The way in of `send(record, callback)`: no promise, and for plain records no object. */
export class CallbackWay {
  private readonly entry: SendEntry
  private readonly plain: PlainRecords
  private readonly appender: Appender
  private readonly sender: Sender
  private readonly failed: FailedCallbacks
  private readonly run: CallbackRun
  /** Records that do not try the short way. */
  private toTake = 0

  constructor(
    entry: SendEntry,
    plain: PlainRecords,
    appender: Appender,
    sender: Sender,
    failed: FailedCallbacks,
  ) {
    this.entry = entry
    this.plain = plain
    this.appender = appender
    this.sender = sender
    this.failed = failed
    this.run = new CallbackRun(failed)
  }

  send(record: ProducerRecord<never, never>, callback: DeliveryCallback, nowMs: number): void {
    if (this.stage(record, callback, nowMs)) return
    this.entry.take(record, new CallbackDelivery(callback, this.failed), 0, nowMs)
  }

  /** False if the record needs a closer look. Those after it do not try this way for a while. */
  private stage(record: ProducerRecord<never, never>, callback: DeliveryCallback, nowMs: number): boolean {
    if (this.toTake > 0) {
      this.toTake--
      return false
    }
    const { appender, run } = this
    try {
      if (this.plain.stage(record, nowMs, run, appender.staging.nextOrdinal) === null) {
        this.toTake = TAKEN_AFTER_MISS
        return false
      }
    } catch {
      // A getter of the record threw. Asked again, it throws where its error is dealt with.
      this.toTake = TAKEN_AFTER_MISS
      return false
    }
    run.set(appender.staging.count - 1, callback)
    this.sender.wakeup()
    return true
  }
}
