import { type KafkaError, TransactionError } from '../index.js'
import type { FailureOptions } from './options.js'

/** No record can be sent any more, whatever it is. */
const FINAL_CODES: ReadonlySet<string> = new Set(['PRODUCER_CLOSED', 'PRODUCER_FENCED', 'NATIVE_ADDON'])

function isFinal(error: KafkaError): boolean {
  return FINAL_CODES.has(error.code) || (error instanceof TransactionError && error.fatal)
}

/**
 * Does with a failed record what `onError` says. `stop` ends the sink; it is called with what to end it with,
 * maybe more than once. A promise settles when the user's function has dealt with the failure; it never
 * rejects.
 */
export function failurePolicy<T>(
  onError: NonNullable<FailureOptions<T>['onError']>,
  stop: (reason: unknown) => void,
): (error: KafkaError, element: T) => void | Promise<void> {
  if (onError === 'destroy') return stop
  const stopIfFinal = (error: KafkaError) => {
    if (isFinal(error)) stop(error)
  }
  if (onError === 'continue') return stopIfFinal
  return (error, element) => {
    let handled: unknown
    try {
      handled = onError(error, element)
    } catch (thrown) {
      stop(thrown)
      return undefined
    }
    if (typeof (handled as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      return stopIfFinal(error)
    }
    return Promise.resolve(handled).then(() => stopIfFinal(error), stop)
  }
}
