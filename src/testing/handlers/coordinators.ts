import { ErrorCodes } from '../../protocol/error-codes.js'
import type { RequestContext } from './context.js'

/** First versions of transactional requests whose clients know PRODUCER_FENCED. */
export const ProducerFencedFrom = {
  INIT_PRODUCER_ID: 4,
  ADD_PARTITIONS_TO_TXN: 2,
  ADD_OFFSETS_TO_TXN: 2,
  END_TXN: 2,
} as const

/** The planned failure, or NOT_COORDINATOR where the node is not the one to ask. */
export function refusalByNode({ cluster, node, failures }: RequestContext): number {
  const planned = failures.match()?.errorCode
  if (planned !== undefined) return planned
  return node.id === cluster.coordinatorId ? ErrorCodes.NONE : ErrorCodes.NOT_COORDINATOR
}

/** Older clients are told the error that they know instead of PRODUCER_FENCED. */
export function fencedAsKnown(errorCode: number, version: number, knownFrom: number): number {
  if (errorCode !== ErrorCodes.PRODUCER_FENCED || version >= knownFrom) return errorCode
  return ErrorCodes.INVALID_PRODUCER_EPOCH
}
