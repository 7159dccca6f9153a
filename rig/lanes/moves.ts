import { setTimeout } from 'node:timers/promises'
import type { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { waitUntil } from '../wait.js'
import { atLeast, type LaneOptions, layoutOf, runPlan, sentAtLeast } from './lane.js'

const REASSIGNMENT_TIMEOUT_MS = 120_000
const NODES = [1, 2, 3]

/** Leaders move without any failure: elections of preferred leaders, and partitions that get other replicas. */
export function moves(options: LaneOptions): Promise<LaneResult> {
  const { seed, isSmall, say } = options
  const elections = options.faults ?? (isSmall ? 10 : 200)
  const reassignments = isSmall ? 1 : 3
  const records = options.records ?? (isSmall ? 300_000 : 20_000_000)
  const random = new Random(seed)
  const layout = layoutOf('moves', options, 2, 10)
  const done = { elections: 0, reassignments: 0 }
  return runPlan(options, {
    name: 'moves',
    layout,
    job: { recordsPerSecond: options.recordsPerSecond ?? 25_000, window: 5_000 },
    script: async (stage, ground) => {
      const every = Math.ceil(elections / (reassignments + 1))
      while (done.elections < elections && stage.client.isAlive) {
        done.elections += await moveOneLeader(ground, layout.topics, random)
        const isDue = done.elections % every === 0 && done.reassignments < reassignments
        if (isDue) {
          await reassign(ground, random.pick(layout.topics), random)
          done.reassignments++
        }
        if (done.elections % 20 === 0) say(`${done.elections} elections, ${done.reassignments} reassignments`)
        await setTimeout(random.integer(100, 400))
      }
      await sentAtLeast(stage, records)
    },
    faults: () => ({ ...done }),
    criteria: ({ verdict }) => [
      atLeast('elections', done.elections, elections),
      atLeast('reassignments', done.reassignments, reassignments),
      atLeast('records', verdict.sent, records),
    ],
  })
}

/** Makes another replica of a random partition the preferred one and has it elected; answers how many changed. */
async function moveOneLeader(
  ground: KafkaGround,
  topics: readonly string[],
  random: Random,
): Promise<number> {
  const { admin } = ground
  const { topic, partition, leader, replicas } = random.pick(await ground.settled(topics))
  const next = random.pick(replicas.filter(each => each !== leader))
  await admin.reassign([{ topic, partition, replicas: [next, ...replicas.filter(each => each !== next)] }])
  await reassigned(ground)
  const changed = await admin.elect([{ topic, partition }])
  const [place] = (await admin.describe([topic])).filter(each => each.partition === partition)
  return place?.leader === next ? changed : 0
}

/** Takes a replica of every partition of a topic away, or gives the one that is missing back. */
async function reassign(ground: KafkaGround, topic: string, random: Random): Promise<void> {
  const leaver = random.pick(NODES)
  const places = await ground.settled([topic])
  const wanted = places.map(({ partition, replicas }) => {
    const isWhole = replicas.length === NODES.length
    const others = replicas.filter(each => each !== leaver)
    return { topic, partition, replicas: isWhole ? others : [...replicas, ...missing(replicas)] }
  })
  await ground.admin.reassign(wanted)
  await reassigned(ground)
}

function missing(replicas: readonly number[]): number[] {
  return NODES.filter(node => !replicas.includes(node))
}

function reassigned(ground: KafkaGround): Promise<void> {
  return waitUntil(
    'reassignments are finished',
    REASSIGNMENT_TIMEOUT_MS,
    async () => (await ground.admin.reassigning()) === 0,
    50,
  )
}
