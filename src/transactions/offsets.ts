import { InvalidRecordError } from '../errors/index.js'

/** An offset for a consumer group to go on from: that of the next record to be read. */
export interface TopicPartitionOffset {
  /** The topic read from. */
  readonly topic: string
  /** Its partition. */
  readonly partition: number
  /** That of the next record to be read; beyond 2^53 as a bigint or text. */
  readonly offset: bigint | number | string
  /** Leader epoch of the last record read; default unknown. */
  readonly leaderEpoch?: number | null | undefined
  /** Text that is kept with the offset. Default none. */
  readonly metadata?: string | null | undefined
}

/**
 * What a consumer knows of its place in its group, by which the broker refuses offsets of a member that has
 * lost its partitions meanwhile. Only `groupId` is needed, and only it is given by a consumer that assigns
 * its partitions itself.
 */
export interface ConsumerGroupMetadata {
  /** Name of the group. */
  readonly groupId: string
  /** The group's generation when the records were read. Default -1: none. */
  readonly generationId?: number | null | undefined
  /** The consumer's id in the group. Default '': none; so is null, of consumers that are in no group. */
  readonly memberId?: string | null | undefined
  /** The consumer's `group.instance.id`. Default null: none. */
  readonly groupInstanceId?: string | null | undefined
}

/** An offset after it has been checked. */
export interface CheckedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export interface CheckedGroup {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

const INT32_MAX = 0x7fffffff
const INT64_MAX = 2n ** 63n - 1n

function refuse(what: string): never {
  throw new InvalidRecordError(`sendOffsetsToTransaction: ${what}.`)
}

/** Throws what is wrong with the metadata of a group. */
export function checkGroup(group: ConsumerGroupMetadata): CheckedGroup {
  if (group === null || typeof group !== 'object') {
    refuse('the second argument must be the metadata of the consumer group, such as { groupId: "group" }')
  }
  const { groupId, groupInstanceId = null } = group
  const generationId = group.generationId ?? -1
  const memberId = group.memberId ?? ''
  if (typeof groupId !== 'string' || groupId === '') refuse('groupId must be a string that is not empty')
  if (!Number.isInteger(generationId) || generationId < -1 || generationId > INT32_MAX) {
    refuse(`generationId must be an integer of at least -1, not ${String(generationId)}`)
  }
  if (typeof memberId !== 'string') refuse('memberId must be a string or null')
  if (groupInstanceId !== null && typeof groupInstanceId !== 'string') {
    refuse('groupInstanceId must be a string or null')
  }
  if (generationId > 0 && memberId === '') refuse(`generation ${generationId} needs a memberId`)
  return { groupId, generationId, memberId, groupInstanceId }
}

/** Throws what is wrong with one of the offsets. Of two for a partition the later counts. */
export function checkOffsets(offsets: Iterable<TopicPartitionOffset>): CheckedOffset[] {
  const isIterable = offsets !== null && typeof offsets === 'object' && Symbol.iterator in offsets
  if (!isIterable) refuse('the first argument must be an iterable of { topic, partition, offset }')
  const checked = new Map<string, CheckedOffset>()
  for (const each of offsets) {
    const offset = checkOffset(each)
    checked.set(`${offset.topic}-${offset.partition}`, offset)
  }
  return [...checked.values()]
}

function checkOffset(given: TopicPartitionOffset): CheckedOffset {
  if (given === null || typeof given !== 'object') refuse('each offset must be { topic, partition, offset }')
  const { topic, partition, leaderEpoch, metadata } = given
  if (typeof topic !== 'string' || topic === '') refuse('topic must be a string that is not empty')
  if (!Number.isInteger(partition) || partition < 0 || partition > INT32_MAX) {
    refuse(`partition of topic ${topic} must be an integer of at least 0, not ${String(partition)}`)
  }
  if (metadata !== undefined && metadata !== null && typeof metadata !== 'string') {
    refuse(`metadata of ${topic}-${partition} must be a string or null`)
  }
  const epoch = leaderEpoch ?? -1
  if (!Number.isInteger(epoch) || epoch < -1 || epoch > INT32_MAX) {
    refuse(`leaderEpoch of ${topic}-${partition} must be an integer of at least -1, not ${String(epoch)}`)
  }
  const offset = asOffset(given.offset, `${topic}-${partition}`)
  return { topic, partition, offset, leaderEpoch: epoch, metadata: metadata ?? null }
}

/** Clients give offsets as bigint, number or decimal text. */
function asOffset(given: unknown, place: string): bigint {
  const isExact =
    typeof given === 'bigint' ||
    (typeof given === 'number' && Number.isSafeInteger(given)) ||
    (typeof given === 'string' && /^\d{1,19}$/.test(given))
  const offset = isExact ? BigInt(given) : -1n
  if (offset < 0n || offset > INT64_MAX) {
    refuse(`offset of ${place} must be a whole number of at least 0, not ${String(given)}`)
  }
  return offset
}
