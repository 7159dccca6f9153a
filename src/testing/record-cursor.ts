import { ErrorCodes } from '../protocol/error-codes.js'
import { BatchError } from './batch-error.js'

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

const VARINT_LONGEST_BYTES = 5
const VARLONG_LONGEST_BYTES = 10

/**
 * Reads the records region of a batch from `start` on. Every read is checked against the end, so malformed
 * bytes end in a {@link BatchError} and never in an endless loop or a read of foreign bytes.
 */
export class RecordCursor {
  private readonly bytes: Uint8Array
  private readonly end: number
  position: number
  oddLengths = 0

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes
    this.end = bytes.length
    this.position = start
  }

  get remaining(): number {
    return this.end - this.position
  }

  byte(): number {
    if (this.position >= this.end) throw truncated()
    return this.bytes[this.position++] as number
  }

  /** Reads a record's length and answers where the record ends. */
  beginRecord(): number {
    const length = this.varint()
    if (length < 0 || length > this.remaining)
      throw invalid(`a record of ${length} bytes, ${this.remaining} left`)
    return this.position + length
  }

  /** A zigzag varint of at most 32 bits. */
  varint(): number {
    const first = this.byte()
    const unsigned = first < 0x80 ? first : this.restOfVarint(first)
    return (unsigned >>> 1) ^ -(unsigned & 1)
  }

  private restOfVarint(first: number): number {
    let unsigned = first & 0x7f
    for (let i = 1; i < VARINT_LONGEST_BYTES; i++) {
      const byte = this.byte()
      unsigned |= (byte & 0x7f) << (7 * i)
      if (byte < 0x80) return unsigned
    }
    throw invalid(`a varint longer than ${VARINT_LONGEST_BYTES} bytes`)
  }

  /** A zigzag varint of at most 64 bits; exact up to 2⁵³, rounded beyond. */
  varlong(): number {
    const first = this.byte()
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    let unsigned = first & 0x7f
    let scale = 128
    for (let i = 1; i < VARLONG_LONGEST_BYTES; i++) {
      const byte = this.byte()
      unsigned += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return first & 1 ? -(unsigned + 1) / 2 : unsigned / 2
    }
    throw invalid(`a varlong longer than ${VARLONG_LONGEST_BYTES} bytes`)
  }

  /**
   * The length of a nullable field: -1 (null) or the bytes that follow, which are all there. Kafka takes any
   * negative length for null; those below -1 are counted in `oddLengths`.
   */
  private nullableLength(): number {
    const length = this.varint()
    if (length > this.remaining) throw invalid(`a field of ${length} bytes, ${this.remaining} left`)
    if (length < -1) this.oddLengths++
    return Math.max(length, -1)
  }

  skipNullable(): void {
    const length = this.nullableLength()
    if (length > 0) this.position += length
  }

  /** Skips a field that must not be null: the name of a header. */
  skipBytes(): void {
    const length = this.nullableLength()
    if (length < 0) throw invalid('a header has no name')
    this.position += length
  }

  nullableBytes(): Uint8Array | null {
    const length = this.nullableLength()
    if (length < 0) return null
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }

  headerCount(): number {
    const count = this.varint()
    // The shortest header is two bytes: an empty name and a null value.
    if (count < 0 || count * 2 > this.remaining) throw invalid(`${count} headers in ${this.remaining} bytes`)
    return count
  }

  headers(): [name: string, value: Uint8Array | null][] {
    const headers: [string, Uint8Array | null][] = []
    for (let left = this.headerCount(); left > 0; left--) {
      const name = this.nullableBytes()
      if (name === null) throw invalid('a header has no name')
      headers.push([utf8.decode(name), this.nullableBytes()])
    }
    return headers
  }
}

function invalid(message: string): BatchError {
  return new BatchError(ErrorCodes.INVALID_RECORD, message)
}

function truncated(): BatchError {
  return invalid('the records end in the middle of a record')
}
