// The examples of examples/exactly-once under rebalances: members that join, stand still, die and leave.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Producer } from '../../dist/index.js'
import type { Kafka } from './broker.js'
import type { JavaClient } from './java-client.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PEERS = join(ROOT, 'bench/peers/node/node_modules')
export const NODE_24 = join(
  ROOT,
  `test/runtimes/node_modules/node24-${process.platform}-${process.arch}/bin/node`,
)

/** The least that a broker takes by default. */
const SESSION_TIMEOUT_MS = 6_000
const TRANSACTION_TIMEOUT_MS = 2_000
/** What the cluster needs for them: transactions that are too old are ended at once. */
export const PROPERTIES = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500 }

const PARTITIONS = 6
const KEYS = 24
const TICK_MS = 100
const RECORDS_PER_TICK = 10
const PATIENCE_MS = 90_000
const silent = { debug() {}, info() {}, warn() {}, error() {} }

export interface Recipe {
  /** The example's file without `.js`, and the package it is for. */
  readonly name: 'kafkajs' | 'platformatic' | 'confluent'
  readonly node: string
}

/** A folder with the example as a user would have it, its packages installed. */
export class InstalledExamples implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-examples-'))

  constructor() {
    cpSync(join(ROOT, 'examples/exactly-once'), this.folder, { recursive: true })
    this.link('millrace', ROOT)
    for (const name of ['kafkajs', '@platformatic/kafka', '@confluentinc/kafka-javascript'])
      this.link(name, join(PEERS, name))
  }

  private link(name: string, target: string): void {
    const path = join(this.folder, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(target, path, 'junction')
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A copy of the example that is started again when it ends by itself, as a supervisor does. */
class Member {
  committed = 0
  restarts = 0
  readonly lines: string[] = []
  private child: ChildProcess
  private isEnding = false
  private readonly spawn: () => ChildProcess

  constructor(spawnOne: () => ChildProcess) {
    this.spawn = spawnOne
    this.child = this.start()
  }

  private start(): ChildProcess {
    const child = this.spawn()
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output as NodeJS.ReadableStream }).on('line', line => {
        this.lines.push(line)
        this.committed += Number(/ committed (\d+)$/.exec(line)?.[1] ?? 0)
      })
    }
    child.once('exit', () => {
      if (this.isEnding) return
      this.restarts++
      this.child = this.start()
    })
    return child
  }

  /** Waits until it has committed something from now on. */
  async works(): Promise<void> {
    const before = this.committed
    const endMs = performance.now() + PATIENCE_MS
    while (this.committed === before) {
      assert.ok(performance.now() < endMs, `a member commits nothing\n${this.lines.slice(-40).join('\n')}`)
      await setTimeout(50)
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.isEnding = true
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    const timer = globalThis.setTimeout(() => this.child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(timer)
  }
}

/** What a run came to. */
export interface Outcome {
  readonly inputs: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly restarts: number
}

/** The inputs, a few every moment, until it is stopped. */
class Feed {
  sent = 0
  private isStopped = false
  private readonly running: Promise<void>

  constructor(bootstrapServers: string, topic: string) {
    this.running = this.run(bootstrapServers, topic)
  }

  private async run(bootstrapServers: string, topic: string): Promise<void> {
    await using producer = new Producer({ bootstrapServers, logger: silent })
    while (!this.isStopped) {
      const records = Array.from({ length: RECORDS_PER_TICK }, (_, i) => {
        const number = this.sent + i
        return { topic, key: `key ${number % KEYS}`, value: `${number}` }
      })
      this.sent += records.length
      await producer.sendMany(records)
      await setTimeout(TICK_MS)
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true
    await this.running
  }
}

/** Runs a recipe through joins, a pause longer than its session, a death and a leave; answers what the output has. */
export async function rebalances(
  { name, node }: Recipe,
  examples: InstalledExamples,
  { bootstrapServers }: Kafka,
  java: JavaClient,
): Promise<Outcome> {
  const [input, output] = [`${name}-in`, `${name}-out`] as [string, string]
  for (const topic of [input, output])
    await java.createTopic(bootstrapServers, topic, { partitions: PARTITIONS })
  const members: Member[] = []
  const join = (instance: string): Member => {
    const env = {
      ...process.env,
      ...{ BOOTSTRAP_SERVERS: bootstrapServers, GROUP_ID: `${name}-group`, INPUT: input, OUTPUT: output },
      INSTANCE: instance,
      SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      TRANSACTION_TIMEOUT_MS: String(TRANSACTION_TIMEOUT_MS),
      KAFKAJS_NO_PARTITIONER_WARNING: '1',
    }
    const member = new Member(() =>
      spawn(node, [`${name}.js`], { cwd: examples.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    )
    members.push(member)
    return member
  }
  const feed = new Feed(bootstrapServers, input)
  try {
    const first = join('first')
    await first.works()
    const second = join('second')
    await second.works()
    // A zombie: it knows nothing of the time that it stood still, nor that others have its partitions.
    first.signal('SIGSTOP')
    await setTimeout(SESSION_TIMEOUT_MS + 1_000)
    await second.works()
    first.signal('SIGCONT')
    await first.works()
    await second.end('SIGKILL')
    const third = join('third')
    await third.works()
    await first.works()
    await first.end('SIGTERM')
    await third.works()
    await feed.stop()
    return await outcomeOf(feed.sent, output, bootstrapServers, java, members)
  } catch (error) {
    const told = members.map(({ lines }) => lines.slice(-30).join('\n')).join('\n\n')
    throw new Error(`${(error as Error).message}\n${told}`, { cause: error })
  } finally {
    await feed.stop()
    for (const member of members) member.signal('SIGCONT')
    await Promise.all(members.map(member => member.end('SIGKILL')))
  }
}

async function outcomeOf(
  inputs: number,
  output: string,
  bootstrapServers: string,
  java: JavaClient,
  members: readonly Member[],
): Promise<Outcome> {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    const counts = new Map<number, number>()
    const highest = new Map<string, number>()
    let reordered = 0
    for (const { key, value } of await java.read(bootstrapServers, output, 'read_committed')) {
      const number = Number(String(value).replace('invoice of ', ''))
      if (number < (highest.get(String(key)) ?? -1)) reordered++
      highest.set(String(key), number)
      counts.set(number, (counts.get(number) ?? 0) + 1)
    }
    const lost = inputs - counts.size
    if (lost <= 0 || performance.now() > endMs) {
      const duplicated = [...counts.values()].filter(count => count > 1).length
      const restarts = members.reduce((sum, member) => sum + member.restarts, 0)
      return { inputs, lost, duplicated, reordered, restarts }
    }
    await setTimeout(200)
  }
}
