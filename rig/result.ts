import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLASS_NAMES, type Classes } from './checker/checker.js'
import type { ClientName } from './client-process.js'
import type { ChaosProxy, ProxyCounters } from './proxy.js'
import type { TrialResult } from './trial.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A figure that a lane demands, beside the classes. */
export interface Criterion {
  name: string
  value: number
  limit: string
  ok: boolean
}

/** One line of rig/results. */
export interface LaneResult {
  lane: string
  client: ClientName
  isSmall: boolean
  /** One send at a time per partition, which is not what the other clients were asked for. */
  isSerial: boolean
  /** String values, headers, zstd, TLS with SCRAM, three topics of 24 partitions; lines without it: plain. */
  isService: boolean
  ok: boolean
  seed: number
  startedAt: string
  seconds: number
  commit: string
  versions: Record<string, string>
  cpus: number
  /** What reading everything back and judging it took. */
  checkSeconds: number
  records: number
  recordsPerSecond: number
  faults: Record<string, number>
  classes: Classes
  /** Failed and perhaps stored; how many of them were. */
  ambiguous: number
  ambiguousRead: number
  /** Failed and certainly not stored. */
  refused: number
  offsetUnknown: number
  longestStallMs: number
  longestBlackoutMs: number
  rssMaxMib: number
  /** MiB by kind when the memory was most. */
  memoryMib: Record<string, number>
  criteria: Criterion[]
  errors: Record<string, number>
  examples: string[]
}

export function atMost(name: string, value: number, limit: number): Criterion {
  return { name, value: round(value), limit: `≤ ${round(limit)}`, ok: value <= limit }
}

export function atLeast(name: string, value: number, limit: number): Criterion {
  return { name, value: round(value), limit: `≥ ${round(limit)}`, ok: value >= limit }
}

/** What all proxies did together, without what stayed 0. */
export function faultsOf(proxies: readonly ChaosProxy[]): Record<string, number> {
  const names = [
    'connections',
    'unreachable',
    'cuts',
    'expiredLifetimes',
    'disconnected',
    'delayedChunks',
    'throttleWaits',
    'swallowedBytes',
    'heldChunks',
  ] as const satisfies readonly (keyof ProxyCounters)[]
  const totals = names.map(
    name => [name, proxies.reduce((total, { counters }) => total + counters[name], 0)] as const,
  )
  return Object.fromEntries(totals.filter(([, total]) => total > 0))
}

export interface ResultInput {
  lane: string
  client: ClientName
  isSmall: boolean
  isSerial: boolean
  isService: boolean
  seed: number
  startedAt: Date
  versions: Readonly<Record<string, string>>
  faults: Record<string, number>
  criteria: Criterion[]
  trial: TrialResult
}

export function laneResult(input: ResultInput): LaneResult {
  const { verdict, report } = input.trial
  const isSound = CLASS_NAMES.every(name => verdict.classes[name] === 0)
  return {
    lane: input.lane,
    client: input.client,
    isSmall: input.isSmall,
    isSerial: input.isSerial,
    isService: input.isService,
    ok: isSound && input.criteria.every(({ ok }) => ok),
    seed: input.seed,
    startedAt: input.startedAt.toISOString(),
    seconds: round((Date.now() - input.startedAt.getTime()) / 1000),
    commit: commit(),
    versions: { ...input.versions, ...report.versions },
    cpus: cpus().length,
    checkSeconds: round(input.trial.checkSeconds),
    records: verdict.sent,
    recordsPerSecond: Math.round(verdict.acked / report.seconds),
    faults: input.faults,
    classes: verdict.classes,
    ambiguous: verdict.ambiguous,
    ambiguousRead: verdict.ambiguousRead,
    refused: verdict.refused,
    offsetUnknown: verdict.offsetUnknown,
    longestStallMs: Math.round(report.longestStallMs),
    longestBlackoutMs: Math.round(report.longestBlackoutMs),
    rssMaxMib: Math.round(report.rssMaxBytes / 2 ** 20),
    memoryMib: Object.fromEntries(
      Object.entries(report.memoryAtMax ?? {}).map(([kind, bytes]) => [kind, Math.round(bytes / 2 ** 20)]),
    ),
    criteria: input.criteria,
    errors: report.errors,
    examples: verdict.examples,
  }
}

/** The result in a few lines for people. */
export function describeResult(result: LaneResult): string {
  const { classes, faults, criteria, versions } = result
  const pairs = (of: Readonly<Record<string, number | string>>) =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${value.toLocaleString('en')}`)
      .join(' · ')
  return [
    `${result.ok ? 'PASSED' : 'FAILED'}  ${result.lane}${result.isSmall ? ' (small)' : ''}${result.isService ? ', as services send' : ''}, ${result.client}${result.isSerial ? ', one send at a time' : ''}, seed ${result.seed}`,
    `  ${pairs(versions)} · ${result.cpus} CPUs · commit ${result.commit}`,
    `  ${result.records.toLocaleString('en')} records in ${result.seconds} s, ${result.recordsPerSecond.toLocaleString('en')}/s acknowledged · faults: ${pairs(faults)}`,
    `  ${pairs({ ...classes })}`,
    `  ambiguous ${result.ambiguous} (${result.ambiguousRead} stored) · refused ${result.refused} · offset unknown ${result.offsetUnknown} · longest stall ${result.longestStallMs} ms (one partition), ${result.longestBlackoutMs} ms (all) · RSS ${result.rssMaxMib} MiB`,
    ...criteria.map(({ name, value, limit, ok }) => `  ${ok ? 'ok  ' : 'MISS'} ${name}: ${value} (${limit})`),
    ...Object.entries(result.errors).map(([words, count]) => `  ${count} × ${words}`),
    ...result.examples.slice(0, 10).map(example => `  ${example}`),
  ].join('\n')
}

/** Appends the line to what is committed with the project. */
export function recordResult(result: { readonly lane: string }): string {
  const folder = join(ROOT, 'rig/results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${result.lane}.ndjson`)
  appendFileSync(file, `${JSON.stringify(result)}\n`)
  return file
}

/** Writes the table of a lane's clients beside its lines. */
export function recordTable(lane: string, table: string): string {
  const file = join(ROOT, 'rig/results', `${lane}-clients.md`)
  writeFileSync(file, `${table}\n`)
  return file
}

/** What was measured: the commit, and whether the sources differ from it. */
export function commit(): string {
  try {
    const [hash, changes] = [
      ['rev-parse', '--short', 'HEAD'],
      ['status', '--porcelain', '--', 'src', 'native'],
    ].map(args => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()) as [string, string]
    return changes === '' ? hash : `${hash}+changes`
  } catch {
    return 'unknown'
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
