import type { OptionDefinition } from './definition.js'
import { definitionOf, type OptionKey, optionKeys } from './definitions.js'
import { aliasesOf, toCamelCase } from './names.js'
import { allowedValues } from './values.js'

/** One option, for documentation and command lines. */
export interface OptionDescription {
  /** Java's key. */
  readonly key: OptionKey
  readonly camelCase: string
  /** Every spelling besides `key`. */
  readonly aliases: readonly string[]
  readonly type: OptionDefinition['type']
  readonly default: OptionDefinition['default']
  readonly required: boolean
  /** What is allowed, in words. */
  readonly valid: string
  readonly doc: string
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
