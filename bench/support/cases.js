// The cases that are measured end to end, here and beside other clients. What was chosen for them and why:
// bench/README.md.
import { jsonRing, keyRing, LARGE_RING_RECORDS, letterRing, RING_RECORDS, traceRing } from './payloads.js'

/**
 * Where values are compressed no batch may hold one twice. Java's hold more records than others': it reckons
 * with what compression has saved so far.
 */
const COMPRESSED_RING_RECORDS = 8192
const PARTITIONS = 6
const large = { 'batch.size': 131072, 'linger.ms': 5 }
const small = { 'batch.size': 16384, 'linger.ms': 5 }
const compressed = (codec, more = {}) => ({ ...large, 'compression.type': codec, ...more })

/**
 * What the fields say, with what they are by default:
 *
 * - `bytes` of a value; `json`: values that compress as events do, else random letters
 * - `keyed`: 12-byte keys, from a ring of `keyRing`; values come from a ring of `valueRing`
 * - `text`: keys and values are given as strings where a client takes such
 * - `headers`: two, `traceparent` and `content-type`
 * - `tls`: TLS 1.3 with AES-GCM, the broker's certificate checked against an authority of our own
 * - `partitions`, `options` of the producer
 * - `unsettledMax`: most records without an outcome, where records are large
 * - `records`: how many are timed by bench/produce.js; about a second's worth
 * - `inWhole`: a run of bench/compare.js that names no cases has it
 */
function caseOf(title, given) {
  const valueRing = given.json ? COMPRESSED_RING_RECORDS : RING_RECORDS
  const defaults = { keyed: true, bytes: 100, json: false, text: false, headers: false, tls: false }
  const unsettledMax = Number.POSITIVE_INFINITY
  const more = { partitions: PARTITIONS, options: large, records: 500_000, unsettledMax, inWhole: false }
  return { title, ...defaults, ...more, keyRing: LARGE_RING_RECORDS, valueRing, ...given }
}

/** The first five, whose keys stay in the cache. */
const first = given => ({ keyRing: RING_RECORDS, inWhole: true, ...given })

/** A case of 100-byte and one of 1,000-byte values. */
function bothSizes(name, what, given) {
  return {
    [name]: caseOf(`as A, ${what}; 65,536 keys`, { ...given, inWhole: true }),
    [`${name}1`]: caseOf(`as C, ${what}; 65,536 keys`, { ...given, bytes: 1000 }),
  }
}

const partitions = count => `${count} partitions; 65,536 keys`

export const cases = {
  A: caseOf('100 B, 12 B key, batch 128 KiB', first({ records: 2_000_000 })),
  B: caseOf('100 B, no key, batch 16 KiB', first({ keyed: false, options: small, records: 2_000_000 })),
  C: caseOf('1,000 B, 12 B key, batch 128 KiB', first({ bytes: 1000 })),
  D: caseOf(
    'as C, JSON, lz4',
    first({
      bytes: 1000,
      json: true,
      keyRing: COMPRESSED_RING_RECORDS,
      options: compressed('lz4'),
      records: 300_000,
    }),
  ),
  E: caseOf(
    'as C, JSON, zstd level 3',
    first({
      bytes: 1000,
      json: true,
      keyRing: COMPRESSED_RING_RECORDS,
      options: compressed('zstd', { 'compression.zstd.level': 3 }),
      records: 200_000,
    }),
  ),
  ...bothSizes('F', 'key and value as strings', { text: true }),
  ...bothSizes('H', 'two headers', { headers: true }),
  ...bothSizes('FH', 'key and value as strings, two headers', { text: true, headers: true }),
  ...bothSizes('T', 'TLS 1.3 with AES-256-GCM', { tls: true }),
  A6: caseOf('as A; 65,536 keys', {}),
  A12: caseOf(`as A, ${partitions(12)}`, { partitions: 12 }),
  A100: caseOf(`as A, ${partitions(100)}`, { partitions: 100 }),
  C6: caseOf('as C; 65,536 keys', { bytes: 1000 }),
  C12: caseOf(`as C, ${partitions(12)}`, { bytes: 1000, partitions: 12 }),
  C100: caseOf(`as C, ${partitions(100)}`, { bytes: 1000, partitions: 100 }),
  R: caseOf('as A, 20 B; 65,536 keys', { bytes: 20 }),
  X10: caseOf('as A, 10,000 B, at most 2,000 unsettled; 65,536 keys', {
    ...{ bytes: 10_000, valueRing: 512, unsettledMax: 2000, records: 60_000 },
  }),
  X100: caseOf('as A, 100,000 B, at most 200 unsettled; 65,536 keys', {
    ...{ bytes: 100_000, valueRing: 64, unsettledMax: 200, records: 6_000 },
  }),
  Zs: caseOf('as C, JSON, snappy; 65,536 keys', {
    ...{ bytes: 1000, json: true, options: compressed('snappy'), records: 200_000 },
  }),
  Zg: caseOf('as C, JSON, gzip at its default level; 65,536 keys', {
    ...{ bytes: 1000, json: true, options: compressed('gzip'), records: 40_000 },
  }),
}

/** Names of the cases of which `isWanted` is true, in the order above. */
export const caseNamesOf = isWanted => Object.keys(cases).filter(name => isWanted(cases[name]))

/** Rings of the case's keys, values and trace contexts. */
export function payloadsOf({ keyed, keyRing: keyCount, valueRing, bytes, json, headers }) {
  return {
    keys: keyed ? keyRing(keyCount) : [undefined],
    values: json ? jsonRing(bytes, valueRing) : letterRing(bytes, valueRing),
    traces: headers ? traceRing() : [],
  }
}

/** Records of an array in the mode `many`: a thousand, or a tenth of those that may be unsettled. */
export const arrayLengthOf = unsettledMax => Math.max(1, Math.min(1000, Math.floor(unsettledMax / 10)))
