import type { Delivery } from '../../accumulator/append/delivery.js'
import { STAGED_RECORDS_MAX, type StagedRun, type Staging } from '../../accumulator/append/staging.js'
import { CallbackDelivery, type FailedCallbacks } from './callback-delivery.js'
import { CallbackGroup, type DeliveryCallback } from './callback-group.js'

/** Records with callbacks in the staging. */
export class CallbackRun implements StagedRun {
  readonly touchBase = 0
  private readonly failed: FailedCallbacks
  private readonly callbacks = new Array<DeliveryCallback | null>(STAGED_RECORDS_MAX).fill(null)

  constructor(failed: FailedCallbacks) {
    this.failed = failed
  }

  /** The callback of a record that has been staged. */
  set(record: number, callback: DeliveryCallback): void {
    this.callbacks[record] = callback
  }

  attachStaged(staging: Staging, first: number, end: number): void {
    const { callbacks } = this
    const { logger } = this.failed
    for (let record = first; record < end; record++) {
      const timestampMs = staging.timestampOf(record)
      CallbackGroup.of(staging.batchOf(record), timestampMs, logger).add(
        callbacks[record] as DeliveryCallback,
        staging.indexOf(record),
        staging.keyBytesOf(record),
        staging.valueBytesOf(record),
        timestampMs,
      )
    }
  }

  deliveryAt(_staging: Staging, record: number): Delivery {
    return new CallbackDelivery(this.callbacks[record] as DeliveryCallback, this.failed)
  }

  ordinalAt(): number {
    return 0
  }

  clear(staging: Staging): void {
    this.callbacks.fill(null, 0, staging.count)
  }
}
