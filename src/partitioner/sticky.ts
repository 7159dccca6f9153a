/**
 * The built-in partitioner's choice for records without a key (KIP-794, Java: `BuiltInPartitioner`).
 * When to choose anew is decided where bytes are counted, in native code; this is what to choose.
 */

/** What the choice needs to know of a topic; queue lengths are in batches. */
export interface TopicLoad {
  readonly partitionCount: number
  /** Indexes of the partitions that have a leader. */
  readonly available: readonly number[]
  queueLength(partition: number): number
  /** False where the leader has not been drainable for longer than the availability time-out. */
  isDrainable(partition: number): boolean
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

/**
 * Weight of a partition = longest queue + 1 − its own queue, so the longest still gets one share.
 * -1 where load says nothing: fewer than two partitions, or all queues equal and none left out.
 */
function chooseByLoad(topic: TopicLoad, random: () => number): number {
  const candidates: number[] = []
  const lengths: number[] = []
  let longest = 0
  let allEqual = true
  for (const partition of topic.available) {
    const length = topic.queueLength(partition)
    if (length > 0 && !topic.isDrainable(partition)) continue
    if (lengths.length > 0 && length !== lengths[0]) allEqual = false
    if (length > longest) longest = length
    candidates.push(partition)
    lengths.push(length)
  }
  const nothingLeftOut = candidates.length === topic.available.length
  if (candidates.length === 0 || topic.partitionCount < 2 || (allEqual && nothingLeftOut)) return -1
  let total = 0
  for (const length of lengths) total += longest + 1 - length
  let point = Math.floor(random() * total)
  for (let at = 0; at < lengths.length; at++) {
    point -= longest + 1 - (lengths[at] as number)
    if (point < 0) return candidates[at] as number
  }
  return candidates[candidates.length - 1] as number
}
