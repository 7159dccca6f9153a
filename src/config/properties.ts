import { isOptionLike } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'

/**
 * Reads the text of a Java `.properties` file.
 *
 * ```
 * file     = *( blank | comment | logical )
 * comment  = *ws ( "#" | "!" ) *char eol
 * logical  = *ws key [ *ws ( "=" | ":" ) *ws | 1*ws ] value eol
 * ws       = space | tab | form feed
 * ```
 * An odd number of backslashes before the end of a line continues it on the next one, whose leading blanks
 * are dropped; a comment cannot be continued. In keys and values `\t \n \r \f \uXXXX` mean what they do in
 * Java, and a backslash before any other character is dropped. The last of several equal keys wins, and
 * blanks at the end of a value belong to it.
 */
export function parseProperties(text: string): Record<string, string> {
  // Without a prototype every key is a plain one, '__proto__' too.
  const properties: Record<string, string> = Object.create(null)
  for (const line of logicalLines(text)) {
    const keyEnd = endOfKey(line)
    const [separator = ''] = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(keyEnd)) ?? []
    const key = decode(line.slice(0, keyEnd))
    const value = decode(line.slice(keyEnd + separator.length))
    refuseTornPem(key, value)
    properties[key] = value
  }
  return properties
}

/**
 * A PEM text whose lines are not continued: they would become options of their own, and pieces of a private
 * key the names of options.
 */
function refuseTornPem(key: string, value: string): void {
  const isTorn = value.includes('-----BEGIN ') && !value.includes('-----END ')
  if (!isTorn && !key.startsWith('-----BEGIN')) return
  const where = isTorn && isOptionLike(key) ? ` of ${key}` : ''
  throw new ConfigError(
    `a properties file has a PEM text${where} that goes on without a backslash; allowed: \\n\\ at the end ` +
      'of each of its lines but the last, or the text on one line',
    where === '' ? undefined : key,
  )
}

/** The lines that hold properties, continued ones joined and leading blanks dropped. */
function* logicalLines(text: string): Generator<string> {
  let joined: string | undefined
  for (const natural of text.split(/\r\n|[\r\n]/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (joined === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const continued = endsWithOddBackslashes(line)
    joined = (joined ?? '') + (continued ? line.slice(0, -1) : line)
    if (continued) continue
    if (joined !== '') yield joined
    joined = undefined
  }
  if (joined) yield joined
}

function endsWithOddBackslashes(line: string): boolean {
  let start = line.length
  while (start > 0 && line[start - 1] === '\\') start--
  return (line.length - start) % 2 === 1
}

/** Where the first separator that is not escaped begins. */
function endOfKey(line: string): number {
  let end = 0
  while (end < line.length && !/[=: \t\f]/.test(line.charAt(end))) end += line[end] === '\\' ? 2 : 1
  return Math.min(end, line.length)
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['f', '\f'],
])

function decode(text: string): string {
  let decoded = ''
  let from = 0
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', from)) {
    const char = text.charAt(at + 1)
    decoded += text.slice(from, at)
    from = at + 2
    if (char === 'u') {
      const hex = text.slice(from, from + 4)
      if (!/^[0-9A-Fa-f]{4}$/.test(hex)) {
        throw new ConfigError('a properties file has a malformed \\u escape; allowed: \\u and 4 hex digits')
      }
      decoded += String.fromCharCode(Number.parseInt(hex, 16))
      from += 4
    } else if (char === '') return `${decoded}\\`
    else decoded += ESCAPES.get(char) ?? char
  }
  return decoded + text.slice(from)
}
