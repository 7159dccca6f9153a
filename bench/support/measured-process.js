// A measured client as a child process, and what the kernel says it has used.
//
// CPU is user and system time of the whole process, all its threads, read by the parent from /proc between
// commands (commands.js): the same for every language, and nothing of it depends on what the client says. It
// counts in ticks of 10 ms, so the timed part should take most of a second.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** USER_HZ, which is 100 on every platform that Node runs on. */
const MICROS_PER_TICK = 10_000
/** Fields of /proc/PID/stat after the parenthesised name. */
const UTIME = 11
const STIME = 12

/** CPU time of a process since it started, in microseconds. */
export function cpuMicrosOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[UTIME]) + Number(fields[STIME])) * MICROS_PER_TICK
}

/** The most memory a process has occupied so far. */
export function peakRssBytesOf(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

/** CPU time that all processes of the machine have used so far, in microseconds. */
export function machineCpuMicros() {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) * MICROS_PER_TICK
}

const FIRST_RECORDS = 1000
const QUIET_SAMPLE_MS = 100
const QUIET_SHARE = 0.25
const QUIET_WAIT_MS_MAX = 1_000

/** Waits, for a second at most, until nobody else uses much of the machine. */
export async function quietMachine() {
  for (let waitedMs = 0; waitedMs < QUIET_WAIT_MS_MAX; waitedMs += QUIET_SAMPLE_MS) {
    const before = machineCpuMicros()
    await new Promise(resolve => setTimeout(resolve, QUIET_SAMPLE_MS))
    if ((machineCpuMicros() - before) / 1000 <= QUIET_SAMPLE_MS * QUIET_SHARE) return
  }
}

export class MeasuredProcess {
  #child
  #lines
  #ended
  /** What it has said of itself. */
  version = ''

  /** `given`: the words of its command line, as in commands.js. */
  constructor({ program, args, env }, given) {
    const words = Object.entries(given).map(([name, value]) => `${name}=${value}`)
    this.#child = spawn(program, [...args, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => resolve(signal ?? code))
    })
    this.#ended.catch(() => {})
    this.#child.stdin.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async #nextLine() {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the client has ended: ${await this.#ended}`)
    return JSON.parse(value)
  }

  get pid() {
    return this.#child.pid
  }

  async ready() {
    this.version = (await this.#nextLine()).version
  }

  /**
   * Has it send so many records; gives their cost, what the client tells of its own, and how much of a core
   * was used meanwhile by others than it and the processes of `brokerPids`.
   */
  async run(records, brokerPids = []) {
    const ownMicros = () => brokerPids.reduce((sum, pid) => sum + cpuMicrosOf(pid), cpuMicrosOf(this.pid))
    const othersBefore = machineCpuMicros() - ownMicros()
    const startMicros = cpuMicrosOf(this.pid)
    const startMs = performance.now()
    this.#child.stdin.write(`run ${records}\n`)
    const told = await this.#nextLine()
    const wallMs = performance.now() - startMs
    const cpuMicros = cpuMicrosOf(this.pid) - startMicros
    const othersShare = (machineCpuMicros() - ownMicros() - othersBefore) / 1000 / wallMs
    return { ...told, records, wallMs, cpuMicros, othersShare }
  }

  /** Has it send until it has used so much CPU; gives what a record cost at last, in microseconds. */
  async warmUp(cpuMs) {
    let cpuMicros = 0
    let records = FIRST_RECORDS
    for (;;) {
      const run = await this.run(records)
      cpuMicros += run.cpuMicros
      // A run too short to be seen in ticks is taken for one of a tick.
      const perRecord = Math.max(run.cpuMicros, MICROS_PER_TICK) / records
      if (cpuMicros >= cpuMs * 1000) return perRecord
      records = Math.ceil(Math.min(records * 8, (cpuMs * 500) / perRecord))
    }
  }

  /** Lets it close its producer and end; what it has printed late is dropped. */
  async end() {
    this.#child.stdin.end('end\n')
    const outcome = await this.#ended
    if (outcome !== 0) throw new Error(`the client ended with ${outcome}`)
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}
