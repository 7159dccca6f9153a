import type { OptionDefinition } from './definition.js'
import { definitionOf, type OptionKey, optionKeys } from './definitions.js'
import { aliasesOf, toCamelCase } from './names.js'
import { allowedValues } from './values.js'

/** One option, for documentation and command lines. */
export interface OptionDescription {
  /** Java's key. */
  readonly key: OptionKey
  /** The key in camelCase. */
  readonly camelCase: string
  /** Every spelling besides `key`. */
  readonly aliases: readonly string[]
  /** Java's type of its values. */
  readonly type: OptionDefinition['type']
  /** The value where none is given; null where there is none. */
  readonly default: OptionDefinition['default']
  /** Whether the constructor refuses to go on without a value. */
  readonly required: boolean
  /** What is allowed, in words. */
  readonly valid: string
  /** What it does, in one line. */
  readonly doc: string
  /** Java's importance of it. */
  readonly importance: OptionDefinition['importance']
  /** Whether values other than the default do something in this version. */
  readonly available: boolean
  /** Why not, where not. */
  readonly reason?: string
}

/** All options, in the order of their keys. */
export function describeOptions(): OptionDescription[] {
  return [...optionKeys].sort().map(key => {
    const { type, default: byDefault, required, doc, importance, support, reason } = definitionOf(key)
    return {
      key,
      camelCase: toCamelCase(key),
      aliases: aliasesOf(key),
      type,
      default: byDefault,
      required: required ?? false,
      valid: allowedValues(key),
      doc,
      importance,
      available: support === 'built',
      ...(reason === undefined ? {} : { reason }),
    }
  })
}
