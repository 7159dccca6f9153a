import { defaultLogger, harmless, type Logger } from '../common/logger.js'
import { isOptionLike, OPTION_NAME_MAX } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'
import { definitionOf, type OptionKey, optionKeys } from './definitions.js'
import { foreignAnswer } from './foreign-names.js'
import { hasMethod } from './has-method.js'
import { mechanismName } from './mechanism-name.js'
import { EXTRA_NAMES, type ExtraName, keyOf, nearestName } from './names.js'
import { PluginLife } from './plugin-life.js'
import { type ProducerConfig, resolveConfig } from './producer-config.js'
import { applyRules } from './rules.js'
import { type ParsedValues, parseValue, showValue } from './values.js'
import { resolveVariables } from './variables.js'

/** What the user gave, by option, parsed one by one. */
interface GivenOptions {
  readonly values: ReadonlyMap<OptionKey, unknown>
  readonly extras: ReadonlyMap<ExtraName, unknown>
}

/**
 * Checks a producer's options and resolves them.
 *
 * @throws ConfigError with code `CONFIG_INVALID` for an option that is unknown, out of range or in conflict
 *   with another, and `FEATURE_NOT_AVAILABLE` for one that asks for what this version does not have.
 */
export function parseProducerOptions(options: unknown): ProducerConfig {
  const given = readOptions(resolveVariables(options))
  const logger = readLogger(given.extras.get('logger'))
  const explicit = new Set(given.values.keys())
  const values = withDefaults(given.values)
  values['sasl.mechanism'] = mechanismName(values['sasl.mechanism'], given.extras.get('saslMechanisms'))
  dropDuplicates(values, logger)
  applyRules({ values, explicit, logger })
  refuseUnavailable(values, explicit)
  const config = resolveConfig(values, explicit, logger, given.extras)
  const plugins = new PluginLife(values, logger)
  plugins.configure(given.values, config.clientId)
  return Object.freeze({ ...config, plugins })
}

function readOptions(options: unknown): GivenOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ConfigError('options must be an object, such as { bootstrapServers: "localhost:9092" }')
  const values = new Map<OptionKey, unknown>()
  const extras = new Map<ExtraName, unknown>()
  const nameUsed = new Map<OptionKey, string>()
  // Own enumerable names only: what a polluted prototype carries was not given by anyone.
  for (const [name, value] of Object.entries(options)) {
    const key = keyOf(name)
    if (key === undefined) throw unknownOption(name)
    if (value === null || value === undefined) continue
    if (isExtra(key)) {
      extras.set(key, value)
      continue
    }
    const parsed = parseValue(key, value)
    if (values.has(key) && !sameValue(values.get(key), parsed))
      throw new ConfigError(
        `${key} is given twice with different values: as ${nameUsed.get(key)} = ` +
          `${showValue(key, values.get(key))} and as ${name} = ${showValue(key, parsed)}`,
        key,
      )
    values.set(key, parsed)
    nameUsed.set(key, name)
  }
  return { values, extras }
}

const isExtra = (key: OptionKey | ExtraName): key is ExtraName => EXTRA_NAMES.some(name => name === key)

const NAMES_HINT = "options have the names of Kafka's producer, such as linger.ms, or these in camelCase"

/**
 * The value is left out of the message: a misspelt option may well hold a secret. So may the name, where a
 * file has been taken apart in the wrong places.
 */
function unknownOption(name: string): ConfigError {
  // To look for the nearest one takes its time.
  const isLong = name.length > OPTION_NAME_MAX
  const nearest = isLong ? '' : nearestName(name)
  const answer = isLong ? undefined : foreignAnswer(name)
  if (answer !== undefined) return new ConfigError(`unknown option "${name}"; ${answer}`, name)
  if (isOptionLike(name) || (nearest !== '' && name.toLowerCase() === nearest.toLowerCase())) {
    const hint = nearest === '' ? NAMES_HINT : `the nearest known one is ${nearest}`
    return new ConfigError(`unknown option "${name}"; ${hint}`, name)
  }
  const what = `unknown option: a name of ${name.length} characters, which is not shown as it may be a secret`
  return new ConfigError(
    `${what}; a value over several lines needs a backslash at the end of each but the last`,
  )
}

function readLogger(given: unknown): Logger {
  if (given === undefined) return defaultLogger
  for (const method of ['debug', 'info', 'warn', 'error'])
    if (!hasMethod(given, method))
      throw new ConfigError(
        `logger has no ${method} method; allowed: an object with debug, info, warn and error`,
        'logger',
      )
  return harmless(given as Logger)
}

function withDefaults(given: ReadonlyMap<OptionKey, unknown>): ParsedValues {
  const entries = optionKeys.map(key => [key, given.has(key) ? given.get(key) : definitionOf(key).default])
  return Object.fromEntries(entries) as ParsedValues
}

function dropDuplicates(values: ParsedValues, logger: Logger): void {
  const lists = values as Record<OptionKey, unknown>
  for (const key of optionKeys) {
    const list = lists[key]
    if (!Array.isArray(list)) continue
    const distinct = [...new Set<unknown>(list)]
    if (distinct.length === list.length) continue
    logger.warn(`${key} names some of its elements more than once; the repeats are ignored`)
    lists[key] = distinct
  }
}

/** Refuses by name what is set to anything but its default and would have no effect. */
function refuseUnavailable(values: ParsedValues, explicit: ReadonlySet<OptionKey>): void {
  for (const key of explicit) {
    const { support, reason, default: byDefault } = definitionOf(key)
    if (support === 'built' || support === 'inert') continue
    const value: unknown = values[key]
    // A list without elements asks for nothing, whatever the default is.
    if (sameValue(value, byDefault) || (Array.isArray(value) && value.length === 0)) continue
    throw notAvailable(key, `${key} = ${showValue(key, value)}`, reason)
  }
}

function notAvailable(key: string, setting: string, reason: string | undefined): ConfigError {
  const because = reason === undefined ? '' : `: ${reason}`
  return new ConfigError(`${setting} is not available in this version${because}`, key, {
    code: 'FEATURE_NOT_AVAILABLE',
  })
}

function sameValue(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return Object.is(left, right)
  return left.length === right.length && left.every((element, index) => Object.is(element, right[index]))
}
