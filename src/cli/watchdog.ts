import type { Logger } from '../common/logger.js'

/** So that a cluster that does not answer is named within two seconds. */
const SILENCE_MS = 1_200
const LOOK_MS = 100

interface WatchdogOptions {
  /** Where the cluster is looked for. */
  servers: string
  /** Whether an answer is waited for. */
  isWaiting: () => boolean
  /** A count that every answer changes. */
  answers: () => number
  note: (text: string) => void
  /** Time that the options themselves may take between a send and its answer, such as `linger.ms`. */
  allowanceMs?: number
  /** Where warnings of the producer go; all that it logs if `verbose`. */
  verbose?: boolean
  silenceMs?: number
}

/**
 * Says when nothing is acknowledged any more although something is on its way, why as far as the producer
 * knows, and when it goes on.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #timer: NodeJS.Timeout
  readonly #silenceMs: number
  #answers: number
  #since: number
  #silent = false
  #reason = ''
  /** Warnings that have been noted since the last answer: a producer that tries again repeats itself. */
  readonly #warned = new Set<string>()

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#silenceMs = (options.silenceMs ?? SILENCE_MS) + (options.allowanceMs ?? 0)
    this.#answers = options.answers()
    this.#since = performance.now()
    this.#timer = setInterval(() => this.look(), LOOK_MS)
    this.#timer.unref()
  }

  /** Whether an answer has been waited for so long that it was said. */
  get silent(): boolean {
    return this.#silent
  }

  /** The producer's logger: warnings are noted, and why there are no metadata is kept. */
  readonly logger: Logger = {
    debug: (message, details) => {
      const reason = (details as { reason?: unknown } | undefined)?.reason
      if (typeof reason === 'string') this.#reason = reason
      this.#log('debug', message, details)
    },
    info: (message, details) => this.#log('info', message, details),
    warn: (message, details) => this.#log('warn', message, details),
    error: (message, details) => this.#log('error', message, details),
  }

  /** To be called when time has passed. */
  look(): void {
    const { isWaiting, answers, note, servers } = this.#options
    const now = performance.now()
    if (!isWaiting() || answers() !== this.#answers) {
      if (this.#silent && answers() !== this.#answers) {
        note(`answered again after ${((now - this.#since) / 1000).toFixed(1)} s`)
      }
      this.#silent = false
      this.#answers = answers()
      this.#since = now
      this.#reason = ''
      this.#warned.clear()
      return
    }
    if (this.#silent || now - this.#since < this.#silenceMs) return
    this.#silent = true
    const why = this.#reason === '' ? '' : `: ${this.#reason}`
    note(`no answer from ${servers} for ${((now - this.#since) / 1000).toFixed(1)} s${why}; still trying`)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object): void {
    const { verbose, note } = this.#options
    if (verbose) {
      note(`${level}: ${message}${details ? ` ${inline(details)}` : ''}`)
      return
    }
    if ((level !== 'warn' && level !== 'error') || this.#warned.has(message)) return
    this.#warned.add(message)
    note(`${level}: ${message}`)
  }
}

/** Errors have their message, which JSON leaves out. */
function inline(details: object): string {
  return JSON.stringify(details, (_, value) => {
    if (value instanceof Error) return value.message
    return typeof value === 'bigint' ? `${value}` : value
  })
}
