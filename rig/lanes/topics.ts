import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { freeSlotOf, slotOf } from '../layout.js'
import { resultOf } from '../percentiles.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, type LaneOptions, layoutOf, resumed, runPlan, sentAtLeast, toldAgain } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
const NODES = 3
/** Times that a topic grows in a run: partitions are never taken away. */
const GROWTHS_MAX = 6

/**
 * Topics that change under load: one is deleted and made again, one gets more partitions. What was acknowledged in a
 * topic that is deleted is gone; what is sent from the moment that the new one stands must be in it.
 */
export function topics(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const rounds = options.faults ?? (isSmall ? 2 : 60)
  const records = options.records ?? (isSmall ? 50_000 : 3_000_000)
  const random = new Random(seed)
  const layout = layoutOf('topics', options, 2, 6)
  const { partitions } = layout
  const [growing, deleted] = [layout.topics[0] as string, layout.topics[1] as string]
  const deletedSlots = [
    ...Array.from({ length: partitions }, (_, i) => slotOf(layout, 1, i)),
    freeSlotOf(layout, 1),
  ]
  const floors: number[] = []
  const resumedMs: number[] = []
  let [deletions, growths] = [0, 0]
  return runPlan(
    options,
    {
      name: 'topics',
      layout,
      job: { recordsPerSecond: options.recordsPerSecond ?? 8_000, window: 8_000 },
      floors: () => floors,
      script: async (stage, ground) => {
        const { admin } = ground
        for (let round = 0; round < rounds && stage.client.isAlive; round++) {
          await setTimeout(random.integer(500, 1500))
          if (growths < GROWTHS_MAX && round % Math.ceil(rounds / GROWTHS_MAX) === 0) {
            growths++
            await admin.grow(growing, partitions + growths)
          }
          await admin.deleteTopic(deleted)
          await setTimeout(random.integer(500, 1500))
          await admin.createTopic(deleted, partitions, NODES, { 'min.insync.replicas': 2 })
          await toldAgain(stage, RESUME_TIMEOUT_MS)
          for (const slot of deletedSlots) floors[slot] = stage.log.sent[slot] ?? 0
          deletions++
          const madeAt = performance.now()
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          resumedMs.push(performance.now() - madeAt)
          say(
            `round ${round + 1}/${rounds}: ${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
        await ground.settled(layout.topics)
      },
      faults: () => ({ deletions, growths, ...resultOf('resumedMs', resumedMs) }),
      criteria: ({ verdict }) => [
        atLeast('deletions', deletions, rounds),
        atLeast('records', verdict.sent, records),
      ],
    },
    shared,
  )
}
