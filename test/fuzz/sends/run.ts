import { type Ground, inProcessGround } from './ground.js'
import { Findings } from './judge.js'
import { type Plan, planOf } from './plan.js'
import { World } from './world.js'

const RECORDS_PER_SEED = 40_000
/** Worlds at once: each of them waits most of the time, for a linger or an answer. */
const WORLDS_AT_ONCE = 12

export interface RunOptions {
  readonly seed: number
  /** No world begins once so many records have been begun, or after so many seconds. */
  readonly records: number
  readonly seconds: number
  readonly recordsPerSeed?: number
  readonly worldsAtOnce?: number
  readonly groundOf?: (plan: Plan) => Promise<Ground>
  readonly isRealKafka?: boolean
  readonly say: (line: string) => void
}

export interface Totals {
  seeds: number
  records: number
  findings: number
}

/** Runs worlds of seeds that follow one another, until enough is sent or something is found. */
export async function fuzzSends(options: RunOptions): Promise<Totals> {
  const { records, seconds, say, groundOf = inProcessGround, isRealKafka = false } = options
  const { recordsPerSeed = RECORDS_PER_SEED, worldsAtOnce = WORLDS_AT_ONCE } = options
  const endMs = performance.now() + seconds * 1000
  const totals: Totals = { seeds: 0, records: 0, findings: 0 }
  let next = options.seed
  const isOver = () =>
    totals.findings > 0 ||
    (next - options.seed) * recordsPerSeed >= records ||
    (performance.now() >= endMs && next > options.seed)
  const work = async () => {
    while (!isOver()) {
      const plan = planOf(next++, recordsPerSeed, { isRealKafka })
      const { findings, count } = await runWorld(plan, groundOf)
      totals.seeds++
      totals.records += count
      totals.findings += findings.total
      if (findings.total > 0) report(plan, findings, say)
    }
  }
  await Promise.all(Array.from({ length: worldsAtOnce }, work))
  return totals
}

function report(plan: Plan, findings: Findings, say: (line: string) => void): void {
  say(`seed ${plan.seed}: ${[...findings.counts].map(([kind, found]) => `${found} ${kind}`).join(', ')}`)
  for (const example of findings.examples) say(`  ${example}`)
  say(`  plan: ${JSON.stringify(plan)}`)
}

async function runWorld(
  plan: Plan,
  groundOf: (plan: Plan) => Promise<Ground>,
): Promise<{ findings: Findings; count: number }> {
  const ground = await groundOf(plan)
  const world = new World(plan, ground)
  try {
    return { findings: await world.run(), count: world.ledger.count }
  } catch (error) {
    const findings = new Findings()
    findings.add('complaint', `the world ended with ${error instanceof Error ? error.stack : String(error)}`)
    return { findings, count: world.ledger.count }
  } finally {
    await ground.close()
  }
}
