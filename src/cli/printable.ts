/**
 * What a terminal may take for a command, or may hide: C0 and C1 controls with DEL, line and paragraph
 * separators, and the marks that change the direction of text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const SHORT: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0')
}

/**
 * The text on one line, with everything escaped that a terminal would not show: `\n`, `\x1b`, `\u202e`.
 * Topics, file names, input and what brokers answer are to pass here before they are written.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, character => {
    const short = SHORT[character]
    if (short !== undefined) return short
    return character < '\x80' ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`
  })
}

/** JSON on one line that is safe on a terminal; what it parses to is the same. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, character => `\\u${hex(character, 4)}`)
}
