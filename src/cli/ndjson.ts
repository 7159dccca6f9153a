import { constants } from 'node:buffer'

const LINE_FEED = Buffer.of(0x0a)
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Longer lines cannot be sent anyway: `buffer.memory` is 32 MiB by default, and no broker takes so much. */
const MAX_LINE_BYTES = Math.min(64 * 1024 * 1024, constants.MAX_STRING_LENGTH)

/** One line of a file. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  /** Without its end, and in the chunk it came in, not a copy; null if the line is over the limit. */
  readonly bytes: Buffer | null
}

export interface SplitOptions {
  /** Ends a line instead of LF and CR LF; then nothing is taken off a line. */
  readonly delimiter?: Buffer | null
  /** A byte order mark before the first line belongs to it. */
  readonly keepByteOrderMark?: boolean
}

const NOTHING = Buffer.alloc(0)

/**
 * Splits chunks into lines. A line ends with LF or CR LF, or with a delimiter of one's own, the last one also
 * with the file; a byte order mark before the first is dropped. Keeps at most one line's beginning, and
 * nothing of one that is too long.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  readonly #delimiter: Buffer | null
  readonly #mark: Buffer
  readonly #keepByteOrderMark: boolean
  #number = 0
  #held: Buffer[] = []
  #heldBytes = 0
  /** The last bytes of what has come, which a delimiter of several bytes may begin with. */
  #carried: Buffer = NOTHING

  constructor(maxLineBytes: number = MAX_LINE_BYTES, options: SplitOptions = {}) {
    this.#maxLineBytes = maxLineBytes
    this.#delimiter = options.delimiter ?? null
    this.#mark = this.#delimiter ?? LINE_FEED
    this.#keepByteOrderMark = options.keepByteOrderMark ?? false
  }

  /** The lines that end in this chunk. To be read to the end before the next call. */
  *push(chunk: Buffer): Generator<Line, void> {
    const bytes = this.#carried.length === 0 ? chunk : Buffer.concat([this.#carried, chunk])
    this.#carried = NOTHING
    let start = 0
    for (;;) {
      const end = bytes.indexOf(this.#mark, start)
      if (end < 0) break
      yield this.#line(bytes.subarray(start, end))
      start = end + this.#mark.length
    }
    const kept = Math.max(start, bytes.length - this.#mark.length + 1)
    if (kept > start) this.#hold(bytes.subarray(start, kept))
    this.#carried = bytes.subarray(kept)
  }

  /** The last line, where the file does not end with a line end. */
  *end(): Generator<Line, void> {
    const tail = this.#carried
    this.#carried = NOTHING
    if (this.#heldBytes > 0 || tail.length > 0) yield this.#line(tail)
  }

  #hold(piece: Buffer): void {
    this.#heldBytes += piece.length
    if (this.#heldBytes <= this.#limit()) this.#held.push(piece)
    else this.#held = []
  }

  /** One more than the limit may be held, for the CR of a line end whose LF is yet to come. */
  #limit(): number {
    return this.#maxLineBytes + 1
  }

  #line(tail: Buffer): Line {
    this.#number++
    let bytes = tail
    if (this.#heldBytes > 0) {
      const total = this.#heldBytes + tail.length
      bytes = total <= this.#limit() ? Buffer.concat([...this.#held, tail], total) : tail
      this.#held = []
      this.#heldBytes = 0
      if (total > this.#limit()) return { number: this.#number, bytes: null }
    }
    if (this.#delimiter === null && bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
    if (bytes.length > this.#maxLineBytes) return { number: this.#number, bytes: null }
    const hasMark = this.#number === 1 && !this.#keepByteOrderMark && bytes.indexOf(BYTE_ORDER_MARK) === 0
    return { number: this.#number, bytes: hasMark ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes }
  }
}
