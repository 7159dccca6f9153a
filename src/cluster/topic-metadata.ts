import { ProtocolError } from '../errors/index.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import type { MetadataPartition, MetadataTopic } from '../protocol/metadata.js'
import { isZeroUuid } from '../protocol/uuid.js'

/** More partitions than any cluster has; a reply that names more is refused. */
export const PARTITIONS_MAX = 1_000_000
/**
 * Brokers name every partition of a topic; a few may be missing, but a lone high index is a lie that costs
 * memory.
 */
const PARTITIONS_MISSING_MAX = 10_000

export interface PartitionMetadata {
  readonly index: number
  /** Id of the leader, which is a node of the cache when this was learnt; -1: none. */
  readonly leaderId: number
  /** Highest epoch seen of the leader; -1: unknown. */
  readonly leaderEpoch: number
  /** The protocol's error of this partition, 0: none. */
  readonly errorCode: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** Never changed once made: news of a topic come as another object. */
export interface TopicMetadata {
  readonly name: string
  /** 16 bytes, all zero if unknown. */
  readonly id: Uint8Array
  /** Dense: `partitions[i].index === i`. */
  readonly partitions: readonly PartitionMetadata[]
}

const NONE: readonly number[] = Object.freeze([])

function sameId(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (a[i] !== b[i]) return false
  return true
}

/** Whether `id` says that the topic was deleted and made again. Only two known ids can differ. */
function recreated(previous: TopicMetadata, id: Uint8Array): boolean {
  return !isZeroUuid(previous.id) && !isZeroUuid(id) && !sameId(previous.id, id)
}

/** Whether `id` says that this is the topic remembered, which cannot have lost partitions then. */
function isSameTopic(previous: TopicMetadata | undefined, id: Uint8Array): boolean {
  return previous !== undefined && !isZeroUuid(id) && sameId(previous.id, id)
}

function leaderOf(partition: MetadataPartition, isNode: (id: number) => boolean): number {
  if (partition.errorCode === ErrorCodes.LEADER_NOT_AVAILABLE) return -1
  return isNode(partition.leaderId) ? partition.leaderId : -1
}

/** What a reply and the memory of a topic make together. */
interface MergedTopic {
  readonly topic: TopicMetadata
  /** A newer leader epoch, or a partition not seen before: the reply was worth asking for. */
  readonly progressed: boolean
}

/** How replies are read: the nodes they name, and whether their leader epochs are to be relied on. */
export interface MergeContext {
  isNode(id: number): boolean
  /** False of replies before version 9: brokers could send stale epochs during reassignments. */
  readonly reliableEpochs: boolean
}

/**
 * Reads one topic of a reply over what is remembered of it. An epoch older than the one seen is news from
 * before, told by a broker that lags: the partition stays as it is. A new topic id starts afresh.
 * Partitions that the reply leaves out are there without a leader.
 */
export function mergeTopic(
  name: string,
  reply: MetadataTopic,
  remembered: TopicMetadata | undefined,
  context: MergeContext,
): MergedTopic {
  const previous = remembered !== undefined && recreated(remembered, reply.topicId) ? undefined : remembered
  const named = partitionCount(name, reply.partitions)
  const count = isSameTopic(previous, reply.topicId)
    ? Math.max(named, previous?.partitions.length ?? 0)
    : named
  const partitions = new Array<PartitionMetadata | undefined>(count)
  let progressed = previous !== remembered
  for (const partition of reply.partitions) {
    const index = partition.partitionIndex
    if (partitions[index] !== undefined) {
      throw new ProtocolError(`The metadata names partition ${name}-${index} twice`, { topic: name })
    }
    const known = previous?.partitions[index]
    const epoch = context.reliableEpochs ? partition.leaderEpoch : -1
    if (known !== undefined && epoch !== -1 && epoch < known.leaderEpoch) {
      partitions[index] = { ...known, leaderId: context.isNode(known.leaderId) ? known.leaderId : -1 }
      continue
    }
    if (known === undefined || epoch > known.leaderEpoch) progressed = true
    const { errorCode, replicaNodes: replicas, isrNodes: isr } = partition
    const told = {
      index,
      leaderId: leaderOf(partition, context.isNode),
      leaderEpoch: epoch,
      errorCode,
      replicas,
      isr,
    }
    // The object of before where nothing changed: most replies change nothing, and new objects cost more.
    partitions[index] = known !== undefined && isSamePartition(known, told) ? known : told
  }
  for (let index = 0; index < partitions.length; index++) {
    partitions[index] ??= leaderless(index, previous?.partitions[index]?.leaderEpoch ?? -1)
  }
  const id = isZeroUuid(reply.topicId) && previous !== undefined ? previous.id : reply.topicId
  return { topic: { name, id, partitions: partitions as PartitionMetadata[] }, progressed }
}

/** By the objects of the lists, which the reader hands out again for lists that are alike. */
function isSamePartition(a: PartitionMetadata, b: PartitionMetadata): boolean {
  return (
    a.leaderId === b.leaderId &&
    a.leaderEpoch === b.leaderEpoch &&
    a.errorCode === b.errorCode &&
    a.replicas === b.replicas &&
    a.isr === b.isr
  )
}

function leaderless(index: number, leaderEpoch: number): PartitionMetadata {
  const errorCode = ErrorCodes.LEADER_NOT_AVAILABLE
  return { index, leaderId: -1, leaderEpoch, errorCode, replicas: NONE, isr: NONE }
}

/** Highest index + 1, checked so that an array of that length may be made. */
export function partitionCount(name: string, partitions: readonly MetadataPartition[]): number {
  const highestAllowed = Math.min(PARTITIONS_MAX, partitions.length + PARTITIONS_MISSING_MAX) - 1
  let highest = -1
  for (const { partitionIndex } of partitions) {
    if (partitionIndex < 0 || partitionIndex > highestAllowed) {
      const of = `of topic ${name}, of which it names ${partitions.length}`
      throw new ProtocolError(`The metadata names partition ${partitionIndex} ${of}`, { topic: name })
    }
    highest = Math.max(highest, partitionIndex)
  }
  return highest + 1
}

/** The topic as before, but nobody leads its partitions; their epochs are kept. */
export function withoutLeaders(topic: TopicMetadata): TopicMetadata {
  const partitions = topic.partitions.map(partition => ({ ...partition, leaderId: -1 }))
  return { ...topic, partitions }
}

/** The topic as before, but for the leader of one of its partitions. */
export function withLeader(
  topic: TopicMetadata,
  partition: PartitionMetadata,
  leaderId: number,
  leaderEpoch: number,
): TopicMetadata {
  const partitions = topic.partitions.slice()
  partitions[partition.index] = { ...partition, leaderId, leaderEpoch, errorCode: ErrorCodes.NONE }
  return { ...topic, partitions }
}
