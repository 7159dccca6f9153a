import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { freeSlotOf, slotOf, slotsOf } from '../layout.js'
import { resultOf } from '../percentiles.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { MECHANISM, PASSWORD, USER } from '../secured.js'
import type { Stage } from '../trial.js'
import { waitUntil } from '../wait.js'
import {
  atLeast,
  atMost,
  caughtUp,
  type LaneOptions,
  layoutOf,
  resumed,
  runPlan,
  sentAtLeast,
} from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
/** Metadata of this age are asked for again, so that a right that only they need is missed soon. */
const METADATA_AGE_MS = 2_000
const KINDS = ['WRITE', 'DESCRIBE', 'credentials'] as const

/**
 * Rights that are taken and given back under load: to write to one topic, to see it, and to log in at all, where every
 * connection ends with the credentials. What is refused is not stored; the other topics go on; and once a right is
 * back, so is the client.
 */
export function rights(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const rounds = options.faults ?? (isSmall ? KINDS.length : 60)
  const records = options.records ?? (isSmall ? 50_000 : 3_000_000)
  const random = new Random(seed)
  const layout = layoutOf('rights', options, 2, 6)
  const topic = layout.topics[0] as string
  const ownSlots = new Set([
    ...Array.from({ length: layout.partitions }, (_, i) => slotOf(layout, 0, i)),
    freeSlotOf(layout, 0),
  ])
  const allSlots = Array.from({ length: slotsOf(layout, true) }, (_, slot) => slot)
  const failed = ({ log }: Stage, isOwn: boolean) =>
    allSlots
      .filter(slot => ownSlots.has(slot) === isOwn)
      .reduce((sum, slot) => sum + (log.refused[slot] ?? 0) + (log.ambiguous[slot] ?? 0), 0)
  const returnedMs: number[] = []
  let [revocations, failedElsewhere] = [0, 0]
  return runPlan(
    options,
    {
      name: 'rights',
      layout,
      ground: { isSecured: true },
      mayFail: true,
      job: {
        recordsPerSecond: options.recordsPerSecond ?? 8_000,
        window: 8_000,
        options: { 'metadata.max.age.ms': METADATA_AGE_MS },
      },
      script: async (stage, ground) => {
        const { admin } = ground
        for (let round = 0; round < rounds && stage.client.isAlive; round++) {
          await setTimeout(random.integer(500, 1500))
          // Or an attempt that was stored, without a word of it, could be followed by one that is refused.
          await caughtUp(stage, RESUME_TIMEOUT_MS)
          const kind = KINDS[round % KINDS.length] as (typeof KINDS)[number]
          const before = { own: failed(stage, true), others: failed(stage, false) }
          if (kind === 'credentials') {
            await admin.setPassword(USER, MECHANISM, null)
            for (const proxy of ground.proxies) proxy.disconnect()
            await setTimeout(random.integer(500, 3000))
            await admin.setPassword(USER, MECHANISM, PASSWORD)
          } else {
            await admin.deny(topic, USER, kind)
            await waitUntil('records are refused', RESUME_TIMEOUT_MS, () => failed(stage, true) > before.own)
            await setTimeout(random.integer(500, 2000))
            await admin.allow(topic)
          }
          revocations++
          const givenAt = performance.now()
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          returnedMs.push(performance.now() - givenAt)
          if (kind !== 'credentials') failedElsewhere += failed(stage, false) - before.others
          say(
            `round ${round + 1}/${rounds}: ${kind}, ` +
              `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${(failed(stage, true) - before.own).toLocaleString('en')} failed, ` +
              `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
      },
      faults: () => ({ revocations, ...resultOf('returnedMs', returnedMs) }),
      criteria: ({ verdict }) => [
        atLeast('revocations', revocations, rounds),
        atLeast('records', verdict.sent, records),
        atMost('records of other topics that failed', failedElsewhere, 0),
        atMost('longest return ms', Math.max(0, ...returnedMs), RESUME_TIMEOUT_MS / 4),
      ],
    },
    shared,
  )
}
