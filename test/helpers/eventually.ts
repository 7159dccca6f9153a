import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `condition` holds; fails after `timeoutMs` with what was waited for. */
export async function eventually(what: string, condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen within ${timeoutMs} ms: ${what}`)
    await sleep(2)
  }
}
