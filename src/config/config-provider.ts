import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { environmentVariable } from '../common/environment.js'
import { shownValue } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'
import { parseProperties } from './properties.js'

/** Values by their keys. What a provider does not have is left out. */
export type ConfigValues = Readonly<Record<string, string>>

/**
 * Fetches the values of variables such as `${vault:secret/kafka:password}`: called once for each path, with
 * all the keys that the options name there. `path` is empty where a variable has none.
 */
export type FetchConfig = (path: string, keys: readonly string[]) => ConfigValues | Promise<ConfigValues>

/** The object form of {@link FetchConfig} (Java: `ConfigProvider`). */
export interface ConfigProvider {
  /** Once, before all others, with the `config.providers.NAME.param.…` of its name (Java: `Configurable`). */
  configure?(parameters: Readonly<Record<string, unknown>>): void
  /** As {@link FetchConfig}. */
  get(path: string, keys: readonly string[]): ConfigValues | Promise<ConfigValues>
  /** Once the options are resolved. */
  close?(): void | Promise<void>
}

type Parameters = ReadonlyMap<string, unknown>

const JAVA_PACKAGE = 'org.apache.kafka.common.config.provider.'

const BUILT_IN: ReadonlyMap<string, (parameters: Parameters) => FetchConfig> = new Map([
  ['FileConfigProvider', fileProvider],
  ['DirectoryConfigProvider', directoryProvider],
  ['EnvVarConfigProvider', environmentProvider],
])

/** What Java's provider of that class does; undefined for other classes. */
export function providerOfJavaClass(className: string, parameters: Parameters): FetchConfig | undefined {
  if (!className.startsWith(JAVA_PACKAGE)) return undefined
  return BUILT_IN.get(className.slice(JAVA_PACKAGE.length))?.(parameters)
}

/** Far more than any configuration has. */
const FILE_BYTES_MAX = 1024 * 1024

/** The path is a `.properties` file, the keys are its own (Java: `FileConfigProvider`). */
function fileProvider(parameters: Parameters): FetchConfig {
  const isAllowed = allowedPaths(parameters)
  return path => {
    if (path === '') return {}
    checkAllowed(isAllowed, path)
    return parseProperties(readText(path))
  }
}

/** The path is a directory, the keys are names of files in it (Java: `DirectoryConfigProvider`). */
function directoryProvider(parameters: Parameters): FetchConfig {
  const isAllowed = allowedPaths(parameters)
  return (path, keys) => {
    if (path === '') return {}
    checkAllowed(isAllowed, path)
    // A key is a name in the directory, never a way out of it.
    const names = new Set(listOf(path))
    const found = keys.filter(key => names.has(key) && statSync(join(path, key)).isFile())
    return Object.fromEntries(found.map(key => [key, readText(join(path, key))]))
  }
}

/** The keys are environment variables, without a path (Java: `EnvVarConfigProvider`). */
function environmentProvider(parameters: Parameters): FetchConfig {
  const pattern = parameters.get('allowlist.pattern')
  const isAllowed = pattern === undefined ? /^/ : patternOf(pattern)
  return (path, keys) => {
    if (path !== '') throw new ConfigError('an environment variable has no path, only its name')
    const found = keys.flatMap(key => {
      const value = isAllowed.test(key) ? environmentVariable(key) : undefined
      return value === undefined ? [] : [[key, value] as const]
    })
    return Object.fromEntries(found)
  }
}

function patternOf(given: unknown): RegExp {
  try {
    return new RegExp(`^(?:${String(given)})$`)
  } catch {
    throw new ConfigError('allowlist.pattern is no regular expression')
  }
}

function readText(path: string): string {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) throw new Error('it is not a regular file')
    if (stats.size > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function listOf(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): ConfigError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new ConfigError(`${shownValue(path)} cannot be read: ${code ?? message}`)
}

type IsAllowed = ((path: string) => boolean) | null

/** By `allowed.paths`: files and directories that a provider may read, and all that is below them. */
function allowedPaths(parameters: Parameters): IsAllowed {
  const given = parameters.get('allowed.paths')
  if (given === undefined || given === '') return null
  const roots = String(given)
    .split(',')
    .map(each => each.trim())
  for (const root of roots) {
    if (!isAbsolute(root))
      throw new ConfigError(`allowed.paths has ${shownValue(root)}, which is not absolute`)
  }
  return path => roots.some(root => isBelow(realPathOf(root), realPathOf(path)))
}

/** Links are followed before paths are compared. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (!isAbsolute(way) && way.split(/[\\/]/)[0] !== '..')
}

function checkAllowed(isAllowed: IsAllowed, path: string): void {
  if (isAllowed === null || isAllowed(path)) return
  throw new ConfigError(`${shownValue(path)} is not below any of allowed.paths`)
}
