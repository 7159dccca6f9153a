import { readFileSync } from 'node:fs'
import { isOptionLike } from '../common/secret.js'
import { describeOptions, type ProducerOptions, parseProperties } from '../index.js'
import { assignment, fileError, UsageError } from './arguments.js'
import { fromRdkafka } from './rdkafka-options.js'

/** Options of the producer by Java's key, as text. */
export type Properties = Record<string, string>

/** The records of a command line are bytes: Kafka's tools set these themselves, too. */
const SERIALIZERS = ['key.serializer', 'value.serializer']

/** A file that an option names. Throws {@link UsageError} if it cannot be read. */
export function readTextFile(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(`--${option}`, path, 'read', error)
  }
}

/**
 * The producer's options of a `.properties` file. Keys that no producer has are passed over, as Java does,
 * and named by `warn`: such files are shared with consumers and brokers.
 */
export function readConfig(option: string, path: string, warn: (text: string) => void): Properties {
  const all = parseProperties(readTextFile(option, path))
  const known = new Set(
    describeOptions().flatMap(({ key, camelCase, aliases }) => [key, camelCase, ...aliases]),
  )
  const passedOver = Object.keys(all).filter(key => !known.has(key))
  if (passedOver.length > 0) {
    // The name of what has been taken apart in the wrong places may be a piece of a key.
    const names = passedOver.filter(isOptionLike)
    const unnamed = passedOver.length - names.length
    if (unnamed > 0) names.push(`${unnamed} whose names are not shown, as they may be secrets`)
    warn(`${path}: no producer has these options, they are passed over: ${names.join(', ')}`)
  }
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => known.has(key) && !SERIALIZERS.includes(key)),
  )
}

/** As {@link readConfig}, of kcat's `-F`: the keys are librdkafka's. */
export function readRdkafkaConfig(path: string): Properties {
  return fromRdkafka(Object.entries(parseProperties(readTextFile('rdkafka-config', path))))
}

/** `key=value` each; the last one of a key counts. */
export function propertiesOf(option: string, texts: readonly string[]): Properties {
  const pairs = texts.map(text => assignment(option, text))
  return Object.fromEntries(pairs.filter(([key]) => !SERIALIZERS.includes(key)))
}

/** Without what was not given. The text of options is what a `.properties` file would have. */
export function given(options: Readonly<Record<string, string | undefined>>): Properties {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

/** The value of an option under either of its spellings. */
export function optionOf(options: Properties, key: string): string | undefined {
  const camelCase = key.replace(/\.([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return options[key] ?? options[camelCase]
}

/** Text is what a `.properties` file has, and what the producer reads at run time. */
export function asProducerOptions(properties: Properties): ProducerOptions {
  return properties as unknown as ProducerOptions
}
