import { ConfigError } from '../errors/index.js'

/** Loads a package that a serializer is built on. It is an optional peer, so it may not be installed. */
export async function loadPeer<T>(name: string, forWhat: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new ConfigError(`${forWhat} needs the package ${name}: npm install ${name}`, undefined, {
      code: 'FEATURE_NOT_AVAILABLE',
      cause,
    })
  }
}

/** A CommonJS package as `require` would give it: not all of its names can be imported. */
export function commonJs<T extends object>(module: T): T {
  return (module as { default?: T }).default ?? module
}
