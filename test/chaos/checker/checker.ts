import { type Frame, FrameKind, ReadFlag } from '../frames.js'
import { RangeList, SequenceSet } from './ranges.js'
import type { SettlementLog } from './settlement-log.js'

/** What may be wrong with a run; every class must be 0 unless a lane says otherwise. */
export interface Classes {
  /** Acknowledged, yet not in the log. */
  lost: number
  /** In the log more than once. */
  duplicated: number
  /** In the log after a record that was sent later. */
  reordered: number
  /** In the log of another topic or partition than it was made for. */
  foreign: number
  /** Bytes changed. */
  torn: number
  /** In the log although refused for certain, never sent, or of another run. */
  phantom: number
  /** Acknowledged at an offset that holds something else. */
  offsetLie: number
  /** Neither acknowledged nor failed, or told more than once. */
  unsettled: number
}

export const CLASS_NAMES = [
  'lost',
  'duplicated',
  'reordered',
  'foreign',
  'torn',
  'phantom',
  'offsetLie',
  'unsettled',
] as const satisfies readonly (keyof Classes)[]

/** The checker's verdict over a run. */
export interface Verdict {
  classes: Classes
  sent: number
  acked: number
  /** Acknowledged without an offset: the broker answered that it had the records already. */
  offsetUnknown: number
  /** Failed and certainly not stored. */
  refused: number
  /** Failed and perhaps stored. */
  ambiguous: number
  /** Of the ambiguous, those that are in the log. */
  ambiguousRead: number
  /** Records in the log. */
  read: number
  /** The first few findings in words. */
  examples: string[]
}

const EXAMPLES_MAX = 20

/**
 * Compares what a client said with what a reader read, and never looks at how either came by it: all lanes,
 * clients and brokers are judged by this one class. Feed `take` with the reader's frames, per slot in the order
 * of offsets, then ask for the verdict.
 */
export class Checker {
  private readonly settlements: SettlementLog
  private readonly slots: SlotState[]
  private readonly nameOf: (slot: number) => string

  constructor(settlements: SettlementLog, nameOf: (slot: number) => string = slot => `slot ${slot}`) {
    this.settlements = settlements
    this.nameOf = nameOf
    this.slots = Array.from({ length: settlements.slots }, () => new SlotState())
  }

  take({ kind, slot, count, sequence, offset, flags }: Frame): void {
    const state = this.slots[slot]
    if (state === undefined) throw new Error(`a reader spoke of slot ${slot}`)
    if (kind === FrameKind.END) state.isComplete = true
    else state.read(sequence, count, offset, flags)
  }

  verdict(): Verdict {
    const verdict: Verdict = {
      classes: {
        lost: 0,
        duplicated: 0,
        reordered: 0,
        foreign: 0,
        torn: 0,
        phantom: 0,
        offsetLie: 0,
        unsettled: 0,
      },
      sent: this.settlements.totalSent,
      acked: this.settlements.totalAcked,
      offsetUnknown: 0,
      refused: 0,
      ambiguous: 0,
      ambiguousRead: 0,
      read: 0,
      examples: [],
    }
    for (const [slot, state] of this.slots.entries()) {
      if (!state.isComplete) throw new Error(`the reader did not reach the end of ${this.nameOf(slot)}`)
      const say = (text: string) => {
        if (verdict.examples.length < EXAMPLES_MAX) verdict.examples.push(`${this.nameOf(slot)}: ${text}`)
      }
      judgeReadings(state, verdict, say)
      this.judgeSettlements(slot, state, verdict, say)
    }
    return verdict
  }

  private judgeSettlements(
    slot: number,
    state: SlotState,
    verdict: Verdict,
    say: (text: string) => void,
  ): void {
    const { classes } = verdict
    const sent = this.settlements.sent[slot] as number
    const told = new SequenceSet()
    for (const { kind, sequence, count, offset } of this.settlements.ranges[slot]?.inOrder() ?? []) {
      for (let i = 0; i < count; i++) {
        const each = sequence + i
        if (!told.add(each)) {
          classes.unsettled++
          say(`record ${each} was settled more than once`)
          continue
        }
        const isRead = state.seen.has(each)
        if (kind === FrameKind.ACKED) {
          if (!isRead) {
            classes.lost++
            say(`record ${each} was acknowledged at offset ${offset < 0 ? '?' : offset + i} and is lost`)
          } else if (offset < 0) verdict.offsetUnknown++
          else if (!state.wasReadAt(each, offset + i)) {
            classes.offsetLie++
            say(`record ${each} was acknowledged at offset ${offset + i}, where it is not`)
          }
        } else if (kind === FrameKind.REFUSED) {
          verdict.refused++
          if (isRead) {
            classes.phantom++
            say(`record ${each} was refused and is stored`)
          }
        } else {
          verdict.ambiguous++
          if (isRead) verdict.ambiguousRead++
        }
      }
    }
    for (let each = 0; each < sent; each++) {
      if (told.has(each)) continue
      classes.unsettled++
      say(`record ${each} was never settled`)
    }
    const beyond = state.countFrom(sent)
    if (beyond > 0) {
      classes.phantom += beyond
      say(`${beyond} record(s) that were never sent are stored`)
    }
  }
}

function judgeReadings(state: SlotState, verdict: Verdict, say: (text: string) => void): void {
  const { classes } = verdict
  verdict.read += state.count
  classes.torn += state.torn
  classes.foreign += state.foreign
  classes.phantom += state.strangers
  classes.duplicated += state.duplicated
  classes.reordered += state.reordered
  for (const finding of state.findings) say(finding)
}

/** What has been read of one slot. */
class SlotState {
  count = 0
  torn = 0
  foreign = 0
  strangers = 0
  duplicated = 0
  reordered = 0
  isComplete = false
  readonly findings: string[] = []
  readonly seen = new SequenceSet()
  private readonly places = new RangeList()
  private highest = -1
  private sorted: { sequence: number; count: number; offset: number }[] | null = null
  private cursor = 0

  read(sequence: number, count: number, offset: number, flags: number): void {
    this.count += count
    if (flags !== 0) {
      this.readOdd(sequence, count, offset, flags)
      return
    }
    this.places.add(FrameKind.READ, sequence, count, offset)
    for (let each = sequence; each < sequence + count; each++) {
      if (!this.seen.add(each)) {
        this.duplicated++
        this.note(`record ${each} is stored again at offset ${offset + each - sequence}`)
      } else if (each < this.highest) {
        this.reordered++
        this.note(`record ${each} stands after ${this.highest}, at offset ${offset + each - sequence}`)
      }
      if (each > this.highest) this.highest = each
    }
  }

  private readOdd(sequence: number, count: number, offset: number, flags: number): void {
    const what = []
    if ((flags & ReadFlag.TORN) !== 0) {
      this.torn += count
      what.push('torn')
    }
    if ((flags & ReadFlag.FOREIGN) !== 0) {
      this.foreign += count
      what.push('foreign')
    }
    if ((flags & ReadFlag.STRANGER) !== 0) {
      this.strangers += count
      what.push('of another run')
    }
    this.note(`the record at offset ${offset} is ${what.join(' and ')} (sequence ${sequence})`)
  }

  private note(text: string): void {
    if (this.findings.length < EXAMPLES_MAX) this.findings.push(text)
  }

  /** Asked with rising sequences, as ranges are walked in order. */
  wasReadAt(sequence: number, offset: number): boolean {
    this.sorted ??= this.places.inOrder()
    const { sorted } = this
    while (this.cursor > 0 && (sorted[this.cursor]?.sequence ?? Infinity) > sequence) this.cursor--
    while (this.cursor < sorted.length) {
      const place = sorted[this.cursor] as { sequence: number; count: number; offset: number }
      if (place.sequence + place.count > sequence) break
      this.cursor++
    }
    // Of a record that is stored twice any of its places is good enough: the other class counts it.
    for (let index = this.cursor; index < sorted.length; index++) {
      const place = sorted[index] as { sequence: number; count: number; offset: number }
      if (place.sequence > sequence) break
      const isThere = sequence < place.sequence + place.count
      if (isThere && place.offset + (sequence - place.sequence) === offset) return true
    }
    return false
  }

  /** Records read with this sequence or a later one. */
  countFrom(sequence: number): number {
    let count = 0
    for (let each = sequence; each <= this.highest; each++) if (this.seen.has(each)) count++
    return count
  }
}
