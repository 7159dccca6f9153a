import { type ForeignTexts, foreignTexts } from '../common/foreign-text.js'
import { ProtocolError } from '../errors/index.js'

const NO_INTS: readonly number[] = Object.freeze([])
const MINUS_ONE = -1n
const TWO_TO_32 = 4294967296
/** As in Kafka's own clients, also where a compact encoding could say more. */
const STRING_BYTES_MAX = 0x7fff
/** Integers of a plain array that are made in the time of one other element. */
const INTS_PER_ELEMENT = 8
/** A longer list counts in full: no partition has so many replicas. */
const INTS_OF_A_LIST_MAX = 1000
/** Lists of the ids of brokers that are kept, by their numbers, to be handed out again. */
const SHARED_LISTS = 256
/** Longer lists are rarely alike. */
const SHARED_LIST_LENGTH_MAX = 8
/** Texts for people that are read of one frame; the others are left out, for each takes its time. */
const MESSAGES_MAX = 200
/** UTF-8 takes up to three bytes for a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3

/**
 * The partitions of a cluster have few lists of brokers, which each come often: one list for all that are
 * alike keeps metadata small and the garbage collector out of the loop's way.
 */
const sharedLists = new Array<readonly number[]>(SHARED_LISTS).fill(NO_INTS)

/** A frame with more elements than its reader was allowed to make of it. */
export class TooManyElementsError extends ProtocolError {}

/** Reads one tagged field into `target`; false where it does not know the tag, and has read nothing. */
type TagReader<T> = (target: T, tag: number, r: Reader, version: number) => boolean

/**
 * Reads a frame of the Kafka protocol from front to back. The bytes come from a peer and are not trusted:
 * whatever they say, the outcome is a value or a {@link ProtocolError}, and no length or count is believed
 * before the frame is seen to be long enough for it.
 *
 * `flexible` chooses the compact encodings (KIP-482): lengths as an unsigned varint of length + 1, 0 = null.
 */
export class Reader {
  private readonly frame: Buffer
  private position: number
  private end: number
  /** Elements of arrays and tagged fields that may still be read. */
  private elementsLeft = Number.POSITIVE_INFINITY
  private messagesLeft = MESSAGES_MAX
  private texts: ForeignTexts = foreignTexts

  constructor(frame: Uint8Array, offset = 0, end = frame.length) {
    this.frame = Buffer.isBuffer(frame)
      ? frame
      : Buffer.from(frame.buffer as ArrayBuffer, frame.byteOffset, frame.byteLength)
    this.position = offset
    this.end = Math.min(end, frame.length)
  }

  /** Bounds the time a frame may take: few bytes can be many elements. Answers itself. */
  limitElements(count: number): this {
    this.elementsLeft = count
    return this
  }

  /** The door that texts for people go through. Answers itself. */
  through(texts: ForeignTexts): this {
    this.texts = texts
    return this
  }

  /** Index in the frame of the next byte. */
  get offset(): number {
    return this.position
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.end - this.position
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.frame.readInt8(this.advance(1))
  }

  int16(): number {
    return this.frame.readInt16BE(this.advance(2))
  }

  int32(): number {
    return this.frame.readInt32BE(this.advance(4))
  }

  /** The next int32, which stays to be read. */
  peekInt32(): number {
    const value = this.int32()
    this.position -= 4
    return value
  }

  uint32(): number {
    return this.frame.readUInt32BE(this.advance(4))
  }

  /** The two values most int64 fields hold, small and -1, are made without BigInt arithmetic. */
  int64(): bigint {
    const at = this.advance(8)
    const high = this.frame.readInt32BE(at)
    const low = this.frame.readUInt32BE(at + 4)
    if (high === 0) return BigInt(low)
    if (high === -1 && low === 0xffffffff) return MINUS_ONE
    return (BigInt(high) << 32n) | BigInt(low)
  }

  /** An int64 as a number, rounded where it is beyond 2⁵³. */
  int64Number(): number {
    const at = this.advance(8)
    return this.frame.readInt32BE(at) * TWO_TO_32 + this.frame.readUInt32BE(at + 4)
  }

  /** Up to 32 bits in at most five bytes, seven a byte, lowest first. */
  uvarint(): number {
    const first = this.frame[this.advance(1)] as number
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.frame[this.advance(1)] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    const last = this.frame[this.advance(1)] as number
    if (last > 0x0f) throw this.failure('a varint is longer than 32 bits')
    return value + last * 0x10000000
  }

  /** A signed 32-bit varint in zigzag order (0, -1, 1, -2, …), as records use. */
  varint(): number {
    const value = this.uvarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** A signed 64-bit varint in zigzag order, at most ten bytes. */
  varlong(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.frame[this.advance(1)] as number
      if (shift === 63n && byte > 1) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n)
    }
    throw this.failure('a varint is longer than 64 bits')
  }

  string(flexible = false): string {
    const length = flexible ? this.compactLength() : this.int16()
    if (length < 0) throw this.failure('a string is null or of negative length where that is not allowed')
    return this.utf8(length)
  }

  nullableString(flexible = false): string | null {
    const length = flexible ? this.compactLength() : this.int16()
    if (length < -1) throw this.failure(`a string of negative length ${length}`)
    return length === -1 ? null : this.utf8(length)
  }

  /**
   * A text that the peer has for people, such as why it refuses something: never to be compared, printable,
   * cut, and without the secrets of the client. Null as well where a frame has more of them than anyone
   * reads.
   */
  message(flexible = false): string | null {
    const length = flexible ? this.compactLength() : this.int16()
    if (length < -1) throw this.failure(`a string of negative length ${length}`)
    if (length === -1) return null
    if (length > STRING_BYTES_MAX) throw this.failure(`a string of ${length} bytes`)
    const at = this.advance(length)
    if (--this.messagesLeft < 0) return null
    const window = Math.min(length, this.texts.windowOf() * UTF8_BYTES_PER_UNIT)
    const text = this.frame.toString('utf8', at, at + window)
    return this.texts.shown(text)
  }

  /** A view of the frame, not a copy. */
  bytes(flexible = false): Uint8Array {
    const value = this.nullableBytes(flexible)
    if (value === null) throw this.failure('bytes are null where that is not allowed')
    return value
  }

  /** A view of the frame, not a copy. */
  nullableBytes(flexible = false): Uint8Array | null {
    const length = flexible ? this.compactLength() : this.int32()
    if (length < -1) throw this.failure(`bytes of negative length ${length}`)
    return length === -1 ? null : this.raw(length)
  }

  /** The next `length` bytes as a view of the frame. */
  raw(length: number): Uint8Array {
    const at = this.advance(length)
    return this.frame.subarray(at, at + length)
  }

  skip(length: number): void {
    this.advance(length)
  }

  /** A copy: ids are kept for long and must not keep their frame alive. */
  uuid(): Uint8Array {
    const at = this.advance(16)
    const id = new Uint8Array(16)
    for (let i = 0; i < 16; i++) id[i] = this.frame[at + i] as number
    return id
  }

  /**
   * Count of an array whose elements take at least `elementBytesMin` (≥ 1); refused where they cannot fit.
   */
  arrayLength(flexible: boolean, elementBytesMin: number): number {
    const count = this.nullableArrayLength(flexible, elementBytesMin)
    if (count < 0) throw this.failure('an array is null where that is not allowed')
    return count
  }

  /** As {@link arrayLength}, with -1 for null. */
  nullableArrayLength(flexible: boolean, elementBytesMin: number): number {
    const count = this.countOf(flexible, elementBytesMin)
    this.spend(count)
    return count
  }

  private countOf(flexible: boolean, elementBytesMin: number): number {
    const count = flexible ? this.compactLength() : this.int32()
    if (count < -1) throw this.failure(`an array of negative length ${count}`)
    if (count * elementBytesMin > this.remaining) {
      throw this.failure(
        `an array of ${count} elements of ${elementBytesMin} bytes or more, with ${this.remaining} left`,
      )
    }
    return count
  }

  /** Every element is read by `read`, a function of the module: none is made per array. */
  array<T>(
    flexible: boolean,
    elementBytesMin: number,
    version: number,
    read: (r: Reader, version: number) => T,
    elementCost = 1,
  ): T[] {
    const count = this.arrayLength(flexible, elementBytesMin)
    this.spend(count * (elementCost - 1))
    const elements: T[] = []
    for (let i = 0; i < count; i++) elements.push(read(this, version))
    return elements
  }

  /** Short lists that are alike may be one, which is frozen. */
  int32Array(flexible: boolean): readonly number[] {
    const count = this.countOf(flexible, 4)
    if (count < 0) throw this.failure('an array is null where that is not allowed')
    if (count === 0) return NO_INTS
    this.spend(count > INTS_OF_A_LIST_MAX ? count : count / INTS_PER_ELEMENT)
    const at = this.advance(4 * count)
    return count > SHARED_LIST_LENGTH_MAX ? this.int32sAt(at, count) : this.sharedInt32sAt(at, count)
  }

  private int32sAt(at: number, count: number): readonly number[] {
    // Of exact size, which pushing would not make it: metadata hold many short arrays for long.
    const elements = new Array<number>(count)
    for (let i = 0; i < count; i++) elements[i] = this.frame.readInt32BE(at + 4 * i)
    return elements
  }

  private sharedInt32sAt(at: number, count: number): readonly number[] {
    let hash = count
    for (let i = 0; i < count; i++) hash = (Math.imul(hash, 31) + this.frame.readInt32BE(at + 4 * i)) | 0
    const slot = (hash ^ (hash >>> 8)) & (SHARED_LISTS - 1)
    const shared = sharedLists[slot] as readonly number[]
    let isSame = shared.length === count
    for (let i = 0; isSame && i < count; i++) isSame = shared[i] === this.frame.readInt32BE(at + 4 * i)
    if (isSame) return shared
    const elements = Object.freeze(this.int32sAt(at, count))
    sharedLists[slot] = elements
    return elements
  }

  /** Passes over the tagged fields at the end of a flexible struct; nothing is there where not flexible. */
  skipTags(flexible = true): void {
    if (!flexible) return
    let count = this.uvarint()
    if (count > 0) this.spend(count)
    for (; count > 0; count--) {
      this.uvarint()
      this.advance(this.uvarint())
    }
  }

  /** Reads the tagged fields at the end of a flexible struct; tags `read` does not know are passed over. */
  tags<T>(target: T, version: number, read: TagReader<T>): void {
    let count = this.uvarint()
    if (count > 0) this.spend(count)
    for (; count > 0; count--) {
      const tag = this.uvarint()
      const length = this.uvarint()
      const outerEnd = this.end
      const fieldEnd = this.advance(length) + length
      this.position = fieldEnd - length
      this.end = fieldEnd
      const known = read(target, tag, this, version)
      if (known && this.position !== fieldEnd) {
        throw this.failure(`tagged field ${tag} has ${this.remaining} bytes too many`)
      }
      this.position = fieldEnd
      this.end = outerEnd
    }
  }

  /** Refuses a frame that goes on where it should have ended. */
  expectEnd(): void {
    if (this.remaining !== 0)
      throw this.failure(`${this.remaining} bytes are left after the end of the message`)
  }

  private utf8(length: number): string {
    if (length === 0) return ''
    if (length > STRING_BYTES_MAX) throw this.failure(`a string of ${length} bytes`)
    const at = this.advance(length)
    return this.frame.toString('utf8', at, at + length)
  }

  /** Length + 1 as an unsigned varint: -1 for null. */
  private compactLength(): number {
    return this.uvarint() - 1
  }

  private spend(elements: number): void {
    this.elementsLeft -= elements
    if (this.elementsLeft >= 0) return
    throw new TooManyElementsError(
      `A frame of ${this.frame.length} bytes has more elements than this client takes in one`,
    )
  }

  /** Claims `length` bytes and returns where they begin. */
  private advance(length: number): number {
    const at = this.position
    if (length < 0 || length > this.end - at) {
      throw this.failure(`the frame ends: ${length} bytes expected, ${this.end - at} left`)
    }
    this.position = at + length
    return at
  }

  private failure(what: string): ProtocolError {
    return new ProtocolError(
      `Malformed Kafka frame: ${what} (at byte ${this.position} of ${this.frame.length})`,
    )
  }
}
