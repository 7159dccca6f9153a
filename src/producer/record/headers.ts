import { quoted } from '../../common/foreign-text.js'
import { byteLength } from '../../common/views.js'
import { InvalidRecordError } from '../../errors/index.js'
import type { Bytes, Headers } from '../../serialization/index.js'

const VARINT_BYTES_MAX = 5

/** Growing buffer of the wire form of one record's headers. */
class HeaderBuffer {
  private buffer = Buffer.allocUnsafeSlow(4096)
  private end = 0
  private isBusy = false

  /**
   * `count:varint ( nameBytes:varint name valueBytes:varint value )*`, all varints zigzag, -1 for a null
   * value. The answer is valid until the next call.
   */
  encode(headers: Headers): Uint8Array | null {
    // Iterating runs the caller's code, which may send another record.
    if (this.isBusy) return new HeaderBuffer().encode(headers)
    this.isBusy = true
    try {
      const pairs: (readonly [string, Bytes])[] = []
      collect(headers, pairs)
      if (pairs.length === 0) return null
      this.end = 0
      this.varint(pairs.length)
      for (const [name, value] of pairs) {
        this.bytes(name)
        if (value === null) this.varint(-1)
        else this.bytes(value)
      }
      return this.buffer.subarray(0, this.end)
    } finally {
      this.isBusy = false
    }
  }

  private bytes(value: string | Uint8Array): void {
    const length = typeof value === 'string' ? Buffer.byteLength(value) : byteLength(value)
    this.varint(length)
    this.reserve(length)
    if (typeof value === 'string') this.buffer.write(value, this.end, length, 'utf8')
    else this.buffer.set(value, this.end)
    this.end += length
  }

  private varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 0x7f) {
      this.buffer[this.end++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.end++] = rest
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.end + bytes))
    this.buffer.copy(grown, 0, 0, this.end)
    this.buffer = grown
  }
}

const shared = new HeaderBuffer()

/** The wire form of a record's headers; null where there are none. Valid until the next call. */
export function encodeHeaders(headers: Headers): Uint8Array | null {
  return shared.encode(headers)
}

function collect(headers: Headers, pairs: (readonly [string, Bytes])[]): void {
  if (typeof headers !== 'object' || headers === null) {
    throw new InvalidRecordError('headers must be an object or an iterable of [name, value] pairs.')
  }
  if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<readonly [string, Bytes]>) {
      if (typeof pair !== 'object' || pair === null) {
        throw new InvalidRecordError('An entry of headers is not a [name, value] pair.')
      }
      pairs.push(checked(pair[0], pair[1]))
    }
    return
  }
  for (const [name, value] of Object.entries(headers)) {
    if (Array.isArray(value)) for (const one of value) pairs.push(checked(name, one))
    else pairs.push(checked(name, value as Bytes))
  }
}

function checked(name: unknown, value: unknown): readonly [string, Bytes] {
  if (typeof name !== 'string') throw new InvalidRecordError('A header name is not a string.')
  const isBytes = value === null || typeof value === 'string' || value instanceof Uint8Array
  if (!isBytes) {
    throw new InvalidRecordError(
      `The value of header ${quoted(name)} must be a string, a Uint8Array or null, ` +
        `not ${typeOf(value)}.`,
    )
  }
  return [name, value]
}

function typeOf(value: unknown): string {
  return value instanceof Object ? `an object (${value.constructor?.name})` : typeof value
}
