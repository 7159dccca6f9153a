import { inspect } from 'node:util'
import { quoted } from './foreign-text.js'

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

/**
 * Longer values are named by their length only: who mistakes one option for another may have put a key here.
 */
const SHOWN_CHARACTERS_MAX = 100
/** A run of so many characters of base64, in as many kinds as those of a key have. */
const KEY_RUN_MIN = 24

/**
 * A value that a message is to name: in quotation marks, unless it looks as if it were, or had, a secret.
 * Then only its length is told.
 */
export function shownValue(text: string): string {
  return mayBeSecret(text) ? `[a text of ${text.length} characters]` : quoted(text)
}

/** PEM, long texts, keys in base64 or hex, HTTP credentials, and addresses with user and password. */
function mayBeSecret(text: string): boolean {
  if (/\b(basic|bearer)\s/i.test(text)) return true
  if (text.length > SHOWN_CHARACTERS_MAX || text.includes('-----')) return true
  if (/[^\s/:@]*:[^\s@]*@/.test(text) || (text.includes('://') && text.includes('@'))) return true
  return text.split(/[^A-Za-z0-9+/=_]/).some(isKeyLike)
}

function isKeyLike(run: string): boolean {
  if (run.length < KEY_RUN_MIN) return false
  const count = (kind: RegExp) => run.length - run.replace(kind, '').length
  const [digits, upper] = [count(/[0-9]/g), count(/[A-Z]/g)]
  const isHex = count(/[0-9a-fA-F]/g) === run.length
  return isHex ? digits > 2 : digits + upper > run.length / 5 && upper > 2
}

/** Longer than the name of any option. */
export const OPTION_NAME_MAX = 60

/** Whether a name could be that of an option, rightly spelt or not, and not a piece of a key. */
export function isOptionLike(name: string): boolean {
  if (name.length > OPTION_NAME_MAX || !/^[\w.-]*$/.test(name)) return false
  const upper = name.replace(/[^A-Z]/g, '').length
  const digits = name.replace(/[^0-9]/g, '').length
  return digits <= 2 && upper <= Math.max(2, name.length / 5)
}

/** A name for a message: what stands where a name belongs may be a piece of a key. */
export function shownName(name: string): string {
  return isOptionLike(name) ? name : `[a name of ${name.length} characters]`
}
