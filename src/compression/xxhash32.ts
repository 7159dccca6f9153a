const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

/** xxHash32 with seed 0, the checksum of the LZ4 frame format, as an unsigned 32-bit number. */
export function xxhash32(bytes: Uint8Array): number {
  const length = bytes.length
  const words = new DataView(bytes.buffer, bytes.byteOffset, length)
  let hash = PRIME_5
  let position = 0
  if (length >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0
    let b = PRIME_2 | 0
    let c = 0
    let d = -PRIME_1 | 0
    for (const last = length - 16; position <= last; position += 16) {
      a = round(a, words.getUint32(position, true))
      b = round(b, words.getUint32(position + 4, true))
      c = round(c, words.getUint32(position + 8, true))
      d = round(d, words.getUint32(position + 12, true))
    }
    hash = rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18)
  }
  hash = (hash + length) | 0
  for (; position + 4 <= length; position += 4) {
    hash = (hash + Math.imul(words.getUint32(position, true), PRIME_3)) | 0
    hash = Math.imul(rotateLeft(hash, 17), PRIME_4)
  }
  for (; position < length; position++) {
    hash = (hash + Math.imul(words.getUint8(position), PRIME_5)) | 0
    hash = Math.imul(rotateLeft(hash, 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round(accumulator: number, word: number): number {
  return Math.imul(rotateLeft((accumulator + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
