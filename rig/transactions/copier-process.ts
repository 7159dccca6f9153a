import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CopierJob, CopierPhase } from './copier-job.js'
import type { Tag } from './copies.js'

const SCRIPT = fileURLToPath(new URL('../client/copier.js', import.meta.url))

/** What all lives of a copier have told together. */
export interface CopierStory {
  committed: number
  committedRecords: number
  aborted: number
  /** Transactions that were never to be committed. */
  readonly never: Set<Tag>
  /** Errors that the client met and went on from. */
  readonly failures: string[]
  timeouts: number
  /** Why it ended by itself. */
  readonly deaths: string[]
}

export function newStory(): CopierStory {
  return {
    committed: 0,
    committedRecords: 0,
    aborted: 0,
    never: new Set(),
    failures: [],
    timeouts: 0,
    deaths: [],
  }
}

/** One life of a copier: its process and its consumer's, which end together. */
export class CopierProcess {
  private readonly child: ChildProcess
  private readonly story: CopierStory
  private readonly ended: Promise<unknown>
  private watch: { phase: CopierPhase; met(): void } | null = null

  constructor(job: CopierJob, story: CopierStory) {
    this.story = story
    // A process group of its own, so that one signal ends client and consumer at the same time.
    this.child = spawn(process.execPath, [SCRIPT, JSON.stringify(job)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    const kill = () => this.kill()
    process.once('exit', kill)
    this.ended = once(this.child, 'close').then(() => process.off('exit', kill))
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', line => this.take(line))
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** `kill -9`, the next time it comes into the phase or at the latest after `patienceMs`. True: in the phase. */
  async killIn(phase: CopierPhase, delayMs: number, patienceMs: number): Promise<boolean> {
    const isMet = await new Promise<boolean>(resolve => {
      const timer = setTimeout(resolve, patienceMs, false)
      const met = () => {
        clearTimeout(timer)
        if (delayMs === 0) resolve(true)
        else setTimeout(resolve, delayMs, true)
      }
      this.watch = { phase, met }
    })
    this.watch = null
    await this.end()
    return isMet
  }

  async end(): Promise<void> {
    this.kill()
    await this.ended
  }

  private kill(): void {
    if (this.child.pid === undefined || !this.isAlive) return
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }

  private take(line: string): void {
    const { story, watch } = this
    const [word, second, third] = line.split(' ') as [string, string, string]
    if (word === 'phase' && watch?.phase === second) {
      this.watch = null
      watch.met()
    } else if (word === 'never') story.never.add(second as Tag)
    else if (word === 'aborted') story.aborted++
    else if (word === 'committed') {
      story.committed++
      story.committedRecords += Number(third)
    } else if (word === 'timeout') story.timeouts++
    else if (word === 'failed') story.failures.push(line)
    else if (word === 'died') story.deaths.push(line)
  }
}
