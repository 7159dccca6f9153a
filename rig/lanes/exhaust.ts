import { setTimeout } from 'node:timers/promises'
import type { ClientReport } from '../client/job.js'
import type { Ground } from '../ground.js'
import { KafkaGround } from '../kafka-ground.js'
import type { LaneResult } from '../result.js'
import { atLeast, atMost, type LaneOptions, type LanePlan, layoutOf, runPlanOn } from './lane.js'

const MIB = 2 ** 20
const NODES = 3
const RSS_BEYOND_MIB = 96
const PAYLOAD_BYTES = 1024
/** Payload, the record's own header and what the protocol adds. */
const RECORD_BYTES = PAYLOAD_BYTES + 28 + 8
const OVERLOAD = 3
/**
 * Left alone V8 lets garbage take some 50 MiB before it looks for it, wherever the machine has memory: its young
 * generation grows to 32 MiB under any lasting load, and the old one to a multiple of what lives. Who wants a small
 * process says so, as with -Xmx. The result line names these with the version of Node.
 */
const NODE_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=48']

/** Three times what the brokers take, for as long as it lasts: memory stays within its bound, sends wait in turn. */
export async function exhaust(options: LaneOptions, shared?: Ground): Promise<LaneResult> {
  if (shared !== undefined) return await runPlanOn(shared, options, exhaustPlan(options))
  await using ground = await KafkaGround.start({ isSecured: options.isService })
  return await runPlanOn(ground, options, exhaustPlan(options))
}

function exhaustPlan(options: LaneOptions): LanePlan<Ground> {
  const { isSmall } = options
  const seconds = options.seconds ?? (isSmall ? 20 : 600)
  // Small runs share their machine with others, and the tenth of tolerance grows with the wait.
  const maxBlockMs = isSmall ? 4000 : 2000
  const bufferBytes = isSmall ? 8 * MIB : 32 * MIB
  const bytesPerSecond = isSmall ? 400_000 : 250_000
  const capacity = (bytesPerSecond * NODES) / RECORD_BYTES
  const layout = layoutOf('exhaust', options, 2, 6)
  return {
    name: 'exhaust',
    layout,
    mayFail: true,
    nodeFlags: isSmall ? [] : NODE_FLAGS,
    job: {
      payload: { min: PAYLOAD_BYTES, max: PAYLOAD_BYTES },
      recordsPerSecond: capacity / 4,
      window: null,
      // Each has its refusals in the order of the sends. Not so arrays: they wait for the last of their records.
      // Where memory is measured there are no promises: V8 takes 8 MiB more for those the rig itself holds.
      styles: isSmall ? ['callback', 'promise'] : ['callback'],
      options: { 'buffer.memory': bufferBytes, 'max.block.ms': maxBlockMs },
    },
    script: async (stage, ground) => {
      for (const proxy of ground.proxies) proxy.throttle(bytesPerSecond, ['in'])
      stage.client.tell(`pace ${Math.round(capacity * OVERLOAD)}`)
      await setTimeout(seconds * 1000)
    },
    faults: () => ({ seconds, overload: OVERLOAD, bytesPerSecond: bytesPerSecond * NODES }),
    criteria: ({ verdict, report }) => [
      atLeast('sends refused for want of memory', report.blockedMs.count, 1),
      atMost('other failures', verdict.refused + verdict.ambiguous - report.blockedMs.count, 0),
      atLeast('shortest wait of a refused send, ms', report.blockedMs.min, maxBlockMs * 0.9),
      atMost('longest wait of a refused send, ms', report.blockedMs.max, maxBlockMs * 1.1),
      atLeast('refused in the order of the sends', report.blockedMs.isInOrder ? 1 : 0, 1),
      ...(isSmall
        ? []
        : [atMost('RSS beyond buffer.memory, MiB', rssBeyond(report, bufferBytes), RSS_BEYOND_MIB)]),
    ],
  }
}

function rssBeyond({ rssMaxBytes }: ClientReport, bufferBytes: number): number {
  return (rssMaxBytes - bufferBytes) / MIB
}
