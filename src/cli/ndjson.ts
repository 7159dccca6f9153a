import { constants } from 'node:buffer'

const LINE_FEED = 0x0a
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

/**
 * Splits chunks into lines. A line ends with LF or CR LF, the last one also with the file; a byte order mark
 * before the first is dropped. Keeps at most one line's beginning, and nothing of one that is too long.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  #number = 0
  #held: Buffer[] = []
  #heldBytes = 0

  constructor(maxLineBytes: number = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes
  }

  /** The lines that end in this chunk. To be read to the end before the next call. */
  *push(chunk: Buffer): Generator<Line, void> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start)
      if (end < 0) break
      yield this.#line(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
  }

  /** The last line, where the file does not end with a line end. */
  *end(): Generator<Line, void> {
    if (this.#heldBytes > 0) yield this.#line(Buffer.alloc(0))
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
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
    if (bytes.length > this.#maxLineBytes) return { number: this.#number, bytes: null }
    if (this.#number === 1 && bytes.indexOf(BYTE_ORDER_MARK) === 0) bytes = bytes.subarray(3)
    return { number: this.#number, bytes }
  }
}
