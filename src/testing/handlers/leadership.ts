import { ErrorCodes } from '../../protocol/error-codes.js'
import type { PartitionLog } from '../partition-log.js'

/** Whether a node leads a partition, in the leader epoch that the client believes in (-1: any). */
export function checkLeadership(log: PartitionLog, nodeId: number, leaderEpoch: number): number {
  if (log.leaderId !== nodeId) return ErrorCodes.NOT_LEADER_OR_FOLLOWER
  if (leaderEpoch < 0 || leaderEpoch === log.leaderEpoch) return ErrorCodes.NONE
  return leaderEpoch < log.leaderEpoch ? ErrorCodes.FENCED_LEADER_EPOCH : ErrorCodes.UNKNOWN_LEADER_EPOCH
}
