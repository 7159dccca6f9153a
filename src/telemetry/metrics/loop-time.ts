import { performance } from 'node:perf_hooks'

/** How long the event loop of this process has been idle and busy, in milliseconds since its start. */
export interface LoopTime {
  readonly idleMs: number
  readonly busyMs: number
}

/**
 * What the runtime measures; Node does. Bun and Deno say 0: there the loop counts as busy for as long as the
 * process has used a CPU, which threads of codecs and names do, too.
 */
export function loopTime(): LoopTime {
  const { idle, active } = performance.eventLoopUtilization()
  if (idle > 0 || active > 0) return { idleMs: idle, busyMs: active }
  const { user, system } = process.cpuUsage()
  const busyMs = (user + system) / 1000
  return { idleMs: Math.max(0, performance.now() - busyMs), busyMs }
}
