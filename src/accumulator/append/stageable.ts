import { byteLength, hasBytes } from '../../common/views.js'
import type { NativeBytes } from '../../native/addon.js'

/** Answer of {@link stageableUnits} for what has to be appended directly. */
export const NOT_STAGEABLE = -2

/**
 * What a key or value takes in the staging, -1 for null: bytes, or characters of a text, whose bytes nobody
 * knows before it is written. Empty views are appended directly: native code tells empty from detached.
 */
export function stageableUnits(given: NativeBytes): number {
  return typeof given === 'string' ? given.length : viewUnits(given)
}

/** As {@link stageableUnits}, of what is no text. */
export function viewUnits(given: Uint8Array | null | undefined): number {
  if (given === null || given === undefined) return -1
  // Nothing is at the start of an empty or detached view. Reading what is there first also tells V8 the
  // view's class, and with it all that follows.
  return given[0] !== undefined && hasBytes(given) ? byteLength(given) : NOT_STAGEABLE
}
