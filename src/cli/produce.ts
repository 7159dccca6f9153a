import { Producer, type ProducerOptions } from '../index.js'
import { startBroker, type TestBroker } from '../testing/index.js'
import { Failures } from './failures.js'
import { Drain, Interruption } from './interrupt.js'
import { Output } from './output.js'
import { printable } from './printable.js'
import { inputOf, OPEN_ARRAYS } from './produce-input.js'
import { type ProducePlan, planProduce } from './produce-options.js'
import { Progress } from './progress.js'
import { optionList } from './rdkafka-options.js'
import type { RecordArray } from './records.js'
import { hasInput, standardInput } from './standard-input.js'
import { summaryLines, Totals } from './summary.js'
import { Verification } from './verify.js'
import { Watchdog } from './watchdog.js'
import { DeliveryWindow } from './window.js'

const IN_PROCESS_PARTITIONS = 4

/** With acks=0 nobody says when the last records have arrived. */
const ARRIVAL_TIMEOUT_MS = 10_000

/** An input that is silent for so long is waited for by name. */
const INPUT_SILENCE_MS = 1_200

/** `millrace produce`: sends records, and answers the exit code: 0 only if all of them were delivered. */
export async function produce(args: readonly string[]): Promise<number> {
  if (asksForList(args)) {
    process.stdout.write(optionList())
    return 0
  }
  const asked = planProduce(args, standardInput())
  const output = new Output()
  if (!asked.quiet) for (const notice of asked.notices) output.note(notice)
  const plan = await withInput(asked, output)
  if (!plan.inProcess) return await new Run(plan, output, null).execute(plan.options)

  const broker = await startBroker({ partitions: IN_PROCESS_PARTITIONS, quiet: true })
  try {
    if (!plan.quiet) {
      output.note(
        `No --bootstrap-server: producing to an in-process broker on ${broker.bootstrapServers}, ` +
          'which is for development only',
      )
    }
    return await new Run(plan, output, broker).execute({
      ...plan.options,
      'bootstrap.servers': broker.bootstrapServers,
    })
  } finally {
    await broker.close()
  }
}

/** Generated events take the place of a piped input without a byte, if the plan says so. */
async function withInput(plan: ProducePlan, output: Output): Promise<ProducePlan> {
  const { source, quiet } = plan
  if (source.kind !== 'stdin' || source.orEvents === undefined) return plan
  const says = setTimeout(() => {
    if (!quiet) output.note('waiting for lines on stdin; --count N sends N generated events instead')
  }, INPUT_SILENCE_MS)
  try {
    if (await hasInput(process.stdin)) return plan
  } finally {
    clearTimeout(says)
  }
  return { ...plan, source: { kind: 'events', count: source.orEvents } }
}

/** kcat's `-X list`. */
function asksForList(args: readonly string[]): boolean {
  return args.some((arg, index) => arg === '-Xlist' || (arg === '-X' && args[index + 1] === 'list'))
}

/** One run of the command. */
class Run {
  readonly #plan: ProducePlan
  readonly #output: Output
  readonly #broker: TestBroker | null
  readonly #totals = new Totals()
  readonly #failures: Failures
  readonly #verifications: ReadonlyMap<string, Verification>
  #watchdog: Watchdog | null = null
  #interruption: Interruption | null = null
  #drain: Drain | null = null
  #window: DeliveryWindow | null = null
  /** Steps besides records that a broker has to answer to, and how many have been. */
  #steps = { open: 0, done: 0 }
  #bytesRead = 0
  #badLines = 0
  #stoppedAt: string | null = null

  constructor(plan: ProducePlan, output: Output, broker: TestBroker | null) {
    const { source, headers, topics } = plan
    this.#plan = plan
    this.#output = output
    this.#broker = broker
    const isFiles = source.kind === 'whole-files'
    const unit = source.kind === 'events' ? 'event' : isFiles ? 'file' : 'line'
    const nameOf = isFiles ? (number: number) => source.paths[number - 1] as string : undefined
    this.#failures = new Failures(unit, this.#totals, text => this.#output.note(text), nameOf)
    const count = source.kind === 'events' ? source.count : null
    this.#verifications = new Map(
      broker ? topics.map(topic => [topic, new Verification(headers, count)]) : [],
    )
  }

  async execute(options: ProducerOptions): Promise<number> {
    const watchdog = this.#watch(`${options['bootstrap.servers'] ?? this.#plan.servers}`)
    const producer = new Producer({ ...options, logger: watchdog.logger })
    const startedAt = performance.now()
    const interruption = this.#listen(producer)
    this.#startProgress()
    let hopeless: string | null = null
    let committed: boolean | null = null
    try {
      this.#reach(producer)
      const outcome = await this.#send(producer, interruption.signal)
      hopeless = outcome.hopeless
      committed = outcome.committed
    } finally {
      this.#output.endProgress()
      await producer.close()
      interruption.end()
      this.#drain?.end()
      watchdog.stop()
    }
    if (hopeless !== null) this.#output.note(`stopped, all records of a call failed: ${hopeless}`)
    if (this.#stoppedAt !== null) this.#output.note(this.#stoppedAt)
    this.#summarize((performance.now() - startedAt) / 1000, committed)
    if (interruption.exitCode !== null) return interruption.exitCode
    if (hopeless !== null || committed === false) return 1
    const verified = await this.#verify()
    return verified && this.#totals.failed === 0 ? 0 : 1
  }

  #watch(servers: string): Watchdog {
    this.#watchdog = new Watchdog({
      servers,
      isWaiting: () => this.#steps.open > 0 || (this.#window?.open ?? 0) > 0,
      answers: () => this.#steps.done + this.#totals.delivered + this.#totals.failed,
      note: text => this.#output.note(text),
      allowanceMs: this.#plan.lingerMs,
      verbose: this.#plan.verbose,
    })
    return this.#watchdog
  }

  #listen(producer: Producer): Interruption {
    const open = () => this.#window?.open ?? 0
    const note = (text: string) => this.#output.note(text)
    this.#interruption = new Interruption({
      onFirst: () => {
        this.#drain = new Drain({
          timeoutMs: this.#plan.drainTimeoutMs,
          open,
          note,
          silent: () => this.#watchdog?.silent ?? false,
          expire: () => void producer.close({ timeoutMs: 0 }),
          drawn: this.#output.progress !== null && process.stderr.isTTY === true,
        })
      },
      onAnnounce: () => this.#drain?.announce(),
      onSecond: () => this.#drain?.stopped(),
    })
    return this.#interruption
  }

  #startProgress(): void {
    const { quiet, source } = this.#plan
    // A bar would be drawn over what somebody types.
    if (quiet || (source.kind === 'stdin' && source.prompt)) return
    this.#output.progress = new Progress({
      stream: process.stderr,
      totals: this.#totals,
      share: () => this.#share(),
      details: () => {
        if (this.#drain) return [this.#drain.countdown()]
        return this.#watchdog?.silent ? ['no answer'] : []
      },
    })
  }

  /** Asks for the topic's metadata ahead of the first record, so that a missing cluster is said early. */
  #reach(producer: Producer): void {
    const { topic } = this.#plan.template
    if (topic === '') return
    // Each record reports its own failure.
    this.#step(producer.partitionsFor(topic)).catch(() => {})
  }

  /** A step that a broker has to answer to; the watchdog sees that it is waited for. */
  async #step<T>(answer: Promise<T>): Promise<T> {
    this.#steps.open++
    try {
      return await answer
    } finally {
      this.#steps.open--
      this.#steps.done++
    }
  }

  /** Sends all there is. `committed` is null without a transaction. */
  async #send(
    producer: Producer,
    signal: AbortSignal,
  ): Promise<{ hopeless: string | null; committed: boolean | null }> {
    const { transactional, sync } = this.#plan
    if (transactional) {
      await this.#step(unlessAborted(producer.initTransactions(), signal))
      if (signal.aborted) return { hopeless: null, committed: false }
      producer.beginTransaction()
    }
    const window = new DeliveryWindow({
      sender: producer,
      totals: this.#totals,
      failures: this.#failures,
      arrays: sync ? 1 : OPEN_ARRAYS,
      onDelivered: (array, report, errors) => this.#delivered(array, report, errors),
    })
    this.#window = window
    let committed: boolean | null = null
    try {
      await this.#sendAll(window, signal)
      if (transactional) committed = await this.#endTransaction(producer, window, signal)
    } finally {
      await window.drained()
    }
    return { hopeless: window.hopeless, committed }
  }

  async #sendAll(window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    const { source, sync, keepGoing, tee } = this.#plan
    const prompt = source.kind === 'stdin' && source.prompt
    if (prompt) process.stderr.write('>')
    const arrays = inputOf(this.#plan, {
      signal,
      onBad: (number, message) => this.#bad(number, message),
      onBytesRead: bytes => {
        this.#bytesRead += bytes
        if (prompt) process.stderr.write('>')
      },
    })
    try {
      for await (const array of arrays) {
        await window.send(array)
        if (tee) await this.#tee(array)
        if (window.hopeless !== null || signal.aborted) break
        if (sync && !keepGoing) {
          await window.drained()
          if (this.#totals.failed > this.#badLines) {
            this.#stoppedAt ??= 'stopped at the first record that failed; --keep-going goes on'
            break
          }
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Of lines of text the first bad one ends the input, as in Kafka's console producer. */
  #bad(number: number, message: string): 'stop' | undefined {
    const { keepGoing, format, source } = this.#plan
    this.#failures.add([number], message)
    this.#badLines++
    if (keepGoing || format.reader === null || source.kind === 'whole-files') return undefined
    this.#stoppedAt = `stopped at line ${number}; --keep-going passes over such lines`
    return 'stop'
  }

  /** Commits if all went well; else nobody who reads committed records is to see any of them. */
  async #endTransaction(producer: Producer, window: DeliveryWindow, signal: AbortSignal): Promise<boolean> {
    if (!signal.aborted) await window.drained()
    const failed = this.#totals.failed > 0 && !this.#plan.keepGoing
    if (!signal.aborted && !failed && window.hopeless === null) {
      try {
        await this.#step(producer.commitTransaction())
        return true
      } catch (error) {
        this.#output.note(`the transaction could not be committed: ${(error as Error).message}`)
      }
    }
    await this.#step(producer.abortTransaction()).catch((error: Error) => {
      this.#output.note(`the transaction could not be aborted, its time-out will: ${error.message}`)
    })
    return false
  }

  #delivered(
    array: RecordArray,
    report: Parameters<Verification['delivered']>[1],
    errors: ReadonlyMap<number, unknown>,
  ): void {
    for (const [topic, verification] of this.#verifications) {
      const isOther = (index: number) => errors.has(index) || array.records[index]?.topic !== topic
      verification.delivered(array, report, { has: isOther })
    }
  }

  async #tee({ lines }: RecordArray): Promise<void> {
    const { lineEnd } = this.#plan.format
    const isTerminal = process.stdout.isTTY
    for (const line of lines ?? []) {
      const data = isTerminal
        ? `${printable(Buffer.from(line).toString())}\n`
        : Buffer.concat([line, lineEnd])
      this.#output.raw(data)
      await this.#output.drained()
    }
  }

  /** How much of the whole is done, null if nobody knows. */
  #share(): number | null {
    // What is left is not sent any more.
    if (this.#drain) return null
    const { source, topics } = this.#plan
    const { delivered, failed } = this.#totals
    if (source.kind === 'events') return (delivered + failed) / source.count / topics.length
    if (source.kind === 'whole-files') return (delivered + failed) / source.paths.length / topics.length
    if (source.kind === 'stdin' || source.bytes === null) return null
    return source.bytes === 0 ? 1 : this.#bytesRead / source.bytes
  }

  #summarize(seconds: number, committed: boolean | null): void {
    if (this.#plan.quiet) return
    const lines = summaryLines(this.#totals, seconds)
    if (committed !== null) lines.push(`transaction  ${committed ? 'committed' : 'aborted'}`)
    // The input is on stdout: nothing else goes there.
    for (const line of lines) this.#plan.tee ? this.#output.note(line) : this.#output.print(line)
  }

  async #verify(): Promise<boolean> {
    const broker = this.#broker
    if (broker === null) return true
    const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
    while (broker.counters().records < this.#totals.delivered && performance.now() < deadline) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    let verified = true
    for (const [topic, verification] of this.#verifications) {
      await verification.read(broker.eachRecord(topic))
      const problems = verification.problems(this.#totals.failed)
      for (const problem of problems) this.#output.note(`not verified: ${problem}`)
      if (problems.length > 0) verified = false
      else if (!this.#plan.quiet) {
        if (this.#plan.tee) this.#output.note(verification.result())
        else this.#output.print(verification.result())
      }
    }
    return verified
  }
}

/** Resolves early, to undefined, when the signal is aborted. What comes of the promise then is not told. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  promise.catch(() => {})
  await Promise.race([promise, aborted])
}
