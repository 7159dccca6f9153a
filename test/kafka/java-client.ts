import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { DigestedRecord } from './digest.js'
import { startJava } from './java.js'

const HEAP_MB = 512
/** Keys a command carries at most: a line of the Java side's input stays at a few MB. */
const KEYS_PER_COMMAND = 10_000

export interface ReadRecord {
  partition: number
  offset: number
  timestamp: number
  timestampType: string
  key: Buffer | null
  value: Buffer | null
  headers: [name: string, value: Buffer | null][]
}

export interface PartitionDigest {
  partition: number
  count: number
  firstOffset: number
  lastOffset: number
  /** See `digestOf`, which computes the same over records of one's own. */
  sha256: string
}

export interface TopicOptions {
  partitions?: number
  replicationFactor?: number
  configs?: Readonly<Record<string, string | number | boolean>>
}

type Isolation = 'read_uncommitted' | 'read_committed'

/** Kafka's own Java consumer, admin client and partitioner in one JVM; see test/kafka/java/JavaClient.java. */
export class JavaClient implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly lines: Interface
  private answer: string[] = []
  private waiting: { resolve(lines: string[]): void; reject(error: Error): void } | undefined
  private turn: Promise<unknown> = Promise.resolve()

  constructor() {
    this.child = startJava('JavaClient', [], { heapMb: HEAP_MB, stderr: 'inherit' })
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })
    this.lines.on('line', line => this.take(line))
    this.child.once('exit', (code, signal) => this.fail(new Error(`JavaClient ended with ${signal ?? code}`)))
    this.child.once('error', error => this.fail(error))
  }

  /** Creates a topic and returns when the cluster has it. */
  async createTopic(bootstrapServers: string, topic: string, options: TopicOptions = {}): Promise<void> {
    const configs = Object.entries(options.configs ?? {}).map(([name, value]) => `${name}=${value}`)
    const numbers = [options.partitions ?? 1, options.replicationFactor ?? 1]
    await this.command(['create', bootstrapServers, topic, ...numbers, ...configs])
  }

  /** Sends one record with Kafka's own producer. */
  async produce(bootstrapServers: string, topic: string, record: DigestedRecord): Promise<void> {
    const headers = (record.headers ?? []).map(
      ([name, value]) => `${wordOf(Buffer.from(name))}:${wordOf(value)}`,
    )
    const words = [wordOf(record.key), wordOf(record.value), headers.join(',')]
    await this.command(['produce', bootstrapServers, topic, ...words])
  }

  /** Every record of the topic, as the Java consumer gives it: per partition in order of offset. */
  async read(
    bootstrapServers: string,
    topic: string,
    isolation: Isolation = 'read_uncommitted',
  ): Promise<ReadRecord[]> {
    const lines = await this.command(['read', bootstrapServers, topic, isolation])
    return lines.map(parseRecord)
  }

  /** For topics too large to be held here: a digest of each partition that has records. */
  async digest(
    bootstrapServers: string,
    topic: string,
    isolation: Isolation = 'read_uncommitted',
  ): Promise<PartitionDigest[]> {
    const lines = await this.command(['digest', bootstrapServers, topic, isolation])
    return lines.map(line => {
      const [partition, count, firstOffset, lastOffset, sha256] = line.split('\t') as [string, ...string[]]
      return {
        partition: Number(partition),
        count: Number(count),
        firstOffset: Number(firstOffset),
        lastOffset: Number(lastOffset),
        sha256: sha256 as string,
      }
    })
  }

  /** A consumer group's offsets by `topic-partition`. */
  async offsets(bootstrapServers: string, groupId: string): Promise<Record<string, number>> {
    const lines = await this.command(['offsets', bootstrapServers, groupId])
    const entries = lines.map(line => line.split('\t') as [string, string, string])
    return Object.fromEntries(entries.map(([topic, index, offset]) => [`${topic}-${index}`, Number(offset)]))
  }

  /** Finalizes a feature of a running cluster, up or down; brokers and clients hear of it a moment later. */
  async setFeature(bootstrapServers: string, name: string, level: number): Promise<void> {
    await this.command(['feature', bootstrapServers, name, level])
  }

  /** Asks clients for the metrics whose names begin so, as Kafka's ClientMetricsCommand does. */
  async subscribe(
    bootstrapServers: string,
    name: string,
    metrics: string,
    intervalMs: number,
  ): Promise<void> {
    await this.command(['subscribe', bootstrapServers, name, metrics, intervalMs])
  }

  /** Limits what the clients of an id may produce, as an operator's quota does. */
  async setQuota(bootstrapServers: string, clientId: string, bytesPerSecond: number): Promise<void> {
    await this.command(['quota', bootstrapServers, clientId, bytesPerSecond])
  }

  /** The partition Kafka's producer chooses for each key among so many. */
  async partitionsOf(keys: readonly Uint8Array[], partitions: number): Promise<number[]> {
    const chosen: number[] = []
    for (let from = 0; from < keys.length; from += KEYS_PER_COMMAND) {
      const words = keys.slice(from, from + KEYS_PER_COMMAND).map(wordOf)
      for (const line of await this.command(['partition', partitions, ...words])) chosen.push(Number(line))
    }
    return chosen
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.stdin?.end()
    await ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
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
    if (line === 'ok') {
      this.waiting = undefined
      waiting?.resolve(this.answer)
    } else if (line.startsWith('error\t')) {
      this.waiting = undefined
      waiting?.reject(new Error(line.slice('error\t'.length)))
    } else {
      this.answer.push(line)
    }
  }

  private fail(error: Error): void {
    this.waiting?.reject(error)
    this.waiting = undefined
  }
}

function wordOf(bytes: Uint8Array | null): string {
  return bytes === null ? '-' : Buffer.from(bytes).toString('base64')
}

function parseBytes(word: string): Buffer | null {
  return word === '-' ? null : Buffer.from(word, 'base64')
}

function parseRecord(line: string): ReadRecord {
  const words = line.split('\t')
  const [partition, offset, timestamp, timestampType, key, value, headers] = words as [
    ...[string, string, string, string],
    ...[string, string, string],
  ]
  return {
    partition: Number(partition),
    offset: Number(offset),
    timestamp: Number(timestamp),
    timestampType,
    key: parseBytes(key),
    value: parseBytes(value),
    headers: headers === '' ? [] : headers.split(',').map(parseHeader),
  }
}

function parseHeader(word: string): [string, Buffer | null] {
  const [name, value] = word.split(':') as [string, string]
  return [Buffer.from(name, 'base64').toString(), parseBytes(value)]
}

/** The name of kcat where it is installed, under either of its names. */
export function findKcat(): string | undefined {
  return ['kcat', 'kafkacat'].find(name => spawnSync(name, ['-V'], { stdio: 'ignore' }).error === undefined)
}
