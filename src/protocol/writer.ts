import { InternalError } from '../errors/index.js'

const STRING_BYTES_MAX = 0x7fff

/** One tagged field to be written at the end of a flexible struct. */
export interface TaggedField {
  tag: number
  write: (w: Writer) => void
}

/** Bytes an unsigned varint of this value (below 2³²) takes. */
export function uvarintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}

/**
 * Writes a message of the Kafka protocol into a buffer that grows. A value that does not fit its field is a
 * mistake of the caller's and throws. `flexible` chooses the compact encodings, as in `Reader`.
 */
export class Writer {
  private buffer: Buffer
  private length = 0

  constructor(capacityBytes = 256) {
    this.buffer = Buffer.allocUnsafe(capacityBytes)
  }

  /** Bytes written so far. */
  get offset(): number {
    return this.length
  }

  /** The bytes written, as a view: the writer is not to be used after it. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.claim(1)
    this.buffer.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.claim(2)
    this.buffer.writeInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.claim(4)
    this.buffer.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.claim(4)
    this.buffer.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.claim(8)
    this.buffer.writeBigInt64BE(value, at)
  }

  /** Leaves room for an int32 that is known later; returns where, for {@link patchInt32}. */
  reserveInt32(): number {
    return this.claim(4)
  }

  patchInt32(at: number, value: number): void {
    this.buffer.writeInt32BE(value, at)
  }

  /** An unsigned varint of a value below 2³². */
  uvarint(value: number): void {
    let at = this.claim(uvarintBytes(value))
    let rest = value
    while (rest >= 0x80) {
      this.buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[at] = rest
  }

  /** A signed 32-bit varint in zigzag order, as records use. */
  varint(value: number): void {
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** A signed 64-bit varint in zigzag order. */
  varlong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  string(value: string, flexible = false): void {
    const bytes = Buffer.byteLength(value)
    if (flexible) this.uvarint(bytes + 1)
    else if (bytes > STRING_BYTES_MAX) {
      throw new InternalError(`A string of ${bytes} bytes does not fit a field of ${STRING_BYTES_MAX}`)
    } else this.int16(bytes)
    const at = this.claim(bytes)
    this.buffer.write(value, at, bytes, 'utf8')
  }

  nullableString(value: string | null, flexible = false): void {
    if (value !== null) this.string(value, flexible)
    else if (flexible) this.uvarint(0)
    else this.int16(-1)
  }

  bytes(value: Uint8Array, flexible = false): void {
    if (flexible) this.uvarint(value.length + 1)
    else this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Uint8Array | null, flexible = false): void {
    if (value !== null) this.bytes(value, flexible)
    else this.arrayLength(-1, flexible)
  }

  /** Bytes as they are, without a length. */
  raw(value: Uint8Array): void {
    const at = this.claim(value.length)
    this.buffer.set(value, at)
  }

  uuid(value: Uint8Array): void {
    if (value.length !== 16) throw new InternalError(`An id has 16 bytes, not ${value.length}`)
    this.raw(value)
  }

  /** Count of an array; -1 for null. */
  arrayLength(count: number, flexible = false): void {
    if (flexible) this.uvarint(count + 1)
    else this.int32(count)
  }

  array<T>(
    elements: readonly T[],
    flexible: boolean,
    version: number,
    write: (w: Writer, version: number, element: T) => void,
  ): void {
    this.arrayLength(elements.length, flexible)
    for (const element of elements) write(this, version, element)
  }

  int32Array(elements: readonly number[], flexible = false): void {
    this.arrayLength(elements.length, flexible)
    for (const element of elements) this.int32(element)
  }

  /** Ends a struct that has no tagged field to say; writes nothing where not flexible. */
  noTags(flexible = true): void {
    if (flexible) this.uvarint(0)
  }

  /** Ends a flexible struct with these fields, which come in ascending order of their tags. */
  tags(fields: readonly TaggedField[]): void {
    this.uvarint(fields.length)
    for (const field of fields) {
      const inner = new Writer(64)
      field.write(inner)
      this.uvarint(field.tag)
      this.uvarint(inner.length)
      this.raw(inner.finish())
    }
  }

  private byte(value: number): void {
    const at = this.claim(1)
    this.buffer[at] = value
  }

  /** Makes room for `bytes` and returns where they begin. */
  private claim(bytes: number): number {
    const at = this.length
    const needed = at + bytes
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
      this.buffer.copy(grown, 0, 0, at)
      this.buffer = grown
    }
    this.length = needed
    return at
  }
}
