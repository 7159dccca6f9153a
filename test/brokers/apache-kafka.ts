import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Metadata } from '../../dist/protocol/metadata.js'
import { freePorts } from '../helpers/free-ports.js'
import { RawClient } from '../testing/support.js'
import { CACHE, ROOT, type RunningBroker, startProgram, stopProgram } from './process.js'

/** A row of brokers.json. */
export interface KafkaVersion {
  readonly name: string
  readonly version: string
  readonly mode: 'zookeeper' | 'kraft'
  /** Whether `npm test` runs it. */
  readonly tested?: boolean
}

export function kafkaVersions(): KafkaVersion[] {
  return JSON.parse(readFileSync(join(ROOT, 'test/brokers/brokers.json'), 'utf8')) as KafkaVersion[]
}

const HEAP_MB = 512
const START_TIMEOUT_MS = 60_000
const CLUSTER_ID = 'bWlsbHJhY2UtYnJva2Vycw'
/** Spoken by every version of the list. */
const METADATA_VERSION = 5

type Properties = Readonly<Record<string, string | number | boolean>>

const COMMON: Properties = {
  'auto.create.topics.enable': true,
  'num.partitions': 4,
  'default.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
}

/** One version of Apache Kafka that is to run in a folder of its own. */
class Instance {
  private readonly folder = mkdtempSync(join(tmpdir(), 'millrace-brokers-'))
  private readonly logFile = join(this.folder, 'broker.log')
  private readonly version: KafkaVersion
  private child: ChildProcess | undefined

  constructor(version: KafkaVersion) {
    this.version = version
    process.once('exit', this.removeFolder)
  }

  async start(): Promise<string> {
    const [port, otherPort] = (await freePorts(2)) as [number, number]
    const programs =
      this.version.mode === 'kraft' ? await this.kraft(port, otherPort) : this.withZooKeeper(port, otherPort)
    this.child = this.java('Together', programs)
    await this.ready(port)
    return `127.0.0.1:${port}`
  }

  private async kraft(port: number, controllerPort: number): Promise<string[]> {
    const properties = this.write('server.properties', {
      ...COMMON,
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'inter.broker.listener.name': 'PLAINTEXT',
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': join(this.folder, 'data'),
    })
    const format = this.java('kafka.tools.StorageTool', ['format', '-t', CLUSTER_ID, '-c', properties])
    const [code] = (await once(format, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`${this.version.name}: its storage could not be formatted\n${this.log()}`)
    return ['kafka.Kafka', properties]
  }

  private withZooKeeper(port: number, zooKeeperPort: number): string[] {
    const zooKeeper = this.write('zookeeper.properties', {
      dataDir: join(this.folder, 'zookeeper'),
      clientPort: zooKeeperPort,
      clientPortAddress: '127.0.0.1',
      'admin.enableServer': false,
      tickTime: 2000,
    })
    const broker = this.write('server.properties', {
      ...COMMON,
      'broker.id': 1,
      'zookeeper.connect': `127.0.0.1:${zooKeeperPort}`,
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': join(this.folder, 'data'),
    })
    return ['org.apache.zookeeper.server.ZooKeeperServerMain', zooKeeper, '--', 'kafka.Kafka', broker]
  }

  private write(name: string, properties: Properties): string {
    const file = join(this.folder, name)
    const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(file, lines.join(''))
    return file
  }

  private java(mainClass: string, args: readonly string[]): ChildProcess {
    const classPath = [join(CACHE, 'classes'), join(CACHE, `kafka-${this.version.version}`, '*')]
    const logging = [
      `-Dlog4j.configuration=file:${join(ROOT, 'test/brokers/kafka/log4j.properties')}`,
      // ZooKeeper would have beans of a log4j that is older than the one here.
      '-Dzookeeper.jmx.log4j.disable=true',
      `-Dlog4j2.configurationFile=${join(ROOT, 'test/kafka/log4j2.properties')}`,
    ]
    const tuning = [`-Xmx${HEAP_MB}m`, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
    const stderr = openSync(this.logFile, 'a')
    const words = [...tuning, ...logging, '-cp', classPath.join(delimiter), mainClass, ...args]
    const child = startProgram('java', words, stderr)
    closeSync(stderr)
    // Nobody reads it, and a full pipe would stop the broker.
    child.stdout?.resume()
    return child
  }

  /** Waits until the broker answers and names itself. */
  private async ready(port: number): Promise<void> {
    const endMs = performance.now() + START_TIMEOUT_MS
    while (performance.now() < endMs) {
      if (this.child?.exitCode !== null) break
      if (await isServing(port)) return
      await setTimeout(100)
    }
    throw new Error(`${this.version.name} does not serve\n${this.log()}`)
  }

  private log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  async stop(): Promise<void> {
    if (this.child !== undefined) await stopProgram(this.child)
    process.off('exit', this.removeFolder)
    this.removeFolder()
  }

  private readonly removeFolder = () => rmSync(this.folder, { recursive: true, force: true })
}

async function isServing(port: number): Promise<boolean> {
  try {
    using client = await RawClient.connect({ nodes: [{ host: '127.0.0.1', port }] })
    const { brokers } = await client.request(Metadata, METADATA_VERSION, {
      topics: [],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    return brokers.length > 0
  } catch {
    return false
  }
}

/** Starts one broker of a version; `node scripts/setup.mjs --brokers` must have fetched it. */
export async function startApacheKafka(version: KafkaVersion): Promise<RunningBroker> {
  if (!existsSync(join(CACHE, `kafka-${version.version}`))) {
    throw new Error(`${version.name} is not there: node scripts/setup.mjs --kafka --brokers`)
  }
  const instance = new Instance(version)
  try {
    const bootstrapServers = await instance.start()
    return { bootstrapServers, [Symbol.asyncDispose]: () => instance.stop() }
  } catch (error) {
    await instance.stop()
    throw error
  }
}
