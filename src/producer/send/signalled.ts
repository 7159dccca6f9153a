import type { Delivery } from '../../accumulator/append/delivery.js'
import { checkOptions } from '../../config/index.js'
import { KafkaError } from '../../errors/index.js'
import { type Interceptors, NO_HEADERS } from '../interceptors.js'
import { placeOf } from '../record/record-errors.js'
import { RecordMetadata } from '../record-metadata.js'
import type { ProducerRecord } from '../types.js'
import type { SendEntry } from './entry.js'
import { intercept } from './intercepted-record.js'
import { PromiseDelivery } from './promise-delivery.js'

/** The signal of a call that takes nothing else. Throws ConfigError for other options. */
export function signalOf(
  call: string,
  options: { signal?: AbortSignal } | undefined,
): AbortSignal | undefined {
  if (options !== undefined) checkOptions(call, options, ['signal'])
  return options?.signal
}

/** Calls `giveUp` when the signal is aborted, until the promise is settled. */
export function givingUp<T>(promise: Promise<T>, signal: AbortSignal, giveUp: () => void): Promise<T> {
  signal.addEventListener('abort', giveUp, { once: true })
  const end = () => signal.removeEventListener('abort', giveUp)
  return promise.then(
    value => {
      end()
      return value
    },
    error => {
      end()
      throw error
    },
  )
}

/** The error of records of an array that were given up; that of a single record is the signal's reason. */
export function givenUpError(reason: unknown): KafkaError {
  return new KafkaError('ABORTED', 'The record was given up by the signal of its sendMany.', {
    cause: reason,
  })
}

/** `send` with a signal: a record that waits for metadata or memory is given up; any other goes its way. */
export function sendSignalled(
  entry: SendEntry,
  interceptors: Interceptors | null,
  record: ProducerRecord<never, never>,
  nowMs: number,
  signal: AbortSignal,
): Promise<RecordMetadata> {
  if (signal.aborted) return Promise.reject(signal.reason)
  const delivery = new PromiseDelivery()
  const { record: sent, headers } =
    interceptors === null ? { record, headers: NO_HEADERS } : intercept(interceptors, record)
  entry.take(sent, delivery as Delivery, 0, nowMs)
  const promise = givingUp(delivery.promise, signal, () => entry.giveUp(delivery, signal.reason))
  if (interceptors === null) return promise
  return promise.then(
    metadata => {
      interceptors.onAcknowledgement(metadata, null, headers)
      return metadata
    },
    error => {
      const { topic, partition } = placeOf(sent)
      interceptors.onAcknowledgement(RecordMetadata.unsent(topic, partition), error, headers)
      throw error
    },
  )
}
