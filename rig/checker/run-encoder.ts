import { type Frame, FrameKind } from '../frames.js'
import { freeSlotOf, type Layout, slotOf, slotsOf } from '../layout.js'
import { placeOf } from '../place.js'
import { parseRecord } from '../record.js'

/**
 * Judges records one by one and joins sound neighbours to runs, as ChaosReader.java does for a real Kafka.
 * What is not sound counts for the slot of the partition where it stands. Call `endPartition` after the last
 * record of a partition and `endTopic` after the last partition of a topic.
 */
export class RunEncoder {
  private readonly run: number
  private readonly layout: Layout
  private readonly take: (frame: Frame) => void
  /** By slot: records of a free lane stand among those that name the partition. */
  private readonly open: (Frame | null)[]

  constructor(run: number, layout: Layout, take: (frame: Frame) => void) {
    this.run = run
    this.layout = layout
    this.take = take
    this.open = new Array<Frame | null>(slotsOf(layout, true)).fill(null)
  }

  add(topicId: number, partition: number, offset: number, value: Uint8Array | null): void {
    const { flags, sequence, isFree } = parseRecord(value, this.run, topicId, partition)
    const slot = isFree ? freeSlotOf(this.layout, topicId) : slotOf(this.layout, topicId, partition)
    const place = placeOf(partition, offset)
    const open = this.open[slot] ?? null
    const continues =
      open !== null &&
      flags === 0 &&
      open.flags === 0 &&
      open.sequence + open.count === sequence &&
      open.place + open.count === place
    if (continues) {
      open.count++
      return
    }
    this.close(slot)
    this.open[slot] = { kind: FrameKind.READ, flags, slot, count: 1, sequence, place, atMs: 0 }
  }

  /** The partition is read to its end. */
  endPartition(topicId: number, partition: number): void {
    this.end(slotOf(this.layout, topicId, partition))
  }

  /** All partitions of the topic are read to their ends, and with them its free lane. */
  endTopic(topicId: number): void {
    this.end(freeSlotOf(this.layout, topicId))
  }

  private end(slot: number): void {
    this.close(slot)
    this.take({ kind: FrameKind.END, flags: 0, slot, count: 0, sequence: 0, place: 0, atMs: 0 })
  }

  private close(slot: number): void {
    const open = this.open[slot]
    if (open) this.take(open)
    this.open[slot] = null
  }
}
