const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/**
 * Java's `Utils.murmur2` of `length` bytes from `from` on, by default of all of them. It answers the same
 * int32 as native code does: for whoever needs a key's partition before its record.
 */
export function murmur2(bytes: Uint8Array, from = 0, length = bytes.length - from): number {
  let hash = SEED ^ length
  const whole = from + (length & ~3)
  let at = from
  for (; at < whole; at += 4) {
    let word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
    word |= ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> 24
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  const left = from + length - whole
  if (left > 2) hash ^= (bytes[at + 2] as number) << 16
  if (left > 1) hash ^= (bytes[at + 1] as number) << 8
  if (left > 0) hash = Math.imul(hash ^ (bytes[at] as number), MULTIPLIER)
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The partition of a key among so many, as Java's default partitioner chooses it. */
export function partitionOfKey(
  bytes: Uint8Array,
  from: number,
  length: number,
  partitionCount: number,
): number {
  return (murmur2(bytes, from, length) & 0x7fffffff) % partitionCount
}
