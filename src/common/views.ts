// What is true of a view. Its own properties may say anything, and asking them may run a caller's code.

const viewPrototype = Object.getPrototypeOf(Uint8Array.prototype)
const lengthOf = getterOf('length') as (this: Uint8Array) => number
const tagOf = getterOf(Symbol.toStringTag) as (this: unknown) => string | undefined
const plainPrototype = Uint8Array.prototype
const bufferPrototype = Buffer.prototype

/**
 * Whether it is a Uint8Array, or only looks like one: {@link byteLength} tells. `instanceof` would ask the
 * prototypes, and one of them may be a proxy, whose code may do anything; looking at the first one runs none.
 */
export function hasBytes(value: object): value is Uint8Array {
  const prototype = Object.getPrototypeOf(value)
  return prototype === bufferPrototype || prototype === plainPrototype || tagOf.call(value) === 'Uint8Array'
}

/** Throws a TypeError for what only looks like a view. */
export function byteLength(view: Uint8Array): number {
  return lengthOf.call(view)
}

function getterOf(name: string | symbol) {
  return Object.getOwnPropertyDescriptor(viewPrototype, name)?.get
}

/** Whether it is a typed array: reading an element of one runs no code. */
export function isTypedArray(value: unknown): boolean {
  return tagOf.call(value) !== undefined
}

/** A view all the same, but its elements are properties: looking at one may have run code of the caller's. */
export function isDataView(bytes: unknown): boolean {
  return ArrayBuffer.isView(bytes) && !isTypedArray(bytes)
}
