import { Content, HeaderKind, type Ledger } from './ledger.js'

type Bytes = string | Uint8Array | null
type Pair = readonly [name: string, value: Bytes]

/** A record whose bytes say nothing of it has this time plus its number. */
export const IDENTITY_TIME = 1_000_000_000_000
/** Every other given time is further from it than records are sent. */
const IDENTITY_TIMES = 1_000_000_000

const POOL_BYTES = 1 << 20
const WIDE_LENGTH = 1 << 15
const SCRATCH_BYTES = 4 << 20
const HASH = 0x23

/** Text of letters that does not repeat within a record, so that bytes that move are seen. */
const ascii = poolOf(POOL_BYTES, state => String.fromCharCode(97 + (state % 26)))
const asciiBytes = Buffer.from(ascii)
const wide = poolOf(WIDE_LENGTH, state => 'aé漢ß€ж'.charAt(state % 6))

function poolOf(length: number, letter: (state: number) => string): string {
  const letters: string[] = []
  let state = 88_675_123
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    letters.push(letter(state >>> 16))
  }
  return letters.join('')
}

function placeIn(length: number, id: number, needed: number): number {
  return (id * 7_919) % Math.max(length - needed, 1)
}

/** Memory for keys and values that is written over once `send` has returned. */
export class Scratch {
  private readonly bytes = new Uint8Array(SCRATCH_BYTES)
  private used = 0

  take(text: string, fill: number, fillFrom: number): Uint8Array {
    const length = text.length + fill
    // What has been taken may still be needed, so a full memory is not begun again here.
    const isFull = this.used + length > SCRATCH_BYTES
    const bytes = isFull ? new Uint8Array(length) : this.bytes
    const start = isFull ? 0 : this.used
    for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i)
    if (fill > 0) bytes.set(asciiBytes.subarray(fillFrom, fillFrom + fill), start + text.length)
    if (!isFull) this.used += length
    return bytes.subarray(start, start + length)
  }

  /** Nothing that was taken is needed any more: whoever still reads it will be seen. */
  overwrite(): void {
    this.bytes.fill(0xee, 0, this.used)
    this.used = 0
  }

  get hasRoom(): boolean {
    return this.used < SCRATCH_BYTES / 2
  }
}

const prefixOf = (id: number) => `#${id}#`

/** The value of a record, as it is handed to the producer; bytes come from the scratch memory. */
export function valueFor(ledger: Ledger, id: number, scratch: Scratch): Bytes {
  const length = ledger.valueLength[id] as number
  const prefix = prefixOf(id)
  const fill = Math.max(length - prefix.length, 0)
  switch (ledger.value[id]) {
    case Content.NULL:
      return null
    case Content.BARE:
      return scratch.take('', length, placeIn(POOL_BYTES, id, length))
    case Content.BYTES:
      return scratch.take(prefix, fill, placeIn(POOL_BYTES, id, fill))
    default:
      return textOf(ledger, id)
  }
}

function textOf(ledger: Ledger, id: number): string {
  const prefix = prefixOf(id)
  const fill = Math.max((ledger.valueLength[id] as number) - prefix.length, 0)
  const pool = ledger.value[id] === Content.WIDE ? wide : ascii
  const from = placeIn(pool.length, id, fill)
  return prefix + pool.slice(from, from + fill)
}

/** Whether these bytes are the record's value, and nothing else. */
export function isValue(ledger: Ledger, id: number, stored: Uint8Array | null): boolean {
  const content = ledger.value[id]
  if (stored === null) return content === Content.NULL
  if (content === Content.NULL) return false
  if (content === Content.WIDE) return Buffer.from(textOf(ledger, id)).equals(stored)
  const length = ledger.valueLength[id] as number
  const prefix = content === Content.BARE ? '' : prefixOf(id)
  const fill = Math.max(length - prefix.length, 0)
  if (stored.length !== prefix.length + fill) return false
  const from = placeIn(POOL_BYTES, id, fill)
  // The prefix has told which record it is.
  return Buffer.compare(stored.subarray(prefix.length), asciiBytes.subarray(from, from + fill)) === 0
}

function keyText(ledger: Ledger, id: number): string {
  const number = ledger.keyNumber[id] as number
  return ledger.key[id] === Content.WIDE ? `ключ ${number}` : `key ${number}`
}

export function keyFor(ledger: Ledger, id: number, scratch: Scratch): Bytes {
  switch (ledger.key[id]) {
    case Content.NULL:
      return null
    case Content.BARE:
      return new Uint8Array(0)
    case Content.BYTES:
      return scratch.take(keyText(ledger, id), 0, 0)
    default:
      return keyText(ledger, id)
  }
}

/** The bytes that the key has in the log. */
export function keyBytesOf(ledger: Ledger, id: number): Uint8Array | null {
  const content = ledger.key[id]
  if (content === Content.NULL) return null
  return content === Content.BARE ? new Uint8Array(0) : Buffer.from(keyText(ledger, id))
}

export function headersFor(ledger: Ledger, id: number): Record<string, Bytes> | readonly Pair[] | undefined {
  switch (ledger.headers[id]) {
    case HeaderKind.NONE:
      return undefined
    case HeaderKind.OBJECT:
      return { traceparent: `00-${id}`, 'content-type': 'application/json' }
    case HeaderKind.PAIRS:
      return [
        ['twice', `a${id}`],
        ['twice', null],
        ['ж', Buffer.from([id & 255])],
      ]
    default:
      return { id: String(id) }
  }
}

type StoredHeaders = readonly (readonly [name: string, value: Uint8Array | null])[]

export function areHeaders(ledger: Ledger, id: number, stored: StoredHeaders): boolean {
  const given = headersFor(ledger, id) ?? []
  const pairs = Array.isArray(given) ? (given as Pair[]) : (Object.entries(given) as Pair[])
  if (pairs.length !== stored.length) return false
  return pairs.every(([name, value], at) => {
    const [storedName, storedValue] = stored[at] as readonly [string, Uint8Array | null]
    if (name !== storedName) return false
    if (value === null || storedValue === null) return value === storedValue
    return Buffer.from(value as string).equals(storedValue)
  })
}

export interface StoredRecord {
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
  readonly value: Uint8Array | null
  readonly key: Uint8Array | null
  readonly headers: StoredHeaders
}

/** The number that a value begins with, -1 if it has none. */
export function numberOf(value: unknown): number {
  const text = typeof value === 'string'
  if (!text && !(value instanceof Uint8Array)) return -1
  const codeAt = (at: number) => (text ? value.charCodeAt(at) : (value[at] as number))
  if (value.length === 0 || codeAt(0) !== HASH) return -1
  let id = 0
  for (let at = 1; at < value.length; at++) {
    const code = codeAt(at)
    if (code === HASH) return at > 1 ? id : -1
    if (code < 48 || code > 57) return -1
    id = id * 10 + code - 48
  }
  return -1
}

/** The number of a record that was read, -1 if it says none. */
export function identify({ value, headers, timestamp }: StoredRecord): number {
  const written = numberOf(value)
  if (written >= 0) return written
  const named = headers.find(([name]) => name === 'id')?.[1]
  if (named !== undefined && named !== null) return Number(Buffer.from(named).toString())
  const number = timestamp - IDENTITY_TIME
  return number >= 0 && number < IDENTITY_TIMES ? number : -1
}
