import { quote, UsageError } from './arguments.js'

/** What a line says of its record. */
export interface ParsedLine {
  readonly key: string | Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly (readonly [name: string, value: Uint8Array | null])[]
}

/** How lines of text become records. */
interface LineReaderOptions {
  readonly parseKey: boolean
  readonly keySeparator: Buffer
  /** A line without the separator is a value without a key, as kcat has it; no error. */
  readonly keyOptional: boolean
  readonly parseHeaders: boolean
  readonly headersDelimiter: Buffer
  readonly headersSeparator: RegExp
  readonly headersKeySeparator: string
  readonly ignoreError: boolean
  readonly nullMarker: Buffer | null
  /** kcat's `-Z`: empty keys and values are null. */
  readonly emptyAsNull: boolean
  /** Of records that have no key of their own. */
  readonly fixedKey: Buffer | null
}

const READER_DEFAULTS = {
  'parse.key': 'false',
  'key.separator': '\t',
  'parse.headers': 'false',
  'headers.delimiter': '\t',
  'headers.separator': ',',
  'headers.key.separator': ':',
  'ignore.error': 'false',
}

export const READER_PROPERTIES: readonly string[] = [...Object.keys(READER_DEFAULTS), 'null.marker']

/**
 * The properties of the reader of Kafka's console producer 4.3, with its defaults and its rules. Throws
 * {@link UsageError} for separators that cannot be told apart and for names that the reader does not have.
 */
export function readerOptions(
  properties: Readonly<Record<string, string>>,
): Omit<LineReaderOptions, 'keyOptional' | 'emptyAsNull' | 'fixedKey'> {
  for (const name of Object.keys(properties)) {
    if (READER_PROPERTIES.includes(name) || name === 'topic') continue
    throw new UsageError(`--reader-property ${quote(name)}: the reader has ${READER_PROPERTIES.join(', ')}`)
  }
  const all = { ...READER_DEFAULTS, ...properties }
  checkDistinct(
    all,
    ['headers.delimiter', 'headers.separator', 'headers.key.separator'],
    properties['null.marker'],
  )
  const flag = (text: string) => text.trim().toLowerCase() === 'true'
  const marker = properties['null.marker']
  return {
    parseKey: flag(all['parse.key']),
    keySeparator: separator('key.separator', all['key.separator']),
    parseHeaders: flag(all['parse.headers']),
    headersDelimiter: separator('headers.delimiter', all['headers.delimiter']),
    headersSeparator: javaPattern('headers.separator', all['headers.separator']),
    headersKeySeparator: all['headers.key.separator'],
    ignoreError: flag(all['ignore.error']),
    nullMarker: marker === undefined ? null : Buffer.from(marker),
  }
}

function checkDistinct(
  all: Readonly<Record<string, string>>,
  names: readonly string[],
  marker: string | undefined,
): void {
  for (const [index, name] of names.entries()) {
    for (const other of names.slice(index + 1)) {
      if (all[name] === all[other]) throw new UsageError(`${name} and ${other} may not be equal`)
    }
  }
  for (const name of ['key.separator', ...names]) {
    if (all[name] === marker) throw new UsageError(`null.marker and ${name} may not be equal`)
  }
}

function separator(name: string, text: string): Buffer {
  if (text === '') throw new UsageError(`${name} may not be empty`)
  return Buffer.from(text)
}

/** A pattern of Java's `java.util.regex`; of what JavaScript does not have, only `\Q…\E` is understood. */
export function javaPattern(name: string, text: string): RegExp {
  const quoted = /\\Q([\s\S]*?)(?:\\E|$)/g
  const source = text.replace(quoted, (_, literal: string) => literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  try {
    return new RegExp(source, 'g')
  } catch (error) {
    throw new UsageError(`${name} ${quote(text)} is no regular expression: ${(error as Error).message}`)
  }
}

/**
 * Splits as `java.util.regex.Pattern.split` does: nothing empty at the end, and nothing empty before a match
 * of nothing.
 */
function splitBy(pattern: RegExp, text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (const match of text.matchAll(pattern)) {
    const end = match.index + match[0].length
    if (end === 0) continue
    parts.push(text.slice(start, match.index))
    start = end
  }
  if (start === 0) return [text]
  parts.push(text.slice(start))
  while (parts.at(-1) === '') parts.pop()
  return parts
}

/** Reads lines in the grammar of Kafka's console producer: `headers DELIMITER key SEPARATOR value`. */
export class LineReader {
  readonly #options: LineReaderOptions

  constructor(options: LineReaderOptions) {
    this.#options = options
  }

  /** Throws an error with what is wrong and where if a part is missing. */
  read(line: Buffer, number: number): ParsedLine {
    const { parseKey, parseHeaders, keySeparator, headersDelimiter } = this.#options
    if (!parseKey && !parseHeaders) return { key: this.#keyOf(null), value: this.#valueOf(line) }
    let rest = line
    let block: Buffer | null = null
    if (parseHeaders) {
      block = this.#before(rest, headersDelimiter, 'headers delimiter', line, number)
      if (block !== null) rest = rest.subarray(block.length + headersDelimiter.length)
    }
    let key: Buffer | null = null
    if (parseKey) {
      key = this.#before(rest, keySeparator, 'key separator', line, number)
      if (key !== null) rest = rest.subarray(key.length + keySeparator.length)
    }
    const parsed = { key: this.#keyOf(key), value: this.#valueOf(rest) }
    if (block === null || this.#isNull(block)) return parsed
    return { ...parsed, headers: this.#headersOf(block.toString(), number) }
  }

  /** Null where the part is missing and that is no error. */
  #before(rest: Buffer, mark: Buffer, name: string, line: Buffer, number: number): Buffer | null {
    const end = rest.indexOf(mark)
    if (end >= 0) return rest.subarray(0, end)
    const { ignoreError, keyOptional } = this.#options
    if (ignoreError || (keyOptional && name === 'key separator')) return null
    throw new Error(`No ${name} found on line number ${number}: '${excerpt(line.toString())}'`)
  }

  #keyOf(key: Buffer | null): Buffer | null {
    if (key === null) return this.#options.fixedKey
    return this.#isNull(key) || (this.#options.emptyAsNull && key.length === 0) ? null : key
  }

  #valueOf(value: Buffer): Buffer | null {
    return this.#isNull(value) || (this.#options.emptyAsNull && value.length === 0) ? null : value
  }

  #isNull(bytes: Buffer): boolean {
    return this.#options.nullMarker?.equals(bytes) ?? false
  }

  #headersOf(block: string, number: number): [string, Uint8Array | null][] {
    const { headersSeparator, headersKeySeparator, ignoreError, nullMarker } = this.#options
    return splitBy(headersSeparator, block).map(pair => {
      const end = pair.indexOf(headersKeySeparator)
      if (end < 0) {
        if (ignoreError) return [pair, null]
        throw new Error(`No header key separator found in pair '${excerpt(pair)}' on line number ${number}`)
      }
      const name = pair.slice(0, end)
      if (name === nullMarker?.toString()) {
        throw new Error(`Header keys should not be equal to the null marker '${name}' as they can't be null`)
      }
      const value = Buffer.from(pair.slice(end + headersKeySeparator.length))
      return [name, this.#isNull(value) ? null : value]
    })
  }
}

const EXCERPT_MAX = 200

/** Enough of a line to find it by. */
function excerpt(text: string): string {
  return text.length <= EXCERPT_MAX ? text : `${text.slice(0, EXCERPT_MAX)}…`
}

/** A delimiter as kcat writes it: `\n`, `\t`, `\r`, `\0`, `\xNN`, `\\`, anything else as it is. */
export function delimiterOf(option: string, text: string): Buffer {
  const bytes: Buffer[] = []
  const pieces = /\\x([0-9a-fA-F]{1,2})|\\([nrt0\\])|([\s\S])/gu
  const named: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, '0': 0, '\\': 0x5c }
  for (const [, digits, name, plain] of text.matchAll(pieces)) {
    if (digits !== undefined) bytes.push(Buffer.of(Number.parseInt(digits, 16)))
    else if (name !== undefined) bytes.push(Buffer.of(named[name] as number))
    else bytes.push(Buffer.from(plain as string))
  }
  if (bytes.length === 0) throw new UsageError(`--${option} may not be empty`)
  return Buffer.concat(bytes)
}
