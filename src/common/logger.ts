import { printable } from './foreign-text.js'

/** Longest message logged. */
const MESSAGE_MAX = 4000

/** Where the producer writes what an operator may want to know. The default writes nothing below `warn`. */
export interface Logger {
  /** What only who looks into the library wants to know. */
  debug(message: string, details?: object): void
  /** A change of state that is as it should be. */
  info(message: string, details?: object): void
  /** What an operator should look at some time. */
  warn(message: string, details?: object): void
  /** What has failed, or an application has to mend. */
  error(message: string, details?: object): void
}

const silent = () => {}

/** Warnings and errors go to the console, the rest nowhere. */
export const defaultLogger: Logger = harmless({
  debug: silent,
  info: silent,
  warn: (message, details) =>
    details ? console.warn(`millrace: ${message}`, details) : console.warn(`millrace: ${message}`),
  error: (message, details) =>
    details ? console.error(`millrace: ${message}`, details) : console.error(`millrace: ${message}`),
})

/** Whether a logger is pino's, by what only that has; it drops details that come after the message. */
function isPino(logger: Logger): boolean {
  const { bindings, isLevelEnabled } = logger as { bindings?: unknown; isLevelEnabled?: unknown }
  return typeof bindings === 'function' && typeof isLevelEnabled === 'function'
}

/**
 * A logger of the application that throws, now or later, must not stop what is being done, nor the messages
 * after it. Messages are on one line and printable.
 */
export function harmless(logger: Logger): Logger {
  const takesDetailsFirst = isPino(logger)
  const guarded = (level: keyof Logger) => (message: string, details?: object) => {
    const shown = printable(message, MESSAGE_MAX)
    try {
      if (takesDetailsFirst && details !== undefined) {
        const swapped = logger[level] as unknown as (details: object, message: string) => void
        const done: unknown = swapped.call(logger, details, shown)
        if (done instanceof Promise) done.catch(() => {})
        return
      }
      // Without details it gets one argument, as it would without this.
      const done: unknown = details === undefined ? logger[level](shown) : logger[level](shown, details)
      if (done instanceof Promise) done.catch(() => {})
    } catch {}
  }
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') }
}
