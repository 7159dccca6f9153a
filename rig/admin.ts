import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startJava } from '../dist-test/kafka/java.js'

const HEAP_MB = 128

export interface PartitionPlace {
  topic: string
  partition: number
  /** Node id, -1 if none leads. */
  leader: number
  replicas: number[]
  inSyncReplicas: number[]
}

/** Kafka's admin client in one kept JVM; see test/kafka/java/ChaosAdmin.java. */
export class Admin implements AsyncDisposable {
  private readonly child: ChildProcess
  private answer: string[] = []
  private waiting: { resolve(lines: string[]): void; reject(error: Error): void } | undefined
  private turn: Promise<unknown> = Promise.resolve()

  constructor(bootstrapServers: string) {
    this.child = startJava('ChaosAdmin', [bootstrapServers], { heapMb: HEAP_MB, stderr: 'inherit' })
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', line => this.take(line))
    this.child.once('exit', (code, signal) => {
      this.waiting?.reject(new Error(`ChaosAdmin ended with ${signal ?? code}`))
    })
  }

  async version(): Promise<string> {
    return (await this.command(['version']))[0] as string
  }

  async createTopic(
    name: string,
    partitions: number,
    replicas: number,
    configs: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    const words = Object.entries(configs).map(([key, value]) => `${key}=${value}`)
    await this.command(['create', name, partitions, replicas, ...words])
  }

  async describe(topics: readonly string[]): Promise<PartitionPlace[]> {
    const lines = await this.command(['describe', ...topics])
    const ids = (text: string) => (text === '' ? [] : text.split(',').map(Number))
    return lines.map(line => {
      const [topic, partition, leader, replicas, isr] = line.split('\t') as [string, ...string[]]
      return {
        topic,
        partition: Number(partition),
        leader: Number(leader),
        replicas: ids(replicas as string),
        inSyncReplicas: ids(isr as string),
      }
    })
  }

  /** Node id of the active controller. */
  async controller(): Promise<number> {
    return Number((await this.command(['controller']))[0])
  }

  /** Elects preferred leaders; answers how many partitions changed theirs. */
  async elect(places: readonly { topic: string; partition: number }[]): Promise<number> {
    const words = places.map(({ topic, partition }) => `${topic}:${partition}`)
    return Number((await this.command(['elect', ...words]))[0])
  }

  /** Begins to give partitions other replicas, or the same in another order of preference. */
  async reassign(
    places: readonly { topic: string; partition: number; replicas: readonly number[] }[],
  ): Promise<void> {
    const words = places.map(
      ({ topic, partition, replicas }) => `${topic}:${partition}=${replicas.join(',')}`,
    )
    await this.command(['reassign', ...words])
  }

  /** How many reassignments are not finished. */
  async reassigning(): Promise<number> {
    return Number((await this.command(['reassigning']))[0])
  }

  /** Returns when the controller has deleted the topic; brokers forget it a moment later. */
  async deleteTopic(name: string): Promise<void> {
    await this.command(['delete', name])
  }

  /** Gives a topic more partitions, so many in all. */
  async grow(topic: string, partitions: number): Promise<void> {
    await this.command(['grow', topic, partitions])
  }

  /** Takes a right of a topic from a user. */
  async deny(topic: string, user: string, operation: 'WRITE' | 'DESCRIBE'): Promise<void> {
    await this.command(['deny', topic, user, operation])
  }

  /** Takes every ACL of a topic away. */
  async allow(topic: string): Promise<void> {
    await this.command(['allow', topic])
  }

  /** Gives a user a password of SCRAM; null takes the credentials away. */
  async setPassword(user: string, mechanism: string, password: string | null): Promise<void> {
    await this.command(['password', user, mechanism, ...(password === null ? [] : [password])])
  }

  /** Finalizes a feature, up or down; `latest` is what the nodes support. */
  async setFeature(name: string, level: number | 'latest'): Promise<void> {
    await this.command(['feature', name, level])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.stdin?.end()
    await ended
  }

  /** Commands take turns: the answers carry no mark of their question. */
  private command(words: readonly (string | number)[]): Promise<string[]> {
    const answered = this.turn.then(
      () =>
        new Promise<string[]>((resolve, reject) => {
          this.answer = []
          this.waiting = { resolve, reject }
          this.child.stdin?.write(`${words.join('\t')}\n`)
        }),
    )
    this.turn = answered.catch(() => {})
    return answered
  }

  private take(line: string): void {
    const { waiting } = this
    if (line !== 'ok' && !line.startsWith('error\t')) {
      this.answer.push(line)
      return
    }
    this.waiting = undefined
    if (line === 'ok') waiting?.resolve(this.answer)
    else waiting?.reject(new Error(line.slice('error\t'.length)))
  }
}
