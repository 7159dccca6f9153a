/** Where the producer writes what an operator may want to know. The default writes nothing below `warn`. */
export interface Logger {
  debug(message: string, details?: object): void
  info(message: string, details?: object): void
  warn(message: string, details?: object): void
  error(message: string, details?: object): void
}

const silent = () => {}

/** Warnings and errors go to the console, the rest nowhere. */
export const defaultLogger: Logger = {
  debug: silent,
  info: silent,
  warn: (message, details) =>
    details ? console.warn(`millrace: ${message}`, details) : console.warn(`millrace: ${message}`),
  error: (message, details) =>
    details ? console.error(`millrace: ${message}`, details) : console.error(`millrace: ${message}`),
}
