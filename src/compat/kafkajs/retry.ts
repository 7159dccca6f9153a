import type { RetryOptions } from './types.js'

const DEFAULTS = { maxRetryTime: 30_000, initialRetryTime: 300, multiplier: 2, retries: 5 }
/** Longer is for ever: it is the largest time that Kafka's options take. */
const FOREVER_MS = 0x7fffffff
const WAITS_COUNTED_MAX = 10_000

/** What KafkaJS's retry options amount to in time. */
export interface RetryBudget {
  /** How often KafkaJS would try again. */
  readonly retries: number
  /** All its waits together, in milliseconds. */
  readonly waitsMs: number
  /** The last of them. */
  readonly lastWaitMs: number
  readonly initialRetryMs: number
  readonly maxRetryMs: number
}

/**
 * How long KafkaJS would go on. A count of retries must not end an idempotent producer's batch, or its
 * sequence would have a hole; a time may.
 */
export function retryBudget(...options: readonly (RetryOptions | undefined)[]): RetryBudget {
  const { maxRetryTime, initialRetryTime, multiplier, retries } = Object.assign({}, DEFAULTS, ...options)
  let waitMs = initialRetryTime
  let waitsMs = 0
  let lastWaitMs = initialRetryTime
  for (let i = 0; i < Math.min(retries, WAITS_COUNTED_MAX) && waitsMs < FOREVER_MS; i++) {
    waitsMs += waitMs
    lastWaitMs = waitMs
    waitMs = Math.min(waitMs * multiplier, maxRetryTime)
  }
  return {
    retries,
    waitsMs: Math.min(waitsMs, FOREVER_MS),
    lastWaitMs,
    initialRetryMs: initialRetryTime,
    maxRetryMs: maxRetryTime,
  }
}
