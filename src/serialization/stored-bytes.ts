import type { Bytes } from './types.js'

/** What a key or value is stored as: a string as its UTF-8, null for none. */
export function storedBytes(data: Bytes | undefined): Uint8Array | null {
  return typeof data === 'string' ? Buffer.from(data) : (data ?? null)
}
