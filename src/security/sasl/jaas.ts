import { printable } from '../../common/foreign-text.js'
import { shownValue } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'

/** A login module and its options, out of `sasl.jaas.config`. */
export interface JaasEntry {
  /** The last part of the class name, such as `PlainLoginModule`. */
  readonly module: string
  readonly options: ReadonlyMap<string, string>
}

const FLAGS = ['required', 'requisite', 'sufficient', 'optional']
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
/** Longer than any entry with certificates in it, and read in no time. */
const CHARACTERS_MAX = 256 * 1024
/** Far more than any login module has options. */
const TOKENS_MAX = 4_000
const BLANKS = /\s+/y
const WORD = /[^\s=;"']+/y

interface Token {
  readonly text: string
  readonly isMark: boolean
}

/**
 * Reads one JAAS entry:
 *
 *     entry  = class flag *(name "=" value) ";"
 *     value  = word | quoted text, in which a backslash escapes as in Java, octal numbers included
 *
 * Comments are passed over. Messages never show what was read: it holds passwords.
 */
export function parseJaasConfig(text: string): JaasEntry {
  if (text.length > CHARACTERS_MAX) {
    throw malformed(`it has ${text.length} characters, more than ${CHARACTERS_MAX}`)
  }
  const tokens = tokensOf(text)
  let read = 0
  const next = () => tokens[read++]
  const className = next()
  const flag = next()
  if (className === undefined || className.isMark) throw malformed('it does not begin with a login module')
  if (flag === undefined || !FLAGS.includes(flag.text.toLowerCase())) {
    throw malformed(`after the login module must come one of ${FLAGS.join(', ')}`)
  }
  const options = new Map<string, string>()
  for (let token = next(); token?.text !== ';' || !token.isMark; token = next()) {
    if (token === undefined) throw malformed('it does not end with a semicolon')
    const [equals, value] = [next(), next()]
    const isOption = !token.isMark && equals?.isMark && equals.text === '=' && value?.isMark === false
    if (!isOption) throw malformed(`option ${options.size + 1} is not of the form name="value"`)
    options.set(token.text, (value as Token).text)
  }
  if (read < tokens.length) throw malformed('only one login module may be given')
  return { module: className.text.slice(className.text.lastIndexOf('.') + 1), options }
}

/** Refuses an entry of another mechanism. */
export function checkModule({ module }: JaasEntry, mechanism: string, allowed: readonly string[]): void {
  if (allowed.includes(module)) return
  const hint =
    module === 'IAMLoginModule'
      ? '; for AWS use sasl.mechanism = OAUTHBEARER with saslOauthTokenProvider = awsMskIamTokenProvider(…)'
      : ''
  throw new ConfigError(
    `sasl.jaas.config names the login module ${shownValue(module)}, which does not go with sasl.mechanism ` +
      `= ${printable(mechanism)}; allowed: ${allowed.join(', ')}${hint}`,
    'sasl.jaas.config',
  )
}

/** Looks at every character once, or twice: a text that does not end as it should costs no more. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  const lastCommentEnd = text.lastIndexOf('*/')
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at)
    const afterBlanks = endOf(BLANKS, text, at)
    if (tokens.length > TOKENS_MAX) throw malformed('it has far too many options')
    if (afterBlanks > at) at = afterBlanks
    else if (text.startsWith('//', at)) at = endOr(text.indexOf('\n', at), text.length)
    else if (text.startsWith('/*', at) && at + 2 <= lastCommentEnd) at = text.indexOf('*/', at + 2) + 2
    else if (char === '=' || char === ';') {
      tokens.push({ text: char, isMark: true })
      at++
    } else if (char === '"' || char === "'") {
      const end = endOfQuotation(text, at)
      if (end < 0) throw malformed(`a quotation that begins at character ${at + 1} has no end`)
      tokens.push({ text: unescapeText(text.slice(at + 1, end)), isMark: false })
      at = end + 1
    } else {
      const end = endOf(WORD, text, at)
      tokens.push({ text: text.slice(at, end), isMark: false })
      at = end
    }
  }
  return tokens
}

function endOr(found: number, byDefault: number): number {
  return found < 0 ? byDefault : found
}

/** Where the quotation mark stands that ends it; -1 where none does on its line. */
function endOfQuotation(text: string, start: number): number {
  const mark = text.charAt(start)
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === mark) return at
    if (char === '\n') return -1
    if (char === '\\') at++
  }
  return -1
}

/** Where what the sticky pattern matches ends; `start` where it does not match. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}

function unescapeText(quoted: string): string {
  return quoted.replace(/\\(?:([0-3]?[0-7]{1,2})|([\s\S]))/g, (_, octal?: string, char = '') =>
    octal === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(octal, 8)),
  )
}

function malformed(reason: string): ConfigError {
  return new ConfigError(
    `sasl.jaas.config is not valid: ${reason}; allowed: one entry such as ` +
      'org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";',
    'sasl.jaas.config',
  )
}
