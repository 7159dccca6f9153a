import { ErrorCodes } from '../../protocol/error-codes.js'
import {
  type ListOffsetsPartition,
  type ListOffsetsPartitionResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  OffsetSpec,
} from '../../protocol/list-offsets.js'
import type { IsolationLevel, PartitionLog } from '../partition-log.js'
import type { Topic } from '../topic.js'
import type { RequestContext } from './context.js'
import { checkLeadership } from './leadership.js'

interface Position {
  readonly timestamp: number
  readonly offset: number
}

/** The earliest offset on the broker's own disk: with no tiered storage, the earliest of all. */
const EARLIEST_LOCAL = -4n

const NOWHERE: Position = { timestamp: -1, offset: -1 }

/** Finds offsets by timestamp, or the ends of partitions. */
export function handleListOffsets(context: RequestContext, request: ListOffsetsRequest): ListOffsetsResponse {
  const isolation = request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted'
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => {
      const topic = context.cluster.topics.get(name)
      return {
        name,
        partitions: partitions.map(asked => listPartition(context, topic, name, asked, isolation)),
      }
    }),
  }
}

function listPartition(
  context: RequestContext,
  topic: Topic | undefined,
  name: string,
  { partitionIndex, currentLeaderEpoch, timestamp }: ListOffsetsPartition,
  isolation: IsolationLevel,
): ListOffsetsPartitionResponse {
  const failure = context.failures.match(name, partitionIndex)
  if (failure !== undefined) return answer(partitionIndex, failure.errorCode)
  const log = topic?.partitions[partitionIndex]
  if (log === undefined) return answer(partitionIndex, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  const misled = checkLeadership(log, context.node.id, currentLeaderEpoch)
  if (misled !== ErrorCodes.NONE) return answer(partitionIndex, misled)
  return answer(partitionIndex, ErrorCodes.NONE, find(log, timestamp, isolation), log.leaderEpoch)
}

function find(log: PartitionLog, timestamp: bigint, isolation: IsolationLevel): Position {
  switch (timestamp) {
    case OffsetSpec.LATEST:
      return { timestamp: -1, offset: log.readableOffset(isolation) }
    case OffsetSpec.EARLIEST:
    case EARLIEST_LOCAL:
      return { timestamp: -1, offset: log.startOffset }
    case OffsetSpec.MAX_TIMESTAMP:
      return log.maxTimestamp < 0 ? NOWHERE : atOrAfter(log, log.maxTimestamp)
    default:
      return timestamp < 0n ? NOWHERE : atOrAfter(log, Number(timestamp))
  }
}

function atOrAfter(log: PartitionLog, timestamp: number): Position {
  const record = log.findTimestamp(timestamp)
  return record === null ? NOWHERE : { timestamp: record.timestamp, offset: Number(record.offset) }
}

function answer(
  partitionIndex: number,
  errorCode: number,
  { timestamp, offset }: Position = NOWHERE,
  leaderEpoch = -1,
): ListOffsetsPartitionResponse {
  return { partitionIndex, errorCode, timestamp: BigInt(timestamp), offset: BigInt(offset), leaderEpoch }
}
