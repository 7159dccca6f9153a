import { printable } from '../common/foreign-text.js'
import { ProtocolError } from '../errors/index.js'
import { ErrorCodes, refreshesMetadata } from '../protocol/error-codes.js'
import type { MetadataBroker, MetadataResponse, MetadataTopic } from '../protocol/metadata.js'
import type { NodeEndpoint } from '../protocol/node-endpoint.js'
import { isZeroUuid, uuidKey } from '../protocol/uuid.js'
import {
  type MergeContext,
  mergeTopic,
  PARTITIONS_MAX,
  partitionCount,
  type TopicMetadata,
  withLeader,
  withoutLeaders,
} from './topic-metadata.js'

export type { PartitionMetadata, TopicMetadata } from './topic-metadata.js'

export interface BrokerNode {
  /** Negative for the servers of `bootstrap.servers`, whose true id is not known. */
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** How a response is to be applied. */
interface ApplyOptions {
  /** Version the response was read in. */
  version: number
  /** Only the topics asked for change; else what the response does not name is gone. */
  partial: boolean
  /** Topics named in the request. Others in the response are not looked at. */
  requested: ReadonlySet<string>
  /** Topics still of interest; the rest is forgotten. */
  isTracked(topic: string): boolean
}

/** What a response was worth. */
interface Applied {
  /** It told something new, so asking again soon may tell more. */
  progressed: boolean
  /** It names another cluster than all responses before. */
  isOtherCluster: boolean
  /** It tells that it is already out of date, or that something is not ready: ask again. */
  outdated: boolean
}

interface TopicError {
  readonly code: number
  readonly version: number
}

/** A leader as a broker names it in a Produce response (KIP-951). */
export interface LeaderHint {
  topic: string
  partition: number
  leaderId: number
  leaderEpoch: number
  endpoints: readonly NodeEndpoint[]
}

const PORT_MAX = 65535
/** First version whose leader epochs are reliable. */
const RELIABLE_EPOCHS_FROM = 9

/** Names and addresses as they may stand in `bootstrap.servers`. */
const HOST = /^[\w.:%-]{1,255}$/
/**
 * Nodes that leader hints may add or move between two metadata responses. Of a cluster in order hardly any
 * hint names a node that the metadata do not; a broker that makes them up would have a connection made for
 * each.
 */
const HINTED_NODES_MAX = 8

function isUsable(broker: MetadataBroker | NodeEndpoint): boolean {
  return broker.nodeId >= 0 && HOST.test(broker.host) && broker.port > 0 && broker.port <= PORT_MAX
}

/**
 * What the client knows of the cluster: brokers, topics, leaders. Changed by responses, by leader hints and
 * by going back to the bootstrap servers; read by everyone, without cost.
 */
export class MetadataCache {
  clusterId: string | null = null
  private knownClusterId: string | null = null
  /** -1: unknown. */
  controllerId = -1
  /** Grows by one with every response applied. */
  version = 0
  /** True while only the bootstrap servers are known. */
  bootstrapping = true
  /** Set by the owner of the connections: addresses of nodes may have changed. */
  onNodesChanged: () => void = () => {}
  /** Set by the owner: a node was left out, for what reason. */
  onNodeRefused: (reason: string) => void = () => {}
  /** Set by the owner: whether connections to the host that a broker names may be made. */
  allowsHost: (host: string) => boolean = () => true
  private hintedNodes = 0
  private nodesById = new Map<number, BrokerNode>()
  private topics = new Map<string, TopicMetadata>()
  private namesById = new Map<string, string>()
  private errors = new Map<string, TopicError>()
  /** Last state of tracked topics that a response left out or failed: their epochs still count. */
  private vanished = new Map<string, TopicMetadata>()

  topic(name: string): TopicMetadata | undefined {
    return this.topics.get(name)
  }

  /** By the 32 hex digits of the id. */
  topicById(idHex: string): TopicMetadata | undefined {
    const name = this.namesById.get(idHex)
    return name === undefined ? undefined : this.topics.get(name)
  }

  /** The protocol's error of the topic as a whole in the last response that named it; 0: none. */
  topicError(name: string): number {
    return this.errors.get(name)?.code ?? ErrorCodes.NONE
  }

  /** The `version` at which that error came; -1: there is none. */
  topicErrorVersion(name: string): number {
    return this.errors.get(name)?.version ?? -1
  }

  node(id: number): BrokerNode | undefined {
    return this.nodesById.get(id)
  }

  nodes(): BrokerNode[] {
    return [...this.nodesById.values()]
  }

  /**
   * Back to the servers of the configuration, with ids -1, -2, …. Topics keep their partitions, so that
   * records can still be partitioned and wait, but nobody leads them.
   */
  bootstrap(servers: readonly HostAndPort[]): void {
    this.bootstrapping = true
    this.controllerId = -1
    this.nodesById = new Map()
    for (const [index, { host, port }] of servers.entries()) {
      this.nodesById.set(-1 - index, { id: -1 - index, host, port, rack: null })
    }
    for (const [name, topic] of this.topics) this.topics.set(name, withoutLeaders(topic))
    this.onNodesChanged()
  }

  /** Throws {@link ProtocolError}, and changes nothing, where a response cannot be true. */
  apply(response: MetadataResponse, options: ApplyOptions): Applied {
    const nodes = this.nodesOf(response.brokers)
    const replies = repliesOf(response.topics, options.requested)
    const context = {
      isNode: (id: number) => nodes.has(id),
      reliableEpochs: options.version >= RELIABLE_EPOCHS_FROM,
    }
    const merged = this.mergeAll(replies, context)
    const complete = replies.size === options.requested.size
    this.nodesById = nodes
    this.hintedNodes = 0
    this.bootstrapping = false
    const isOther =
      this.knownClusterId !== null &&
      response.clusterId !== null &&
      response.clusterId !== this.knownClusterId
    this.clusterId = response.clusterId
    this.knownClusterId = response.clusterId ?? this.knownClusterId
    this.controllerId = nodes.has(response.controllerId) ? response.controllerId : -1
    this.replaceTopics(merged.topics, options)
    this.replaceErrors(replies, options)
    this.version++
    this.onNodesChanged()
    return { progressed: merged.progressed, outdated: merged.outdated || !complete, isOtherCluster: isOther }
  }

  /**
   * Takes a new leader from a Produce response. False, and nothing changed, unless the partition is known,
   * the epoch is newer than the one seen, and the leader is a known node or among the endpoints.
   */
  applyLeaderHint(hint: LeaderHint): boolean {
    const { leaderId, leaderEpoch } = hint
    const topic = this.topics.get(hint.topic)
    const partition = topic?.partitions[hint.partition]
    if (topic === undefined || partition === undefined) return false
    if (leaderId < 0 || leaderEpoch <= partition.leaderEpoch) return false
    const endpoint = hint.endpoints.find(candidate => candidate.nodeId === leaderId)
    if (endpoint !== undefined && isUsable(endpoint)) {
      if (!this.takeHintedNode(endpoint)) return false
    } else if (!this.nodesById.has(leaderId)) {
      return false
    }
    this.topics.set(topic.name, withLeader(topic, partition, leaderId, leaderEpoch))
    return true
  }

  private takeHintedNode({ nodeId: id, host, port, rack }: NodeEndpoint): boolean {
    const known = this.nodesById.get(id)
    if (known?.host === host && known.port === port) return true
    if (!this.allows(host)) return false
    if (this.hintedNodes >= HINTED_NODES_MAX) {
      this.onNodeRefused(
        `answers of brokers name ever new leaders; more than ${HINTED_NODES_MAX} that the metadata do not ` +
          'have are not followed until there are new metadata',
      )
      return false
    }
    this.hintedNodes++
    this.nodesById.set(id, { id, host, port, rack })
    this.onNodesChanged()
    return true
  }

  private allows(host: string): boolean {
    if (this.allowsHost(host)) return true
    this.onNodeRefused(
      `a broker names the host ${printable(host)}, which allowedBrokerHosts does not allow; ` +
        'nothing is sent there',
    )
    return false
  }

  private mergeAll(replies: ReadonlyMap<string, MetadataTopic>, context: MergeContext) {
    const topics = new Map<string, TopicMetadata>()
    let progressed = false
    let outdated = false
    for (const [name, reply] of replies) {
      if (reply.errorCode !== ErrorCodes.NONE) {
        outdated ||= refreshesMetadata(reply.errorCode)
        continue
      }
      const remembered = this.topics.get(name) ?? this.vanished.get(name)
      const { topic, progressed: news } = mergeTopic(name, reply, remembered, context)
      progressed ||= news
      outdated ||= topic.partitions.some(partition => refreshesMetadata(partition.errorCode))
      topics.set(name, topic)
    }
    return { topics, progressed, outdated }
  }

  /** Brokers whose address cannot or may not be connected to are left out: what they lead has no leader. */
  private nodesOf(brokers: readonly MetadataBroker[]): Map<number, BrokerNode> {
    const nodes = new Map<number, BrokerNode>()
    for (const broker of brokers) {
      if (!isUsable(broker) || !this.allows(broker.host)) continue
      const { nodeId: id, host, port, rack } = broker
      if (nodes.has(id)) throw new ProtocolError(`The metadata names broker ${id} twice`)
      nodes.set(id, { id, host, port, rack })
    }
    if (nodes.size > 0) return nodes
    throw new ProtocolError('The metadata names no broker that could be connected to, or may be')
  }

  private replaceTopics(merged: Map<string, TopicMetadata>, options: ApplyOptions): void {
    const next = new Map<string, TopicMetadata>()
    const vanished = new Map<string, TopicMetadata>()
    for (const [name, topic] of [...this.vanished, ...this.topics]) {
      if (!options.isTracked(name) || merged.has(name)) continue
      if (options.partial && !options.requested.has(name) && this.topics.has(name)) {
        next.set(name, topic)
        continue
      }
      vanished.set(name, withoutLeaders(topic))
    }
    for (const [name, topic] of merged) if (options.isTracked(name)) next.set(name, topic)
    this.topics = next
    this.vanished = vanished
    this.namesById = new Map()
    for (const topic of next.values())
      if (!isZeroUuid(topic.id)) this.namesById.set(uuidKey(topic.id), topic.name)
  }

  private replaceErrors(replies: ReadonlyMap<string, MetadataTopic>, options: ApplyOptions): void {
    for (const name of this.errors.keys()) if (!options.isTracked(name)) this.errors.delete(name)
    for (const name of options.requested) {
      const errorCode = replies.get(name)?.errorCode ?? ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION
      if (errorCode === ErrorCodes.NONE || !options.isTracked(name)) this.errors.delete(name)
      else this.errors.set(name, { code: errorCode, version: this.version + 1 })
    }
  }
}

/** The replies to what was asked, each checked for a size and for being the only one. */
function repliesOf(
  topics: readonly MetadataTopic[],
  requested: ReadonlySet<string>,
): Map<string, MetadataTopic> {
  const replies = new Map<string, MetadataTopic>()
  let partitionsTotal = 0
  for (const topic of topics) {
    if (topic.name === null || !requested.has(topic.name)) continue
    if (replies.has(topic.name)) {
      throw new ProtocolError(`The metadata names topic ${topic.name} twice`, { topic: topic.name })
    }
    partitionsTotal += partitionCount(topic.name, topic.partitions)
    if (partitionsTotal > PARTITIONS_MAX) {
      throw new ProtocolError(`The metadata names more than ${PARTITIONS_MAX} partitions`)
    }
    replies.set(topic.name, topic)
  }
  return replies
}
