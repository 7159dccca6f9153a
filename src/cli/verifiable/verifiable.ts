import { type KafkaError, Producer, type RecordMetadata } from '../../index.js'
import { VERIFY_HELP } from '../help.js'
import { Drain, Interruption } from '../interrupt.js'
import { Output } from '../output.js'
import { jsonLine } from '../printable.js'
import { Watchdog } from '../watchdog.js'
import { javaExceptionOf } from './java-exceptions.js'
import { planVerify, type VerifyPlan } from './options.js'

/** Messages between two turns of the event loop, in which answers are taken. */
const BURST = 500
/** Messages without an outcome at most: the bound on memory. */
const OPEN_MAX = 50_000
const SLEEP_MIN_MS = 1

/**
 * `millrace verify`: sends numbers and prints what becomes of each, in the protocol of VerifiableProducer
 * 4.3. Answers the exit code: 0 only if all were acknowledged.
 */
export async function verify(args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    process.stdout.write(VERIFY_HELP)
    return 0
  }
  const plan = planVerify(args)
  const output = new Output()
  for (const notice of plan.notices) output.note(notice)
  for (const line of plan.announcements) output.print(line)
  return await new Run(plan, output).execute()
}

/** One run of the command. */
class Run {
  readonly #plan: VerifyPlan
  readonly #output: Output
  #sent = 0
  #acked = 0
  #failed = 0
  #stopped = false
  #wake: (() => void) | null = null
  #drain: Drain | null = null
  #createTimeMs: number | null

  constructor(plan: VerifyPlan, output: Output) {
    this.#plan = plan
    this.#output = output
    this.#createTimeMs = plan.createTimeMs
  }

  async execute(): Promise<number> {
    const watchdog = new Watchdog({
      servers: this.#plan.servers,
      isWaiting: () => this.#open > 0,
      answers: () => this.#acked + this.#failed,
      note: text => this.#output.note(text),
      allowanceMs: this.#plan.lingerMs,
    })
    const producer = new Producer({ ...this.#plan.options, logger: watchdog.logger })
    const interruption = this.#listen(producer, watchdog)
    const startedAt = performance.now()
    // A reader that has gone away wants no more of it.
    this.#output.onReaderGone = () => this.#stop()
    try {
      this.#event({ timestamp: Date.now(), name: 'startup_complete' })
      await this.#send(producer)
    } finally {
      await producer.close()
      interruption.end()
      this.#drain?.end()
      watchdog.stop()
    }
    this.#event({ timestamp: Date.now(), name: 'shutdown_complete' })
    this.#event({
      timestamp: Date.now(),
      name: 'tool_data',
      sent: this.#sent,
      acked: this.#acked,
      target_throughput: this.#plan.throughput,
      avg_throughput: (1000 * this.#acked) / Math.max(1, performance.now() - startedAt),
    })
    return interruption.exitCode ?? (this.#failed > 0 ? 1 : 0)
  }

  get #open(): number {
    return this.#sent - this.#acked - this.#failed
  }

  #listen(producer: Producer, watchdog: Watchdog): Interruption {
    return new Interruption({
      onFirst: () => {
        this.#stop()
        this.#drain = new Drain({
          timeoutMs: this.#plan.drainTimeoutMs,
          open: () => this.#open,
          note: text => this.#output.note(text),
          silent: () => watchdog.silent,
          expire: () => void producer.close({ timeoutMs: 0 }),
          drawn: false,
        })
      },
      onAnnounce: () => this.#drain?.announce(),
      onSecond: () => this.#drain?.stopped(),
    })
  }

  #stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  async #send(producer: Producer): Promise<void> {
    const { maxMessages, throughput } = this.#plan
    const startedAt = performance.now()
    while (this.#sent < maxMessages && !this.#stopped) {
      const elapsedMs = performance.now() - startedAt
      const allowed = throughput < 0 ? maxMessages : Math.floor((elapsedMs * throughput) / 1000) + 1
      const due = Math.min(allowed, maxMessages, this.#sent + BURST)
      if (due <= this.#sent) {
        await this.#wait(Math.max(SLEEP_MIN_MS, (this.#sent * 1000) / throughput - elapsedMs))
        continue
      }
      while (this.#sent < due && !this.#stopped) this.#sendOne(producer, startedAt)
      await new Promise(resolve => setImmediate(resolve))
      await this.#output.drained()
      while (this.#open >= OPEN_MAX && !this.#stopped) await this.#wait(null)
    }
  }

  #sendOne(producer: Producer, startedAt: number): void {
    const { topic, valuePrefix, repeatingKeys } = this.#plan
    const number = this.#sent++
    const value = valuePrefix === null ? `${number}` : `${valuePrefix}.${number}`
    const key = repeatingKeys === null ? null : `${number % repeatingKeys}`
    const timestamp = this.#createTimeMs
    // Kafka's tool adds the whole time since the start to each record's time, not that since the last one.
    if (timestamp !== null) this.#createTimeMs = timestamp + Math.floor(performance.now() - startedAt)
    const record = timestamp === null ? { topic, key, value } : { topic, key, value, timestamp }
    producer.send(record, (error, metadata) => this.#settled(key, value, error, metadata))
  }

  #settled(key: string | null, value: string, error: KafkaError | null, metadata: RecordMetadata): void {
    const timestamp = Date.now()
    if (error === null) {
      this.#acked++
      const { topic, partition } = metadata
      const offset = Number(metadata.offset)
      this.#event({ timestamp, name: 'producer_send_success', key, value, offset, topic, partition })
    } else {
      this.#failed++
      const { topic } = this.#plan
      const exception = `class ${javaExceptionOf(error)}`
      const { message } = error
      this.#event({ timestamp, name: 'producer_send_error', topic, key, value, exception, message })
    }
    if (!this.#stopped && this.#open < OPEN_MAX) this.#wake?.()
  }

  #event(event: object): void {
    // A double has a fraction in Java, 0.0 too.
    const line = jsonLine(event).replace(/("avg_throughput":\d+)(?=})/, '$1.0')
    this.#output.raw(`${line}\n`)
  }

  /** Until there is room, or the time is over, or no more is to be sent. */
  async #wait(ms: number | null): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>(resolve => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        if (ms !== null && !this.#stopped) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = null
  }
}
