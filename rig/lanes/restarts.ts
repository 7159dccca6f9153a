import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { resultOf } from '../percentiles.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, type LaneOptions, layoutOf, resumed, runPlan, sentAtLeast } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000

/**
 * A rolling restart as an operator does it: every node in turn ends by SIGTERM, which hands its partitions over in
 * an orderly way, and comes back and catches up before the next.
 */
export function restarts(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const rounds = options.faults ?? (isSmall ? 1 : 20)
  const records = options.records ?? (isSmall ? 100_000 : 10_000_000)
  const random = new Random(seed)
  const layout = layoutOf('restarts', options, 2, 6)
  /** From SIGTERM until the process was gone. */
  const stoppedMs: number[] = []
  let nodes = 0
  let done = 0
  return runPlan(
    options,
    {
      name: 'restarts',
      layout,
      job: { recordsPerSecond: options.recordsPerSecond ?? 10_000, window: 8_000 },
      script: async (stage, ground) => {
        nodes = ground.kafka.nodes.length
        for (let restart = 0; restart < rounds * nodes && stage.client.isAlive; restart++) {
          await setTimeout(random.integer(500, 1500))
          const node = ground.node((restart % nodes) + 1)
          const startedAt = performance.now()
          await node.stop('SIGTERM')
          stoppedMs.push(performance.now() - startedAt)
          done++
          await node.start()
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          await ground.settled(layout.topics)
          say(
            `restart ${restart + 1}/${rounds * nodes}: node ${node.id}, ` +
              `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
      },
      faults: () => ({ restarts: done, ...resultOf('stoppedMs', stoppedMs) }),
      criteria: ({ verdict }) => [
        atLeast('restarts', done, Math.max(1, rounds * nodes)),
        atLeast('records', verdict.sent, records),
      ],
    },
    shared,
  )
}
