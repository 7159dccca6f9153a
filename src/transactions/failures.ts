import {
  IllegalStateError,
  InvalidRecordError,
  type KafkaError,
  ProducerClosedError,
  ProducerFencedError,
  SerializationError,
  TimeoutError,
  TransactionError,
} from '../errors/index.js'
import type { TransactionalCall } from './states.js'

/** Ends a sentence that may end already. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/**
 * Whether a record was refused for what its sender has given, or for what the sender's serializers and
 * partitioner have done. Java throws these out of `send`, and the transaction goes on without the record.
 */
export function isCallersMistake(error: KafkaError): boolean {
  return error instanceof SerializationError || error instanceof InvalidRecordError
}

/** What every call but `abortTransaction` is told after a failure that can be aborted. */
export function abortableError(cause: KafkaError): TransactionError {
  return new TransactionError(
    `The transaction has failed: ${sentence(cause.message)} Nothing of it is visible to read_committed ` +
      'consumers. Call abortTransaction, then do the transaction again.',
    { abortable: true, cause },
  )
}

/** What every call is told once the producer is of no use any more. */
export function fatalError(cause: KafkaError, transactionalId: string): TransactionError {
  if (cause instanceof ProducerFencedError) return fencedError(transactionalId, cause.cause)
  return new TransactionError(
    `The producer cannot do transactions any more: ${sentence(cause.message)} Close it and make a new one, ` +
      'which aborts what this one has left open.',
    { fatal: true, cause },
  )
}

export function fencedError(transactionalId: string, cause: unknown): ProducerFencedError {
  return new ProducerFencedError(
    `A newer producer with transactional.id ${JSON.stringify(transactionalId)} has taken over, or the ` +
      'transaction took longer than transaction.timeout.ms and the coordinator has ended it. What was not ' +
      'committed is aborted. Close this producer; if nobody else does its work now, make a new one.',
    { cause },
  )
}

/** What a call is told while another has not ended. */
export function otherCallError(name: string, pending: string): IllegalStateError {
  return new IllegalStateError(
    `${name} is not possible now: ${pending} has not ended, or has timed out and its outcome was not asked ` +
      `for. Await ${pending}, which may be called again for that.`,
  )
}

/**
 * What who waits for a call gets after `max.block.ms`. The call goes on. `mayAbort`: the transaction can be
 * aborted meanwhile, as nothing has been decided.
 */
export function timeoutOf(
  call: TransactionalCall,
  maxBlockMs: number,
  cause: KafkaError | null,
  mayAbort: boolean,
): TimeoutError {
  const reason = cause === null ? '' : ` because of: ${cause.message}`
  const giveUp = mayAbort ? 'abortTransaction to give it up' : 'close the producer'
  const advice =
    call === 'sendOffsetsToTransaction'
      ? 'commitTransaction waits for it, and abortTransaction gives it up'
      : `call it again to wait for its outcome, or ${giveUp}`
  return new TimeoutError(
    `${call} was not done within max.block.ms (${maxBlockMs} ms)${sentence(reason)} It goes on: ${advice}.`,
    { abortable: mayAbort, ...(cause === null ? {} : { cause }) },
  )
}

/** What fails a transaction whose commit has been given up before its coordinator was asked for it. */
export function givenUpError(cause: KafkaError | null): TransactionError {
  const reason = cause === null ? '' : ` It was kept by: ${cause.message}`
  return new TransactionError(
    'commitTransaction has timed out, and abortTransaction has given it up before the coordinator was ' +
      `asked to commit.${reason}`,
    { abortable: true, ...(cause === null ? {} : { cause }) },
  )
}

/** What a call is told whose producer is closed before there is an outcome. */
export function closedError(): ProducerClosedError {
  return new ProducerClosedError(
    'The producer was closed before the call had an outcome. What the transaction has left open is aborted ' +
      'by the next producer with the same transactional.id, or after transaction.timeout.ms.',
  )
}

/** What the records are told that an abort has kept from being sent. */
export function abortedError(): TransactionError {
  return new TransactionError('The record was not sent: its transaction was aborted.')
}
