import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, busiestLeader, type LaneOptions, layoutOf, resumed, runPlan, sentAtLeast } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
/** After this the leader drops followers that do not fetch; from then on it refuses what needs two replicas. */
export const REPLICA_LAG_MS = 3_000
const OUTAGE_MS = { min: 1_500, max: 9_000 }

/**
 * One broker that only its peers cannot reach: clients reach it, and it reaches the others, so it goes on leading. Its
 * followers cannot fetch. By turns its controller cannot be reached either, and connections stand still or end.
 */
export function cutOff(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const outages = options.faults ?? (isSmall ? 2 : 40)
  const records = options.records ?? (isSmall ? 50_000 : 3_000_000)
  const random = new Random(seed)
  const layout = layoutOf('cut-off', options, 2, 6)
  let [stalls, holes, controllers] = [0, 0, 0]
  return runPlan(
    options,
    {
      name: 'cut-off',
      layout,
      ground: { hasPeerProxies: true, properties: { 'replica.lag.time.max.ms': REPLICA_LAG_MS } },
      job: { recordsPerSecond: options.recordsPerSecond ?? 8_000, window: 8_000 },
      script: async (stage, ground) => {
        for (let outage = 0; outage < outages && stage.client.isAlive; outage++) {
          await setTimeout(random.integer(500, 1500))
          const node = await busiestLeader(ground, layout, random)
          const ms = random.integer(OUTAGE_MS.min, OUTAGE_MS.max)
          const { records: peers, controller } = ground.peerProxiesOf(node)
          const isControllerCut = outage % 4 >= 2
          const proxies = isControllerCut ? [peers, controller] : [peers]
          const isHole = outage % 2 === 1
          for (const proxy of proxies) {
            if (isHole) proxy.swallow(true)
            else proxy.stall(['in', 'out'])
          }
          await setTimeout(ms)
          for (const proxy of proxies) {
            proxy.calm()
            // Bytes are missing on what is still open.
            if (isHole) proxy.disconnect()
          }
          if (isHole) holes++
          else stalls++
          if (isControllerCut) controllers++
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          say(
            `outage ${outage + 1}/${outages}: node ${node} for ${ms} ms${isControllerCut ? ', its controller, too' : ''}, ` +
              `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
        await ground.settled(layout.topics)
      },
      faults: () => ({ stalls, holes, controllers }),
      criteria: ({ verdict }) => [
        atLeast('outages', stalls + holes, outages),
        atLeast('records', verdict.sent, records),
      ],
    },
    shared,
  )
}
