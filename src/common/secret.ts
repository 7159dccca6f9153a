import { inspect } from 'node:util'

const HIDDEN = '[hidden]'

/**
 * A value that is never printed: in text, JSON and `util.inspect`, at any depth, it is `[hidden]`. Only
 * {@link reveal} gives it out.
 */
export class Secret<T = string> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}
