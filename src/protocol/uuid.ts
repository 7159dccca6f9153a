/** The id of no topic: what the protocol sends where an id is not known or not set. */
export const ZERO_UUID: Uint8Array = new Uint8Array(16)

/** 32 hex digits of a 16-byte id, to key maps by it. */
export function uuidKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
}

/** Whether the id is {@link ZERO_UUID} by value. */
export function isZeroUuid(id: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (id[i] !== 0) return false
  return true
}

export function sameUuid(one: Uint8Array, other: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (one[i] !== other[i]) return false
  return true
}
