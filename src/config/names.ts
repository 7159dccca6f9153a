import { type OptionKey, optionKeys } from './definitions.js'

/** The camelCase spelling of a dotted key: `linger.ms` is `lingerMs`. */
export function toCamelCase(key: string): string {
  return key.replace(/\.([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Shorter spellings of options whose values are objects here and Java class names there. */
const SHORT_NAMES: ReadonlyMap<string, OptionKey> = new Map([
  ['interceptors', 'interceptor.classes'],
  ['partitioner', 'partitioner.class'],
])

/** Options Java does not have. */
export const EXTRA_NAMES = [
  'allowAutoTopicCreation',
  'allowedBrokerHosts',
  'logger',
  'maxBlockBytes',
  'requestListener',
  'saslCredentialsProvider',
  'saslMechanisms',
  'saslOauthTokenProvider',
  'socketFactory',
  'tls',
] as const
export type ExtraName = (typeof EXTRA_NAMES)[number]

// A Map, because names come from outside: 'constructor' or '__proto__' must be as unknown as any other.
const keyOfName: ReadonlyMap<string, OptionKey | ExtraName> = new Map<string, OptionKey | ExtraName>([
  ...optionKeys.map(key => [key, key] as const),
  ...optionKeys.map(key => [toCamelCase(key), key] as const),
  ...SHORT_NAMES,
  ...EXTRA_NAMES.map(name => [name, name] as const),
])

/** The option a name stands for, in any of its spellings; undefined where there is none. */
export function keyOf(name: string): OptionKey | ExtraName | undefined {
  return keyOfName.get(name)
}

/** The spellings of an option besides its dotted key, the mechanical one first. */
export function aliasesOf(key: OptionKey): string[] {
  const aliases = [toCamelCase(key)].filter(alias => alias !== key)
  for (const [name, of] of SHORT_NAMES) if (of === key) aliases.push(name)
  return aliases
}

/** Beyond this a name is not a misspelling of anything, and comparing it would only cost time. */
const LONGEST_COMPARED_NAME = 100

/**
 * The known name nearest to an unknown one, in the spelling that one seems to use: dotted or camelCase. Empty
 * where none is near enough to have been meant.
 */
export function nearestName(unknown: string): string {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')
  const wanted = plain(unknown.slice(0, LONGEST_COMPARED_NAME))
  const dotted = unknown.includes('.')
  let nearest = ''
  let nearestDistance = Number.POSITIVE_INFINITY
  for (const [name, key] of keyOfName) {
    if (dotted !== name.includes('.') && name !== key) continue
    const known = plain(name)
    // A name that begins with all of the unknown one ('bootstrap') is nearer than its missing letters say.
    const distance =
      wanted.length > 3 && known.startsWith(wanted)
        ? 1 - wanted.length / known.length
        : editDistance(wanted, known)
    if (distance < nearestDistance || (distance === nearestDistance && dotted === name.includes('.'))) {
      nearest = name
      nearestDistance = distance
    }
  }
  return nearestDistance <= mistakesIn(wanted) ? nearest : ''
}

/** As many letters may be wrong in a name that is meant. */
function mistakesIn(name: string): number {
  return name.length < 5 ? 1 : Math.max(2, Math.floor(name.length / 5))
}

/** Levenshtein: fewest letters inserted, deleted or replaced to turn one text into the other. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[to.length] ?? 0
}
