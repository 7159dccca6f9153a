import { cpus } from 'node:os'
import type { Criterion } from '../result.js'
import { commit } from '../result.js'

/** One line of rig/results of a lane of transactions. */
export interface TransactionResult {
  readonly lane: string
  readonly isSmall: boolean
  readonly ok: boolean
  readonly seed: number
  readonly transactionVersion: number
  readonly partitions: number
  readonly startedAt: string
  readonly seconds: number
  readonly commit: string
  readonly versions: Readonly<Record<string, string>>
  readonly cpus: number
  readonly records: number
  readonly faults: Readonly<Record<string, number>>
  /** What must not be: all are 0. */
  readonly classes: Readonly<Record<string, number>>
  readonly criteria: readonly Criterion[]
  readonly examples: readonly string[]
}

type Told = Omit<TransactionResult, 'ok' | 'startedAt' | 'seconds' | 'commit' | 'cpus' | 'versions'> & {
  readonly startedAt: Date
  readonly versions: Readonly<Record<string, string>>
}

export function transactionResult({ startedAt, ...told }: Told): TransactionResult {
  const isSound = Object.values(told.classes).every(count => count === 0)
  return {
    ...told,
    ok: isSound && told.criteria.every(({ ok }) => ok),
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 100) / 10,
    commit: commit(),
    versions: { ...told.versions, node: process.versions.node },
    cpus: cpus().length,
  }
}

/** The result in a few lines for people. */
export function describeTransactions(result: TransactionResult): string {
  const pairs = (of: Readonly<Record<string, number | string>>) =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${value.toLocaleString('en')}`)
      .join(' · ')
  const { lane, isSmall, ok, seed, transactionVersion, partitions } = result
  return [
    `${ok ? 'PASSED' : 'FAILED'}  ${lane}${isSmall ? ' (small)' : ''}, transaction.version ${transactionVersion}, ` +
      `${partitions} partition(s), seed ${seed}`,
    `  ${pairs(result.versions)} · ${result.cpus} CPUs · commit ${result.commit}`,
    `  ${result.records.toLocaleString('en')} records in ${result.seconds} s · ${pairs(result.faults)}`,
    `  ${pairs(result.classes)}`,
    ...result.criteria.map(
      ({ name, value, limit, ok: isMet }) => `  ${isMet ? 'ok  ' : 'MISS'} ${name}: ${value} (${limit})`,
    ),
    ...result.examples.map(example => `  ${example}`),
  ].join('\n')
}
