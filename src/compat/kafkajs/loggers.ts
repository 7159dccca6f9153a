import type { Logger as MillraceLogger } from '../../index.js'
import { logLevel } from './enums.js'
import type { LogEntry, Logger, logCreator } from './types.js'

const LABELS = ['INFO', 'ERROR', 'WARN', 'DEBUG'] as const
const METHODS = { INFO: 'info', ERROR: 'error', WARN: 'warn', DEBUG: 'debug' } as const

/** `KAFKAJS_LOG_LEVEL` beats what the code says. */
function effective<T>(level: T): T | logLevel {
  const name = (process.env.KAFKAJS_LOG_LEVEL ?? '').toUpperCase()
  return (logLevel as Record<string, logLevel | undefined>)[name] ?? level
}

/** One line of JSON per entry, by the console's function for its level. */
export const consoleLogCreator: logCreator =
  () =>
  ({ namespace, level, label, log }) => {
    const prefix = namespace ? `[${namespace}] ` : ''
    const line = JSON.stringify({ level: label, ...log, message: `${prefix}${log.message}` })
    if (level === logLevel.INFO) console.info(line)
    else if (level === logLevel.ERROR) console.error(line)
    else if (level === logLevel.WARN) console.warn(line)
    else if (level === logLevel.DEBUG) console.log(line)
  }

/**
 * The tree of loggers of one `Kafka`: `setLogLevel` of any applies to all that have no level of their own.
 */
export function createLogger(level: logLevel, creator: logCreator): Logger {
  let rootLevel = effective(level)
  const write = creator(rootLevel)
  const loggerOf = (namespace: string | undefined, ownLevel: logLevel | null): Logger => {
    const functionOf =
      (label: (typeof LABELS)[number]) =>
      (message: string, extra: object = {}) => {
        if (logLevel[label] > (ownLevel ?? rootLevel)) return
        const log = { timestamp: new Date().toISOString(), logger: 'kafkajs', message, ...extra }
        write({ namespace, level: logLevel[label], label, log } as LogEntry)
      }
    const functions = Object.fromEntries(LABELS.map(label => [METHODS[label], functionOf(label)]))
    return Object.assign(functions, {
      namespace: (name: string, nameLevel: logLevel | null = null) => loggerOf(name, effective(nameLevel)),
      setLogLevel: (newLevel: logLevel) => {
        rootLevel = newLevel
      },
    }) as unknown as Logger
  }
  return loggerOf(undefined, null)
}

/**
 * What millrace has to say, in KafkaJS's log. Its notes on what it decided are of no use there but to debug.
 */
export function millraceLogger(logger: Logger): MillraceLogger {
  return {
    debug: (message, details) => logger.debug(message, details),
    info: (message, details) => logger.debug(message, details),
    warn: (message, details) => logger.warn(message, details),
    error: (message, details) => logger.error(message, details),
  }
}
