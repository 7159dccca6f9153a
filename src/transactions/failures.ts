import { IllegalStateError, type KafkaError, ProducerFencedError, TransactionError } from '../errors/index.js'

/** Ends a sentence that may end already. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
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
    `${name} is not possible now: ${pending} has not ended, or has timed out and nobody has heard of its ` +
      `end. Await ${pending}, which may be called again for that.`,
  )
}

/** What the records are told that an abort has kept from being sent. */
export function abortedError(): TransactionError {
  return new TransactionError('The record was not sent: its transaction was aborted.')
}
