/**
 * The built-in partitioner's choice for records without a key (KIP-794, Java: `BuiltInPartitioner`).
 * When to choose anew is decided where bytes are counted, in native code; this is what to choose.
 */

/** A partition that has something queued. */
interface QueuedPartition {
  readonly index: number
  /** -1 if it has none. */
  readonly leaderId: number
  /** Batches; at least one. */
  readonly queue: { readonly length: number }
}

/** What the choice needs to know of a topic. */
export interface TopicLoad {
  readonly partitionCount: number
  /** Indexes of the partitions that have a leader, ascending. */
  readonly available: readonly number[]
  /** Partitions with something queued, whether they have a leader or not, in any order. */
  readonly queued: readonly QueuedPartition[]
}

export interface StickyOptions {
  /** Weigh by queue length (`partitioner.adaptive.partitioning.enable`). */
  adaptive: boolean
  /** A number in [0, 1). */
  random: () => number
  /** False where the leader has not been drainable for longer than the availability time-out. */
  isDrainable: (leaderId: number) => boolean
}

/** Picks the next sticky partition of a topic. */
export function chooseStickyPartition(topic: TopicLoad, options: StickyOptions): number {
  const { available, partitionCount } = topic
  if (available.length === 0) return Math.floor(options.random() * partitionCount)
  if (options.adaptive) {
    const weighed = chooseByLoad(topic, options)
    if (weighed >= 0) return weighed
  }
  return available[Math.floor(options.random() * available.length)] as number
}

/** Up to so many with a queue are looked at again and again, which takes no memory. */
const FEW = 16

/**
 * Weight of a partition = longest queue + 1 − its own queue, so the longest still gets one share, and those
 * with nothing queued share alike; so it takes only as long as there are partitions with a queue. Partitions
 * with a queue whose leader takes nothing are left out. -1 where that leaves none. Makes no object: where
 * batches are small, it is asked once for each.
 */
function chooseByLoad({ available, queued }: TopicLoad, { random, isDrainable }: StickyOptions): number {
  let idle = available.length
  let chosen = 0
  let length = 0
  let longest = 0
  for (const partition of queued) {
    if (placeOf(partition.index, available) < 0) continue
    idle--
    if (!isDrainable(partition.leaderId)) continue
    chosen++
    length += partition.queue.length
    longest = Math.max(longest, partition.queue.length)
  }
  const idleWeight = idle * (longest + 1)
  const total = idleWeight + chosen * (longest + 1) - length
  if (total === 0) return -1
  let point = Math.floor(random() * total)
  if (point < idleWeight)
    return available[idlePlace(Math.floor(point / (longest + 1)), available, queued)] as number
  point -= idleWeight
  for (const { index, leaderId, queue } of queued) {
    if (placeOf(index, available) < 0 || !isDrainable(leaderId)) continue
    point -= longest + 1 - queue.length
    if (point < 0) return index
  }
  return -1
}

/** The place of the nth partition that has nothing queued: n, and one more for each before it that has. */
function idlePlace(nth: number, available: readonly number[], queued: readonly QueuedPartition[]): number {
  if (queued.length > FEW) return idlePlaceAmongMany(nth, available, queued)
  let place = nth
  for (;;) {
    let before = 0
    for (const { index } of queued) {
      const at = placeOf(index, available)
      if (at >= 0 && at <= place) before++
    }
    if (place === nth + before) return place
    place = nth + before
  }
}

function idlePlaceAmongMany(
  nth: number,
  available: readonly number[],
  queued: readonly QueuedPartition[],
): number {
  const places = Int32Array.from(queued, ({ index }) => placeOf(index, available)).sort()
  let place = nth
  for (const at of places) {
    if (at > place) break
    if (at >= 0) place++
  }
  return place
}

/** Binary search, unless all have a leader; -1 if it is not there. */
function placeOf(index: number, ascending: readonly number[]): number {
  if (ascending[index] === index) return index
  let low = 0
  let high = Math.min(index, ascending.length - 1)
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = ascending[middle] as number
    if (found === index) return middle
    if (found < index) low = middle + 1
    else high = middle - 1
  }
  return -1
}
