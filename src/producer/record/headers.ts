import { bytesAdvice } from '../../common/bytes-advice.js'
import { quoted } from '../../common/foreign-text.js'
import { byteLength } from '../../common/views.js'
import { InvalidRecordError } from '../../errors/index.js'
import type { Bytes, Headers } from '../../serialization/index.js'

const VARINT_BYTES_MAX = 5

/** Headers that take more get memory of their own, which is not kept. */
const KEPT_BYTES = 4096
/** Of a header: the lengths of its name and its value. */
const HEADER_BYTES_MIN = 2

/** A header with the sizes that its name and value have in UTF-8 or as they are; -1 for a null value. */
interface Sized {
  readonly name: string
  readonly nameBytes: number
  readonly value: Bytes
  readonly valueBytes: number
}

/** Throws what a record is refused with whose headers take so many bytes, or more. */
export type RefuseSize = (bytes: number) => never

const shared = Buffer.allocUnsafeSlow(KEPT_BYTES)
let isBusy = false

/**
 * The wire form of a record's headers; null where there are none. Valid until the next call.
 *
 *     count:varint ( nameBytes:varint name valueBytes:varint value )*     zigzag, -1 bytes for a null value
 *
 * Sizes first: what is over `bytesMax` is refused before a byte of it is copied.
 */
export function encodeHeaders(headers: Headers, bytesMax: number, refuse: RefuseSize): Uint8Array | null {
  // Iterating runs the caller's code, which may send another record.
  const isNested = isBusy
  isBusy = true
  try {
    const pairs = headerPairs(headers, bytesMax, refuse)
    if (pairs.length === 0) return null
    const sized = pairs.map(sizeOf)
    const boundBytes = sized.reduce(
      (sum, { nameBytes, valueBytes }) => sum + nameBytes + Math.max(valueBytes, 0) + 2 * VARINT_BYTES_MAX,
      VARINT_BYTES_MAX,
    )
    const isKept = boundBytes <= KEPT_BYTES && !isNested
    return write(sized, isKept ? shared : Buffer.allocUnsafeSlow(boundBytes))
  } finally {
    isBusy = isNested
  }
}

/** Of a view what is true: its own `length` may run the caller's code. */
function lengthOf(value: Bytes): number {
  if (value === null) return 0
  return typeof value === 'string' ? value.length : byteLength(value)
}

function sizeOf([name, value]: readonly [string, Bytes]): Sized {
  const nameBytes = Buffer.byteLength(name)
  if (value === null) return { name, nameBytes, value, valueBytes: -1 }
  const valueBytes = typeof value === 'string' ? Buffer.byteLength(value) : byteLength(value)
  return { name, nameBytes, value, valueBytes }
}

function write(headers: readonly Sized[], buffer: Buffer): Uint8Array {
  let end = writeVarint(buffer, 0, headers.length)
  for (const { name, nameBytes, value, valueBytes } of headers) {
    end = writeVarint(buffer, end, nameBytes)
    buffer.write(name, end, nameBytes, 'utf8')
    end = writeVarint(buffer, end + nameBytes, valueBytes)
    if (typeof value === 'string') buffer.write(value, end, valueBytes, 'utf8')
    else if (value !== null) buffer.set(value, end)
    end += Math.max(valueBytes, 0)
  }
  return buffer.subarray(0, end)
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let end = at
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest > 0x7f) {
    buffer[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[end++] = rest
  return end
}

/**
 * The headers as pairs, in an array of its own. Throws for what are no headers, and as `refuse` does for what
 * is over `bytesMax` without a byte of it counted.
 */
export function headerPairs(
  headers: Headers,
  bytesMax: number,
  refuse: RefuseSize,
): (readonly [string, Bytes])[] {
  const pairs: (readonly [string, Bytes])[] = []
  collect(headers, pairs, bytesMax, refuse)
  const leastBytes = pairs.reduce((sum, [name, value]) => sum + name.length + lengthOf(value), 0)
  // A text has as many bytes as characters at least; to count them takes its time.
  if (leastBytes > bytesMax) refuse(leastBytes)
  return pairs
}

function collect(
  headers: Headers,
  pairs: (readonly [string, Bytes])[],
  bytesMax: number,
  refuse: RefuseSize,
): void {
  if (typeof headers !== 'object' || headers === null) {
    throw new InvalidRecordError('headers must be an object or an iterable of [name, value] pairs.')
  }
  if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<readonly [string, Bytes]>) {
      if (typeof pair !== 'object' || pair === null) {
        throw new InvalidRecordError('An entry of headers is not a [name, value] pair.')
      }
      pairs.push(checked(pair[0], pair[1]))
      // An iterator may have no end.
      if (pairs.length * HEADER_BYTES_MIN > bytesMax) refuse(pairs.length * HEADER_BYTES_MIN)
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
    const advice = bytesAdvice(value)
    throw new InvalidRecordError(
      `The value of header ${quoted(name)} must be a string, a Uint8Array or null, ` +
        `not ${typeOf(value)}${advice === '' ? '' : `; ${advice}`}.`,
    )
  }
  return [name, value]
}

function typeOf(value: unknown): string {
  return value instanceof Object ? `an object (${value.constructor?.name})` : typeof value
}
