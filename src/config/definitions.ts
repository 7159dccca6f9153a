import type { OptionDefinition } from './definition.js'
import { producerDefinitions } from './definitions-producer.js'
import { saslDefinitions } from './definitions-sasl.js'
import { tlsDefinitions } from './definitions-tls.js'

/**
 * Every option of Java's producer (Apache Kafka 4.3.0), by its key there. Parsing, cross-checks, the types of
 * `ProducerOptions` and the printed descriptions all come from this table.
 */
const definitions = { ...producerDefinitions, ...saslDefinitions, ...tlsDefinitions }

type Definitions = typeof definitions

/** A key of Java's producer, such as `linger.ms`. */
export type OptionKey = keyof Definitions

/** The row of one option, with its literal types. */
export type DefinitionOf<Key extends OptionKey> = Definitions[Key]

/** All keys, in the table's order. */
export const optionKeys = Object.keys(definitions) as readonly OptionKey[]

/** The row of an option. */
export function definitionOf(key: OptionKey): OptionDefinition {
  return definitions[key]
}
