import { Checker, type Verdict } from './checker/checker.js'
import { SettlementLog } from './checker/settlement-log.js'
import type { ClientReport, Job } from './client/job.js'
import { type ClientName, ClientProcess } from './client-process.js'
import type { Ground } from './ground.js'
import { type Layout, slotName, slotsOf } from './layout.js'

/** Past the client's own grace: for its start, its close and its last words. */
const END_MARGIN_MS = 60_000
/** The producer's own `batch.size`. */
const BATCH_BYTES_DEFAULT = 16_384

export interface TrialOptions {
  client?: ClientName
  /** The bug to plant in the client; see client/plants.ts. */
  plant?: string
  seed: number
  layout: Layout
  /** Options of Node itself, for clients in JavaScript. */
  nodeFlags?: readonly string[]
  /** By slot: what was acknowledged before this sequence may have gone with a topic that was deleted. */
  floors?: () => readonly number[]
  job: Partial<Omit<Job, 'run' | 'topics' | 'partitions' | 'bootstrapServers'>>
}

/** A trial while it runs. */
export interface Stage {
  readonly client: ClientProcess
  readonly log: SettlementLog
}

export interface TrialResult {
  verdict: Verdict
  report: ClientReport
  checkSeconds: number
}

export const DEFAULT_JOB = {
  payload: { min: 32, max: 64 },
  records: Number.MAX_SAFE_INTEGER,
  recordsPerSecond: null,
  window: 10_000,
  hasFreeLanes: true,
  isSerial: false,
  isPaced: true,
  isService: false,
  graceMs: 125_000,
  styles: ['callback', 'promise', 'sendMany'],
  options: {},
} as const satisfies Partial<Job>

/** What other clients cannot do: they have one way of sending, and their drivers name every partition. */
const PEER_JOB = { hasFreeLanes: false, styles: ['callback'] } as const satisfies Partial<Job>

/** Runs a client against brokers while `script` does its worst, then stops the client and checks everything. */
export async function runTrial(
  ground: Ground,
  options: TrialOptions,
  script: (stage: Stage) => Promise<void>,
): Promise<TrialResult> {
  const { layout, seed, plant } = options
  const { topics, partitions } = layout
  const run = seed >>> 0
  const { bootstrapServers } = ground
  const name = options.client ?? 'millrace'
  const wanted = { ...DEFAULT_JOB, ...options.job, ...(name === 'millrace' ? {} : PEER_JOB) }
  const payload = { ...wanted.payload, large: wanted.hasFreeLanes ? largeBytesFor(wanted.options) : 0 }
  const job: Job = { ...wanted, payload, bootstrapServers, run, topics, partitions }
  const log = new SettlementLog(slotsOf(layout, job.hasFreeLanes))
  // Freed memory is overwritten, so that whatever still reads it is found out; a planted bug is to show by itself.
  const env = plant === undefined ? { MILLRACE_FILL_FREED: '1' } : { MILLRACE_PLANT: plant }
  await using client = new ClientProcess(name, job, log, env, options.nodeFlags)
  await client.ready
  await script({ client, log })
  client.tell('stop')
  const ended =
    client.name === 'millrace' ? client.report : client.report.catch(error => reportOfCrash(client, error))
  const report = await withDeadline(ended, job.graceMs * 2 + END_MARGIN_MS)
  const endedAt = performance.now()
  const checker = new Checker(log, slot => slotName(layout, slot), options.floors?.())
  await ground.read(run, layout, frame => checker.take(frame))
  const verdict = checker.verdict()
  return { verdict, report, checkSeconds: (performance.now() - endedAt) / 1000 }
}

/** One such record is all that a topic's sticky partition takes, so that the next one goes elsewhere. */
function largeBytesFor(options: Job['options']): number {
  return 2 * Number(options['batch.size'] ?? BATCH_BYTES_DEFAULT)
}

/** A peer whose process dies has lost the race, not the rig: what it told until then is judged. */
function reportOfCrash({ versions, startedAt }: ClientProcess, error: Error): ClientReport {
  return {
    versions,
    longestStallMs: Number.NaN,
    longestBlackoutMs: Number.NaN,
    rssMaxBytes: 0,
    seconds: (performance.now() - startedAt) / 1000,
    blockedMs: { count: 0, min: Infinity, max: 0, isInOrder: true },
    errors: { [error.message]: 1 },
  }
}

async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the client did not end within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
