// What the benches send. Made from a fixed seed: every run and every runtime sends the same bytes.

/** Different keys and values a ring holds, where their contents do not matter: they stay in the cache. */
export const RING_RECORDS = 1024
/** Keys, and trace contexts, of a ring that no first-level cache holds: 0.8 MB, and 3.6 MB. */
export const LARGE_RING_RECORDS = 65_536

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_'
const HEX_DIGITS = '0123456789abcdef'
const WORDS = (
  'account address basket billing campaign cancel checkout country coupon currency customer delivery ' +
  'discount express gateway invoice item language loyalty merchant mobile newsletter order payment pending ' +
  'price product quantity refund region return review search session shipping standard status store summer ' +
  'tax terminal total tracking transfer update voucher warehouse weekend wishlist winter'
).split(' ')
const ACTIONS = ['page_view', 'add_to_cart', 'purchase', 'search', 'login', 'logout']

/** mulberry32: numbers in [0, 1). */
function seededRandom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function ring(seed, length, make) {
  const random = seededRandom(seed)
  return Array.from({ length }, (_, at) => make(random, at))
}

function letters(random, count) {
  let text = ''
  for (let i = 0; i < count; i++) text += ALPHABET[Math.floor(random() * ALPHABET.length)]
  return text
}

const pick = (random, list) => list[Math.floor(random() * list.length)]

/** One event of a web shop as JSON, its last field filled up with words to the length asked for. */
function jsonEvent(random, at, bytes) {
  const event = {
    id: `${letters(random, 8)}-${letters(random, 12)}`,
    type: pick(random, ACTIONS),
    time: new Date(1.76e12 + at * 137 + Math.floor(random() * 100)).toISOString(),
    user: { id: Math.floor(random() * 1e6), country: pick(random, ['DE', 'FR', 'US', 'JP', 'BR', 'IN']) },
    session: letters(random, 24),
    page: `/${pick(random, WORDS)}/${pick(random, WORDS)}/${Math.floor(random() * 1e5)}`,
    referrer: `https://www.example.com/${pick(random, WORDS)}?q=${pick(random, WORDS)}`,
    device: {
      os: pick(random, ['ios', 'android', 'linux', 'windows']),
      width: 320 + Math.floor(random() * 2000),
    },
    items: Array.from({ length: 4 }, () => ({
      sku: `SKU-${Math.floor(random() * 1e6)}`,
      quantity: 1 + Math.floor(random() * 5),
      price: Math.floor(random() * 1e5) / 100,
    })),
    note: '',
  }
  const missing = bytes - JSON.stringify(event).length
  let note = ''
  while (note.length < missing) note += `${pick(random, WORDS)} `
  event.note = note.slice(0, missing)
  return JSON.stringify(event)
}

/** 12-byte keys. */
export function keyRing(length = RING_RECORDS) {
  return ring(1, length, random => Buffer.from(letters(random, 12)))
}

/** Values of random letters: sizes, not contents, matter where nothing is compressed. */
export function letterRing(bytes, length = RING_RECORDS) {
  return ring(2, length, random => Buffer.from(letters(random, bytes)))
}

/** Values of JSON, which compresses as events do. */
export function jsonRing(bytes, length = RING_RECORDS) {
  return ring(3, length, (random, at) => Buffer.from(jsonEvent(random, at, bytes)))
}

/**
 * Values of the header `traceparent` in the form of the W3C's Trace Context: version, trace id, parent id and
 * flags, 55 characters.
 */
export function traceRing(length = LARGE_RING_RECORDS) {
  const hex = (random, digits) => {
    let text = ''
    for (let i = 0; i < digits; i++) text += HEX_DIGITS[Math.floor(random() * HEX_DIGITS.length)]
    return text
  }
  return ring(4, length, random => Buffer.from(`00-${hex(random, 32)}-${hex(random, 16)}-01`))
}
