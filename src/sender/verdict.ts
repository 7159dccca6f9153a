import type { Batch } from '../accumulator/batch/batch.js'
import { ErrorCodes, isRetriable } from '../protocol/error-codes.js'

/** What is to be done about a batch after an answer. */
export const Verdict = {
  DONE: 0,
  /** Same bytes, same sequence, after a backoff. */
  RETRY: 1,
  /** Retry, but under the next producer epoch. */
  RETRY_BUMPED: 2,
  FAIL: 3,
  /** No record of this producer can be sent any more. */
  FATAL: 4,
  /** Send the records again in smaller batches. */
  SPLIT: 5,
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

const FATAL_WITH_IDEMPOTENCE: ReadonlySet<number> = new Set([
  ErrorCodes.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCodes.PRODUCER_FENCED,
  ErrorCodes.UNSUPPORTED_VERSION,
  ErrorCodes.INVALID_PRODUCER_ID_MAPPING,
])

/** Whether the answer says that the batch is in the log. */
export function isStored(errorCode: number): boolean {
  return errorCode === ErrorCodes.NONE || errorCode === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER
}

/**
 * Whether the answer proves that the batch is not in the leader's log. Only a check of its sequence does: any
 * other error may follow an append (time-outs, a leader that moved while replicas were awaited), or concern
 * this attempt but not an earlier one whose answer was lost.
 */
export function isKnownMissing(errorCode: number): boolean {
  return errorCode === ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER || errorCode === ErrorCodes.UNKNOWN_PRODUCER_ID
}

/**
 * The outcome of an error code, attempts and time-outs aside (Java: `Sender.canRetry`,
 * `TransactionManager.canRetry`). `logStartOffset` is the broker's, -1n where it did not say.
 */
export function judge(batch: Batch, errorCode: number, idempotent: boolean, logStartOffset: bigint): Verdict {
  if (isStored(errorCode)) return Verdict.DONE
  if (errorCode === ErrorCodes.MESSAGE_TOO_LARGE && batch.recordCount > 1) return Verdict.SPLIT
  if (idempotent) {
    if (FATAL_WITH_IDEMPOTENCE.has(errorCode)) return Verdict.FATAL
    if (errorCode === ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) return judgeMissing(batch)
    if (errorCode === ErrorCodes.UNKNOWN_PRODUCER_ID) {
      // Without the start of the log there is no telling whether retention has removed the producer's
      // records.
      return logStartOffset === -1n ? Verdict.RETRY : judgeMissing(batch)
    }
  }
  return isRetriable(errorCode) ? Verdict.RETRY : Verdict.FAIL
}

/**
 * The broker misses an earlier sequence, or has forgotten the producer (KIP-360). If an earlier batch is
 * still to be stored, that is why, and a retry in order mends it; if none is, only a new epoch does.
 */
function judgeMissing(batch: Batch): Verdict {
  return batch.partition.drained[0] === batch ? Verdict.RETRY_BUMPED : Verdict.RETRY
}
