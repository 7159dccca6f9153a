import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, busiestLeader, type LaneOptions, layoutOf, resumed, runPlan, sentAtLeast } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000

/** SIGSTOP of the node that leads most partitions, then SIGCONT: a broker that is gone, and then is not. */
export function pauses(options: LaneOptions): Promise<LaneResult> {
  const { seed, isSmall, say } = options
  const each = options.faults ?? (isSmall ? 1 : 20)
  const records = options.records ?? (isSmall ? 300_000 : 10_000_000)
  const lengths = isSmall ? [8_000, 15_000] : [10_000, 40_000]
  const random = new Random(seed)
  const layout = layoutOf('pauses', options, 2, 6)
  let done = 0
  return runPlan(options, {
    name: 'pauses',
    layout,
    job: { recordsPerSecond: options.recordsPerSecond ?? 8_000 },
    script: async (stage, ground) => {
      for (let pause = 0; pause < each * lengths.length; pause++) {
        const ms = lengths[pause % lengths.length] as number
        await setTimeout(random.integer(500, 1500))
        const node = await busiestLeader(ground, layout, random)
        const { pid } = ground.node(node)
        process.kill(pid, 'SIGSTOP')
        try {
          await setTimeout(200)
          if (!isStopped(pid)) throw new Error(`node ${node} goes on in spite of SIGSTOP`)
          done++
          await setTimeout(ms - 200)
        } finally {
          process.kill(pid, 'SIGCONT')
        }
        const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
        await ground.settled(layout.topics)
        say(
          `pause ${pause + 1}/${each * lengths.length}: node ${node} for ${ms} ms, ` +
            `${isBack ? 'all partitions came back' : 'not all partitions came back'}, ` +
            `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
        )
      }
      await sentAtLeast(stage, records)
    },
    faults: () => ({ pauses: done }),
    criteria: ({ verdict }) => [
      atLeast('pauses', done, each * lengths.length),
      atLeast('records', verdict.sent, records),
    ],
  })
}

/** Linux tells; where it does not, the signal is taken to have worked. */
function isStopped(pid: number): boolean {
  if (process.platform !== 'linux') return true
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}
