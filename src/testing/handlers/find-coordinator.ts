import { ErrorCodes } from '../../protocol/error-codes.js'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/find-coordinator.js'
import type { RequestContext } from './context.js'

/** Names one node as coordinator of everything: the first that is up, unless a test wants another. */
export function handleFindCoordinator(
  { cluster, failures }: RequestContext,
  { coordinatorKeys }: FindCoordinatorRequest,
): FindCoordinatorResponse {
  const failure = failures.match()
  const nodeId = cluster.coordinatorId
  const errorCode =
    failure?.errorCode ?? (nodeId < 0 ? ErrorCodes.COORDINATOR_NOT_AVAILABLE : ErrorCodes.NONE)
  const coordinator =
    errorCode === ErrorCodes.NONE
      ? { nodeId, ...cluster.advertised(cluster.node(nodeId)) }
      : { nodeId: -1, host: '', port: -1 }
  return {
    throttleTimeMs: 0,
    coordinators: coordinatorKeys.map(key => ({
      key,
      ...coordinator,
      errorCode,
      errorMessage: failure?.message ?? null,
    })),
  }
}
