import type { Clock } from '../common/clock.js'
import type { Logger } from '../common/logger.js'

/** Lines alike are written at most once in this time. */
const EVERY_MS = 10_000
/** Kinds of lines that are kept apart at most; the oldest are forgotten, and written anew when they come. */
const KINDS_MAX = 500

interface Kind {
  writtenAtMs: number
  suppressed: number
}

/**
 * A logger that writes lines alike at most once in ten seconds, and says with the next one how many it has
 * left out. Alike are lines of one level and broker whose texts differ in numbers only. Lines for debugging
 * are not limited, nor are errors: each is one of the application's own code.
 */
export function limitedLogger(logger: Logger, clock: Clock): Logger {
  const kinds = new Map<string, Kind>()
  const limited = (level: 'info' | 'warn') => (message: string, details?: object) => {
    const key = kindOf(level, message, details)
    const nowMs = clock.now()
    const kind = kinds.get(key)
    if (kind !== undefined && nowMs - kind.writtenAtMs < EVERY_MS) {
      kind.suppressed++
      return
    }
    const suppressed = kind?.suppressed ?? 0
    kinds.delete(key)
    kinds.set(key, { writtenAtMs: nowMs, suppressed: 0 })
    if (kinds.size > KINDS_MAX) kinds.delete(kinds.keys().next().value as string)
    if (suppressed > 0) logger[level](message, { ...details, suppressed })
    else if (details === undefined) logger[level](message)
    else logger[level](message, details)
  }
  return {
    debug: unlimited(logger, 'debug'),
    info: limited('info'),
    warn: limited('warn'),
    error: unlimited(logger, 'error'),
  }
}

function unlimited(logger: Logger, level: 'debug' | 'error') {
  return (message: string, details?: object) =>
    details === undefined ? logger[level](message) : logger[level](message, details)
}

function kindOf(level: string, message: string, details: object | undefined): string {
  const { broker = '' } = (details ?? {}) as { broker?: unknown }
  return `${level} ${String(broker)} ${message.replaceAll(/\d+/g, '#')}`
}
