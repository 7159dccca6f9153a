import type { FrameKind, FrameWriter } from '../frames.js'

/** Records there is room for at first, from the oldest unsettled one to the newest settled one. It grows. */
const CAPACITY_FIRST = 256
const OPEN = 0
const TOLD = 255

/**
 * What became of one slot's records since the last `tell`. The ways of sending settle one after the other, so
 * outcomes come in no order. Joined for a while they make long frames all the same: the log of a run stays
 * small.
 */
export class Outcomes {
  private readonly slot: number
  private readonly out: FrameWriter
  /** By the sequence, round and round: a kind of frame, {@link OPEN} or {@link TOLD}. */
  private kinds = new Uint8Array(CAPACITY_FIRST)
  private places = new Float64Array(CAPACITY_FIRST)
  /** All before it are in frames. */
  private low = 0
  /** None from here on is settled. */
  private high = 0
  private isChanged = false

  constructor(slot: number, out: FrameWriter) {
    this.slot = slot
    this.out = out
  }

  add(sequence: number, kind: FrameKind, place: number): void {
    if (sequence - this.low >= this.kinds.length) this.grow(sequence)
    const at = sequence % this.kinds.length
    if (sequence < this.low || this.kinds[at] !== OPEN) {
      // Settled once more: the checker is to see both.
      this.out.frame(kind, this.slot, 1, sequence, place)
      return
    }
    this.kinds[at] = kind
    this.places[at] = place
    if (sequence >= this.high) this.high = sequence + 1
    this.isChanged = true
  }

  /** Writes frames for all that has been added. */
  tell(): void {
    if (!this.isChanged) return
    this.isChanged = false
    const { kinds, places } = this
    for (let sequence = this.low; sequence < this.high; ) {
      const at = sequence % kinds.length
      const kind = kinds[at] as number
      if (kind === OPEN || kind === TOLD) {
        sequence++
        continue
      }
      const place = places[at] as number
      let count = 0
      while (sequence + count < this.high && this.continues(sequence + count, kind, place, count)) {
        kinds[(sequence + count) % kinds.length] = TOLD
        count++
      }
      this.out.frame(kind as FrameKind, this.slot, count, sequence, place)
      sequence += count
    }
    while (this.low < this.high && kinds[this.low % kinds.length] === TOLD) {
      kinds[this.low % kinds.length] = OPEN
      this.low++
    }
  }

  private continues(sequence: number, kind: number, firstPlace: number, count: number): boolean {
    const at = sequence % this.kinds.length
    if (this.kinds[at] !== kind) return false
    const place = this.places[at] as number
    return firstPlace < 0 ? place < 0 : place === firstPlace + count
  }

  private grow(sequence: number): void {
    const { kinds, places } = this
    let capacity = kinds.length
    while (sequence - this.low >= capacity) capacity *= 2
    this.kinds = new Uint8Array(capacity)
    this.places = new Float64Array(capacity)
    for (let each = this.low; each < this.high; each++) {
      this.kinds[each % capacity] = kinds[each % kinds.length] as number
      this.places[each % capacity] = places[each % kinds.length] as number
    }
  }
}
