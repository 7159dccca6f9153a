import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { resultOf } from '../percentiles.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, type LaneOptions, layoutOf, resumed, runPlan, sentAtLeast } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
export const OLD_VERSION = '3.9.1'

/**
 * A rolling upgrade of all nodes from 3.9 to the Kafka of the tests, as its documentation describes it: one node after
 * the other, then the version of the metadata, and with it new versions of requests. Before that it is rolled back and
 * done again, as often as is wished.
 */
export function upgrade(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const rounds = options.faults ?? (isSmall ? 1 : 3)
  const records = options.records ?? (isSmall ? 50_000 : 1_000_000)
  const random = new Random(seed)
  const layout = layoutOf('upgrade', options, 2, 6)
  const startedMs: number[] = []
  let [ups, downs, features] = [0, 0, 0]
  return runPlan(
    options,
    {
      name: 'upgrade',
      layout,
      ground: { version: OLD_VERSION },
      job: { recordsPerSecond: options.recordsPerSecond ?? 8_000, window: 8_000 },
      script: async (stage, ground) => {
        const passes = 2 * rounds - 1
        for (let pass = 0; pass < passes && stage.client.isAlive; pass++) {
          const version = pass % 2 === 0 ? null : OLD_VERSION
          for (const node of ground.kafka.nodes) {
            await setTimeout(random.integer(500, 1500))
            const startedAt = performance.now()
            await node.stop('SIGTERM')
            await node.start(version)
            startedMs.push(performance.now() - startedAt)
            if (version === null) ups++
            else downs++
            const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
            await ground.settled(layout.topics)
            say(
              `node ${node.id} ${version === null ? 'upgraded' : `back at ${version}`}, ` +
                `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
                `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
            )
          }
        }
        await ground.admin.setFeature('metadata.version', 'latest')
        features++
        const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
        say(
          `metadata.version is the latest, ${isBack ? 'all partitions went on' : `${client} did not go on`}`,
        )
        await sentAtLeast(stage, records)
      },
      faults: () => ({ ups, downs, features, ...resultOf('restartMs', startedMs) }),
      criteria: ({ verdict }) => [
        atLeast('upgrades of a node', ups, 3 * rounds),
        atLeast('finalized versions', features, 1),
        atLeast('records', verdict.sent, records),
      ],
    },
    shared,
  )
}
