import type {
  CreatableTopic,
  CreatedTopic,
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '../../protocol/create-topics.js'
import { ErrorCodes } from '../../protocol/error-codes.js'
import { ZERO_UUID } from '../../protocol/uuid.js'
import type { NewTopic } from '../cluster.js'
import { MOST_PARTITIONS } from '../options.js'
import { isValidTopicName, type TopicConfig } from '../topic.js'
import type { RequestContext } from './context.js'

/** Where a topic's setting comes from: set for the topic itself. */
const DYNAMIC_TOPIC_CONFIG = 1

/** Why a topic cannot be made. */
interface Refusal {
  readonly errorCode: number
  readonly message: string | null
}

export function handleCreateTopics(
  context: RequestContext,
  { topics, validateOnly }: CreateTopicsRequest,
): CreateTopicsResponse {
  return { throttleTimeMs: 0, topics: topics.map(topic => createTopic(context, topic, validateOnly)) }
}

function createTopic(context: RequestContext, asked: CreatableTopic, validateOnly: boolean): CreatedTopic {
  const { cluster } = context
  const refusal = context.failures.match(asked.name) ?? refuse(context, asked)
  if (refusal !== null) return result(asked.name, refusal)
  const leaders = leadersOf(asked)
  const partitions = asked.numPartitions === -1 ? cluster.settings.partitions : asked.numPartitions
  const config = configOf(asked)
  const plan: NewTopic = leaders === null ? { partitions, config } : { leaders, config }
  const topicId = validateOnly ? ZERO_UUID : cluster.createTopic(asked.name, plan).id
  return {
    ...result(asked.name, { errorCode: ErrorCodes.NONE, message: null }),
    topicId,
    numPartitions: leaders?.length ?? partitions,
    replicationFactor: cluster.nodes.length,
    configs: asked.configs.map(({ name, value }) => ({
      name,
      value,
      readOnly: false,
      configSource: DYNAMIC_TOPIC_CONFIG,
      isSensitive: false,
    })),
  }
}

function refuse({ cluster }: RequestContext, asked: CreatableTopic): Refusal | null {
  const { name, numPartitions, replicationFactor, assignments, configs } = asked
  const no = (errorCode: number, message: string): Refusal => ({ errorCode, message })
  if (!isValidTopicName(name)) return no(ErrorCodes.INVALID_TOPIC_EXCEPTION, 'The name is not legal.')
  if (cluster.topics.has(name)) return no(ErrorCodes.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  if (assignments.length === 0) {
    if (numPartitions !== -1 && (numPartitions < 1 || numPartitions > MOST_PARTITIONS)) {
      return no(ErrorCodes.INVALID_PARTITIONS, `${numPartitions} partitions are not possible.`)
    }
    if (replicationFactor !== -1 && (replicationFactor < 1 || replicationFactor > cluster.nodes.length)) {
      return no(ErrorCodes.INVALID_REPLICATION_FACTOR, `There are ${cluster.nodes.length} nodes.`)
    }
  } else if (!isCompleteAssignment(asked, cluster.nodes.length)) {
    return no(ErrorCodes.INVALID_REPLICA_ASSIGNMENT, 'Partitions or nodes of the assignment do not fit.')
  }
  const maxBytes = configs.find(config => config.name === 'max.message.bytes')?.value
  if (maxBytes !== undefined && !/^\d+$/.test(maxBytes ?? '')) {
    return no(ErrorCodes.INVALID_CONFIG, `max.message.bytes is ${maxBytes}.`)
  }
  return null
}

/** Whether all partitions from 0 on are assigned once, each to nodes that exist. */
function isCompleteAssignment({ assignments }: CreatableTopic, nodeCount: number): boolean {
  const partitions = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
  return (
    partitions.size === assignments.length &&
    assignments.every(
      ({ partitionIndex, brokerIds }) =>
        partitionIndex >= 0 &&
        partitionIndex < assignments.length &&
        brokerIds.length > 0 &&
        brokerIds.every(id => id >= 1 && id <= nodeCount),
    )
  )
}

/** The first replica of each partition is its preferred leader; null where the broker is to choose. */
function leadersOf({ assignments }: CreatableTopic): number[] | null {
  if (assignments.length === 0) return null
  const leaders: number[] = []
  for (const { partitionIndex, brokerIds } of assignments) leaders[partitionIndex] = brokerIds[0] ?? -1
  return leaders
}

function configOf({ configs }: CreatableTopic): TopicConfig {
  const config: TopicConfig = {}
  for (const { name, value } of configs) if (value !== null) config[name] = value
  return config
}

function result(name: string, { errorCode, message }: Refusal): CreatedTopic {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode,
    errorMessage: message,
    topicConfigErrorCode: ErrorCodes.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}
