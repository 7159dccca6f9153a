import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000

/** A program of an example, as its user would start it. It is killed when this process exits. */
export class Program implements AsyncDisposable {
  readonly lines: string[] = []
  private readonly child: ChildProcess
  private readonly ended: Promise<unknown>

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env } })
    this.ended = once(this.child, 'exit').catch(() => {})
    const kill = () => this.child.kill('SIGKILL')
    process.once('exit', kill)
    this.child.once('exit', () => process.off('exit', kill))
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', line => this.lines.push(line))
    }
  }

  get pid(): number {
    return this.child.pid as number
  }

  get exitCode(): number | null {
    return this.child.exitCode
  }

  get output(): string {
    return this.lines.join('\n')
  }

  /** Waits for a line of output, and gives what the pattern has found in it. */
  async line(pattern: RegExp, timeoutMs = START_TIMEOUT_MS): Promise<RegExpExecArray> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      for (const line of this.lines) {
        const found = pattern.exec(line)
        if (found !== null) return found
      }
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended before ${pattern}\n${this.output}`)
      }
      if (performance.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${pattern}\n${this.output}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  write(text: string): void {
    this.child.stdin?.write(text)
  }

  /** Sends the signal, and gives how long the process took to end after it, in ms. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const startedAt = performance.now()
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal)
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await this.ended
      clearTimeout(timer)
    }
    return performance.now() - startedAt
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
  }

  /** Memory it occupies now, in MiB. Linux only: null elsewhere. */
  residentMiB(): number | null {
    if (process.platform !== 'linux') return null
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) / 1024
  }
}

export function exampleFile(path: string): string {
  return join(ROOT, 'examples', path)
}
