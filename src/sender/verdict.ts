import type { Batch } from '../accumulator/batch.js'
import { ErrorCodes, isRetriable } from '../protocol/error-codes.js'
import { sequenceAfter } from './producer-identity.js'

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
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

const FATAL_WITH_IDEMPOTENCE: ReadonlySet<number> = new Set([
  ErrorCodes.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCodes.PRODUCER_FENCED,
  ErrorCodes.UNSUPPORTED_VERSION,
  ErrorCodes.INVALID_PRODUCER_ID_MAPPING,
])

/**
 * The outcome of an error code, attempts and time-outs aside (Java: `Sender.canRetry`,
 * `TransactionManager.canRetry`). `logStartOffset` is the broker's, -1n where it did not say.
 */
export function judge(batch: Batch, errorCode: number, idempotent: boolean, logStartOffset: bigint): Verdict {
  if (errorCode === ErrorCodes.NONE || errorCode === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER) return Verdict.DONE
  if (idempotent) {
    if (FATAL_WITH_IDEMPOTENCE.has(errorCode)) return Verdict.FATAL
    if (errorCode === ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) return judgeOutOfOrder(batch)
    if (errorCode === ErrorCodes.UNKNOWN_PRODUCER_ID) return judgeUnknownProducer(batch, logStartOffset)
  }
  return isRetriable(errorCode) ? Verdict.RETRY : Verdict.FAIL
}

/**
 * The broker misses an earlier sequence. If an earlier batch is still to be answered, that is why, and a retry
 * in order mends it; if this is the very next one, the broker has lost its state, and only a new epoch helps.
 */
function judgeOutOfOrder(batch: Batch): Verdict {
  const { partition } = batch
  const isNext = batch.baseSequence === nextExpected(batch)
  return isNext && partition.sequenced[0] === batch ? Verdict.RETRY_BUMPED : Verdict.RETRY
}

/** The broker does not know the producer: retention may have removed all it had written (KIP-360). */
function judgeUnknownProducer(batch: Batch, logStartOffset: bigint): Verdict {
  if (logStartOffset === -1n) return Verdict.RETRY
  return batch.partition.sequenced[0] === batch ? Verdict.RETRY_BUMPED : Verdict.RETRY
}

function nextExpected(batch: Batch): number {
  const { lastAckedSequence } = batch.partition
  return lastAckedSequence < 0 ? 0 : sequenceAfter(lastAckedSequence, 1)
}
