import { ConfigError } from '../errors/index.js'
import type { ExtraName } from './names.js'

/** A function given under one of our own option names; null where there is none. */
export function readFunction<T>(extras: ReadonlyMap<ExtraName, unknown>, name: ExtraName): T | null {
  const given = extras.get(name)
  if (given === undefined) return null
  if (typeof given === 'function') return given as T
  throw new ConfigError(`${name} is not valid; allowed: a function`, name)
}

export function readBoolean(
  extras: ReadonlyMap<ExtraName, unknown>,
  name: ExtraName,
  byDefault: boolean,
): boolean {
  const given = extras.get(name) ?? byDefault
  if (typeof given === 'boolean') return given
  throw new ConfigError(`${name} is not valid; allowed: true or false`, name)
}
