import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { resultOf } from '../percentiles.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import {
  atLeast,
  busiestLeader,
  type LaneOptions,
  layoutOf,
  leadershipMoved,
  resumed,
  runPlan,
  sentAtLeast,
} from './lane.js'

/** A client that has not come back after so long never will by itself. */
const RESUME_TIMEOUT_MS = 20_000

/** `kill -9` of the node that leads most partitions, again and again; it comes back and catches up in between. */
export function kills(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const kills = options.faults ?? (isSmall ? 3 : 100)
  const records = options.records ?? (isSmall ? 1_000_000 : 50_000_000)
  const random = new Random(seed)
  const layout = layoutOf('kills', options, 2, 6)
  const movedMs: number[] = []
  /** From the time when every partition had a leader again until each had acknowledged something: the client's share. */
  const resumedMs: number[] = []
  let controllers = 0
  let done = 0
  return runPlan(
    options,
    {
      name: 'kills',
      layout,
      // All slots together stay below what librdkafka queues: 100,000 records.
      job: { recordsPerSecond: options.recordsPerSecond ?? 33_000, window: 8_000 },
      script: async (stage, ground) => {
        for (let kill = 1; kill <= kills && stage.client.isAlive; kill++) {
          await setTimeout(random.integer(500, 1500))
          const node = await busiestLeader(ground, layout, random)
          const { pid } = ground.node(node)
          if ((await ground.admin.controller()) === node) controllers++
          await ground.node(node).stop('SIGKILL')
          if (isAlive(pid)) throw new Error(`node ${node} survived SIGKILL`)
          done++
          const moved = await leadershipMoved(ground, layout, node)
          movedMs.push(moved)
          const movedAt = performance.now()
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          resumedMs.push(performance.now() - movedAt)
          await ground.node(node).start()
          await ground.settled(layout.topics)
          const { totalSent, totalAcked } = stage.log
          say(
            `kill ${kill}/${kills}: node ${node}, leadership moved in ${Math.round(moved)} ms, ` +
              `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${totalAcked.toLocaleString('en')} of ${totalSent.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
      },
      faults: () => ({
        kills: done,
        controllers,
        ...resultOf('leaderMovedMs', movedMs),
        ...resultOf('resumedMs', resumedMs),
      }),
      criteria: ({ verdict }) => [atLeast('kills', done, kills), atLeast('records', verdict.sent, records)],
    },
    shared,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
