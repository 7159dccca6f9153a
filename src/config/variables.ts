import { reasonOf } from '../common/foreign-text.js'
import { isOptionLike, shownName, shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'
import {
  type ConfigProvider,
  type ConfigValues,
  type FetchConfig,
  providerOfJavaClass,
} from './config-provider.js'
import { hasMethod } from './has-method.js'

const KEY = 'config.providers'
const PREFIX = `${KEY}.`

/** A variable in a value. */
interface Variable {
  readonly text: string
  readonly provider: string
  readonly path: string
  readonly key: string
}

/** A provider that is ready to be asked. */
interface Source {
  readonly fetch: FetchConfig
  readonly close: (() => unknown) | null
}

type Options = Readonly<Record<string, unknown>>

/** Asks with each `yield`, and is handed what the provider answered. */
type Resolving = Generator<ConfigValues | Promise<ConfigValues>, Options, ConfigValues>

/**
 * The options with their variables replaced, as `config.providers` says (KIP-297):
 *
 *     variable = "${" provider ":" [path ":"] key "}"
 *
 * What a provider answers is not searched for variables again. One of a provider that is not configured stays
 * as it is, as in Java. One that its provider does not have is an error, where Java would use its text.
 *
 * @throws ConfigError also for a provider that answers with a promise
 */
export function resolveVariables(options: unknown): unknown {
  if (!hasProviders(options)) return options
  const resolving = resolve(options)
  for (let step = resolving.next(); ; ) {
    if (step.done) return step.value
    const answer: unknown = step.value
    if (isPromise(answer)) {
      answer.then(undefined, () => {})
      resolving.return({})
      throw new ConfigError(
        'config.providers has a provider that answers with a promise; use await Producer.create(options)',
        KEY,
      )
    }
    step = resolving.next(answer as ConfigValues)
  }
}

/** As {@link resolveVariables}, where providers may answer with promises. */
export async function fetchVariables(options: unknown): Promise<unknown> {
  if (!hasProviders(options)) return options
  const resolving = resolve(options)
  for (let step = resolving.next(); ; ) {
    if (step.done) return step.value
    let answer: ConfigValues
    try {
      answer = await step.value
    } catch (thrown) {
      step = resolving.throw(thrown)
      continue
    }
    step = resolving.next(answer)
  }
}

function hasProviders(options: unknown): options is Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  return Object.keys(options).some(
    name => name === KEY || name === 'configProviders' || name.startsWith(PREFIX),
  )
}

function* resolve(options: Options): Resolving {
  const { sources, rest } = takeProviders(options)
  try {
    const wanted = new Map<string, Map<string, Set<string>>>()
    for (const value of Object.values(rest)) collect(value, sources, wanted)
    const found = new Map<string, string>()
    for (const [name, paths] of wanted) {
      for (const [path, keys] of paths) {
        const answer = yield* ask(name, sources.get(name) as Source, path, [...keys])
        for (const key of keys) {
          const value: unknown = Object.hasOwn(answer, key) ? answer[key] : undefined
          if (typeof value === 'string') found.set(idOf(name, path, key), value)
        }
      }
    }
    return Object.fromEntries(
      Object.entries(rest).map(([name, value]) => [name, replaced(name, value, sources, found)]),
    )
  } finally {
    for (const { close } of sources.values()) closeQuietly(close)
  }
}

function* ask(
  name: string,
  { fetch }: Source,
  path: string,
  keys: readonly string[],
): Generator<ConfigValues | Promise<ConfigValues>, ConfigValues, ConfigValues> {
  let answer: unknown
  try {
    answer = yield fetch(path, keys)
  } catch (cause) {
    throw new ConfigError(`config.providers: ${shownName(name)} failed: ${reasonOf(cause)}`, KEY, { cause })
  }
  if (typeof answer === 'object' && answer !== null) return answer as ConfigValues
  throw new ConfigError(
    `config.providers: ${shownName(name)} must answer an object with the values of keys`,
    KEY,
  )
}

function closeQuietly(close: (() => unknown) | null): void {
  try {
    const closing = close?.()
    if (isPromise(closing)) closing.then(undefined, () => {})
  } catch {
    // What was fetched is there.
  }
}

/** The providers, and the options without what configures them. */
function takeProviders(options: Options): { sources: ReadonlyMap<string, Source>; rest: Options } {
  const settings = new Map<string, unknown>()
  const rest: [string, unknown][] = []
  let given: unknown
  for (const [name, value] of Object.entries(options)) {
    if (name === KEY || name === 'configProviders') given = value ?? given
    else if (name.startsWith(PREFIX)) settings.set(name.slice(PREFIX.length), value)
    else rest.push([name, value])
  }
  const sources = new Map<string, Source>()
  for (const [name, provider] of providersOf(given, settings)) {
    sources.set(name, sourceOf(name, provider, parametersOf(name, settings)))
  }
  for (const setting of settings.keys()) {
    if (sources.has(setting.split('.')[0] as string)) continue
    throw new ConfigError(
      `${PREFIX}${shownName(setting)} is of a provider that config.providers does not name`,
      KEY,
    )
  }
  return { sources, rest: Object.fromEntries(rest) }
}

/** Names, each with what is given under its own `class` key; or an object of both. */
function providersOf(given: unknown, settings: ReadonlyMap<string, unknown>): [string, unknown][] {
  if (given === undefined) return []
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return Object.entries(given)
  const list: unknown = typeof given === 'string' ? given.split(',').map(name => name.trim()) : given
  const isNames = Array.isArray(list) && list.every(name => typeof name === 'string' && name !== '')
  if (given !== '' && !isNames) {
    throw new ConfigError(
      'config.providers is not valid; allowed: names with commas or in an array, or an object of providers',
      KEY,
    )
  }
  const names = given === '' ? [] : [...new Set(list as string[])]
  return names.map(name => [name, settings.get(`${name}.class`)])
}

function parametersOf(name: string, settings: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const prefix = `${name}.param.`
  const own = [...settings].filter(([setting]) => setting.startsWith(prefix))
  return new Map(own.map(([setting, value]) => [setting.slice(prefix.length), value]))
}

function sourceOf(name: string, provider: unknown, parameters: ReadonlyMap<string, unknown>): Source {
  try {
    if (typeof provider === 'function') return { fetch: provider as FetchConfig, close: null }
    if (typeof provider === 'string') {
      const fetch = providerOfJavaClass(provider, parameters)
      if (fetch !== undefined) return { fetch, close: null }
    } else if (hasMethod(provider, 'get')) {
      const object = provider as unknown as ConfigProvider
      object.configure?.(Object.fromEntries(parameters))
      return { fetch: (path, keys) => object.get(path, keys), close: () => object.close?.() }
    }
  } catch (cause) {
    throw new ConfigError(`config.providers: ${shownName(name)} cannot be used: ${reasonOf(cause)}`, KEY, {
      cause,
    })
  }
  throw new ConfigError(
    `config.providers.${shownName(name)}.class is not valid; allowed: FileConfigProvider, ` +
      'DirectoryConfigProvider and EnvVarConfigProvider of Kafka, by their full names, ' +
      'a function (path, keys) => values, or an object with such a get method',
    KEY,
  )
}

/** As far as a brace: a variable has none in it. */
const VARIABLE = /\$\{([^}]*)\}/g

/** The variables of a text whose providers are there. */
function variablesOf(text: string, sources: ReadonlyMap<string, unknown>): Variable[] {
  const end = text.lastIndexOf('}') + 1
  return [...text.slice(0, end).matchAll(VARIABLE)].flatMap(([whole, inner = '']) => {
    const [provider = '', ...parts] = inner.split(':')
    if (parts.length === 0 || !sources.has(provider)) return []
    // The path ends at the first colon, unless that is the one of a drive.
    const isDrive =
      parts.length > 2 && /^[A-Za-z]$/.test(parts[0] as string) && /^[\\/]/.test(parts[1] as string)
    const pathParts = parts.length === 1 ? 0 : isDrive ? 2 : 1
    const [path, key] = [parts.slice(0, pathParts).join(':'), parts.slice(pathParts).join(':')]
    return [{ text: whole, provider, path, key }]
  })
}

function collect(
  value: unknown,
  sources: ReadonlyMap<string, unknown>,
  wanted: Map<string, Map<string, Set<string>>>,
): void {
  if (Array.isArray(value)) for (const element of value) collect(element, sources, wanted)
  if (typeof value !== 'string') return
  for (const { provider, path, key } of variablesOf(value, sources)) {
    const paths = wanted.get(provider) ?? new Map<string, Set<string>>()
    wanted.set(provider, paths)
    paths.set(path, (paths.get(path) ?? new Set()).add(key))
  }
}

function replaced(
  option: string,
  value: unknown,
  sources: ReadonlyMap<string, unknown>,
  found: ReadonlyMap<string, string>,
): unknown {
  if (Array.isArray(value)) return value.map(element => replaced(option, element, sources, found))
  if (typeof value !== 'string') return value
  let text = ''
  let rest = value
  for (const variable of variablesOf(value, sources)) {
    const content = found.get(idOf(variable.provider, variable.path, variable.key))
    if (content === undefined) {
      throw new ConfigError(
        `${shownName(option)} has the variable ${shownValue(variable.text)}, ` +
          'for which its provider has no value',
        isOptionLike(option) ? option : undefined,
      )
    }
    const at = rest.indexOf(variable.text)
    text += rest.slice(0, at) + content
    rest = rest.slice(at + variable.text.length)
  }
  return text + rest
}

function idOf(provider: string, path: string, key: string): string {
  return JSON.stringify([provider, path, key])
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
