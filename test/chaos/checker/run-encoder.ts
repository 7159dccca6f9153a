import { type Frame, FrameKind } from '../frames.js'
import { parseRecord } from '../record.js'

/**
 * Judges records one by one and joins sound neighbours to runs, as ChaosReader.java does for a real Kafka.
 * Call `end` after the last record of a slot.
 */
export class RunEncoder {
  private readonly run: number
  private readonly take: (frame: Frame) => void
  private open: Frame | null = null

  constructor(run: number, take: (frame: Frame) => void) {
    this.run = run
    this.take = take
  }

  add(slot: number, topicId: number, partition: number, offset: number, value: Uint8Array | null): void {
    const { flags, sequence } = parseRecord(value, this.run, topicId, partition)
    const { open } = this
    const continues =
      open !== null &&
      flags === 0 &&
      open.flags === 0 &&
      open.slot === slot &&
      open.sequence + open.count === sequence &&
      open.offset + open.count === offset
    if (continues) {
      open.count++
      return
    }
    this.close()
    this.open = { kind: FrameKind.READ, flags, slot, count: 1, sequence, offset, atMs: 0 }
  }

  /** The slot is read to its end offset. */
  end(slot: number, endOffset: number): void {
    this.close()
    this.take({ kind: FrameKind.END, flags: 0, slot, count: 0, sequence: endOffset, offset: 0, atMs: 0 })
  }

  private close(): void {
    if (this.open !== null) this.take(this.open)
    this.open = null
  }
}
