import assert from 'node:assert/strict'
import {
  KafkaError,
  Producer,
  type ProducerOptions,
  type ProducerRecord,
  SendManyError,
} from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { HostileValues } from '../native/hostile-values.js'
import { Random } from './random.js'
import { WITNESS_PARTITIONS, WITNESS_TOPIC, Witnesses } from './witnesses.js'

/** Sound records follow after this many hostile calls. */
const CALLS_PER_WITNESS = 5
/** Of the calls, one in so many is of a producer that is closed. */
const CLOSED_ONCE_IN = 20
/** Made of all producers once they are closed. */
const CALLS_AFTER_CLOSE = 400
/** All that is in flight is awaited after this many. */
const CALLS_PER_FLUSH = 400
const PARTITIONS = 3
const TOPICS = new Map([
  ['hostile', PARTITIONS],
  [WITNESS_TOPIC, WITNESS_PARTITIONS],
])

type AnyProducer = Producer<unknown, unknown>
type AnyRecord = ProducerRecord<unknown, unknown>

async function known(producer: AnyProducer): Promise<void> {
  for (const [topic, partitions] of TOPICS) {
    for (let attempt = 0; attempt < 500; attempt++) {
      const found = await producer.partitionsFor(topic).catch(() => [])
      if (found.length === partitions) break
    }
  }
}

/**
 * Sends records, calls and plug-ins nobody should write through the public surface, sound records among
 * them. Every call must settle, each failure must have a code, and the sound records must all be stored: once,
 * unchanged, in the order of their calls, and where the producer says they are.
 */
export class HostileProducer {
  calls = 0
  settled = 0
  /** By the code of the error. */
  readonly refused = new Map<string, number>()
  private readonly random: Random
  private readonly values: HostileValues
  private readonly broker: TestBroker
  private readonly producers: AnyProducer[]
  /** Closed from the start. */
  private readonly closed: AnyProducer
  private pending: Promise<void>[] = []
  private readonly witnesses: Witnesses
  private depth = 0

  private constructor(seed: number, broker: TestBroker) {
    this.random = new Random(seed)
    this.values = new HostileValues(this.random, () => this.mischief())
    this.broker = broker
    this.witnesses = new Witnesses(this.random, broker)
    const [closed, ...producers] = this.makeProducers() as [AnyProducer, ...AnyProducer[]]
    this.closed = closed
    this.producers = producers
  }

  static async start(seed: number): Promise<HostileProducer> {
    const broker = await startBroker({ quiet: true, autoCreateTopics: false })
    for (const [topic, partitions] of TOPICS) broker.createTopic(topic, { partitions })
    const hostile = new HostileProducer(seed, broker)
    // From here on only hostile records can be late, for topics and partitions that do not exist.
    for (const producer of hostile.producers) await known(producer)
    await hostile.closed.close()
    return hostile
  }

  async run(calls: number): Promise<void> {
    let nextWitness = 0
    for (let nextFlush = CALLS_PER_FLUSH; this.calls < calls; nextFlush += CALLS_PER_FLUSH) {
      while (this.calls < nextFlush) {
        this.callOnce()
        if (this.calls >= nextWitness) {
          this.sendWitnesses()
          nextWitness = this.calls + CALLS_PER_WITNESS
        }
      }
      await this.settleAll()
    }
  }

  /** Closes everything; checks the sound records and that all memory is back. */
  async finish(): Promise<void> {
    for (const producer of this.producers) {
      // Callbacks may send again.
      await this.settleAll()
      await producer.flush()
      assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
      const closing = producer.close()
      for (let i = 0; i < 10; i++) this.callOnce()
      await closing
    }
    for (let i = 0; i < CALLS_AFTER_CLOSE; i++) this.callOnce()
    await this.settleAll()
    this.witnesses.check()
  }

  /** In any case, or the process does not end. */
  async close(): Promise<void> {
    await Promise.allSettled(this.producers.map(producer => producer.close({ timeoutMs: 0 })))
    await this.broker.close()
  }

  private makeProducers(): AnyProducer[] {
    const { random, values } = this
    const common: ProducerOptions = {
      bootstrapServers: this.broker.bootstrapServers,
      lingerMs: 1,
      batchSize: 4096,
      bufferMemory: 16 * 1024 * 1024,
      maxRequestSize: 64 * 1024,
      maxBlockMs: 20,
      deliveryTimeoutMs: 20_000,
      requestTimeoutMs: 10_000,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    }
    const answer = () => {
      this.mischief()
      if (random.once(10)) throw values.nonsense()
      return (random.once(2) ? values.bytes() : Buffer.from('serialized')) as never
    }
    const variants: ProducerOptions<unknown, unknown>[] = [
      {},
      {},
      { keySerializer: { serialize: answer }, valueSerializer: { serialize: answer } },
      { partitioner: { partition: () => this.partitionChoice() } },
      {
        interceptors: [
          { onSend: (record: unknown) => (random.once(3) ? (values.nonsense() as never) : record) },
        ],
      },
    ].map(options => ({ ...common, ...(options as object) }) as ProducerOptions<unknown, unknown>)
    return variants.map(options => new Producer<unknown, unknown>(options))
  }

  private partitionChoice(): number {
    this.mischief()
    if (this.random.once(8)) throw this.values.nonsense()
    return this.random.once(2) ? this.random.below(PARTITIONS) : (this.values.nonsense() as number)
  }

  private mischief(): void {
    if (this.depth < 3 && this.random.once(3)) this.callOnce()
  }

  /** The first producer is the one without plug-ins: these may change any record. */
  private sendWitnesses(): void {
    const [producer] = this.producers as [AnyProducer]
    this.pending.push(...this.witnesses.send(producer))
  }

  private callOnce(): void {
    this.depth++
    this.calls++
    const { random } = this
    const producer = random.once(CLOSED_ONCE_IN) ? this.closed : random.pick(this.producers)
    try {
      const calls: (() => Promise<unknown>)[] = [
        () => producer.send(this.record()),
        () => producer.send(this.record()),
        () => producer.sendMany(this.records()),
        () => producer.sendMany(this.records()),
        () => this.sendWithCallback(producer),
        () =>
          random.once(20) ? producer.partitionsFor(this.topic() as string) : producer.send(this.record()),
        () => (random.once(20) ? producer.flush() : producer.send(this.record())),
      ]
      this.pending.push(
        random
          .pick(calls)()
          .then(
            () => this.count(null),
            error => this.count(error),
          ),
      )
    } finally {
      this.depth--
    }
  }

  private sendWithCallback(producer: AnyProducer): Promise<void> {
    return new Promise((resolve, reject) => {
      producer.send(this.record(), error => {
        this.mischief()
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  private count(error: unknown): void {
    this.settled++
    if (error === null) return
    if (!(error instanceof KafkaError)) throw new Error('a call settled without a code', { cause: error })
    const errors = error instanceof SendManyError ? [...error.errors.values()] : [error]
    for (const one of errors) {
      if (one.code === 'INTERNAL' && !isOfCaller(one.cause)) throw one
      this.refused.set(one.code, (this.refused.get(one.code) ?? 0) + 1)
    }
  }

  private async settleAll(): Promise<void> {
    while (this.pending.length > 0) {
      const { pending } = this
      this.pending = []
      await Promise.all(pending)
    }
  }

  private topic(): unknown {
    if (!this.random.once(10)) return 'hostile'
    return this.random.pick<unknown>(['', '.', 'a/b', 'x'.repeat(250), 'absent', this.values.nonsense()])
  }

  /** The odds are that most fields are sound, or nothing would get further than the first check. */
  private record(): AnyRecord {
    const { random, values } = this
    const either = (odd: () => unknown, sound: unknown) => (random.once(5) ? odd() : sound)
    const record: Record<string, unknown> = {
      topic: this.topic(),
      key: either(() => values.bytes(), random.pick(['key', null, Buffer.from('key')])),
      value: either(() => values.bytes(), Buffer.from('value')),
      ...(random.once(4) && { headers: either(() => this.headers(), { a: 'b' }) }),
      ...(random.once(8) && { partition: either(() => values.number(), random.below(PARTITIONS)) }),
      ...(random.once(8) && { timestamp: either(() => values.number(), 1_700_000_000_000) }),
    }
    if (random.once(12)) {
      const name = random.pick(['topic', 'key', 'value', 'headers', 'partition', 'timestamp'])
      const value = record[name]
      Object.defineProperty(record, name, {
        get: () => {
          this.mischief()
          if (random.once(3))
            throw random.pick([new Error('from a hostile record'), null, Object.create(null)])
          return random.once(2) ? value : values.nonsense()
        },
      })
    }
    return (random.once(30) ? values.nonsense() : record) as AnyRecord
  }

  private headers(): unknown {
    const { random, values } = this
    const pair = () => (random.once(4) ? values.nonsense() : ['name', values.bytes()])
    const self = this
    return random.pick<() => unknown>([
      () => values.nonsense(),
      () => ({ name: values.bytes() }),
      () => ({ name: [values.bytes(), values.nonsense()] }),
      () => [pair(), pair()],
      () => new Map([['name', values.bytes()]]),
      () => ({
        *[Symbol.iterator]() {
          yield ['first', 'a']
          self.mischief()
          yield pair()
          if (random.once(3)) throw new Error('from a hostile iterator')
        },
      }),
    ])()
  }

  private records(): AnyRecord[] {
    const { random, values } = this
    const records = Array.from({ length: random.below(6) }, () => this.record())
    if (random.once(10) && records.length > 0) {
      const change = () => {
        records.length = random.below(8)
        return 'hostile'
      }
      records[0] = {
        value: 'v',
        get topic() {
          return change()
        },
      }
    }
    if (random.once(20)) {
      const get = () => {
        this.mischief()
        throw new Error('from a hostile array')
      }
      return random.once(2) ? new Proxy(records, { get }) : Object.defineProperty(records, '0', { get })
    }
    return random.once(30) ? (values.nonsense() as AnyRecord[]) : records
  }
}

/** Whether an error that is called internal was thrown by the caller's own values. */
function isOfCaller(cause: unknown): boolean {
  try {
    return !(cause instanceof Error) || cause.message.startsWith('from a hostile')
  } catch {
    return true
  }
}
