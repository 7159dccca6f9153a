// A low rate: one record at a time, each awaited.
import { quantilesOf } from './quantiles.js'

/** A client that has fallen behind by more, as after a stall, does not catch up on the rest. */
const BEHIND_MS_MAX = 50

/**
 * Sends `count` records, each when it is due and the one before has its outcome. `sendOne(i)` gives the
 * promise of a record's outcome. Timers are of whole milliseconds: what came late is made up for by sending
 * the next one at once, so that the rate is kept.
 */
export async function paced(sendOne, { count, rate }) {
  const latencies = new Float64Array(count)
  const periodMs = 1000 / rate
  let dueMs = performance.now()
  for (let i = 0; i < count; i++) {
    const nowMs = performance.now()
    dueMs = Math.max(dueMs, nowMs - BEHIND_MS_MAX)
    if (dueMs > nowMs) await new Promise(resolve => setTimeout(resolve, dueMs - nowMs))
    const sentMs = performance.now()
    await sendOne(i)
    latencies[i] = performance.now() - sentMs
    dueMs += periodMs
  }
  return { latency: quantilesOf(latencies) }
}
