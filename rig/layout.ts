/**
 * Which slots there are. Every partition of every topic has one, for the records that name it:
 * slot = topicId × partitions + partition. After them every topic has one more, its free lane, for the records
 * that leave their partition to the producer. Clients that have no such records leave it out.
 */
export interface Layout {
  topics: readonly string[]
  partitions: number
}

/** The slot of the records that name this partition. */
export function slotOf({ partitions }: Layout, topicId: number, partition: number): number {
  return topicId * partitions + partition
}

/** The slot of the topic's free lane. */
export function freeSlotOf({ topics, partitions }: Layout, topicId: number): number {
  return topics.length * partitions + topicId
}

/** Slots of a client with or without free lanes. */
export function slotsOf({ topics, partitions }: Layout, hasFreeLanes: boolean): number {
  return topics.length * (partitions + (hasFreeLanes ? 1 : 0))
}

export function slotName({ topics, partitions }: Layout, slot: number): string {
  const named = topics.length * partitions
  if (slot >= named) return `${topics[slot - named]}, free`
  return `${topics[Math.floor(slot / partitions)]}-${slot % partitions}`
}
