import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, busiestLeader, type LaneOptions, layoutOf, resumed, runPlan, sentAtLeast } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
const REQUEST_TIMEOUT_MS = 3_000

/**
 * One broker that only this client cannot reach: it keeps the leadership, for the others of the cluster see it well.
 * By turns its connections stand still and go on, as with lost packets, or what was on them is gone for good.
 */
export function unreachable(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const outages = options.faults ?? (isSmall ? 2 : 40)
  const records = options.records ?? (isSmall ? 100_000 : 5_000_000)
  const random = new Random(seed)
  const layout = layoutOf('unreachable', options, 2, 6)
  let stalls = 0
  let holes = 0
  return runPlan(
    options,
    {
      name: 'unreachable',
      layout,
      job: {
        recordsPerSecond: options.recordsPerSecond ?? 8_000,
        window: 8_000,
        // Shorter than most of the outages, which are shorter than delivery.timeout.ms.
        options: { 'request.timeout.ms': REQUEST_TIMEOUT_MS },
      },
      script: async (stage, ground) => {
        for (let outage = 0; outage < outages && stage.client.isAlive; outage++) {
          await setTimeout(random.integer(500, 1500))
          const node = await busiestLeader(ground, layout, random)
          const proxy = ground.proxyOf(node)
          const ms = random.integer(REQUEST_TIMEOUT_MS >> 1, 3 * REQUEST_TIMEOUT_MS)
          const isHole = outage % 2 === 1
          if (isHole) {
            proxy.swallow(true)
            await setTimeout(ms)
            proxy.swallow(false)
            // Bytes are missing on what is still open.
            proxy.disconnect()
            holes++
          } else {
            const stall = proxy.stall(['in', 'out'])
            await setTimeout(ms)
            stall.release()
            stalls++
          }
          const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
          say(
            `outage ${outage + 1}/${outages}: node ${node} for ${ms} ms, ${isHole ? 'bytes gone' : 'bytes late'}, ` +
              `${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
              `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
          )
        }
        await sentAtLeast(stage, records)
      },
      faults: () => ({ stalls, holes }),
      criteria: ({ verdict }) => [
        atLeast('outages', stalls + holes, outages),
        atLeast('records', verdict.sent, records),
      ],
    },
    shared,
  )
}
