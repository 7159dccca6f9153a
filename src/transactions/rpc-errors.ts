import { type BrokerErrorName, ErrorCodes, errorName, isRetriable } from '../protocol/error-codes.js'

/** The requests of transactions. */
export type RpcName =
  | 'FindCoordinator'
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'EndTxn'
  | 'DescribeTransactions'

/** What an error in the answer to one of them leads to. */
export type Treatment =
  /** Ask again after the backoff. */
  | 'retry'
  /** Look for the coordinator, then ask it. */
  | 'find'
  /** As if there were no error. */
  | 'ignore'
  /** The transaction has failed and can be aborted; if it is the abort that was refused, `fatal`. */
  | 'abort'
  /** As `abort`, if a new epoch can be had from the coordinator afterwards; else `fatal`. */
  | 'abort-and-bump'
  /** Initialising has failed, and may be tried again; `fatal` where it was not initialising. */
  | 'uninitialize'
  /** A newer producer has taken over: `fatal`, with an error of its own. */
  | 'fenced'
  /** The producer is of no use any more. */
  | 'fatal'

interface Rules {
  readonly errors: { readonly [Name in BrokerErrorName]?: Treatment }
  /** Of all that are neither listed nor retriable. */
  readonly otherwise: Treatment
}

const coordinatorMoved = { NOT_COORDINATOR: 'find', COORDINATOR_NOT_AVAILABLE: 'find' } as const
/** The offsets or the group are not as they should be, which concerns one transaction only. */
const refusedGroup = { GROUP_AUTHORIZATION_FAILED: 'abort', INVALID_GROUP_ID: 'abort' } as const
const fenced = { INVALID_PRODUCER_EPOCH: 'fenced', PRODUCER_FENCED: 'fenced' } as const

/**
 * Java: the handlers of `TransactionManager`. Where a cell is silent, retriable errors are retried. What is
 * fatal in Java although it concerns one group, or can be granted later, is not so here.
 */
const rules: { readonly [Name in RpcName]: Rules } = {
  FindCoordinator: {
    errors: {
      ...refusedGroup,
      TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'uninitialize',
      TRANSACTION_ABORTABLE: 'abort',
    },
    otherwise: 'fatal',
  },
  InitProducerId: {
    errors: {
      ...coordinatorMoved,
      ...fenced,
      TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'uninitialize',
      CLUSTER_AUTHORIZATION_FAILED: 'uninitialize',
      TRANSACTION_ABORTABLE: 'abort',
    },
    otherwise: 'fatal',
  },
  AddPartitionsToTxn: {
    errors: {
      ...coordinatorMoved,
      ...fenced,
      TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
      INVALID_TXN_STATE: 'fatal',
      INVALID_PRODUCER_ID_MAPPING: 'fatal',
      UNSUPPORTED_VERSION: 'fatal',
      UNKNOWN_PRODUCER_ID: 'abort-and-bump',
    },
    otherwise: 'abort',
  },
  AddOffsetsToTxn: {
    errors: {
      ...coordinatorMoved,
      ...fenced,
      ...refusedGroup,
      TRANSACTION_ABORTABLE: 'abort',
      UNKNOWN_PRODUCER_ID: 'abort-and-bump',
    },
    otherwise: 'fatal',
  },
  TxnOffsetCommit: {
    errors: {
      ...coordinatorMoved,
      ...fenced,
      REQUEST_TIMED_OUT: 'find',
      ...refusedGroup,
      FENCED_INSTANCE_ID: 'abort',
      FENCED_MEMBER_EPOCH: 'abort',
      GROUP_ID_NOT_FOUND: 'abort',
      ILLEGAL_GENERATION: 'abort',
      INVALID_COMMIT_OFFSET_SIZE: 'abort',
      OFFSET_METADATA_TOO_LARGE: 'abort',
      REBALANCE_IN_PROGRESS: 'abort',
      STALE_MEMBER_EPOCH: 'abort',
      TOPIC_AUTHORIZATION_FAILED: 'abort',
      UNKNOWN_MEMBER_ID: 'abort',
      TRANSACTION_ABORTABLE: 'abort',
    },
    otherwise: 'fatal',
  },
  EndTxn: {
    errors: {
      ...coordinatorMoved,
      ...fenced,
      UNKNOWN_PRODUCER_ID: 'abort-and-bump',
      TRANSACTION_ABORTABLE: 'abort',
    },
    otherwise: 'fatal',
  },
  // Asked only to be early: where there is no answer to be had the records go without.
  DescribeTransactions: { errors: coordinatorMoved, otherwise: 'ignore' },
}

export const rpcNames = Object.keys(rules) as readonly RpcName[]

/** What an error, which is not NONE, in the answer to a request leads to. */
export function treatmentOf(rpc: RpcName, errorCode: number): Treatment {
  const { errors, otherwise } = rules[rpc]
  const listed = errors[errorName(errorCode)]
  return listed ?? (isRetriable(errorCode) ? 'retry' : otherwise)
}

/** Of the errors of several partitions, the one that decides comes first. */
const gravity: readonly Treatment[] = [
  'fenced',
  'fatal',
  'uninitialize',
  'abort-and-bump',
  'abort',
  'find',
  'retry',
  'ignore',
]

/** The error that decides among those of an answer's partitions; undefined if all are NONE. */
export function gravest<E extends { readonly errorCode: number }>(
  rpc: RpcName,
  errors: readonly E[],
): E | undefined {
  let decisive: E | undefined
  let least = Number.POSITIVE_INFINITY
  for (const error of errors) {
    const { errorCode } = error
    if (errorCode === ErrorCodes.NONE) continue
    // It only says that another partition of the request was refused.
    const isConsequence = errorCode === ErrorCodes.OPERATION_NOT_ATTEMPTED
    const rank = isConsequence ? gravity.length : gravity.indexOf(treatmentOf(rpc, errorCode))
    if (rank >= least) continue
    least = rank
    decisive = error
  }
  return decisive
}
