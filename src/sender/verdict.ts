import type { PartitionBatch } from '../accumulator/partition/partition-state.js'
import { type KafkaError, TimeoutError } from '../errors/index.js'
import { ErrorCodes, isRetriable } from '../protocol/error-codes.js'

/**
 * What is to be done about a batch after an answer. This file is the whole story of what an error of Produce
 * means; how it reads is in `protocol/broker-error.ts`.
 */
export const Verdict = {
  DONE: 0,
  /** Same bytes, same sequence, after a backoff. */
  RETRY: 1,
  /** Retry, but under the next producer epoch. */
  RETRY_AFTER_EPOCH_BUMP: 2,
  /** Another batch of this producer id has the sequence: retry under a new producer id. */
  RETRY_WITH_NEW_ID: 6,
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
 * Whether a batch that has failed for this error is certainly in no log: neither this attempt nor an earlier
 * one was stored. An unknown error of the broker's may have followed the append.
 */
export function isRefusal(batch: PartitionBatch, errorCode: number): boolean {
  if (isKnownMissing(errorCode)) return true
  return !batch.mayBeStored && errorCode !== ErrorCodes.UNKNOWN_SERVER_ERROR
}

/** What a producer promises decides what an error means. */
export type DeliveryMode = 'plain' | 'idempotent' | 'transactional'

/**
 * The outcome of an error code, attempts and time-outs aside (Java: `Sender.canRetry`,
 * `TransactionManager.canRetry`). `logStartOffset` is the broker's, -1n where it did not say.
 */
export function judge(
  batch: PartitionBatch,
  errorCode: number,
  mode: DeliveryMode,
  logStartOffset: bigint,
): Verdict {
  if (errorCode === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER) return judgeDuplicate(batch, mode)
  if (errorCode === ErrorCodes.NONE) return Verdict.DONE
  if (errorCode === ErrorCodes.MESSAGE_TOO_LARGE && batch.recordCount > 1) return Verdict.SPLIT
  if (mode !== 'plain') {
    if (FATAL_WITH_IDEMPOTENCE.has(errorCode)) return Verdict.FATAL
    if (errorCode === ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) return judgeMissing(batch, mode)
    if (errorCode === ErrorCodes.UNKNOWN_PRODUCER_ID) {
      // Without the start of the log there is no telling whether retention has removed the producer's
      // records.
      return logStartOffset === -1n ? Verdict.RETRY : judgeMissing(batch, mode)
    }
  }
  return isRetriable(errorCode) ? Verdict.RETRY : Verdict.FAIL
}

/**
 * The broker has a batch with this sequence. If no earlier attempt can have stored ours, it is another one:
 * the cluster was made anew and has given the producer id to two producers. Java takes that for success and
 * loses the records.
 */
function judgeDuplicate(batch: PartitionBatch, mode: DeliveryMode): Verdict {
  if (batch.mayBeStored || mode === 'plain') return Verdict.DONE
  return mode === 'transactional' ? Verdict.FAIL : Verdict.RETRY_WITH_NEW_ID
}

/**
 * The broker misses an earlier sequence, or has forgotten the producer (KIP-360). If an earlier batch is
 * still to be stored, that is why, and a retry in order mends it. If none is, only a new epoch does; within a
 * transaction the epoch stays, so the gap cannot be closed and the transaction has failed.
 */
function judgeMissing(batch: PartitionBatch, mode: DeliveryMode): Verdict {
  if (batch.partition.inFlight[0] !== batch) return Verdict.RETRY
  return mode === 'transactional' ? Verdict.FAIL : Verdict.RETRY_AFTER_EPOCH_BUMP
}

/** Errors whose answer may name the new leader (KIP-951). */
export function mayNameLeader(errorCode: number): boolean {
  return errorCode === ErrorCodes.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCodes.FENCED_LEADER_EPOCH
}

/** The outcome of a request that has no answer. */
export function codeOfNoAnswer(failure: KafkaError | null): number {
  return failure instanceof TimeoutError ? ErrorCodes.REQUEST_TIMED_OUT : ErrorCodes.NETWORK_EXCEPTION
}
