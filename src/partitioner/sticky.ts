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
  readonly queued: Iterable<QueuedPartition>
  /** False where the leader has not been drainable for longer than the availability time-out. */
  isDrainable(leaderId: number): boolean
}

export interface StickyOptions {
  /** Weigh by queue length (`partitioner.adaptive.partitioning.enable`). */
  adaptive: boolean
  /** A number in [0, 1). */
  random: () => number
}

/** Picks the next sticky partition of a topic. */
export function chooseStickyPartition(topic: TopicLoad, options: StickyOptions): number {
  const { available, partitionCount } = topic
  if (available.length === 0) return Math.floor(options.random() * partitionCount)
  if (options.adaptive) {
    const weighed = chooseByLoad(topic, options.random)
    if (weighed >= 0) return weighed
  }
  return available[Math.floor(options.random() * available.length)] as number
}

/** Up to so many are sorted by insertion. */
const FEW = 16

/** Where a partition with something queued stands in `available`, and how much it has. */
interface Queued {
  at: number
  length: number
  isLeftOut: boolean
}

/**
 * Weight of a partition = longest queue + 1 − its own queue, so the longest still gets one share, and those
 * with nothing queued share alike; so it takes only as long as there are partitions with a queue. Partitions
 * with a queue whose leader takes nothing are left out. -1 where that leaves none.
 */
function chooseByLoad(topic: TopicLoad, random: () => number): number {
  const { available } = topic
  const queued = queuedIn(topic)
  let longest = 0
  for (const { length, isLeftOut } of queued) if (!isLeftOut && length > longest) longest = length
  const idle = available.length - queued.length
  const idleWeight = idle * (longest + 1)
  let total = idleWeight
  for (const { length, isLeftOut } of queued) if (!isLeftOut) total += longest + 1 - length
  if (total === 0) return -1
  let point = Math.floor(random() * total)
  if (point < idleWeight) return available[idlePlace(Math.floor(point / (longest + 1)), queued)] as number
  point -= idleWeight
  const chosen = queued.find(({ length, isLeftOut }) => {
    if (!isLeftOut) point -= longest + 1 - length
    return point < 0
  })
  return available[(chosen as Queued).at] as number
}

/** Partitions that have a leader and something queued, ascending. */
function queuedIn({ available, queued, isDrainable }: TopicLoad): Queued[] {
  const found: Queued[] = []
  for (const { index, leaderId, queue } of queued) {
    const at = placeOf(index, available)
    if (at >= 0) found.push({ at, length: queue.length, isLeftOut: !isDrainable(leaderId) })
  }
  return found.length > FEW ? found.sort((one, other) => one.at - other.at) : sortFew(found)
}

/** In place, by insertion: a comparison that is called back costs more than a few of these. */
function sortFew(found: Queued[]): Queued[] {
  for (let i = 1; i < found.length; i++) {
    const moved = found[i] as Queued
    let to = i
    for (; to > 0 && (found[to - 1] as Queued).at > moved.at; to--) found[to] = found[to - 1] as Queued
    found[to] = moved
  }
  return found
}

/** The place of the nth partition that has nothing queued. */
function idlePlace(nth: number, queued: readonly Queued[]): number {
  let place = nth
  for (const { at } of queued) {
    if (at > place) break
    place++
  }
  return place
}

/** Binary search; -1 if it is not there. */
function placeOf(index: number, ascending: readonly number[]): number {
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
