/** Names the method of `Producer` that sends with a view. It is not part of the public surface. */
export const SEND_VIEWED = Symbol('millrace.sendViewed')

/**
 * What a promise settles to, where that is not what its maker has of it. A promise made so costs what one
 * without a view costs; derived from that by `then` it would cost twice as much.
 */
export interface PromiseView<From, To> {
  resultOf(value: From): To
  /** What the promise rejects with. */
  errorOf(error: unknown): unknown
}

/** The view of a promise that was made without one. */
export function viewed<From, To>(promise: Promise<From>, view: PromiseView<From, To>): Promise<To> {
  return promise.then(
    value => view.resultOf(value),
    error => {
      throw view.errorOf(error)
    },
  )
}
