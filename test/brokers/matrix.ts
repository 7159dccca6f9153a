import { JavaClient } from '../kafka/java-client.js'
import { kafkaVersions, startApacheKafka } from './apache-kafka.js'
import { kfakeVersion, startKfake } from './kfake.js'
import type { RunningBroker } from './process.js'
import { CHECKS } from './suite.js'

/** A broker of the matrix. */
export interface Entry {
  readonly name: string
  readonly version: string
  start(): Promise<RunningBroker>
}

/** Every broker of the matrix, the oldest first. */
export function entries(): Entry[] {
  const kafkas = kafkaVersions().map(version => ({
    name: `${version.name}, ${version.mode === 'kraft' ? 'KRaft' : 'ZooKeeper'}`,
    version: version.version,
    start: () => startApacheKafka(version),
  }))
  return [...kafkas, { name: "franz-go's kfake", version: kfakeVersion(), start: startKfake }]
}

/** What became of the checks on one broker: null for those that passed, else what was wrong. */
export interface Row {
  readonly entry: Entry
  readonly outcomes: ReadonlyMap<string, string | null>
  readonly seconds: number
}

const CHECK_TIMEOUT_MS = 120_000

/** Runs all checks on one broker, one after the other; a check that fails does not keep the next from running. */
export async function runEntry(entry: Entry, say: (line: string) => void): Promise<Row> {
  const startedMs = performance.now()
  await using java = new JavaClient()
  await using broker = await entry.start()
  const outcomes = new Map<string, string | null>()
  for (const { name, run } of CHECKS) {
    const problem = await problemOf(run({ bootstrapServers: broker.bootstrapServers, java }))
    outcomes.set(name, problem)
    say(`${entry.name} ${entry.version}: ${name}: ${problem ?? 'ok'}`)
  }
  return { entry, outcomes, seconds: (performance.now() - startedMs) / 1000 }
}

async function problemOf(check: Promise<void>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<string>(resolve => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, `no end after ${CHECK_TIMEOUT_MS / 1000} s`)
  })
  const outcome = await Promise.race([
    check.then(
      () => null,
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    ),
    timeout,
  ])
  clearTimeout(timer)
  return outcome
}

/** The matrix as Markdown: a row for each broker, a column for each check. */
export function table(rows: readonly Row[]): string {
  const heads = ['broker', 'version', ...CHECKS.map(({ name }) => name), 'seconds']
  const cells = rows.map(({ entry, outcomes, seconds }) => [
    entry.name,
    entry.version,
    ...CHECKS.map(({ name }) => (outcomes.get(name) === null ? 'ok' : 'FAILED')),
    seconds.toFixed(0),
  ])
  return [heads, heads.map(() => '---'), ...cells].map(row => `| ${row.join(' | ')} |`).join('\n')
}
