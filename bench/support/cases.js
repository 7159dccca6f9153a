// The cases that are measured end to end, here and beside other clients.
import { jsonRing, keyRing, letterRing, RING_RECORDS } from './payloads.js'

/**
 * Where values are compressed no batch may hold one twice. Java's hold more records than others': it reckons
 * with what compression has saved so far.
 */
const COMPRESSED_RING_RECORDS = 8192
const large = { 'batch.size': 131072, 'linger.ms': 5 }
const small = { 'batch.size': 16384, 'linger.ms': 5 }

/** `records`: how many are timed by default; about a second's worth. */
export const cases = {
  A: { title: '100 B, 12 B key, batch 128 KiB', keyed: true, bytes: 100, options: large, records: 2_000_000 },
  B: { title: '100 B, no key, batch 16 KiB', keyed: false, bytes: 100, options: small, records: 2_000_000 },
  C: {
    title: '1,000 B, 12 B key, batch 128 KiB',
    keyed: true,
    bytes: 1000,
    options: large,
    records: 500_000,
  },
  D: {
    title: 'as C, JSON, lz4',
    keyed: true,
    bytes: 1000,
    json: true,
    options: { ...large, 'compression.type': 'lz4' },
    records: 300_000,
  },
  E: {
    title: 'as C, JSON, zstd level 3',
    keyed: true,
    bytes: 1000,
    json: true,
    options: { ...large, 'compression.type': 'zstd', 'compression.zstd.level': 3 },
    records: 200_000,
  },
}

/** Rings of the case's keys and values, of equal length. */
export function payloadsOf({ keyed, bytes, json }) {
  const length = json ? COMPRESSED_RING_RECORDS : RING_RECORDS
  return {
    keys: keyed ? keyRing(length) : new Array(length).fill(undefined),
    values: json ? jsonRing(bytes, length) : letterRing(bytes, length),
  }
}
