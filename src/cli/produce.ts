import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import { Producer, type ProducerOptions } from '../index.js'
import { startBroker, type TestBroker } from '../testing/index.js'
import { Failures } from './failures.js'
import { generateEvents } from './generate.js'
import { onInterrupt } from './interrupt.js'
import { type ProducePlan, planProduce } from './produce-options.js'
import { Progress } from './progress.js'
import { type RecordArray, recordsOfLines } from './records.js'
import { summaryLines, Totals } from './summary.js'
import { Verification } from './verify.js'
import { DeliveryWindow } from './window.js'

/** Records handed over in one call, and calls whose outcome may be open: the bound on memory. */
const ARRAY_LENGTH = 1_000
const ARRAY_BYTES = 1024 * 1024
const OPEN_ARRAYS = 8

const READ_BYTES = 256 * 1024
const IN_PROCESS_PARTITIONS = 4
const EXIT_INTERRUPTED = 130

/** With acks=0 nobody says when the last records have arrived. */
const ARRIVAL_TIMEOUT_MS = 10_000

/** `millrace produce`: sends records, and answers the exit code: 0 only if all of them were delivered. */
export async function produce(args: readonly string[]): Promise<number> {
  const plan = planProduce(args, process.stdin.isTTY === true)
  if (!plan.inProcess) return await new Run(plan, null).execute(plan.options)

  const broker = await startBroker({ partitions: IN_PROCESS_PARTITIONS, quiet: true })
  try {
    if (!plan.quiet) {
      process.stderr.write(
        `No --bootstrap-server: producing to an in-process broker on ${broker.bootstrapServers}, ` +
          'which is for development only\n',
      )
    }
    return await new Run(plan, broker).execute({
      ...plan.options,
      'bootstrap.servers': broker.bootstrapServers,
    })
  } finally {
    await broker.close()
  }
}

/** One run of the command. */
class Run {
  readonly #plan: ProducePlan
  readonly #broker: TestBroker | null
  readonly #totals = new Totals()
  readonly #failures: Failures
  readonly #verification: Verification | null
  readonly #interruption = new AbortController()
  #progress: Progress | null = null
  #bytesRead = 0

  constructor(plan: ProducePlan, broker: TestBroker | null) {
    const { source, headers } = plan
    this.#plan = plan
    this.#broker = broker
    const unit = source.kind === 'events' ? 'event' : 'line'
    this.#failures = new Failures(unit, this.#totals, text => this.#note(text))
    this.#verification = broker && new Verification(headers, source.kind === 'events' ? source.count : null)
  }

  async execute(options: ProducerOptions): Promise<number> {
    const producer = new Producer(options)
    const release = onInterrupt(() => this.#interruption.abort())
    const startedAt = performance.now()
    if (!this.#plan.quiet) {
      this.#progress = new Progress({
        stream: process.stderr,
        totals: this.#totals,
        share: () => this.#share(),
      })
    }
    let hopeless: string | null
    try {
      hopeless = await this.#send(producer)
    } finally {
      release()
      this.#progress?.stop()
      this.#progress = null
      await producer.close()
    }
    const seconds = (performance.now() - startedAt) / 1000
    if (hopeless !== null) this.#note(`stopped, all records of a call failed: ${hopeless}`)
    if (!this.#plan.quiet) process.stdout.write(`${summaryLines(this.#totals, seconds).join('\n')}\n`)
    if (this.#interruption.signal.aborted) return EXIT_INTERRUPTED
    if (hopeless !== null) return 1
    const verified = await this.#verify()
    return verified && this.#totals.failed === 0 ? 0 : 1
  }

  /** Sends all there is; answers why it gave up, or null. */
  async #send(producer: Producer): Promise<string | null> {
    const verification = this.#verification
    const window = new DeliveryWindow({
      sender: producer,
      totals: this.#totals,
      failures: this.#failures,
      arrays: OPEN_ARRAYS,
      ...(verification && {
        onDelivered: (array, report, errors) => verification.delivered(array, report, errors),
      }),
    })
    const { signal } = this.#interruption
    try {
      for await (const array of this.#records()) {
        await window.send(array)
        if (window.hopeless !== null || signal.aborted) break
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await window.drained()
    }
    return window.hopeless
  }

  #records(): AsyncIterable<RecordArray> | Iterable<RecordArray> {
    const { source, template, keyField } = this.#plan
    if (source.kind === 'events') return generateEvents(template, source.count, ARRAY_LENGTH)
    const input: Readable =
      source.kind === 'stdin' ? process.stdin : createReadStream(source.path, { highWaterMark: READ_BYTES })
    addAbortSignal(this.#interruption.signal, input)
    return recordsOfLines(input, {
      template,
      keyField,
      arrayLength: ARRAY_LENGTH,
      arrayBytes: ARRAY_BYTES,
      onBadLine: (number, message) => this.#failures.add([number], message),
      onBytesRead: bytes => {
        this.#bytesRead += bytes
      },
    })
  }

  /** How much of the whole is done, null if nobody knows. */
  #share(): number | null {
    const { source } = this.#plan
    if (source.kind === 'events') return (this.#totals.delivered + this.#totals.failed) / source.count
    if (source.kind === 'stdin' || source.bytes === null) return null
    return source.bytes === 0 ? 1 : this.#bytesRead / source.bytes
  }

  async #verify(): Promise<boolean> {
    const verification = this.#verification
    const broker = this.#broker
    if (verification === null || broker === null) return true
    const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
    while (broker.counters().records < this.#totals.delivered && performance.now() < deadline) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    await verification.read(broker.records(this.#plan.template.topic))
    const problems = verification.problems(this.#totals.failed)
    for (const problem of problems) process.stderr.write(`not verified: ${problem}\n`)
    if (problems.length === 0 && !this.#plan.quiet) process.stdout.write(`${verification.result()}\n`)
    return problems.length === 0
  }

  #note(text: string): void {
    if (this.#progress) this.#progress.note(text)
    else process.stderr.write(`${text}\n`)
  }
}
