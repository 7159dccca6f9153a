import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../helpers/free-ports.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = join(ROOT, '.cache/registry')
const START_TIMEOUT_MS = 120_000
const TUNING = ['-Xmx400m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** An Apicurio registry that keeps all in memory, on a free loopback port. */
export class Apicurio implements AsyncDisposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
  private readonly port: number
  private child: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
    process.once('exit', () => this.child?.kill('SIGKILL'))
  }

  /** Does not start it yet. */
  static async reserve(): Promise<Apicurio> {
    return new Apicurio(await freePort())
  }

  /** The Confluent-compatible interface. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/apis/ccompat/v7`
  }

  /** Its own interface. */
  get nativeUrl(): string {
    return `http://127.0.0.1:${this.port}/apis/registry/v2`
  }

  async start(): Promise<void> {
    const app = join(CACHE, 'app')
    const jar = readdirSync(app).find(name => name.endsWith('-runner.jar'))
    if (jar === undefined) throw new Error(`no registry in ${app}: node scripts/setup.mjs --registry`)
    const log = openSync(join(this.folder, 'log'), 'a')
    const http = [`-Dquarkus.http.port=${this.port}`, '-Dquarkus.http.host=127.0.0.1']
    this.child = spawn('java', [...TUNING, ...http, '-jar', join(app, jar)], {
      cwd: this.folder,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const end = performance.now() + START_TIMEOUT_MS
    while (!(await this.answers())) {
      if (this.child.exitCode !== null || performance.now() > end) {
        throw new Error(`Apicurio did not start\n${readFileSync(join(this.folder, 'log'), 'utf8')}`)
      }
      await sleep(100)
    }
  }

  /** Stops answering without closing connections, or goes on. */
  pause(isPaused: boolean): void {
    this.child?.kill(isPaused ? 'SIGSTOP' : 'SIGCONT')
  }

  async stop(): Promise<void> {
    const { child } = this
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/subjects`, { signal: AbortSignal.timeout(2_000) })).ok
    } catch {
      return false
    }
  }
}

/** test/registry/java/RegistryReader.java: Kafka's Java consumer with Apicurio's deserializers. */
export class RegistryReader implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>

  constructor(bootstrapServers: string, registryUrl: string) {
    const classPath = [join(CACHE, 'classes'), join(CACHE, 'lib', '*')].join(delimiter)
    const args = ['-cp', classPath, 'RegistryReader', bootstrapServers, registryUrl]
    this.child = spawn('java', [...TUNING, ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
    process.once('exit', () => this.child.kill('SIGKILL'))
    const { stdout } = this.child
    this.lines = createInterface({ input: stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  /** The values of a topic of one partition, as the deserializer's objects print themselves. */
  async read(format: string, topic: string, count: number): Promise<unknown[]> {
    this.child.stdin?.write(`${format} ${topic} ${count}\n`)
    const values: unknown[] = []
    for (;;) {
      const { value: line, done } = await this.lines.next()
      if (done === true) throw new Error('RegistryReader has ended')
      if (line === 'done') return values
      if (line.startsWith('error ')) throw new Error(line.slice('error '.length))
      if (line.startsWith('record ')) values.push(JSON.parse(line.slice('record '.length)))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await ended
  }
}
