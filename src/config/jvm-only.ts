import type { Logger } from '../common/logger.js'
import { definitionOf, type OptionKey, optionKeys } from './definitions.js'
import { toCamelCase } from './names.js'

/** Options that choose a part of the JVM: nothing outside of it is, or could be, told by them. */
const JVM_ONLY: readonly OptionKey[] = optionKeys.filter(key => definitionOf(key).support === 'never')

/**
 * The properties of a file without those that only the JVM can follow, which are named in one warning: such
 * files are shared with Java. In an options object they are refused.
 */
export function withoutJvmOptions(
  properties: Readonly<Record<string, string>>,
  logger: Logger,
): Record<string, string> {
  const isJvmOnly = (name: string) => JVM_ONLY.some(key => name === key || name === toCamelCase(key))
  const passedOver = Object.keys(properties).filter(
    name => isJvmOnly(name) && properties[name]?.trim() !== String(definitionOf(name as OptionKey)?.default),
  )
  if (passedOver.length > 0) {
    logger.warn(`only a JVM can follow these options, they are passed over: ${passedOver.join(', ')}`)
  }
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !isJvmOnly(name)))
}
