const getter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')?.get
const lengthOf = getter as (this: Uint8Array) => number

/**
 * The view's true length. Its `length` may be anything a subclass or a property of its own says, or code of
 * the caller's. Throws a TypeError for what only looks like a view, a proxy for example.
 */
export function byteLength(view: Uint8Array): number {
  return lengthOf.call(view)
}
