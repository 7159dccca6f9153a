import type { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock } from '../common/clock.js'
import type { Sender } from '../sender/sender.js'
import type { ClusterInfo } from './types.js'

/** Reaches a broker and authenticates; with `producerId` gets that, too. All of it within `timeoutMs`. */
export async function reachCluster(
  client: ClusterClient,
  sender: Sender,
  clock: Clock,
  timeoutMs: number,
  producerId: boolean,
): Promise<ClusterInfo> {
  const deadlineMs = clock.now() + timeoutMs
  const { clusterId, controllerId, brokers } = await client.connect(timeoutMs)
  if (producerId) await sender.warmUp(Math.max(deadlineMs - clock.now(), 1))
  return { clusterId, controllerId, brokers: brokers.map(({ nodeId: id, ...where }) => ({ id, ...where })) }
}
