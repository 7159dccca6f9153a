import { ErrorCodes } from '../../protocol/error-codes.js'
import {
  TXN_OFFSET_COMMIT_ADDS_FROM,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '../../protocol/txn-offset-commit.js'
import type { RequestContext } from './context.js'
import { fencedAsKnown } from './coordinators.js'

/** No version of this request is answered with PRODUCER_FENCED. */
const NEVER = Number.POSITIVE_INFINITY

/** Keeps offsets until the transaction ends. From version 5 on the group is added to the transaction, too. */
export function handleTxnOffsetCommit(
  context: RequestContext,
  request: TxnOffsetCommitRequest,
): TxnOffsetCommitResponse {
  const { cluster, failures } = context
  const refusal = refusalOf(context, request)
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(each => {
      const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = each
      const errorCode = failures.match(name, partitionIndex)?.errorCode ?? refusal
      if (errorCode === ErrorCodes.NONE) {
        cluster.groupOffsets.add(request.producerId, request.groupId, {
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata,
        })
      }
      return { partitionIndex, errorCode }
    }),
  }))
  return { throttleTimeMs: 0, topics }
}

function refusalOf({ cluster, node, version }: RequestContext, request: TxnOffsetCommitRequest): number {
  if (node.id !== cluster.coordinatorId) return ErrorCodes.NOT_COORDINATOR
  const { transactionalId } = request
  const adds = version >= TXN_OFFSET_COMMIT_ADDS_FROM
  if (adds && !cluster.hasTransactionVersion2) return ErrorCodes.UNSUPPORTED_VERSION
  const errorCode = adds
    ? cluster.transactions.add(transactionalId, request, [])
    : cluster.transactions.verifyOffsets(transactionalId, request)
  return fencedAsKnown(errorCode, version, NEVER)
}
