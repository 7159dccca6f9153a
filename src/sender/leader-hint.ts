import type { PartitionBatch } from '../accumulator/partition/partition-state.js'
import type { LeaderHint } from '../cluster/metadata-cache.js'
import type { ProducePartitionResponse, ProduceResponse } from '../protocol/produce.js'
import { mayNameLeader } from './verdict.js'

/** KIP-951: the new leader, where the refusing broker has named it, which saves waiting for metadata. */
export function leaderHintOf(
  batch: PartitionBatch,
  answer: ProducePartitionResponse,
  response: ProduceResponse,
): LeaderHint | null {
  const { leaderId, leaderEpoch } = answer.currentLeader
  if (!mayNameLeader(answer.errorCode) || leaderId < 0 || leaderEpoch < 0) return null
  const { topic, index } = batch.partition
  return { topic: topic.name, partition: index, leaderId, leaderEpoch, endpoints: response.nodeEndpoints }
}
