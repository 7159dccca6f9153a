import { inNoContext } from './no-context.js'

/** Time as the library sees it: injected everywhere, so tests move it by hand. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number
  /** Milliseconds since the epoch, for record timestamps. */
  wallNow(): number
  setTimeout(callback: () => void, ms: number): TimerHandle
  clearTimeout(handle: TimerHandle): void
  /** Runs the callback after the sockets have had one turn of the event loop. */
  setImmediate(callback: () => void): void
}

export type TimerHandle = unknown

/** Longest delay that timers take; a longer one would fire at once. */
const LONGEST_TIMER_MS = 0x7fffffff

/** Taken when the module is loaded: fake timers of a test must not hold up a producer that is real. */
const timers = {
  now: performance.now.bind(performance),
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
}

/** The clock of the running process. What it calls runs in no request's asynchronous context. */
export const systemClock: Clock = {
  now: timers.now,
  wallNow: () => Date.now(),
  setTimeout: (callback, ms) =>
    inNoContext(timers.setTimeout, callback, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS)),
  clearTimeout: handle => timers.clearTimeout(handle as NodeJS.Timeout),
  setImmediate: callback => {
    inNoContext(timers.setImmediate, callback)
  },
}

/**
 * Runs the callback when the sockets have been read at least once from now on: what came while the event loop
 * was blocked counts before a time-out is judged. One immediate does that in Node; blocked in a socket's
 * callback, Bun needs two and Deno a timer. Clearing the handle works only until the immediate's turn.
 */
export function afterSockets(clock: Clock, callback: () => void): TimerHandle {
  return clock.setTimeout(() => clock.setImmediate(callback), 0)
}
