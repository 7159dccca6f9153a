import type { EncodableHeaders } from '../../accumulator/append/appendable-record.js'
import { UTF8_BYTES_PER_CHARACTER, writeUtf8 } from '../../common/utf8.js'
import { byteLength, hasBytes } from '../../common/views.js'
import type { Bytes, Headers } from '../../serialization/index.js'

/** Headers of a record: with more it is read the long way. Their count is one byte. */
const FIELDS_MAX = 32
/** Characters and bytes of all names and values: then any length is a varint of two bytes at most. */
const UNITS_MAX = 2048
/** The longest whose length is a varint of one byte. */
const ONE_BYTE_LENGTH_MAX = 63
/** Names that are remembered. Applications have a few; if all differ, remembering is of no use. */
const NAMES_MAX = 256
/** Values are compared with the last one of their name up to this length. */
const REPEATED_CHARACTERS_MAX = 64
const NULL_LENGTH = 1
const NOT_COUNTED = -1

/** Where headers are written whose bytes are only to be counted. */
const counting = Buffer.allocUnsafeSlow(UNITS_MAX * UTF8_BYTES_PER_CHARACTER)
const hasOwn = Object.prototype.hasOwnProperty

/** A header's name in its wire form, and the last value it came with. */
class HeaderName {
  readonly name: string
  readonly encoded: Uint8Array
  /** The last text that came with it; null for any other value. */
  private lastValue: string | null = null
  /** Name and that value in wire form, once it has come twice. */
  private repeated: Uint8Array | null = null

  constructor(name: string, bytes: number) {
    this.name = name
    const encoded = Buffer.allocUnsafeSlow(1 + bytes)
    encoded[0] = bytes << 1
    encoded.write(name, 1)
    this.encoded = encoded
  }

  /** Writes name and value; answers where they end. Many values are always the same, as content types are. */
  write(value: Bytes, target: Buffer, at: number): number {
    const isRepeated = value === this.lastValue && value !== null
    if (isRepeated && this.repeated !== null) {
      target.set(this.repeated, at)
      return at + this.repeated.length
    }
    target.set(this.encoded, at)
    const end = writeValue(value, target, at + this.encoded.length)
    if (isRepeated) this.repeated = Uint8Array.prototype.slice.call(target, at, end)
    else this.remember(value)
    return end
  }

  private remember(value: Bytes): void {
    this.lastValue = typeof value === 'string' && value.length <= REPEATED_CHARACTERS_MAX ? value : null
    this.repeated = null
  }
}

/**
 * Headers as most records have them: an object of a few texts or bytes. They are read first, which may run
 * code of the caller's, and written later, which runs none. One for all records of a producer: what it writes
 * is what it has read last.
 */
export class HeaderFields implements EncodableHeaders {
  private count = 0
  private units = 0
  /** Bytes of the wire form, once somebody has asked. */
  private counted = NOT_COUNTED
  private readonly names: HeaderName[] = []
  private readonly values: Bytes[] = []
  private readonly known = new Map<string, HeaderName>()
  /** Counts reads: code of the caller's may send another record while its headers are read. */
  private reads = 0

  get leastBytes(): number {
    return this.units
  }

  /** A record that waits is asked several times. */
  get byteLength(): number {
    if (this.counted === NOT_COUNTED) this.counted = this.writeTo(counting, 0)
    return this.counted
  }

  /** False, with nothing said, where these headers have to be read the long way. */
  read(headers: Headers): boolean {
    if (typeof headers !== 'object' || headers === null) return false
    const read = ++this.reads
    if (Object.getPrototypeOf(headers) !== Object.prototype || Symbol.iterator in headers) return false
    let count = 0
    let units = 1
    for (const name in headers) {
      if (!hasOwn.call(headers, name)) continue
      const value = headers[name] as Bytes
      const valueUnits = unitsOf(value)
      if (count === FIELDS_MAX || read !== this.reads) return false
      let known = this.names[count]
      if (known?.name !== name) {
        known = this.nameOf(name)
        if (known === undefined) return false
        this.names[count] = known
      }
      this.values[count++] = value
      units += known.encoded.length + 1 + valueUnits
      if (units > UNITS_MAX) return false
    }
    if (read !== this.reads) return false
    this.count = count
    this.units = count === 0 ? 0 : units
    this.counted = NOT_COUNTED
    return true
  }

  writeTo(target: Buffer, at: number): number {
    const { count, names, values } = this
    if (count === 0) return at
    target[at] = count << 1
    let end = at + 1
    for (let i = 0; i < count; i++) {
      end = (names[i] as HeaderName).write(values[i] as Bytes, target, end)
    }
    return end
  }

  /** Undefined where a name is too long. */
  private nameOf(name: string): HeaderName | undefined {
    const known = this.known.get(name)
    if (known !== undefined) return known
    if (name.length > ONE_BYTE_LENGTH_MAX) return undefined
    const bytes = Buffer.byteLength(name)
    if (bytes > ONE_BYTE_LENGTH_MAX) return undefined
    if (this.known.size === NAMES_MAX) this.known.clear()
    const added = new HeaderName(name, bytes)
    this.known.set(name, added)
    return added
  }
}

/** Characters of a text, bytes of a view; Infinity for anything else. */
function unitsOf(value: Bytes): number {
  if (typeof value === 'string') return value.length
  if (value === null) return 0
  if (typeof value !== 'object' || !hasBytes(value)) return Number.POSITIVE_INFINITY
  // A detached view has no bytes, either, and is for the long way to refuse.
  return byteLength(value) || Number.POSITIVE_INFINITY
}

function writeValue(value: Bytes, target: Buffer, at: number): number {
  if (value === null) {
    target[at] = NULL_LENGTH
    return at + 1
  }
  if (typeof value !== 'string') {
    const bytesAt = writeLength(byteLength(value), target, at)
    target.set(value, bytesAt)
    return bytesAt + byteLength(value)
  }
  // Most texts have as many bytes as characters, and then the length takes this many.
  const guess = value.length > ONE_BYTE_LENGTH_MAX ? 2 : 1
  const bytes = writeUtf8(target, value, at + guess)
  if (guess === 1 && bytes > ONE_BYTE_LENGTH_MAX) target.copyWithin(at + 2, at + 1, at + 1 + bytes)
  return writeLength(bytes, target, at) + bytes
}

/** A varint, zigzag, of up to two bytes. */
function writeLength(length: number, target: Buffer, at: number): number {
  if (length <= ONE_BYTE_LENGTH_MAX) {
    target[at] = length << 1
    return at + 1
  }
  target[at] = ((length << 1) & 0x7f) | 0x80
  target[at + 1] = length >> 6
  return at + 2
}
