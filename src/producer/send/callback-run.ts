import type { Delivery } from '../../accumulator/append/delivery.js'
import { STAGED_RECORDS_MAX } from '../../accumulator/append/staged-places.js'
import type { StagedRun, Staging } from '../../accumulator/append/staging.js'
import { CallbackDelivery, type FailedCallbacks } from './callback-delivery.js'
import { CallbackGroup, type DeliveryCallback } from './callback-group.js'

/** Records with callbacks in the staging. */
export class CallbackRun implements StagedRun {
  readonly touchBase = 0
  private readonly failed: FailedCallbacks
  private readonly callbacks = new Array<DeliveryCallback | null>(STAGED_RECORDS_MAX).fill(null)
  /** Of the batches that a native call has touched, while their records are attached. */
  private readonly groups = new Array<CallbackGroup | null>(STAGED_RECORDS_MAX).fill(null)

  constructor(failed: FailedCallbacks) {
    this.failed = failed
  }

  /** The callback of a record that has been staged. */
  set(record: number, callback: DeliveryCallback): void {
    this.callbacks[record] = callback
  }

  attachStaged(staging: Staging, first: number, end: number): void {
    const { callbacks, groups } = this
    const { logger } = this.failed
    const { touchedCount } = staging
    // The records of a run have one timestamp.
    const timestampMs = staging.timestampOf(first)
    for (let touch = 0; touch < touchedCount; touch++)
      groups[touch] = CallbackGroup.of(staging.touchedBatch(touch), timestampMs, logger)
    for (let record = first; record < end; record++) {
      const group = groups[staging.touchOf(record)] as CallbackGroup
      group.add(
        callbacks[record] as DeliveryCallback,
        staging.indexOf(record),
        staging.keyBytesOf(record),
        staging.valueBytesOf(record),
        timestampMs,
      )
    }
    for (let touch = 0; touch < touchedCount; touch++) groups[touch] = null
  }

  deliveryAt(_staging: Staging, record: number): Delivery {
    return new CallbackDelivery(this.callbacks[record] as DeliveryCallback, this.failed)
  }

  ordinalAt(): number {
    return 0
  }

  clear(staging: Staging): void {
    const { callbacks } = this
    // For so few, `fill` would cost more: it is a call into the runtime.
    for (let record = 0; record < staging.count; record++) callbacks[record] = null
  }
}
