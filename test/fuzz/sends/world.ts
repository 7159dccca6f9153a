import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DeliveryReport,
  KafkaError,
  Producer,
  type ProducerInterceptor,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  SendManyError,
  TransactionError,
} from '../../../dist/index.js'
import { Random } from '../../hostile/random.js'
import { Chooser } from './chooser.js'
import { headersFor, keyFor, numberOf, Scratch, valueFor } from './contents.js'
import { FaultMaker } from './faults.js'
import type { Ground } from './ground.js'
import { type Fate, type Findings, Judge } from './judge.js'
import { Ledger, Told, Way } from './ledger.js'
import type { Plan } from './plan.js'

/** When nothing has been sent or settled for so long, a world is stuck. */
const STANDSTILL_MS = 150_000
/** Short arrays stand between other ways to send, long ones fill the staging several times. */
const ARRAYS_MAX = [1, 4, 20, 600]
/** Of records, one in so many sends others while it is read, and of callbacks while it is called. */
const NESTED_ONCE_IN = 60
const RESENT_ONCE_IN = 40
/** A call that `max.block.ms` has cut short is made again as often. */
const CALLS_MAX = 2_000
/** Space in the order of calls for all that is sent while one record is read. */
const NESTED_STEP = 1e-7

/** A serializer gets ready within these. */
const PREPARE_MS_MAX = 60
const ARRIVAL_MS = 3_000
const ARRIVAL_STEP_MS = 20

type AnyRecord = ProducerRecord<unknown, unknown>

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** One producer and its cluster, as a seed wants them, from the first record to the verdict. */
export class World {
  readonly ledger = new Ledger()
  private readonly plan: Plan
  private readonly ground: Ground
  private readonly random: Random
  private readonly chooser: Chooser
  private readonly scratch = new Scratch()
  private readonly producer: Producer<unknown, unknown>
  private readonly faults: FaultMaker | null
  private readonly fates: Fate[] = []
  private readonly fromMs = Date.now()
  /** Calls that were made from outside of all others. */
  private calls = 0
  private nested = 0
  private depth = 0
  /** Calls of `send` and `sendMany` that have not returned. */
  private open = 0
  /** Index of the open transaction, -1 outside. */
  private transaction = -1
  private acknowledged = 0
  /** Callbacks and getters send no more. */
  private isEnding = false
  /** Records of the arrays of this burst at most. */
  private arrayMax = 1

  constructor(plan: Plan, ground: Ground) {
    this.plan = plan
    this.ground = ground
    this.random = new Random(plan.seed ^ 0x5eed)
    this.chooser = new Chooser(plan, this.random, this.ledger)
    const plugIns = this.plugIns()
    this.producer = new Producer<unknown, unknown>({
      bootstrapServers: ground.bootstrapServers,
      logger: quiet,
      ...plan.options,
      ...plugIns,
    } as ProducerOptions<unknown, unknown>)
    this.faults = ground.broker === null ? null : new FaultMaker(plan, this.random, ground.broker)
  }

  async run(): Promise<Findings> {
    const watch = this.watchProgress()
    try {
      await Promise.race([this.sendAll(), watch.stuck])
      await Promise.race([this.end(), watch.stuck])
    } catch (error) {
      this.ledger.complaints.push(error instanceof Error ? `${error.stack}` : String(error))
    } finally {
      this.isEnding = true
      watch.end()
      await this.producer.close({ timeoutMs: 0 })
      await new Promise(resolve => setImmediate(resolve))
    }
    const judge = new Judge(this.plan, this.ledger, this.fates, { fromMs: this.fromMs, toMs: Date.now() })
    return await judge.judge(this.ground)
  }

  /** Rejects once nothing has been sent or settled for a long time. */
  private watchProgress(): { stuck: Promise<never>; end: () => void } {
    const { ledger } = this
    let timer: NodeJS.Timeout | undefined
    let seen = -1
    const stuck = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        const progress = ledger.count + ledger.settled
        if (progress !== seen) seen = progress
        else
          reject(new Error(`${ledger.unsettled} of ${ledger.count} records are unsettled, nothing goes on`))
      }, STANDSTILL_MS)
    })
    return { stuck, end: () => clearInterval(timer) }
  }

  private async sendAll(): Promise<void> {
    const { plan, random, producer, ledger } = this
    if (random.once(2))
      for (const { name } of plan.topics) await this.insist(() => producer.partitionsFor(name))
    if (plan.transactionVersion !== null) await this.insist(() => producer.initTransactions())
    while (ledger.count < plan.records) {
      if (plan.transactionVersion !== null && this.transaction < 0) this.begin()
      this.faults?.maybe()
      this.burst()
      await this.pause()
      if (this.transaction >= 0 && random.once(12)) await this.endTransaction()
    }
    if (this.transaction >= 0) await this.endTransaction()
  }

  private burst(): void {
    this.arrayMax = this.random.pick(ARRAYS_MAX)
    for (let left = this.chooser.burst; left > 0; left--) {
      const { way } = this.chooser
      const next = () => this.calls++
      if (way === Way.MANY) left -= this.sendMany(Math.min(left, 1 + this.random.below(this.arrayMax)), next)
      else this.sendSingly(way, next())
      if (!this.scratch.hasRoom || this.random.once(10)) this.scratch.overwrite()
    }
  }

  private async pause(): Promise<void> {
    const { random, ledger, plan } = this
    if (ledger.unsettled > plan.unsettledMax) await ledger.settledTo(random.below(plan.unsettledMax))
    const pauses: readonly (() => Promise<unknown> | undefined)[] = [
      () => undefined,
      () => Promise.resolve(),
      () => new Promise(resolve => setImmediate(resolve)),
      () => new Promise(resolve => setImmediate(resolve)),
      () => new Promise(resolve => setTimeout(resolve, random.below(4))),
      () => (random.once(20) ? this.checkFlush() : undefined),
      () => (random.once(20) ? ledger.settledTo(0) : undefined),
    ]
    await random.pick(pauses)()
  }

  // ---- the ways to send ----

  private sendSingly(way: Way, order: number): void {
    const { ledger, producer, chooser } = this
    const id = chooser.record(way, this.transaction)
    ledger.order[id] = order
    const record = this.recordOf(id)
    this.open++
    if (way === Way.CALLBACK) {
      producer.send(record, (error, metadata) => {
        this.tell(id, error, metadata)
        this.maybeResend()
      })
    } else {
      producer.send(record).then(
        metadata => this.tell(id, null, metadata),
        error => this.tell(id, error, null),
      )
    }
    this.open--
  }

  /** Answers how many records beyond the first it has sent. */
  private sendMany(count: number, nextOrder: () => number): number {
    const { ledger, producer, chooser } = this
    const ids = Array.from({ length: count }, () => {
      const id = chooser.record(Way.MANY, this.transaction)
      ledger.order[id] = nextOrder()
      return id
    })
    const records = ids.map(id => this.recordOf(id))
    const tellAll = (report: DeliveryReport, errors: ReadonlyMap<number, KafkaError> | null) => {
      for (const [at, id] of ids.entries()) {
        this.tell(id, errors?.get(at) ?? null, report.at(at) as RecordMetadata)
      }
    }
    this.open++
    const sent = producer.sendMany(records)
    this.open--
    sent.then(
      report => tellAll(report, null),
      error => {
        if (error instanceof SendManyError) tellAll(error.report, error.errors)
        else for (const id of ids) this.tell(id, error, null)
      },
    )
    return count - 1
  }

  private tell(id: number, error: unknown, metadata: RecordMetadata | null): void {
    if (error !== null) this.ledger.failed(id, error)
    else this.ledger.stored(id, metadata as RecordMetadata)
  }

  private maybeResend(): void {
    const { ledger, plan, random } = this
    if (!random.once(RESENT_ONCE_IN) || ledger.count >= plan.records || this.isEnding) return
    if (random.once(20)) void this.checkFlush()
    this.sendAny(() => this.calls++)
  }

  private sendAny(nextOrder: () => number): void {
    const way = this.random.pick([Way.PROMISE, Way.CALLBACK, Way.MANY])
    if (way === Way.MANY) this.sendMany(1 + this.random.below(4), nextOrder)
    else this.sendSingly(way, nextOrder())
  }

  /**
   * Sends other records while the producer looks at one: they go before it, for it has no place yet. One that
   * has waited for its topic has been sent long ago.
   */
  private sendNested(outer: number): void {
    const { ledger, random } = this
    if (this.depth > 0 || this.isEnding || outer < 0 || outer >= ledger.count) return
    this.depth++
    const before = (ledger.order[outer] as number) - 0.5
    const nextOrder = () => (this.open > 0 ? before + this.nested++ * NESTED_STEP : this.calls++)
    for (let left = 1 + random.below(3); left > 0; left--) this.sendAny(nextOrder)
    this.depth--
  }

  private maybeNest(value: unknown): void {
    if (this.random.once(NESTED_ONCE_IN)) this.sendNested(numberOf(value))
  }

  private recordOf(id: number): AnyRecord {
    const { ledger, random, scratch, plan } = this
    const value = valueFor(ledger, id, scratch)
    const key = keyFor(ledger, id, scratch)
    const headers = headersFor(ledger, id)
    const timestamp = ledger.timestamp[id] as number
    const partition = ledger.partition[id] as number
    const record: Record<string, unknown> = { topic: plan.topics[ledger.topic[id] as number]?.name, value }
    if (key !== null || random.once(4)) record.key = key
    if (headers !== undefined) record.headers = headers
    if (!Number.isNaN(timestamp)) record.timestamp = timestamp
    if (partition >= 0) record.partition = partition
    if (this.depth === 0 && random.once(NESTED_ONCE_IN)) {
      Object.defineProperty(record, 'value', {
        enumerable: true,
        get: () => {
          this.sendNested(id)
          return value
        },
      })
    }
    return record as unknown as AnyRecord
  }

  /** Plug-ins that change nothing and send records while they are asked. */
  private plugIns(): Partial<ProducerOptions<unknown, unknown>> {
    const { plugIn, topics } = this.plan
    if (plugIn === 'serializer' || plugIn === 'prepared serializer') {
      const serialize = (_topic: string, data: unknown) => {
        this.maybeNest(data)
        return data as never
      }
      if (plugIn === 'serializer') return { valueSerializer: { serialize } }
      const prepare = () => (this.random.once(4) ? undefined : sleep(this.random.below(PREPARE_MS_MAX)))
      return { valueSerializer: { serialize, prepare } }
    }
    if (plugIn === 'partitioner') {
      const partition = (topic: string, _key: unknown, value: unknown) => {
        this.maybeNest(value)
        return this.random.below(topics.find(({ name }) => name === topic)?.partitions ?? 1)
      }
      return { partitioner: { partition } }
    }
    if (plugIn !== 'interceptor') return {}
    const interceptor: ProducerInterceptor<unknown, unknown> = {
      onSend: record => {
        if (this.depth === 0) this.maybeNest(record.value)
        return this.random.once(2) ? record : { ...record }
      },
      onAcknowledgement: () => {
        this.acknowledged++
        this.maybeResend()
      },
    }
    return { interceptors: [interceptor] }
  }

  // ---- transactions ----

  private begin(): void {
    this.producer.beginTransaction()
    this.transaction = this.fates.length
    this.fates.push('unknown')
  }

  private async endTransaction(): Promise<void> {
    const { producer, random, transaction } = this
    this.transaction = -1
    if (random.once(4)) {
      await this.insist(() => producer.abortTransaction())
      this.fates[transaction] = 'aborted'
      return
    }
    try {
      await this.insist(() => producer.commitTransaction())
      this.fates[transaction] = 'committed'
    } catch (error) {
      if (!(error instanceof TransactionError) || error.fatal) throw error
      await this.insist(() => producer.abortTransaction())
      this.fates[transaction] = 'failed'
    }
  }

  /** Makes a call again that `max.block.ms`, which may be very short, has cut off. */
  private async insist<T>(call: () => Promise<T>): Promise<T> {
    for (let left = CALLS_MAX; ; left--) {
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof KafkaError) || error.code !== 'TIMED_OUT' || left === 0) throw error
      }
    }
  }

  /** After a flush all that was sent before it has an outcome. */
  private async checkFlush(): Promise<void> {
    const { ledger } = this
    const { count } = ledger
    await this.producer.flush()
    // What waits for a promise hears of it a few microtasks later.
    await new Promise(resolve => setImmediate(resolve))
    for (let id = 0; id < count; id++) {
      if (ledger.told[id] !== Told.NOTHING) continue
      ledger.complaints.push(`record ${id} was sent before a flush and has no outcome after it`)
      return
    }
  }

  // ---- the end ----

  private async end(): Promise<void> {
    const { plan, producer, ledger } = this
    this.isEnding = true
    if (plan.end === 'close at once') {
      await producer.close({ timeoutMs: 0 })
      await this.faults?.heal()
    } else {
      await this.faults?.heal()
      if (plan.end === 'flush') {
        await this.checkFlush()
        const { bufferAvailableBytes, bufferTotalBytes } = producer
        if (bufferAvailableBytes !== bufferTotalBytes) {
          ledger.complaints.push(
            `${bufferAvailableBytes} of ${bufferTotalBytes} bytes are back after a flush`,
          )
        }
      }
      await producer.close()
    }
    await ledger.settledTo(0)
    await new Promise(resolve => setImmediate(resolve))
    if (plan.acks === '0') await this.arrival()
    if (plan.plugIn === 'interceptor' && this.acknowledged !== ledger.count) {
      ledger.complaints.push(`${this.acknowledged} acknowledgements of ${ledger.count} records`)
    }
  }

  /** Without acknowledgements a record counts as stored once it is written, a moment before it is. */
  private async arrival(): Promise<void> {
    const { broker } = this.ground
    const written = this.ledger.told.reduce((count, told) => count + (told === Told.STORED ? 1 : 0), 0)
    for (let left = ARRIVAL_MS; left > 0; left -= ARRIVAL_STEP_MS) {
      if (broker !== null && broker.counters().records >= written) return
      await new Promise(resolve => setTimeout(resolve, ARRIVAL_STEP_MS))
    }
  }
}
