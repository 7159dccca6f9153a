import type { ProducerRecord } from '../index.js'
import type { RecordArray, RecordTemplate } from './records.js'

const USERS = 4_096
const KINDS = ['view', 'search', 'cart_add', 'cart_remove', 'purchase', 'refund'] as const
const PLACES = ['home', 'catalog', 'item', 'basket', 'checkout', 'account', 'help'] as const
const PREFIX = '{"sequence":'
const DIGIT_ZERO = 0x30

/** 2023-11-14T22:13:20Z; the events are the same in every run. */
const FIRST_EVENT_MS = 1_700_000_000_000

const userKeys: readonly Buffer[] = Array.from({ length: USERS }, (_, user) => Buffer.from(userName(user)))

function userName(user: number): string {
  return `user-${user}`
}

function userOf(bits: number): number {
  return bits % USERS
}

/** Spreads successive numbers over all 32 bits, so that fields made of its bits look unrelated. */
function scatter(sequence: number): number {
  const mixed = Math.imul(sequence ^ (sequence >>> 15), 0x2c1b3c6d)
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15)) >>> 0
}

/** The JSON text of the event with this sequence number. ASCII only. */
export function eventText(sequence: number): string {
  const bits = scatter(sequence)
  const user = userName(userOf(bits))
  const kind = KINDS[(bits >>> 12) % KINDS.length]
  const place = PLACES[(bits >>> 16) % PLACES.length]
  const item = (bits >>> 8) % 50_000
  const cents = (bits >>> 4) % 1_000_000
  const at = FIRST_EVENT_MS + sequence
  return (
    `${PREFIX}${sequence},"at":${at},"user":"${user}","kind":"${kind}",` +
    `"path":"/${place}/${item}","amount":${cents / 100},"currency":"EUR"}`
  )
}

/** The sequence number in an event's bytes, -1 if it does not begin like one. */
export function sequenceOf(value: Uint8Array): number {
  let sequence = 0
  let position = PREFIX.length
  for (; position < value.length; position++) {
    const digit = (value[position] as number) - DIGIT_ZERO
    if (digit < 0 || digit > 9) break
    sequence = sequence * 10 + digit
  }
  return position > PREFIX.length ? sequence : -1
}

/** Events 0 to `count` - 1, keyed by user, in arrays of `arrayLength`. */
export function* generateEvents(
  { topic, partition, headers }: RecordTemplate,
  count: number,
  arrayLength: number,
): Generator<RecordArray, void> {
  for (let first = 0; first < count; first += arrayLength) {
    const length = Math.min(arrayLength, count - first)
    const texts = Array.from({ length }, (_, index) => eventText(first + index))
    // All in one go: a buffer of its own for each event costs several times as much.
    const { buffer, byteOffset } = Buffer.from(texts.join(''), 'latin1')
    const records: ProducerRecord[] = []
    let position = byteOffset
    let keyBytes = 0
    for (const [index, text] of texts.entries()) {
      const key = userKeys[userOf(scatter(first + index))] as Buffer
      const value = new Uint8Array(buffer, position, text.length)
      position += text.length
      keyBytes += key.length
      records.push({ topic, partition, headers, key, value })
    }
    yield { records, numbers: null, firstNumber: first, bytes: position - byteOffset + keyBytes }
  }
}
