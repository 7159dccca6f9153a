import { formatCount } from './summary.js'

/**
 * A terminal sends Ctrl-C to the whole process group, and npm and whoever started us may pass it on: signals
 * within this time are one wish. The answer to the first is given only after it, so whoever reacts to that
 * is understood.
 */
const SAME_INTERRUPT_MS = 200
const COUNTDOWN_LINE_MS = 5_000

interface InterruptionOptions {
  /** Called at once by the first signal. */
  onFirst: () => void
  /** Called {@link SAME_INTERRUPT_MS} later, unless {@link Interruption.end} was. */
  onAnnounce?: () => void
  /** Called by the second signal, right before the process ends. */
  onSecond?: () => void
}

/** SIGINT and SIGTERM: the first is a request to end, the second ends the process at once. */
export class Interruption {
  readonly #options: InterruptionOptions
  readonly #controller = new AbortController()
  #exitCode: number | null = null
  #firstAt = 0
  #announcement: NodeJS.Timeout | undefined

  constructor(options: InterruptionOptions) {
    this.#options = options
    process.on('SIGINT', this.#listener)
    process.on('SIGTERM', this.#listener)
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** 130 for Ctrl-C and 143 for SIGTERM, as shells have it; null if there was no signal. */
  get exitCode(): number | null {
    return this.#exitCode
  }

  /** Stops listening: from here on a signal ends the process as it does without us. */
  end(): void {
    clearTimeout(this.#announcement)
    process.off('SIGINT', this.#listener)
    process.off('SIGTERM', this.#listener)
  }

  readonly #listener = (signal: NodeJS.Signals): void => {
    const code = signal === 'SIGINT' ? 130 : 143
    if (this.#exitCode === null) {
      this.#exitCode = code
      this.#firstAt = performance.now()
      this.#announcement = setTimeout(() => this.#options.onAnnounce?.(), SAME_INTERRUPT_MS)
      this.#controller.abort()
      this.#options.onFirst()
    } else if (performance.now() - this.#firstAt > SAME_INTERRUPT_MS) {
      this.#options.onSecond?.()
      process.exit(code)
    }
  }
}

/**
 * Calls back on the first SIGINT or SIGTERM; a later one ends the process at once. Answers how to stop
 * listening.
 */
export function onInterrupt(callback: () => void): () => void {
  const interruption = new Interruption({ onFirst: callback })
  return () => interruption.end()
}

interface DrainOptions {
  /** Longest time for what is on its way. */
  timeoutMs: number
  /** Records without an outcome. */
  open: () => number
  note: (text: string) => void
  /** Whether no broker answers now. */
  silent: () => boolean
  /** Gives up what is left. */
  expire: () => void
  /** Whether the countdown is drawn elsewhere; if not it is a line every few seconds. */
  drawn: boolean
}

/** What happens between the first signal and the end: a countdown, and an end of waiting. */
export class Drain {
  readonly #options: DrainOptions
  readonly #expiry: NodeJS.Timeout
  readonly #endsAt: number
  #lines: NodeJS.Timeout | undefined

  constructor(options: DrainOptions) {
    this.#options = options
    this.#endsAt = performance.now() + options.timeoutMs
    this.#expiry = setTimeout(() => {
      options.note(`the time to drain is over; given up: ${counted(options.open())}`)
      options.expire()
    }, options.timeoutMs)
  }

  /** Says what is waited for, and that a second signal stops it. */
  announce(): void {
    const { note, silent, open, drawn } = this.#options
    note(`interrupted: waiting up to ${this.#seconds()} s for ${counted(open())}`)
    if (silent()) note('no broker answers now')
    note('Ctrl-C again (or a second signal) stops at once')
    if (drawn) return
    const line = () => note(`draining: ${counted(open())}, ${this.#seconds()} s left`)
    this.#lines = setInterval(line, COUNTDOWN_LINE_MS)
  }

  /** What a progress line shows of it. */
  countdown(): string {
    return `draining, ${this.#seconds()} s left`
  }

  /** What the second signal leaves. */
  stopped(): void {
    const { note, open } = this.#options
    note(`stopped: ${counted(open())}, which may or may not be stored`)
  }

  end(): void {
    clearTimeout(this.#expiry)
    clearInterval(this.#lines)
  }

  #seconds(): number {
    return Math.max(0, Math.ceil((this.#endsAt - performance.now()) / 1000))
  }
}

function counted(count: number): string {
  return `${formatCount(count)} record${count === 1 ? '' : 's'} without an outcome`
}
