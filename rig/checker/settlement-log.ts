import { type Frame, FrameKind } from '../frames.js'
import { PLACE_UNKNOWN } from '../place.js'
import { RangeList } from './ranges.js'

/** What a client said became of its records, slot by slot: a few words per stretch of records, not per record. */
export class SettlementLog {
  /** Records handed to the client, by slot. */
  readonly sent: number[]
  readonly ranges: RangeList[]
  /** Records acknowledged so far, by slot: for rates, and to see that sending goes on. */
  readonly acked: number[]
  readonly refused: number[]
  readonly ambiguous: number[]
  /** How often the client has told all of it; a client that is blocked does not. */
  tells = 0

  constructor(slots: number) {
    this.sent = new Array<number>(slots).fill(0)
    this.acked = new Array<number>(slots).fill(0)
    this.refused = new Array<number>(slots).fill(0)
    this.ambiguous = new Array<number>(slots).fill(0)
    this.ranges = Array.from({ length: slots }, () => new RangeList())
  }

  get slots(): number {
    return this.sent.length
  }

  get totalSent(): number {
    return sum(this.sent)
  }

  get totalAcked(): number {
    return sum(this.acked)
  }

  get totalSettled(): number {
    return this.totalAcked + sum(this.refused) + sum(this.ambiguous)
  }

  take({ kind, slot, count, sequence, place }: Frame): void {
    if (slot >= this.slots) throw new Error(`a client spoke of slot ${slot}; there are ${this.slots}`)
    if (kind === FrameKind.SENT) {
      this.sent[slot] = Math.max(this.sent[slot] as number, sequence)
      if (slot === this.slots - 1) this.tells++
      return
    }
    const counts =
      kind === FrameKind.ACKED ? this.acked : kind === FrameKind.REFUSED ? this.refused : this.ambiguous
    counts[slot] = (counts[slot] as number) + count
    this.ranges[slot]?.add(kind, sequence, count, kind === FrameKind.ACKED ? place : PLACE_UNKNOWN)
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
