import { setTimeout } from 'node:timers/promises'

const POLL_MS = 20

/** Waits until the condition holds; rejects with what was waited for when it does not come true in time. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  holds: () => boolean | Promise<boolean>,
  pollMs = POLL_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await setTimeout(pollMs)
  }
}
