import { printable as printableForeign, UNPRINTABLE } from '../common/foreign-text.js'

/**
 * The text on one line, with everything escaped that a terminal would not show: `\n`, `\u001b`, `\u202e`.
 * Topics, file names, input and what brokers answer are to pass here before they are written. Longer texts
 * than `charactersMax` are cut; default none.
 */
export function printable(text: string, charactersMax = Number.POSITIVE_INFINITY): string {
  return printableForeign(text, charactersMax)
}

/** JSON on one line that is safe on a terminal; what it parses to is the same. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, unitsOf)
}

/** JSON has no escapes but those of UTF-16 units. */
function unitsOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
