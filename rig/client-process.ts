import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startJava } from '../dist-test/kafka/java.js'
import type { SettlementLog } from './checker/settlement-log.js'
import type { ClientCommand, ClientReport, Job } from './client/job.js'
import { FrameReader } from './frames.js'

export const CLIENT_NAMES = [
  'millrace',
  'java',
  'confluent',
  'kafkajs',
  'kafkajs-entry',
  'platformatic',
] as const
export type ClientName = (typeof CLIENT_NAMES)[number]

const JAVA_HEAP_MB = 512

interface Note {
  ready?: boolean
  versions?: Record<string, string>
  report?: ClientReport
  broken?: string
}

/** A producer in a process of its own: takes a job and commands, and fills the settlement log. */
export class ClientProcess implements AsyncDisposable {
  readonly ready: Promise<void>
  /** The client's report; rejects if it ends without one. */
  readonly report: Promise<ClientReport>
  /** As it told them when it was ready. */
  versions: Record<string, string> = {}
  /** Whether the client has said that it is broken itself; its report says how. */
  isBroken = false
  readonly name: ClientName
  readonly startedAt = performance.now()
  private readonly child: ChildProcess

  /** `env` and `nodeFlags` are for clients in JavaScript. */
  constructor(
    name: ClientName,
    job: Job,
    log: SettlementLog,
    env: Readonly<Record<string, string>> = {},
    nodeFlags: readonly string[] = [],
  ) {
    const child = name === 'java' ? startJavaClient(job) : startNodeClient(name, job, env, nodeFlags)
    this.name = name
    this.child = child
    let onReady = () => {}
    this.ready = new Promise(resolve => {
      onReady = resolve
    })
    let report: ClientReport | undefined
    const frames = new FrameReader(
      frame => log.take(frame),
      note => {
        const said = note as Note
        this.versions = said.versions ?? this.versions
        if (said.ready) onReady()
        if (said.broken !== undefined) this.isBroken = true
        report = said.report ?? report
      },
    )
    child.stdout?.on('data', (chunk: Buffer) => frames.push(chunk))
    child.stdin?.on('error', () => {})
    this.report = once(child, 'close').then(([code, signal]) => {
      onReady()
      if (report === undefined)
        throw new Error(`the ${name} client ended with ${signal ?? code}, without a report`)
      return report
    })
    // Whoever waits for the report hears of it; until then it is not unhandled.
    this.report.catch(() => {})
  }

  get pid(): number {
    return this.child.pid as number
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  tell(command: ClientCommand): void {
    this.child.stdin?.write(`${command}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isAlive) this.child.kill('SIGKILL')
    await this.report.catch(() => {})
  }
}

function startNodeClient(
  name: string,
  job: Job,
  env: Readonly<Record<string, string>>,
  flags: readonly string[],
): ChildProcess {
  const script = fileURLToPath(new URL(`client/${name}.js`, import.meta.url))
  const child = spawn(nodeFor(name), [...flags, script, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Some peers need a newer Node than this one; the runtimes of the public-API suite have it. */
function nodeFor(name: string): string {
  if (!['confluent', 'platformatic'].includes(name) || Number(process.versions.node.split('.')[0]) >= 24)
    return process.execPath
  const folder = `node24-${process.platform}-${process.arch}`
  const path = `../test/runtimes/node_modules/${folder}/bin/node`
  const newer = fileURLToPath(new URL(path, import.meta.url))
  return existsSync(newer) ? newer : process.execPath
}

function startJavaClient(job: Job): ChildProcess {
  const { payload, options } = job
  const words = {
    bootstrap: job.bootstrapServers,
    run: job.run,
    topics: job.topics.join(','),
    partitions: job.partitions,
    payloadMin: payload.min,
    payloadMax: payload.max,
    records: job.records,
    recordsPerSecond: job.recordsPerSecond ?? 0,
    window: job.window ?? 0,
    graceMs: job.graceMs,
    isSerial: job.isSerial,
    isService: job.isService,
  }
  const args = Object.entries(words).map(([name, value]) => `${name}=${value}`)
  const properties = Object.entries(options).map(([name, value]) => `property.${name}=${value}`)
  const settings = { heapMb: JAVA_HEAP_MB, stderr: 'inherit', isLongLived: true } as const
  return startJava('ChaosProducer', [...args, ...properties], settings)
}
