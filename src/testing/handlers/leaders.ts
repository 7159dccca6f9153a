import { type LeaderIdAndEpoch, NO_LEADER, type NodeEndpoint } from '../../protocol/node-endpoint.js'
import type { Cluster } from '../cluster.js'
import type { PartitionLog } from '../partition-log.js'

/** Collects where the partitions went that clients looked for in the wrong place (KIP-951). */
export class LeaderHints {
  private readonly cluster: Cluster
  private readonly nodeIds = new Set<number>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** The present leader, to be named in the partition's entry. */
  leaderOf(log: PartitionLog): LeaderIdAndEpoch {
    if (log.leaderId < 0) return NO_LEADER
    this.nodeIds.add(log.leaderId)
    return { leaderId: log.leaderId, leaderEpoch: log.leaderEpoch }
  }

  /** Where the leaders that were named are to be reached. */
  endpoints(): NodeEndpoint[] {
    return [...this.nodeIds].map(nodeId => ({
      nodeId,
      ...this.cluster.advertised(this.cluster.node(nodeId)),
      rack: null,
    }))
  }
}
