import { setTimeout } from 'node:timers/promises'
import type { InProcessGround } from './ground.js'
import type { Stage } from './trial.js'
import { waitUntil } from './wait.js'

/** How long anything that must happen may take on a machine that is busy with something else. */
export const PATIENCE_MS = 30_000

/** Sends so many records of a slot at once, and perhaps some of the topic's free lane among them. */
export async function burst({ client, log }: Stage, slot: number, records: number): Promise<void> {
  const before = log.sent[slot] as number
  client.tell(`burst ${slot} ${records}`)
  await waitUntil('the burst is sent', PATIENCE_MS, () => log.sent[slot] === before + records)
}

/** Connections, metadata and producer id are there, and every slot's leader has stored something. */
export async function warmUp({ client, log }: Stage): Promise<void> {
  for (let slot = 0; slot < log.slots; slot++) client.tell(`burst ${slot} 1`)
  const isWarm = () => log.acked.every(count => count > 0) && log.totalAcked === log.totalSent
  await waitUntil('the first records are acknowledged', PATIENCE_MS, isWarm)
}

export function settled({ log }: Stage): Promise<void> {
  return waitUntil('everything is settled', PATIENCE_MS, () => log.totalSettled === log.totalSent)
}

/** Records that failed and may be stored. */
export function ambiguous({ log }: Stage): number {
  return log.ambiguous.reduce((sum, count) => sum + count, 0)
}

/** Waits until more records have failed than so many, or none is left that could. */
export function failedBeyond({ log }: Stage, records: number): Promise<void> {
  const failed = () => log.totalSettled - log.totalAcked
  const isOver = () => failed() > records || log.totalSettled === log.totalSent
  return waitUntil('records fail', PATIENCE_MS, isOver, 2)
}

/**
 * Has records sent over a connection that is made late, so that their batches run out of time well before their
 * request does, and that is not read from, so that they wait in the socket. Answers how to end that.
 */
export async function stallBehindLateConnection(
  { broker, proxy }: InProcessGround,
  lateMs: number,
  send: () => void,
): Promise<{ release(): void }> {
  const hold = broker.hold({ api: 'ApiVersions' })
  let asked = 0
  const stop = broker.onRequest(({ api }) => {
    if (api === 'ApiVersions') asked++
  })
  proxy.disconnect()
  const startedAt = performance.now()
  send()
  await waitUntil('the client has connected again', PATIENCE_MS, () => asked > 0)
  // A second connection, for metadata, may follow the first.
  await setTimeout(150)
  const stall = proxy.stall(['in'])
  await setTimeout(Math.max(0, startedAt + lateMs - performance.now()))
  stop()
  hold.release()
  return stall
}
