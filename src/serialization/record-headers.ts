import type { Bytes, Headers } from './types.js'

/** One header of a record. */
type Header = readonly [name: string, value: Bytes]

/**
 * Headers with the helpers of Java's `Headers`, for those who build them step by step. They can be given to
 * `send` as they are: a record needs no more than pairs.
 */
export class RecordHeaders implements Iterable<Header> {
  private readonly list: Header[]

  /** Starts with these headers; default none. */
  constructor(headers: Headers = []) {
    this.list = Symbol.iterator in headers ? Array.from(headers as Iterable<Header>) : pairsOf(headers)
  }

  /** Adds one behind the others, also where there is one of that name. */
  add(name: string, value: Bytes): this {
    this.list.push([name, value])
    return this
  }

  /** Takes all headers of that name away. */
  remove(name: string): this {
    const kept = this.list.filter(([each]) => each !== name)
    this.list.splice(0, this.list.length, ...kept)
    return this
  }

  /** The header of that name that was added last. */
  lastHeader(name: string): Header | undefined {
    return this.headers(name).at(-1)
  }

  /** All headers of that name, in order. */
  headers(name: string): Header[] {
    return this.list.filter(([each]) => each === name)
  }

  /** All of them, in order. */
  toArray(): Header[] {
    return [...this.list]
  }

  /** Pairs of name and value, in order. */
  [Symbol.iterator](): Iterator<Header> {
    return this.list[Symbol.iterator]()
  }
}

function pairsOf(headers: Exclude<Headers, Iterable<Header>>): Header[] {
  return Object.entries(headers).flatMap(([name, given]) => {
    const values = Array.isArray(given) ? (given as readonly Bytes[]) : [given as Bytes]
    return values.map(value => [name, value] as const)
  })
}
