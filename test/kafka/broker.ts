import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePorts } from '../helpers/free-ports.js'
import { startJava } from './java.js'

const HEAP_MB = 1024
const START_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 20_000
const READY_LINE = /Kafka Server started/

type Properties = Readonly<Record<string, string | number | boolean>>

export interface KafkaOptions {
  /** Nodes of the cluster, each broker and controller in one process; default 1. */
  nodes?: number
  /** Properties of every node, or of each, over the defaults of this file. */
  properties?: Properties | ((node: NodePorts) => Properties)
  /** Heap of each node's JVM in MiB; default 1024. */
  heapMb?: number
  /** Feature levels given to the storage when it is formatted, such as `{ 'transaction.version': 1 }`. */
  features?: Readonly<Record<string, number>>
  /** The version that nodes begin with: one of test/brokers/brokers.json, default that of test/kafka/pom.xml. */
  version?: string | undefined
  /** Where the others find a node's controller; default its own port. */
  voterPort?: ((id: number, controllerPort: number) => number) | undefined
  /** Users of SCRAM, with their passwords, made when the storage is formatted. */
  scramUsers?: Readonly<Record<string, string>>
  /** System properties of each node's JVM. */
  systemProperties?: Readonly<Record<string, string>>
}

/** What a node's properties may depend on. */
export interface NodePorts {
  id: number
  port: number
  controllerPort: number
}

export interface KafkaNode {
  readonly id: number
  readonly port: number
  readonly pid: number
  /** Ends the process: by default as an operator would, with SIGKILL as a crash would. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts the node again on its port, with its data. A version given is kept; null is that of test/kafka/pom.xml. */
  start(version?: string | null): Promise<void>
}

export interface Kafka extends AsyncDisposable {
  readonly bootstrapServers: string
  readonly nodes: readonly KafkaNode[]
  /** The temporary folder of properties, logs and data. */
  readonly folder: string
  /** The process ids of the nodes that run. */
  readonly pids: readonly number[]
  /** What the nodes have logged so far: warnings and worse. */
  log(): string
  stop(): Promise<void>
}

/** Kafka's tools take an id that begins with a hyphen for an option. */
function newClusterId(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0] as number) & 0x7f
  return bytes.toString('base64url')
}

/** Starts an Apache Kafka (KRaft) on free loopback ports, with its data in a temporary folder that `stop` removes. */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const count = options.nodes ?? 1
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  const ports = await freePorts(count * 2)
  const cluster: Cluster = {
    folder,
    id: newClusterId(),
    voters: Array.from({ length: count }, (_, i) => {
      const port = ports[count + i] as number
      return `${i + 1}@127.0.0.1:${options.voterPort?.(i + 1, port) ?? port}`
    }).join(','),
    count,
    options,
  }
  const nodes = Array.from(
    { length: count },
    (_, i) => new Node(cluster, i + 1, ports[i] as number, ports[count + i] as number),
  )
  const stop = async () => {
    await Promise.all(nodes.map(node => node.stop()))
    process.off('exit', removeFolder)
    removeFolder()
  }
  try {
    await Promise.all(nodes.map(node => node.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    bootstrapServers: nodes.map(node => `127.0.0.1:${node.port}`).join(','),
    nodes,
    folder,
    get pids() {
      return nodes.filter(node => node.isRunning).map(node => node.pid)
    },
    log: () => nodes.map(node => node.log()).join('\n'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface Cluster {
  folder: string
  id: string
  voters: string
  count: number
  options: KafkaOptions
}

class Node implements KafkaNode {
  readonly id: number
  readonly port: number
  private readonly cluster: Cluster
  private readonly propertiesFile: string
  private readonly logFile: string
  private process: ChildProcess | undefined
  private version: string | undefined

  constructor(cluster: Cluster, id: number, port: number, controllerPort: number) {
    this.cluster = cluster
    this.version = cluster.options.version
    this.id = id
    this.port = port
    this.propertiesFile = join(cluster.folder, `node-${id}.properties`)
    this.logFile = join(cluster.folder, `node-${id}.log`)
    const { properties: given } = cluster.options
    const own = typeof given === 'function' ? given({ id, port, controllerPort }) : given
    const properties = { ...this.defaults(controllerPort), ...own }
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(this.propertiesFile, lines.join(''))
  }

  private defaults(controllerPort: number): Properties {
    const { count, folder, voters } = this.cluster
    const replicas = Math.min(3, count)
    return {
      'process.roles': 'broker,controller',
      'node.id': this.id,
      'controller.quorum.voters': voters,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      listeners: `PLAINTEXT://127.0.0.1:${this.port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${this.port}`,
      'log.dirs': join(folder, `data-${this.id}`),
      'auto.create.topics.enable': true,
      'num.partitions': 4,
      'default.replication.factor': replicas,
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.num.partitions': 1,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': Math.min(2, replicas),
      'group.initial.rebalance.delay.ms': 0,
      'message.max.bytes': 8 << 20,
      'replica.fetch.max.bytes': 8 << 20,
    }
  }

  get isRunning(): boolean {
    return this.process !== undefined && this.process.exitCode === null && this.process.signalCode === null
  }

  get pid(): number {
    if (this.process?.pid === undefined) throw new Error(`node ${this.id} was never started`)
    return this.process.pid
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  async start(version?: string | null): Promise<void> {
    if (version !== undefined) this.version = version ?? undefined
    const features = Object.entries(this.cluster.options.features ?? {})
    const format = features.flatMap(([name, level]) => ['--feature', `${name}=${level}`])
    for (const [name, password] of Object.entries(this.cluster.options.scramUsers ?? {})) {
      for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
        format.push('--add-scram', `${mechanism}=[name=${name},password=${password}]`)
      }
    }
    const log = openSync(this.logFile, 'a')
    const args = [this.propertiesFile, this.cluster.id, ...format]
    const child = startJava('KafkaNode', args, {
      heapMb: this.cluster.options.heapMb ?? HEAP_MB,
      stderr: log,
      kafkaVersion: this.version,
      ...(this.cluster.options.systemProperties && {
        systemProperties: this.cluster.options.systemProperties,
      }),
    })
    closeSync(log)
    this.process = child
    await this.ready(child)
  }

  /** Waits for the line a node prints when every listener is bound and the broker is let into the cluster. */
  private async ready(child: ChildProcess): Promise<void> {
    const lines: string[] = []
    const outcome = await new Promise<'ready' | string>(resolve => {
      const timer = setTimeout(resolve, START_TIMEOUT_MS, `not ready after ${START_TIMEOUT_MS} ms`)
      child.once('error', error => resolve(error.message))
      child.once('exit', (code, signal) => resolve(`ended with ${signal ?? code}`))
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', line => {
        if (lines.length < 1000) lines.push(line)
        if (READY_LINE.test(line)) {
          clearTimeout(timer)
          resolve('ready')
        }
      })
    })
    if (outcome === 'ready') return
    child.kill('SIGKILL')
    throw new Error(`Kafka node ${this.id}: ${outcome}\n${[...lines, this.log()].join('\n')}`)
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process
    if (child === undefined || !this.isRunning) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(timer)
  }
}
