import { ConfigError } from '../errors/index.js'

/** Refuses options of a call that it does not have: a misspelt one would be passed over without a word. */
export function checkOptions(call: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ConfigError(`${call}: the options must be an object with ${known.join(', ')}`)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const shown = JSON.stringify(name.slice(0, 120))
    throw new ConfigError(`${call}: unknown option ${shown}; it takes ${known.join(', ')}`, name)
  }
}
