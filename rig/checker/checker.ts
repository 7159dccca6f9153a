import { type Frame, FrameKind, ReadFlag } from '../frames.js'
import { partitionOf, placeName } from '../place.js'
import { PlaceFinder, RangeList, SequenceSet } from './ranges.js'
import type { SettlementLog } from './settlement-log.js'

/** What may be wrong with a run; every class must be 0 unless a lane says otherwise. */
export interface Classes {
  /** Acknowledged, yet not in the log. */
  lost: number
  /** In the log more than once. */
  duplicated: number
  /** In its partition's log after a record of the same slot that was sent later. */
  reordered: number
  /** In the log of another topic or partition than it was made for. */
  foreign: number
  /** Bytes changed. */
  torn: number
  /** In the log although refused for certain, never sent, or of another run. */
  phantom: number
  /** Acknowledged at a partition and offset that hold something else. */
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
  /** Acknowledged, and gone with a topic that was deleted. */
  deleted: number
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
 * clients and brokers are judged by this one class. Feed `take` with the reader's frames, those of each slot
 * and partition in the order of offsets, then ask for the verdict.
 */
export class Checker {
  private readonly settlements: SettlementLog
  private readonly slots: SlotState[]
  private readonly nameOf: (slot: number) => string
  private readonly floors: readonly number[]

  /**
   * `floors`, by slot: what was acknowledged before this sequence may have gone with a topic that was deleted, so
   * long as nothing that was sent before it is in the log.
   */
  constructor(
    settlements: SettlementLog,
    nameOf: (slot: number) => string = slot => `slot ${slot}`,
    floors: readonly number[] = [],
  ) {
    this.settlements = settlements
    this.nameOf = nameOf
    this.floors = floors
    this.slots = Array.from({ length: settlements.slots }, () => new SlotState())
  }

  take({ kind, slot, count, sequence, place, flags }: Frame): void {
    const state = this.slots[slot]
    if (kind === FrameKind.END) {
      // Readers look for free lanes whether the client has them or not.
      if (state !== undefined) state.isComplete = true
      return
    }
    if (state === undefined) throw new Error(`a reader spoke of slot ${slot}`)
    state.read(sequence, count, place, flags)
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
      deleted: 0,
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
    const places = new PlaceFinder(state.places)
    const floor = Math.min(this.floors[slot] ?? 0, state.firstOfAll)
    for (const { kind, sequence, count, place } of this.settlements.ranges[slot]?.inOrder() ?? []) {
      for (let i = 0; i < count; i++) {
        const each = sequence + i
        if (!told.add(each)) {
          classes.unsettled++
          say(`record ${each} was settled more than once`)
          continue
        }
        const isRead = state.seen.has(each)
        if (kind === FrameKind.ACKED) {
          if (!isRead && each < floor) verdict.deleted++
          else if (!isRead) {
            classes.lost++
            say(`record ${each} was acknowledged at ${placeName(place < 0 ? place : place + i)} and is lost`)
          } else if (place < 0) verdict.offsetUnknown++
          else if (!places.has(each, place + i)) {
            classes.offsetLie++
            say(`record ${each} was acknowledged at ${placeName(place + i)}, where it is not`)
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
  readonly places = new RangeList()
  /** The highest sequence that was read from each partition. */
  private readonly highest: number[] = []
  /** The first sequence that was read from each partition. */
  private readonly lowest = new Map<number, number>()

  read(sequence: number, count: number, place: number, flags: number): void {
    this.count += count
    if (flags !== 0) {
      this.readOdd(sequence, count, place, flags)
      return
    }
    this.places.add(FrameKind.READ, sequence, count, place)
    const partition = partitionOf(place)
    let highest = this.highest[partition] ?? -1
    if (!this.lowest.has(partition)) this.lowest.set(partition, sequence)
    for (let each = sequence; each < sequence + count; each++) {
      if (!this.seen.add(each)) {
        this.duplicated++
        this.note(`record ${each} is stored again at ${placeName(place + each - sequence)}`)
      } else if (each < highest) {
        this.reordered++
        this.note(`record ${each} stands after ${highest}, at ${placeName(place + each - sequence)}`)
      }
      if (each > highest) highest = each
    }
    this.highest[partition] = highest
  }

  private readOdd(sequence: number, count: number, place: number, flags: number): void {
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
    this.note(`the record at ${placeName(place)} is ${what.join(' and ')} (sequence ${sequence})`)
  }

  /**
   * The first sequence that is in the log, where all of the slot is in one partition and so in one order; without
   * bounds where it is in several, each of which begins at another.
   */
  get firstOfAll(): number {
    return this.lowest.size === 1 ? (this.lowest.values().next().value as number) : Infinity
  }

  private note(text: string): void {
    if (this.findings.length < EXAMPLES_MAX) this.findings.push(text)
  }

  /** Records read with this sequence or a later one. */
  countFrom(sequence: number): number {
    const highest = this.highest.reduce((most, each) => Math.max(most, each), -1)
    let count = 0
    for (let each = sequence; each <= highest; each++) if (this.seen.has(each)) count++
    return count
  }
}
