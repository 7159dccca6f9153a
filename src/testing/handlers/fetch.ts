// Deno's global timers are numbers and have no unref.
import { clearTimeout, setTimeout } from 'node:timers'
import { ErrorCodes } from '../../protocol/error-codes.js'
import { type FetchPartitionResponse, type FetchResponse, NO_EPOCH_AND_OFFSET } from '../../protocol/fetch.js'
import {
  FETCH_TOPIC_IDS_FROM,
  type FetchPartition,
  type FetchRequest,
  type FetchTopic,
} from '../../protocol/fetch-request.js'
import { NO_LEADER } from '../../protocol/node-endpoint.js'
import type { IsolationLevel, PartitionLog } from '../partition-log.js'
import type { Topic } from '../topic.js'
import type { RequestContext } from './context.js'
import { LeaderHints } from './leaders.js'
import { checkLeadership } from './leadership.js'

/** One look at the logs: the answer if it is given now, and whether it has to be. */
interface Look {
  readonly response: FetchResponse
  readonly bytes: number
  readonly failed: boolean
}

/**
 * Answers with whole batches, without waiting if there is an error or `minBytes` are there, else when they
 * are or `maxWaitMs` are over. There are no fetch sessions: session id 0 tells clients to ask for everything
 * each time.
 */
export function handleFetch(
  context: RequestContext,
  request: FetchRequest,
): FetchResponse | Promise<FetchResponse> {
  const look = lookAtLogs(context, request)
  if (look.failed || look.bytes >= request.minBytes || request.maxWaitMs <= 0) return look.response
  return waitForBytes(context, request)
}

function waitForBytes(context: RequestContext, request: FetchRequest): Promise<FetchResponse> {
  return new Promise(resolve => {
    const unwatch: (() => void)[] = []
    const finish = (response: FetchResponse) => {
      clearTimeout(timer)
      for (const stop of unwatch) stop()
      resolve(response)
    }
    const timer = setTimeout(() => finish(lookAtLogs(context, request).response), request.maxWaitMs)
    timer.unref()
    const lookAgain = () => {
      const look = lookAtLogs(context, request)
      if (look.failed || look.bytes >= request.minBytes) finish(look.response)
    }
    for (const asked of request.topics) {
      const topic = findTopic(context, asked)
      for (const { partition } of asked.partitions) {
        const log = topic?.partitions[partition]
        if (log !== undefined) unwatch.push(log.watch(lookAgain))
      }
    }
  })
}

function findTopic({ cluster, version }: RequestContext, { topic, topicId }: FetchTopic): Topic | undefined {
  return version >= FETCH_TOPIC_IDS_FROM ? cluster.topicById(topicId) : cluster.topics.get(topic)
}

function lookAtLogs(context: RequestContext, request: FetchRequest): Look {
  const hints = new LeaderHints(context.cluster)
  const isolation: IsolationLevel = request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted'
  let bytes = 0
  let failed = false
  const responses = request.topics.map(asked => {
    const topic = findTopic(context, asked)
    const partitions = asked.partitions.map(partition => {
      const maxBytes = Math.min(partition.partitionMaxBytes, request.maxBytes - bytes)
      const limits = { maxBytes, atLeastOne: bytes === 0, isolation }
      const response = fetchPartition(context, topic, partition, limits, hints)
      bytes += response.records?.length ?? 0
      if (response.errorCode !== ErrorCodes.NONE) failed = true
      return response
    })
    return { topic: asked.topic, topicId: asked.topicId, partitions }
  })
  const response = {
    throttleTimeMs: 0,
    errorCode: ErrorCodes.NONE,
    sessionId: 0,
    responses,
    nodeEndpoints: hints.endpoints(),
  }
  return { response, bytes, failed }
}

function fetchPartition(
  context: RequestContext,
  topic: Topic | undefined,
  asked: FetchPartition,
  limits: { maxBytes: number; atLeastOne: boolean; isolation: IsolationLevel },
  hints: LeaderHints,
): FetchPartitionResponse {
  const { partition, fetchOffset, currentLeaderEpoch } = asked
  const failure = context.failures.match(topic?.name, partition)
  if (failure !== undefined) return answer(partition, failure.errorCode)
  if (topic === undefined && context.version >= FETCH_TOPIC_IDS_FROM) {
    return answer(partition, ErrorCodes.UNKNOWN_TOPIC_ID)
  }
  const log = topic?.partitions[partition]
  if (log === undefined) return answer(partition, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  const misled = checkLeadership(log, context.node.id, currentLeaderEpoch)
  if (misled === ErrorCodes.NOT_LEADER_OR_FOLLOWER || misled === ErrorCodes.FENCED_LEADER_EPOCH) {
    return { ...answer(partition, misled, log), currentLeader: hints.leaderOf(log) }
  }
  if (misled !== ErrorCodes.NONE) return answer(partition, misled, log)
  if (fetchOffset < log.startOffset || fetchOffset > log.endOffset) {
    return answer(partition, ErrorCodes.OFFSET_OUT_OF_RANGE, log)
  }
  const { maxBytes, atLeastOne, isolation } = limits
  const endOffset = log.readableOffset(isolation)
  const batches = log.read(Number(fetchOffset), maxBytes, atLeastOne, endOffset)
  return {
    ...answer(partition, ErrorCodes.NONE, log),
    abortedTransactions: isolation === 'read_committed' ? abortedOf(log, fetchOffset, endOffset) : null,
    records: join(batches),
  }
}

/** More than what is in the batches read does no harm: readers look for what they meet. */
function abortedOf(log: PartitionLog, fetchOffset: bigint, endOffset: number) {
  return log.transactions
    .abortedBetween(Number(fetchOffset), endOffset)
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
}

function join(batches: readonly Uint8Array[]): Uint8Array {
  const [only] = batches
  return batches.length === 1 && only !== undefined ? only : Buffer.concat(batches)
}

function answer(partitionIndex: number, errorCode: number, log?: PartitionLog): FetchPartitionResponse {
  const endOffset = BigInt(log?.endOffset ?? -1)
  return {
    partitionIndex,
    errorCode,
    highWatermark: endOffset,
    lastStableOffset: BigInt(log?.readableOffset('read_committed') ?? -1),
    logStartOffset: BigInt(log?.startOffset ?? -1),
    divergingEpoch: NO_EPOCH_AND_OFFSET,
    currentLeader: NO_LEADER,
    snapshotId: NO_EPOCH_AND_OFFSET,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: Buffer.alloc(0),
  }
}
