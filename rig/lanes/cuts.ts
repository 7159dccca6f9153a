import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, type LaneOptions, layoutOf, measureRate, runPlan, sentAtLeast } from './lane.js'

const LIFETIME = { minMs: 500, maxMs: 1500 }
/** In the small lane connections are cut after so many bytes, which is sooner. */
const MOST_BYTES = { in: 100_000, out: 3_000 }
/** What is left once the rates are measured goes at a pace that the disks bear. */
const PACE_AFTERWARDS = 15_000

/** No connection lives long; throughput is compared with what the same client has just done undisturbed. */
export function cuts(options: LaneOptions, shared?: KafkaGround): Promise<LaneResult> {
  const { seed, isSmall, say } = options
  const cuts = options.faults ?? (isSmall ? 200 : 2000)
  const records = options.records ?? (isSmall ? 300_000 : 10_000_000)
  const measureMs = isSmall ? 5_000 : 30_000
  const random = new Random(seed)
  const layout = layoutOf('cuts', options, 2, 6)
  let calmRate = 0
  let cutRate = 0
  let done = 0
  return runPlan(
    options,
    {
      name: 'cuts',
      layout,
      job: { recordsPerSecond: options.recordsPerSecond ?? null },
      script: async (stage, ground) => {
        const { proxies } = ground
        const count = () =>
          proxies.reduce((sum, { counters }) => sum + counters.cuts + counters.expiredLifetimes, 0)
        const before = count()
        await measureRate(stage, 2_000)
        calmRate = await measureRate(stage, measureMs)
        for (const proxy of proxies) {
          if (isSmall) proxy.cut({ mostBytes: MOST_BYTES, random })
          else proxy.lifetimes({ ...LIFETIME, random })
          // Connections that were there before the rule have no byte of their own to be cut at.
          if (isSmall) proxy.disconnect()
        }
        cutRate = await measureRate(stage, measureMs)
        say(`${Math.round(calmRate)} records/s undisturbed, ${Math.round(cutRate)} while connections are cut`)
        stage.client.tell(`pace ${PACE_AFTERWARDS}`)
        for (let tick = 1; count() - before < cuts && stage.client.isAlive; tick++) {
          await setTimeout(100)
          if (tick % 300 === 0) say(`${count() - before} of ${cuts} cuts`)
        }
        done = count() - before
        for (const proxy of proxies) proxy.calm()
        await sentAtLeast(stage, records)
      },
      faults: () => ({
        connectionsCut: done,
        calmRecordsPerSecond: Math.round(calmRate),
        cutRecordsPerSecond: Math.round(cutRate),
      }),
      criteria: ({ verdict }) => [
        atLeast('connections cut', done, cuts),
        atLeast('records', verdict.sent, records),
        // A pace of cuts that the small lane has is far beyond what the long one promises.
        ...(isSmall ? [] : [atLeast('throughput while cut, of calm', cutRate / calmRate, 0.5)]),
      ],
    },
    shared,
  )
}
