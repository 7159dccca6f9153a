import { parseArgs } from 'node:util'
import { shownName, shownValue } from '../common/secret.js'

/** What is wrong with how the command was called. Ends it with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** One option of a command. */
interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** It may be given several times. */
  readonly multiple?: true
  readonly short?: string
  /** Its value may be a number below zero, as in `--throughput -1`. */
  readonly negative?: true
  /** Its value may be left out, and is this then. */
  readonly bare?: string
  /** It takes all arguments up to the next option, each as one value; only with `multiple`. */
  readonly greedy?: true
}

/** Options of one command, by long name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

/** The options given. An option that may be repeated is always an array, one that was not given undefined. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly multiple: true }
    ? readonly string[]
    : Table[Name] extends { readonly type: 'boolean' }
      ? boolean
      : string | undefined
}

/** Answers to options of other tools, by the spelling with its dashes: what to use instead, or why not. */
export type ForeignOptions = Readonly<Record<string, string>>

/** Reads a command's options. Throws {@link UsageError} for what the table does not allow. */
export function parseOptions<Table extends OptionTable>(
  args: readonly string[],
  table: Table,
  foreign: ForeignOptions = {},
): Values<Table> {
  const { values, positionals } = parseCommand(args, table, foreign)
  if (positionals[0] !== undefined) throw new UsageError(`Unexpected argument ${quote(positionals[0])}`)
  return values
}

/** As {@link parseOptions}, with the arguments that are no options. */
export function parseCommand<Table extends OptionTable>(
  args: readonly string[],
  table: Table,
  foreign: ForeignOptions = {},
): { values: Values<Table>; positionals: readonly string[] } {
  // Not strict: the runtimes word their complaints differently, and none of them suggests what was meant.
  const { tokens, values, positionals } = parseArgs({
    args: spelledOut(args, table),
    options: table,
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  for (const token of tokens) if (token.kind === 'option') checkOption(token, table, foreign)
  const all: Record<string, unknown> = {}
  for (const [name, { type, multiple }] of Object.entries(table)) {
    all[name] = values[name] ?? (multiple ? [] : type === 'boolean' ? false : undefined)
  }
  return { values: all as Values<Table>, positionals }
}

/** The arguments with `--option=value` where an option's value may be left out, or may be several. */
function spelledOut(args: readonly string[], table: OptionTable): string[] {
  const spelled: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string
    if (arg === '--') return [...spelled, ...args.slice(index)]
    const option = arg.startsWith('--') ? table[arg.slice(2)] : undefined
    const isValue = (at: number) => at < args.length && !(args[at] as string).startsWith('-')
    if (option?.greedy && isValue(index + 1)) {
      while (isValue(index + 1)) spelled.push(`${arg}=${args[++index]}`)
    } else if (option?.bare !== undefined && !isValue(index + 1)) {
      spelled.push(`${arg}=${option.bare}`)
    } else {
      spelled.push(arg)
      // The value of an option is not looked at: it may look like one of those above.
      if (option?.type === 'string' && index + 1 < args.length) spelled.push(args[++index] as string)
    }
  }
  return spelled
}

interface OptionToken {
  name: string
  rawName: string
  value?: string | undefined
  inlineValue?: boolean | undefined
}

function checkOption(token: OptionToken, table: OptionTable, foreign: ForeignOptions): void {
  const { name, rawName, value, inlineValue } = token
  const option = Object.hasOwn(table, name) ? table[name] : undefined
  if (!option) {
    if (Object.hasOwn(foreign, rawName)) throw new UsageError(`Option ${rawName}: ${foreign[rawName]}`)
    const near = nearest(name, Object.keys(table))
    throw new UsageError(
      `Unknown option ${shownName(rawName)}${near === undefined ? '' : `; did you mean --${near}?`}`,
    )
  }
  if (option.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`Option ${rawName} takes no value`)
    return
  }
  const looksLikeOption = value !== undefined && value.length > 1 && value.startsWith('-')
  const isNumber = option.negative && value !== undefined && /^-\d+(\.\d+)?$/.test(value)
  if (value === undefined || (!inlineValue && looksLikeOption && !isNumber)) {
    throw new UsageError(`Option ${rawName} needs a value (${rawName}=VALUE if it begins with a dash)`)
  }
}

/** The value of an option that counts something. Throws {@link UsageError} if it is not in the range. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${name} is ${quote(text)}, allowed are whole numbers from ${min} to ${max}`)
}

/** As {@link wholeNumber}, from `min` on, below zero too. */
export function integer(
  name: string,
  text: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  const allowed = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
  throw new UsageError(`--${name} is ${quote(text)}, allowed are whole numbers ${allowed}`)
}

/** Splits `name=value` at the first `=`. */
export function assignment(option: string, text: string): [name: string, value: string] {
  const equals = text.indexOf('=')
  // What is given may be the value alone, and a secret.
  if (equals <= 0) throw new UsageError(`--${option} takes name=value, and was given no name or no "="`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}

/** The candidate that differs from `word` in the fewest characters, if that is few enough to be a slip. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.min(4, Math.max(2, word.length / 2))
  for (const candidate of candidates) {
    const begins = word.length >= 3 && candidate.startsWith(word)
    const distance = begins ? 0.5 : editDistance(word, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Characters to insert, delete or replace to make one word of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}

/** A word of the command line for a message; what may be a secret is named by its length. */
export function quote(text: string): string {
  return shownValue(text)
}

/** For a file that the command line names and that cannot be used: the system's message repeats its name. */
export function fileError(what: string, path: string, failed: string, error: unknown): UsageError {
  const { code, message } = error as NodeJS.ErrnoException
  return new UsageError(`${what} ${quote(path)} cannot be ${failed}: ${code ?? message}`)
}
