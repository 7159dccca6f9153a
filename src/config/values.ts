import { shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'
import type { OptionDefinition } from './definition.js'
import { type DefinitionOf, definitionOf, type OptionKey } from './definitions.js'

/** What one option is after parsing. */
type ParsedValue<Definition extends OptionDefinition> = Definition extends {
  readonly values: readonly (infer Value)[]
}
  ? Value
  : Definition['type'] extends 'class'
    ? unknown
    : Definition['type'] extends 'list'
      ? readonly unknown[]
      :
          | (Definition['type'] extends 'string' | 'password'
              ? string
              : Definition['type'] extends 'boolean'
                ? boolean
                : number)
          | (Definition['default'] extends null ? null : never)

/** Every option with its value: the one given, else its default. */
export type ParsedValues = { -readonly [Key in OptionKey]: ParsedValue<DefinitionOf<Key>> }

const INT32_MAX = 0x7fffffff

/** Values each type can hold, whatever the option's own range. long ends where numbers stop being exact. */
const RANGE_OF_TYPE = {
  int: [-INT32_MAX - 1, INT32_MAX],
  short: [-0x8000, 0x7fff],
  long: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  double: [-Number.MAX_VALUE, Number.MAX_VALUE],
} as const

/** The value as the option's type has it, or a {@link ConfigError} naming key, value and what is allowed. */
export function parseValue(key: OptionKey, given: unknown): unknown {
  const definition = definitionOf(key)
  const value = typeof given === 'string' ? given.trim() : given
  switch (definition.type) {
    case 'boolean':
      return parseBoolean(key, value)
    case 'int':
    case 'long':
    case 'short':
    case 'double':
      return parseNumber(key, definition.type, value)
    case 'string':
    case 'password':
      return parseString(key, value)
    case 'list':
      return parseList(key, value)
    case 'class':
      return value
  }
}

function parseBoolean(key: OptionKey, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (text === 'true') return true
  if (text === 'false') return false
  throw invalidValue(key, value)
}

function parseNumber(key: OptionKey, type: keyof typeof RANGE_OF_TYPE, value: unknown): number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, orElse } = definitionOf(key)
  const number = typeof value === 'string' ? numberOfText(type, value) : value
  if (typeof number !== 'number') throw invalidValue(key, value)
  if (type !== 'double' && !Number.isInteger(number)) throw invalidValue(key, value)
  const [typeMin, typeMax] = RANGE_OF_TYPE[type]
  const inRange = number >= Math.max(min, typeMin) && number <= Math.min(max, typeMax)
  if (!inRange && number !== orElse) throw invalidValue(key, value)
  return number + 0 // -0 becomes 0
}

/** Longer than any number, and short enough for expressions that try again and again. */
const NUMBER_CHARACTERS_MAX = 400

/** Numbers in text, by Java's grammar: no hexadecimal, no separators, no empty text. */
function numberOfText(type: keyof typeof RANGE_OF_TYPE, text: string): number | undefined {
  if (text.length > NUMBER_CHARACTERS_MAX) return undefined
  if (type === 'double') return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined
  const exact = BigInt(text.replace('+', ''))
  if (type !== 'long' || BigInt.asIntN(64, exact) !== exact) return Number(text)
  // Java's files say "for ever" with Long.MAX_VALUE. So far out, exactness makes no difference.
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(text)))
}

function parseString(key: OptionKey, given: unknown): string {
  const { values, anyCase, nonEmpty } = definitionOf(key)
  const value = key === 'acks' && typeof given === 'number' ? String(given + 0) : given
  if (typeof value !== 'string' || (nonEmpty && value === '')) throw invalidValue(key, value)
  if (values === undefined) return value
  const matching = values.find(candidate =>
    anyCase ? candidate.toLowerCase() === value.toLowerCase() : candidate === value,
  )
  if (matching === undefined) throw invalidValue(key, value)
  return matching
}

/** Lists whose elements are objects here and Java class names there, and what they take. */
const LISTS_OF_PLUGINS: ReadonlyMap<OptionKey, string> = new Map([
  ['interceptor.classes', 'an array of objects with onSend or onAcknowledgement'],
  ['metric.reporters', 'an array of functions, or of objects with init or metricChange'],
])

function parseList(key: OptionKey, value: unknown): readonly unknown[] {
  if (typeof value === 'string') return value === '' ? [] : parseList(key, value.split(','))
  if (!Array.isArray(value)) throw invalidValue(key, value)
  return Array.from(value, (element: unknown) => {
    const trimmed = typeof element === 'string' ? element.trim() : element
    if (trimmed === null || trimmed === undefined || trimmed === '')
      throw new ConfigError(`${key} has an empty element; allowed: ${allowedValues(key)}`, key)
    if (typeof trimmed !== 'string' && !LISTS_OF_PLUGINS.has(key)) throw invalidValue(key, trimmed)
    return trimmed
  })
}

/** What an option takes, in words. */
export function allowedValues(key: OptionKey): string {
  const { type, min, max, orElse, values, knownValues, othersToo, anyCase, nonEmpty } = definitionOf(key)
  const closed = values ?? (othersToo || type === 'list' ? undefined : knownValues)
  if (closed !== undefined) {
    const shown = closed.map(value => (value === '' ? 'an empty text' : value)).join(', ')
    return `one of ${shown}${anyCase ? ' (in any case)' : ''}`
  }
  const whole = type === 'double' ? 'a number' : 'a whole number'
  const otherwise = orElse === undefined ? '' : `, or ${orElse}`
  switch (type) {
    case 'boolean':
      return 'true or false'
    case 'int':
    case 'long':
    case 'short':
    case 'double': {
      const [typeMin, typeMax] = RANGE_OF_TYPE[type]
      if (type === 'double' && min === undefined) return whole
      return `${whole} from ${min ?? typeMin} to ${max ?? typeMax}${otherwise}`
    }
    case 'string':
    case 'password':
      return nonEmpty ? 'a string that is not empty' : 'a string'
    case 'list':
      if (key === 'config.providers') return 'names with commas or in an array, or an object of providers'
      return LISTS_OF_PLUGINS.get(key) ?? 'an array of strings, or one string with commas'
    case 'class':
      return allowedPlugin(key)
  }
}

/** What options take that name a Java class there. */
const FUNCTIONS: ReadonlyMap<OptionKey, string> = new Map([
  ['sasl.client.callback.handler.class', 'a function () => { username, password } or () => token'],
  ['sasl.login.callback.handler.class', 'a function () => token or () => { username, password }'],
  ['sasl.login.class', 'a function () => promise'],
  ['sasl.oauthbearer.jwt.retriever.class', 'a function () => token, or the name of a retriever of Kafka'],
  [
    'sasl.oauthbearer.jwt.validator.class',
    'a function token => promise, or the name of a validator of Kafka',
  ],
  ['ssl.engine.factory.class', 'a function () => options of tls.connect'],
])

function allowedPlugin(key: OptionKey): string {
  if (key === 'key.serializer' || key === 'value.serializer')
    return 'a function (topic, data, headers) => bytes, or an object with such a serialize method'
  if (key === 'partitioner.class')
    return 'a function (topic, keyBytes, valueBytes, cluster) => id, or an object with a partition method'
  return FUNCTIONS.get(key) ?? 'only its default'
}

/** A {@link ConfigError} for a value that is not allowed. */
export function invalidValue(key: OptionKey, value: unknown): ConfigError {
  return new ConfigError(
    `${key} = ${showValue(key, value)} is not valid; allowed: ${allowedValues(key)}`,
    key,
  )
}

const ELEMENTS_SHOWN_MAX = 5

/** A value for a message: what may be a secret hidden, objects and functions only named. */
export function showValue(key: OptionKey, value: unknown): string {
  if (definitionOf(key).type === 'password') return '[hidden]'
  if (typeof value === 'function') return '[function]'
  if (Array.isArray(value)) {
    const shown = value.slice(0, ELEMENTS_SHOWN_MAX).map(element => showValue(key, element))
    return `[${shown.join(', ')}${value.length > ELEMENTS_SHOWN_MAX ? ', …' : ''}]`
  }
  if (typeof value === 'object' && value !== null) return '[object]'
  if (typeof value === 'string') return shownValue(value)
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
