import { performance } from 'node:perf_hooks'
import { isNode } from '../../common/runtime.js'

/** How long the event loop of this process has been idle and busy, in milliseconds since its start. */
export interface LoopTime {
  readonly idleMs: number
  readonly busyMs: number
}

/**
 * Node measures it. Bun and Deno answer 0: there the loop counts as busy for as long as the
 * process has used a CPU, which threads of codecs and names do, too.
 */
export function loopTime(): LoopTime {
  if (isNode) {
    const { idle, active } = performance.eventLoopUtilization()
    return { idleMs: idle, busyMs: active }
  }
  const { user, system } = process.cpuUsage()
  const busyMs = (user + system) / 1000
  return { idleMs: Math.max(0, performance.now() - busyMs), busyMs }
}
