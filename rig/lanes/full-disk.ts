import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { resultOf } from '../percentiles.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { waitUntil } from '../wait.js'
import {
  atLeast,
  atMost,
  busiestLeader,
  type LaneOptions,
  layoutOf,
  resumed,
  runPlan,
  sentAtLeast,
} from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
const OFFLINE_TIMEOUT_MS = 60_000
export const DISK_MIB = 1024

/**
 * A disk that is full to its last byte, in the middle of a write: the broker gives up the partitions of that log
 * folder and goes on with those of the other. Once there is room again it is restarted, as it must be.
 */
export function fullDisk(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const rounds = options.faults ?? (isSmall ? 1 : 10)
  const records = options.records ?? (isSmall ? 50_000 : 2_000_000)
  const random = new Random(seed)
  const layout = layoutOf('full-disk', options, 2, 6)
  const offlineMs: number[] = []
  let fullDisks = 0
  return runPlan(
    options,
    {
      name: 'full-disk',
      layout,
      ground: { diskMib: DISK_MIB },
      job: { recordsPerSecond: options.recordsPerSecond ?? 8_000, window: 8_000 },
      script: async (stage, ground) => {
        const { admin, disks } = ground
        for (let round = 0; round < rounds && stage.client.isAlive; round++) {
          await setTimeout(random.integer(500, 1500))
          const id = await busiestLeader(ground, layout, random)
          const startedAt = performance.now()
          disks.fill(id)
          // The replicas there have fallen out of the sets that are in sync.
          await waitUntil(`the disk of node ${id} is full`, OFFLINE_TIMEOUT_MS, async () => {
            const places = await admin.describe(layout.topics).catch(() => [])
            return places.some(
              ({ inSyncReplicas }) => inSyncReplicas.length > 0 && !inSyncReplicas.includes(id),
            )
          })
          offlineMs.push(performance.now() - startedAt)
          fullDisks++
          await setTimeout(random.integer(500, 2000))
          disks.free(id)
          const node = ground.node(id)
          await node.stop('SIGTERM')
          await node.start()
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          await ground.settled(layout.topics)
          say(
            `round ${round + 1}/${rounds}: node ${id}, ` +
              `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
      },
      faults: () => ({ fullDisks, ...resultOf('offlineMs', offlineMs) }),
      mayFail: true,
      criteria: ({ verdict, report }) => [
        atMost('records failed by other than a fault of the broker', failedOtherwise(report.errors), 0),
        atLeast('full disks', fullDisks, rounds),
        atLeast('records', verdict.sent, records),
      ],
    },
    shared,
  )
}

/**
 * Kafka maps its index files into memory. Where no page is left for one, the broker answers with
 * UNKNOWN_SERVER_ERROR. That is final for Java's client, too, and says nothing of the record's fate.
 */
function failedOtherwise(errors: Readonly<Record<string, number>>): number {
  return Object.entries(errors)
    .filter(([words]) => !words.includes('UNKNOWN_SERVER_ERROR'))
    .reduce((sum, [, count]) => sum + count, 0)
}
