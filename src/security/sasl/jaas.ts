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
const TOKEN = new RegExp(
  [
    String.raw`\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/`,
    '(?<mark>[=;])',
    String.raw`"(?<double>(?:[^"\\\n]|\\[\s\S])*)"`,
    String.raw`'(?<single>(?:[^'\\\n]|\\[\s\S])*)'`,
    String.raw`(?<word>[^\s=;"']+)`,
  ].join('|'),
  'y',
)

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
  const tokens = tokensOf(text)
  const next = () => tokens.shift()
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
  if (tokens.length > 0) throw malformed('only one login module may be given')
  return { module: className.text.slice(className.text.lastIndexOf('.') + 1), options }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const groups = TOKEN.exec(text)?.groups
    if (groups === undefined) throw malformed(`a quotation that begins at character ${at + 1} has no end`)
    const { mark, double, single, word } = groups
    const quoted = double ?? single
    if (mark !== undefined) tokens.push({ text: mark, isMark: true })
    else if (quoted !== undefined) tokens.push({ text: unescapeText(quoted), isMark: false })
    else if (word !== undefined) tokens.push({ text: word, isMark: false })
  }
  return tokens
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
