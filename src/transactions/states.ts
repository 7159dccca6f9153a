/** Where a transactional producer stands (Java: `TransactionManager.State`). */
export type TransactionState =
  | 'UNINITIALIZED'
  | 'INITIALIZING'
  | 'READY'
  | 'IN_TRANSACTION'
  | 'COMMITTING_TRANSACTION'
  | 'ABORTING_TRANSACTION'
  | 'ABORTABLE_ERROR'
  | 'FATAL_ERROR'

/** What may come before each state. Everything may become FATAL_ERROR, and nothing leaves it. */
const predecessors: { readonly [State in TransactionState]: readonly TransactionState[] } = {
  UNINITIALIZED: ['READY', 'ABORTABLE_ERROR'],
  INITIALIZING: ['UNINITIALIZED', 'COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION'],
  READY: ['INITIALIZING', 'COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION'],
  IN_TRANSACTION: ['READY'],
  COMMITTING_TRANSACTION: ['IN_TRANSACTION'],
  ABORTING_TRANSACTION: ['IN_TRANSACTION', 'ABORTABLE_ERROR'],
  ABORTABLE_ERROR: ['IN_TRANSACTION', 'COMMITTING_TRANSACTION', 'ABORTABLE_ERROR', 'INITIALIZING'],
  FATAL_ERROR: [
    'UNINITIALIZED',
    'INITIALIZING',
    'READY',
    'IN_TRANSACTION',
    'COMMITTING_TRANSACTION',
    'ABORTING_TRANSACTION',
    'ABORTABLE_ERROR',
  ],
}

export const transactionStates = Object.keys(predecessors) as readonly TransactionState[]

export function isLegalTransition(from: TransactionState, to: TransactionState): boolean {
  return predecessors[to].includes(from)
}

/** What users call. */
export type TransactionalCall =
  | 'initTransactions'
  | 'beginTransaction'
  | 'send'
  | 'sendOffsetsToTransaction'
  | 'commitTransaction'
  | 'abortTransaction'

/** The states in which each call begins something; in all others it is refused. */
const callableIn: { readonly [Call in TransactionalCall]: readonly TransactionState[] } = {
  initTransactions: ['UNINITIALIZED'],
  beginTransaction: ['READY'],
  send: ['IN_TRANSACTION'],
  sendOffsetsToTransaction: ['IN_TRANSACTION'],
  commitTransaction: ['IN_TRANSACTION'],
  abortTransaction: ['IN_TRANSACTION', 'ABORTABLE_ERROR'],
}

export function isCallable(call: TransactionalCall, state: TransactionState): boolean {
  return callableIn[call].includes(state)
}

/** What is the matter in a state that is not an error, and what to do, where a call is out of place. */
const explanations: { readonly [State in TransactionState]: string } = {
  UNINITIALIZED: 'initTransactions has to succeed first',
  INITIALIZING: 'the producer is being initialised; await initTransactions',
  READY: 'no transaction is open; beginTransaction opens one',
  IN_TRANSACTION: 'a transaction is open; end it with commitTransaction or abortTransaction',
  COMMITTING_TRANSACTION: 'the transaction is being committed; await commitTransaction',
  ABORTING_TRANSACTION: 'the transaction is being aborted; await abortTransaction',
  ABORTABLE_ERROR: 'the transaction has failed; abortTransaction ends it',
  FATAL_ERROR: 'the producer has failed for good; close it and make a new one',
}

/** Why a call is refused in a state. */
export function explain(call: TransactionalCall, state: TransactionState): string {
  if (call === 'initTransactions' && state === 'READY') {
    return 'initTransactions may be called only once; the producer is initialised.'
  }
  return `${call} is not possible now: ${explanations[state]}.`
}
