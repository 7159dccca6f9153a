import { setTimeout } from 'node:timers/promises'
import type { ClientName } from '../client-process.js'
import type { Ground } from '../ground.js'
import { type GroundOptions, KafkaGround } from '../kafka-ground.js'
import type { Layout } from '../layout.js'
import type { Random } from '../random.js'
import { atLeast, atMost, type Criterion, faultsOf, type LaneResult, laneResult } from '../result.js'
import { runTrial, type Stage, type TrialOptions, type TrialResult } from '../trial.js'
import { waitUntil } from '../wait.js'

/** What the command line says about a run of a lane. */
export interface LaneOptions {
  client: ClientName
  seed: number
  isSmall: boolean
  /** Undefined: the lane's own, by its size. */
  records: number | undefined
  seconds: number | undefined
  faults: number | undefined
  recordsPerSecond: number | undefined
  /** Whether a partition has one send at a time; see Job. */
  isSerial: boolean
  /** What services send instead of the plain form; see Job.isService. */
  isService: boolean
  /** Says how it goes, a line at a time. */
  say: (line: string) => void
}

export type Lane = (options: LaneOptions) => Promise<LaneResult>

const FIRST_ACKS_TIMEOUT_MS = 60_000

/** What a lane does to the brokers while the client sends, and what it then demands. */
export interface LanePlan<G extends Ground = KafkaGround> {
  name: string
  layout: Layout
  /** Of the Kafka that is started where none is there. */
  ground?: GroundOptions
  job: TrialOptions['job']
  /** Asked after the run; see {@link TrialOptions.floors}. */
  floors?: TrialOptions['floors']
  nodeFlags?: readonly string[]
  /** Whether a record may fail: by default none may, for every fault heals within `delivery.timeout.ms`. */
  mayFail?: boolean
  script: (stage: Stage, ground: G) => Promise<void>
  /** Asked after the run. */
  faults: () => Record<string, number>
  criteria: (trial: TrialResult) => Criterion[]
}

const SERVICE_LAYOUT = { topics: 3, partitions: 24 }
const SERVICE_JOB = { isService: true, payload: { min: 64, max: 256 } } as const
const SERVICE_OPTIONS = { 'compression.type': 'zstd' } as const

/** Topics of a lane; the run's name keeps runs on one cluster apart. Services have three with 24 partitions. */
export function layoutOf(
  name: string,
  { seed, isService }: LaneOptions,
  topics: number,
  partitions: number,
): Layout {
  const sizes = isService ? SERVICE_LAYOUT : { topics, partitions }
  const run = isService ? `service-${seed}` : seed
  const names = Array.from(
    { length: sizes.topics },
    (_, i) => `${name}-${run}-${String.fromCharCode(97 + i)}`,
  )
  return { topics: names, partitions: sizes.partitions }
}

/** Options of each client under which it promises what the lane checks: every record once and in order. */
export function strictOptions(client: ClientName): Record<string, unknown> {
  if (client === 'millrace') return { 'linger.ms': 5 }
  return client === 'java' ? { 'linger.ms': 5, acks: 'all', 'enable.idempotence': true } : {}
}

/** Runs a plan on a Kafka of its own, or on one that is there already. */
export async function runPlan(
  options: LaneOptions,
  plan: LanePlan,
  shared?: KafkaGround,
): Promise<LaneResult> {
  if (shared !== undefined) return await runPlanOn(shared, options, plan)
  const isSecured = options.isService || plan.ground?.isSecured === true
  await using ground = await KafkaGround.start({ ...plan.ground, isSecured })
  return await runPlanOn(ground, options, plan)
}

/** Runs a plan on brokers that are there already. */
export async function runPlanOn<G extends Ground>(
  ground: G,
  options: LaneOptions,
  plan: LanePlan<G>,
): Promise<LaneResult> {
  const startedAt = new Date()
  await ground.createTopics(plan.layout)
  const { client, seed, isSmall, isSerial, isService } = options
  const before = faultsOf(ground.proxies)
  const { layout, nodeFlags = [], floors } = plan
  const trialOptions = {
    client,
    seed,
    layout,
    job: jobOf(ground, options, plan),
    nodeFlags,
    ...(floors && { floors }),
  }
  const trial = await runTrial(ground, trialOptions, async stage => {
    const { log } = stage
    await waitUntil('every partition has acknowledged a record', FIRST_ACKS_TIMEOUT_MS, () =>
      log.acked.every(count => count > 0),
    )
    await plan.script(stage, ground)
    for (const proxy of ground.proxies) proxy.calm()
  })
  const { verdict } = trial
  const failed = verdict.refused + verdict.ambiguous
  const proxied = Object.entries(faultsOf(ground.proxies)).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  )
  return laneResult({
    lane: plan.name,
    client,
    isSmall,
    isSerial,
    isService,
    seed,
    startedAt,
    versions: ground.versions,
    faults: { ...plan.faults(), ...Object.fromEntries(proxied) },
    criteria: [...(plan.mayFail ? [] : [atMost('failed records', failed, 0)]), ...plan.criteria(trial)],
    trial,
  })
}

function jobOf<G extends Ground>(
  ground: G,
  { client, isSerial, isService }: LaneOptions,
  { job }: LanePlan<G>,
): TrialOptions['job'] {
  const pace = job.recordsPerSecond === 0 ? { recordsPerSecond: null } : {}
  const form = isService ? SERVICE_JOB : {}
  const options = {
    ...strictOptions(client),
    ...(isService ? SERVICE_OPTIONS : {}),
    ...ground.clientOptions?.(client),
    ...job.options,
  }
  return { ...job, ...pace, ...form, isSerial, options }
}

/** Node id that leads the most partitions, of equals one by chance. */
export async function busiestLeader(ground: KafkaGround, layout: Layout, random: Random): Promise<number> {
  const counts = new Map<number, number>()
  for (const { leader } of await ground.admin.describe(layout.topics)) {
    counts.set(leader, (counts.get(leader) ?? 0) + 1)
  }
  const most = Math.max(...counts.values())
  return random.pick([...counts].filter(([, count]) => count === most).map(([leader]) => leader))
}

/** Waits until no partition is led by the node; answers how long that took. */
export async function leadershipMoved(ground: KafkaGround, layout: Layout, node: number): Promise<number> {
  const startedAt = performance.now()
  await waitUntil(
    `leadership moves away from node ${node}`,
    60_000,
    async () => {
      const places = await ground.admin.describe(layout.topics).catch(() => [])
      return places.length > 0 && places.every(({ leader }) => leader > 0 && leader !== node)
    },
    100,
  )
  return performance.now() - startedAt
}

/**
 * Waits until every partition has settled records again. A client that does not come back keeps nobody waiting for
 * ever: what it owes shows in the verdict.
 */
export async function resumed({ client, log }: Stage, timeoutMs: number): Promise<boolean> {
  const before = [...log.acked]
  const deadline = performance.now() + timeoutMs
  while (!log.acked.every((count, slot) => count > (before[slot] as number))) {
    if (performance.now() > deadline || !client.isAlive) return false
    await setTimeout(50)
  }
  return true
}

/** Waits until the log has all that was sent by now: what the client tells next may have been on its way. */
export async function toldAgain({ client, log }: Stage, timeoutMs: number): Promise<void> {
  const before = log.tells
  await waitUntil(
    'the client tells what it has sent',
    timeoutMs,
    () => !client.isAlive || log.tells >= before + 2,
  )
}

/** Waits until every record that has been sent by now is settled. Those of a partition are settled in their order. */
export async function caughtUp(stage: Stage, timeoutMs: number): Promise<void> {
  const { client, log } = stage
  await toldAgain(stage, timeoutMs)
  const sent = [...log.sent]
  const settled = (slot: number) =>
    (log.acked[slot] as number) + (log.refused[slot] as number) + (log.ambiguous[slot] as number)
  await waitUntil('what was sent is settled', timeoutMs, () => {
    return !client.isAlive || sent.every((count, slot) => settled(slot) >= count)
  })
}

/** Acknowledged records a second over a stretch of time, for some slots or all. */
export async function measureRate(
  { log }: Stage,
  ms: number,
  slots: readonly number[] = log.acked.map((_, slot) => slot),
): Promise<number> {
  const total = () => slots.reduce((sum, slot) => sum + (log.acked[slot] as number), 0)
  const before = total()
  const startedAt = performance.now()
  await setTimeout(ms)
  return ((total() - before) / (performance.now() - startedAt)) * 1000
}

/** Waits until the client has sent so many records; it goes on sending until it is stopped. */
export function sentAtLeast({ client, log }: Stage, records: number): Promise<void> {
  return waitUntil(
    `${records} records are sent`,
    3_600_000,
    () => log.totalSent >= records || !client.isAlive,
    100,
  )
}

export { atLeast, atMost }
