import type { ObservedSend, Observer } from '../common/observer.js'
import type { DeliveryError, KafkaError } from '../errors/index.js'
import type { RecordMetadata } from './record-metadata.js'
import type { DeliveryCallback } from './send/callback-group.js'

/** A call that gives a promise, shown to an observer. A rejection that nobody catches stays unhandled. */
export function observePromise<T>(
  observer: Observer,
  call: ObservedSend,
  input: unknown,
  start: () => Promise<T>,
): Promise<T> {
  const context = observer.sendBegan(call, input)
  let promise: Promise<T>
  try {
    promise = start()
  } finally {
    observer.sendReturned(context)
  }
  return promise.then(
    result => {
      observer.sendEnded(context, null, result)
      return result
    },
    error => {
      observer.sendEnded(context, error, null)
      throw error
    },
  )
}

/** A call with a callback, shown to an observer. */
export function observeCallback<T>(
  observer: Observer,
  input: unknown,
  callback: DeliveryCallback,
  start: (callback: DeliveryCallback) => T,
): T {
  const context = observer.sendBegan('send', input)
  try {
    return start((error: KafkaError | null, metadata: RecordMetadata) => {
      observer.sendEnded(context, error, metadata)
      callback(error as DeliveryError | null, metadata)
    })
  } finally {
    observer.sendReturned(context)
  }
}
