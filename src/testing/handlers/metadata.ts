import { ErrorCodes } from '../../protocol/error-codes.js'
import {
  type MetadataPartition,
  type MetadataRequest,
  type MetadataRequestTopic,
  type MetadataResponse,
  type MetadataTopic,
  OPERATIONS_UNKNOWN,
} from '../../protocol/metadata.js'
import { ZERO_UUID } from '../../protocol/uuid.js'
import type { PartitionLog } from '../partition-log.js'
import { isValidTopicName, type Topic } from '../topic.js'
import type { RequestContext } from './context.js'

/** First version with an error of the response as a whole. */
const TOP_LEVEL_ERROR_FROM = 13

/** Tells the live nodes and the topics asked for; makes topics on first use. */
export function handleMetadata(context: RequestContext, request: MetadataRequest): MetadataResponse {
  const { cluster } = context
  const topics =
    request.topics === null
      ? [...cluster.topics.values()].map(topic => describeTopic(context, topic))
      : request.topics.map(asked => lookUp(context, asked, request.allowAutoTopicCreation))
  const rebootstrap = topics.some(topic => topic.errorCode === ErrorCodes.REBOOTSTRAP_REQUIRED)
  return {
    throttleTimeMs: 0,
    brokers: cluster.liveNodes().map(node => ({ nodeId: node.id, ...cluster.advertised(node), rack: null })),
    clusterId: cluster.settings.clusterId,
    controllerId: cluster.controllerId,
    topics,
    clusterAuthorizedOperations: OPERATIONS_UNKNOWN,
    errorCode:
      rebootstrap && context.version >= TOP_LEVEL_ERROR_FROM
        ? ErrorCodes.REBOOTSTRAP_REQUIRED
        : ErrorCodes.NONE,
  }
}

function lookUp(context: RequestContext, asked: MetadataRequestTopic, mayCreate: boolean): MetadataTopic {
  const { cluster } = context
  const { name, topicId } = asked
  if (name === null) {
    const topic = cluster.topicById(topicId)
    return topic === undefined
      ? missing(ErrorCodes.UNKNOWN_TOPIC_ID, null, topicId)
      : describeTopic(context, topic)
  }
  const topic = cluster.topics.get(name)
  if (topic !== undefined) return describeTopic(context, topic)
  const failure = context.failures.match(name)
  if (failure !== undefined) return missing(failure.errorCode, name)
  if (!isValidTopicName(name)) return missing(ErrorCodes.INVALID_TOPIC_EXCEPTION, name)
  if (mayCreate && cluster.settings.autoCreateTopics) return describeTopic(context, cluster.createTopic(name))
  return missing(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, name)
}

function missing(errorCode: number, name: string | null, topicId = ZERO_UUID): MetadataTopic {
  return {
    errorCode,
    name,
    topicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_UNKNOWN,
  }
}

function describeTopic(context: RequestContext, topic: Topic): MetadataTopic {
  const failure = context.failures.match(topic.name)
  if (failure !== undefined) return missing(failure.errorCode, topic.name, topic.id)
  const replicas = replicaLists(context)
  return {
    errorCode: ErrorCodes.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: false,
    partitions: topic.partitions.map(log => ({
      ...replicas,
      ...describeLeader(log, context.failures.match(topic.name, log.index)?.errorCode),
    })),
    topicAuthorizedOperations: OPERATIONS_UNKNOWN,
  }
}

/** Every node has a replica of everything: all of them see the same log. */
function replicaLists({ cluster: { nodes } }: RequestContext) {
  return {
    replicaNodes: nodes.map(node => node.id),
    isrNodes: nodes.filter(node => node.up).map(node => node.id),
    offlineReplicas: nodes.filter(node => !node.up).map(node => node.id),
  }
}

function describeLeader(
  log: PartitionLog,
  plannedError: number | undefined,
): Omit<MetadataPartition, 'replicaNodes' | 'isrNodes' | 'offlineReplicas'> {
  const errorCode = plannedError ?? (log.leaderId < 0 ? ErrorCodes.LEADER_NOT_AVAILABLE : ErrorCodes.NONE)
  return {
    errorCode,
    partitionIndex: log.index,
    leaderId: errorCode === ErrorCodes.LEADER_NOT_AVAILABLE ? -1 : log.leaderId,
    leaderEpoch: log.leaderEpoch,
  }
}
