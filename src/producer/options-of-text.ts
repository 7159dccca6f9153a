import { defaultLogger } from '../common/logger.js'
import { type ProducerOptions, parseProperties, withoutJvmOptions } from '../config/index.js'

/** The options in a `.properties` file. What only a JVM can follow is passed over, with a warning. */
export function optionsOfText(text: string): ProducerOptions {
  return withoutJvmOptions(parseProperties(text), defaultLogger) as unknown as ProducerOptions
}
