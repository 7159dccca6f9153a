/** Words kept per range. */
const WORDS = 4

/** A stretch of consecutive sequences with one kind of outcome and, where known, consecutive places. */
export interface Range {
  kind: number
  sequence: number
  count: number
  /** Of the first record; -1 where unknown. */
  place: number
}

/** Ranges in a growing typed array. One that continues the last is joined to it. */
export class RangeList {
  private words = new Float64Array(64 * WORDS)
  length = 0

  add(kind: number, sequence: number, count: number, place: number): void {
    if (this.length > 0) {
      const last = (this.length - 1) * WORDS
      const { words } = this
      const lastCount = words[last + 2] as number
      const lastPlace = words[last + 3] as number
      const continues = place < 0 ? lastPlace < 0 : lastPlace >= 0 && lastPlace + lastCount === place
      if (words[last] === kind && (words[last + 1] as number) + lastCount === sequence && continues) {
        words[last + 2] = lastCount + count
        return
      }
    }
    const at = this.length++ * WORDS
    if (at === this.words.length) {
      const grown = new Float64Array(this.words.length * 2)
      grown.set(this.words)
      this.words = grown
    }
    this.words[at] = kind
    this.words[at + 1] = sequence
    this.words[at + 2] = count
    this.words[at + 3] = place
  }

  at(index: number): Range {
    const from = index * WORDS
    const [kind, sequence, count, place] = this.words.subarray(from, from + WORDS) as unknown as [
      ...[number, number, number, number],
    ]
    return { kind, sequence, count, place }
  }

  /** All ranges in the order of their first sequence. */
  inOrder(): Range[] {
    const ranges = Array.from({ length: this.length }, (_, index) => this.at(index))
    return ranges.sort((a, b) => a.sequence - b.sequence)
  }
}

/** Answers where records are. Made for one walk through the sequences, for it has all ranges once more. */
export class PlaceFinder {
  private readonly sorted: readonly Range[]
  private cursor = 0

  constructor(ranges: RangeList) {
    this.sorted = ranges.inOrder()
  }

  /** Whether the record is at this place. Asked with rising sequences, as ranges are walked in order. */
  has(sequence: number, wanted: number): boolean {
    const { sorted } = this
    while (this.cursor > 0 && (sorted[this.cursor]?.sequence ?? Infinity) > sequence) this.cursor--
    while (this.cursor < sorted.length) {
      const { sequence: first, count } = sorted[this.cursor] as Range
      if (first + count > sequence) break
      this.cursor++
    }
    // Of a record that is stored twice any of its places is good enough: the other class counts it.
    for (let index = this.cursor; index < sorted.length; index++) {
      const { sequence: first, count, place } = sorted[index] as Range
      if (first > sequence) break
      if (sequence < first + count && place + (sequence - first) === wanted) return true
    }
    return false
  }
}

/** A set of sequences, one bit each. */
export class SequenceSet {
  private bits = new Uint32Array(1024)

  /** True if it was not there. */
  add(sequence: number): boolean {
    const word = Math.floor(sequence / 32)
    if (word >= this.bits.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.bits.length * 2))
      grown.set(this.bits)
      this.bits = grown
    }
    const bit = 1 << (sequence & 31)
    const before = this.bits[word] as number
    this.bits[word] = before | bit
    return (before & bit) === 0
  }

  has(sequence: number): boolean {
    return ((this.bits[Math.floor(sequence / 32)] ?? 0) & (1 << (sequence & 31))) !== 0
  }
}
