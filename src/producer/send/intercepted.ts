import type { Interceptors } from '../interceptors.js'
import type { RecordMetadata } from '../record-metadata.js'
import type { ProducerRecord } from '../types.js'
import { CallbackDelivery, type FailedCallbacks } from './callback-delivery.js'
import type { DeliveryCallback } from './callback-group.js'
import type { SendEntry } from './entry.js'
import { intercept } from './intercepted-record.js'

/** `send` through the interceptors, which get each record and its outcome. Null where there is a callback. */
export function sendIntercepted(
  entry: SendEntry,
  interceptors: Interceptors,
  record: ProducerRecord<never, never>,
  callback: DeliveryCallback | undefined,
  nowMs: number,
  failed: FailedCallbacks,
): Promise<RecordMetadata> | null {
  const start = (deliver: DeliveryCallback) => {
    const sent = intercept(interceptors, record)
    const acknowledge: DeliveryCallback = (error, metadata) => {
      interceptors.onAcknowledgement(metadata, error, sent.headers)
      deliver(error, metadata)
    }
    entry.take(sent.record, new CallbackDelivery(acknowledge, failed), 0, nowMs)
  }
  if (callback !== undefined) {
    start(callback)
    return null
  }
  return new Promise((resolve, reject) => {
    start((error, metadata) => (error === null ? resolve(metadata) : reject(error)))
  })
}
