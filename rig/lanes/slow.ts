import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, type LaneOptions, layoutOf, measureRate, runPlan, sentAtLeast } from './lane.js'

const SLOW = { delayMs: 50, bytesPerSecond: 3_000_000 / 8 }

/** One broker is 100 ms away over 3 Mbit/s; what the others get must not suffer. */
export function slow(options: LaneOptions): Promise<LaneResult> {
  const { seed, isSmall, say } = options
  const measureMs = (options.seconds ?? (isSmall ? 10 : 300)) * 1000
  const records = options.records ?? (isSmall ? 100_000 : 5_000_000)
  const random = new Random(seed)
  const layout = layoutOf('slow', options, 2, 6)
  const rates = { calm: 0, healthy: 0, slow: 0 }
  return runPlan(options, {
    name: 'slow',
    layout,
    // Windows of every slot together fit into the producer's memory, so the slow ones cannot use it up.
    job: { recordsPerSecond: options.recordsPerSecond ?? 40_000, window: 8_000 },
    script: async (stage, ground) => {
      const places = await ground.admin.describe(layout.topics)
      const node = random.pick(ground.proxies.map((_, index) => index + 1))
      const slotOf = (topic: string, partition: number) =>
        layout.topics.indexOf(topic) * layout.partitions + partition
      const slots = (isSlow: boolean) =>
        places
          .filter(({ leader }) => (leader === node) === isSlow)
          .map(each => slotOf(each.topic, each.partition))
      await measureRate(stage, 2_000)
      rates.calm = await measureRate(stage, measureMs, slots(false))
      ground.proxyOf(node).delay(SLOW.delayMs)
      ground.proxyOf(node).throttle(SLOW.bytesPerSecond)
      await measureRate(stage, 2_000)
      const [healthy, slowed] = await Promise.all([
        measureRate(stage, measureMs, slots(false)),
        measureRate(stage, measureMs, slots(true)),
      ])
      rates.healthy = healthy
      rates.slow = slowed
      say(
        `healthy brokers ${Math.round(rates.calm)} records/s before and ${Math.round(healthy)} beside the ` +
          `slow one, which takes ${Math.round(slowed)}`,
      )
      ground.proxyOf(node).calm()
      await sentAtLeast(stage, records)
    },
    faults: () => ({
      calmRecordsPerSecond: Math.round(rates.calm),
      healthyRecordsPerSecond: Math.round(rates.healthy),
      slowRecordsPerSecond: Math.round(rates.slow),
    }),
    criteria: ({ verdict }) => [
      atLeast('healthy brokers, of calm', rates.healthy / rates.calm, 0.9),
      atLeast('records', verdict.sent, records),
    ],
  })
}
