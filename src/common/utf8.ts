// Texts as UTF-8, each by the way that is cheapest for its length on the runtime at hand. What the ways cost
// is in bench/history.md.
import { isBun, isNode } from './runtime.js'

interface Limits {
  /** Texts up to so many characters are written by a loop: a call would take longer. */
  readonly looped: number
  /** Texts up to so many characters are cheaper to join with others than to write on their own. */
  readonly joined: number
}

const NODE: Limits = { looped: 16, joined: 400 }
const BUN: Limits = { looped: 16, joined: 128 }
/** A call that writes a text costs several times what it does elsewhere. */
const DENO: Limits = { looped: 96, joined: 4096 }

const limits = isNode ? NODE : isBun ? BUN : DENO

export const JOINED_CHARACTERS_MAX = limits.joined
/** A UTF-16 unit takes at most so many. */
export const UTF8_BYTES_PER_CHARACTER = 3

const LOOPED_CHARACTERS_MAX = limits.looped
const ASCII_MAX = 0x7f

/**
 * Writes a text at `at` and answers its bytes. There must be room for three a character. A lone surrogate
 * becomes U+FFFD.
 */
export function writeUtf8(target: Buffer, text: string, at: number): number {
  const { length } = text
  if (length > LOOPED_CHARACTERS_MAX) return target.write(text, at)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > ASCII_MAX) return target.write(text, at)
    target[at + i] = code
  }
  return length
}
