import { KafkaError, Producer, type ProducerOptions } from '../../dist/index.js'
import { apis } from '../../dist/protocol/apis.js'
import { decodeResponse } from '../../dist/protocol/header.js'
import { type ApiName, startBroker, type TestBroker } from '../../dist/testing/index.js'
import { loginModule } from './captured-replies.js'
import { FrameTimes, LOOP_HELD_MS_MAX } from './frame-times.js'
import { Mutator } from './mutator.js'
import { Random } from './random.js'

const HEADER_BYTES = 8
const PARTITIONS = 4
const PRODUCERS_AT_ONCE = 8
const TRANSACTIONS_MAX = 20
/** Then the broker has to be found sound. */
const REPLIES_PER_ROUND = 400
/** A connection has to get through these before anything else is asked. */
const FIRST_APIS: readonly ApiName[] = ['ApiVersions', 'SaslHandshake', 'SaslAuthenticate']
const DELIVERY_TIMEOUT_MS = 1_000
/** Beyond its deadline no record may be without an outcome. */
const SETTLED_MS_MAX = DELIVERY_TIMEOUT_MS + 8_000
/** When the replies are honest again, a record has to be stored within this. */
const RECOVERY_MS_MAX = 30_000
/** Replies, changed or not, that a slow piece is looked for among. */
const RECENT_MAX = 256
/** Slow replies are sent again so often: slow is what always is. Collections are in the way of some. */
const REPLAYS = 3
/** Of the records: or the replies were not read far enough to matter. */
const STORED_SHARE_MIN = 0.2
/** APIs that only a producer with transactions asks for. */
const TRANSACTIONAL: ReadonlySet<ApiName> = new Set<ApiName>([
  'FindCoordinator',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
  'DescribeTransactions',
])
/** A reply that asks for more quiet than this is rarely let through, or little else would happen. */
const THROTTLE_MS_MAX = 20

export interface DeliveryOutcome {
  mutated: number
  byApi: Map<ApiName, number>
  sent: number
  /** Of these: stored or failed with a code. */
  settled: number
  stored: number
  /** By code, those of transactions and of closing among them. */
  failed: Map<string, number>
  producers: number
  /** Longest that one piece held the event loop, whatever was in the way. */
  longestMs: number
  /** Replies that were sent again by themselves because a piece took too long, and then did not. */
  cleared: number
}

interface Reply {
  readonly name: ApiName
  readonly version: number
  readonly bytes: Buffer
}

/**
 * Producers against a broker whose replies are changed on their way: every record gets its outcome in time,
 * nothing is thrown past its owner, no reply holds the event loop, and when the broker tells the truth again
 * records are stored. `run` rejects where one of these is not so.
 */
export class ReplyDelivery {
  readonly outcome: DeliveryOutcome = {
    mutated: 0,
    byApi: new Map(),
    sent: 0,
    settled: 0,
    stored: 0,
    failed: new Map(),
    producers: 0,
    longestMs: 0,
    cleared: 0,
  }
  private readonly random: Random
  private readonly mutator: Mutator
  private readonly broker: TestBroker
  private readonly ports: Set<number>
  private readonly settledMsMax: number
  private last: Buffer = Buffer.alloc(16)
  private recent: Reply[] = []
  private suspects: Reply[] = []

  private constructor(seed: number, broker: TestBroker, settledMsMax: number) {
    this.settledMsMax = settledMsMax
    this.random = new Random(seed)
    this.mutator = new Mutator(this.random)
    this.broker = broker
    this.ports = new Set(broker.nodes.map(({ port }) => port))
  }

  static async run(seed: number, mutations: number, settledMsMax = SETTLED_MS_MAX): Promise<DeliveryOutcome> {
    const broker = await startBroker({
      quiet: true,
      nodes: 2,
      partitions: PARTITIONS,
      sasl: { users: { user: 'secret' } },
      telemetry: { pushIntervalMs: 200, metrics: ['*'] },
    })
    const delivery = new ReplyDelivery(seed, broker, settledMsMax)
    const times = new FrameTimes(chunk => delivery.suspect(chunk))
    try {
      while (delivery.outcome.mutated < mutations) await delivery.round()
      delivery.outcome.longestMs = times.longestMs
    } finally {
      times.restore()
      await broker.close()
    }
    const { sent, settled, stored } = delivery.outcome
    if (settled !== sent) throw new Error(`${settled} of ${sent} records have an outcome`)
    if (stored < sent * STORED_SHARE_MIN) throw new Error(`only ${stored} of ${sent} records were stored`)
    return delivery.outcome
  }

  /** Several producers at once, as each of them waits most of the time; then the truth. */
  private async round(): Promise<void> {
    const { random, broker, outcome } = this
    const until = outcome.mutated + REPLIES_PER_ROUND
    broker.setTransactionVersion(random.below(3))
    const stop = broker.mutateReply((api, version, bytes) => this.reply(api, version, bytes))
    const deadline = performance.now() + 3 * DELIVERY_TIMEOUT_MS
    const work = Array.from({ length: PRODUCERS_AT_ONCE }, async () => {
      while (outcome.mutated < until && performance.now() < deadline) {
        const isTransactional = random.once(2)
        const producer = this.newProducer(isTransactional)
        try {
          if (isTransactional) await this.transactions(producer)
          // One that stores nothing any more may have found a reason to give up for good.
          else while (outcome.mutated < until && (await this.records(producer)) > 0);
        } finally {
          await this.inTime('close', producer.close({ timeoutMs: DELIVERY_TIMEOUT_MS }))
        }
      }
    })
    const failed = (await Promise.allSettled(work)).find(({ status }) => status === 'rejected')
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason
    stop()
    for (const suspect of this.suspects.splice(0)) await this.judge(suspect)
    await this.proveRecovery()
    broker.clear()
  }

  /** One of the replies in this piece may be what took so long. */
  private suspect(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk)
    const found = this.recent.filter(reply => bytes.includes(reply.bytes))
    this.suspects.push(...(found.length > 0 ? found : this.recent.slice(-2 * PRODUCERS_AT_ONCE)))
  }

  /** Sends the reply again to one producer at a time, with nothing else going on. */
  private async judge({ name, version, bytes }: Reply): Promise<void> {
    let shortestMs = Number.POSITIVE_INFINITY
    for (let replay = 0; replay < REPLAYS && shortestMs > LOOP_HELD_MS_MAX; replay++) {
      const stop = this.broker.mutateReply((api, itsVersion, original) => {
        if (api !== name || itsVersion !== version) return original
        const again = Buffer.from(bytes)
        original.copy(again, 4, 4, 8)
        return again
      })
      const times = new FrameTimes()
      const producer = this.newProducer(TRANSACTIONAL.has(name))
      try {
        if (TRANSACTIONAL.has(name)) await this.transactions(producer, 2)
        else await this.records(producer)
      } finally {
        await this.inTime('close', producer.close({ timeoutMs: DELIVERY_TIMEOUT_MS }))
        stop()
        times.restore()
      }
      shortestMs = Math.min(shortestMs, times.longestMs)
    }
    const shown = `${name} v${version} ${bytes.toString('hex')}`
    if (shortestMs > LOOP_HELD_MS_MAX) throw new Error(`a reply takes ${shortestMs} ms: ${shown}`)
    this.outcome.cleared++
  }

  private newProducer(isTransactional: boolean, timeoutMs = DELIVERY_TIMEOUT_MS): Producer {
    this.outcome.producers++
    const { random, broker } = this
    const options: Partial<ProducerOptions> = {
      bootstrapServers: broker.bootstrapServers,
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'PLAIN',
      saslJaasConfig: loginModule('plain.Plain'),
      lingerMs: 0,
      maxBlockMs: timeoutMs,
      requestTimeoutMs: 400,
      deliveryTimeoutMs: timeoutMs,
      metadataMaxAgeMs: 30,
      retryBackoffMs: 1,
      retryBackoffMaxMs: 5,
      reconnectBackoffMs: 1,
      reconnectBackoffMaxMs: 5,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      ...(isTransactional && { transactionalId: `id-${this.outcome.producers}` }),
      ...(!isTransactional && random.once(3) && { enableIdempotence: false, acks: 1 as const }),
    }
    return new Producer(options as ProducerOptions)
  }

  /** Some records, each awaited; how many were stored. */
  private async records(producer: Producer): Promise<number> {
    const { outcome, random } = this
    const before = outcome.stored
    const sends = Array.from({ length: 1 + random.below(6) }, (_, i) => {
      const topic = random.pick(['one', 'two'])
      return this.counted(producer.send({ topic, partition: i % PARTITIONS, value: `value ${i}` }))
    })
    outcome.sent += sends.length
    await this.inTime('records', Promise.all(sends))
    return outcome.stored - before
  }

  private async counted(sent: Promise<unknown>): Promise<void> {
    try {
      await sent
      this.outcome.stored++
    } catch (error) {
      this.count(error)
    }
    this.outcome.settled++
  }

  /** Until one of them fails. */
  private async transactions(producer: Producer, count = TRANSACTIONS_MAX): Promise<void> {
    const work = async () => {
      await producer.initTransactions()
      for (let offset = 0; offset < count; offset++) {
        await producer.transaction(async () => {
          await this.records(producer)
          await producer.sendOffsetsToTransaction([{ topic: 'one', partition: 0, offset }], { groupId: 'g' })
        })
      }
    }
    const ended = work().catch(error => this.count(error))
    await this.inTime('transactions', ended, count * this.settledMsMax)
  }

  private count(error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    if (error.code === 'INTERNAL') throw error
    this.outcome.failed.set(error.code, (this.outcome.failed.get(error.code) ?? 0) + 1)
  }

  private async inTime<T>(what: string, work: Promise<T>, withinMs = this.settledMsMax): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: no outcome within ${withinMs} ms`)), withinMs)
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** The broker is as it was; a busy machine may need longer to connect than hostile replies are given. */
  private async proveRecovery(): Promise<void> {
    const producer = this.newProducer(false, RECOVERY_MS_MAX)
    try {
      await producer.send({ topic: 'one', value: 'sound' })
    } finally {
      await producer.close({ timeoutMs: DELIVERY_TIMEOUT_MS })
    }
  }

  /** Many replies are changed; nothing is let through that names a place outside of this process. */
  private reply(name: ApiName, version: number, original: Buffer): Buffer {
    const bytes = this.changed(name, version, original)
    this.recent.push({ name, version, bytes })
    if (this.recent.length > RECENT_MAX) this.recent.splice(0, RECENT_MAX / 2)
    return bytes
  }

  private changed(name: ApiName, version: number, bytes: Buffer): Buffer {
    const { random } = this
    if (!random.once(FIRST_APIS.includes(name) ? 10 : 3)) return bytes
    const from = random.once(16) ? 4 : HEADER_BYTES
    const changed = this.mutator.mutate(bytes, from, this.last)
    if (!random.once(16) && changed.length >= 4) changed.writeInt32BE(changed.length - 4, 0)
    this.last = bytes
    if (!this.isHarmless(name, version, changed)) return bytes
    this.outcome.mutated++
    this.outcome.byApi.set(name, (this.outcome.byApi.get(name) ?? 0) + 1)
    return changed
  }

  private isHarmless(name: ApiName, version: number, bytes: Buffer): boolean {
    const api = apis.find(each => each.name === name)
    if (api === undefined) return true
    let response: unknown
    try {
      response = decodeResponse(api, version, bytes.subarray(4))
    } catch {
      return true
    }
    const { throttleTimeMs = 0 } = response as { throttleTimeMs?: number }
    if (throttleTimeMs > THROTTLE_MS_MAX && !this.random.once(100)) return false
    return placesIn(response).every(({ host, port }) => host === '127.0.0.1' && this.ports.has(port))
  }
}

interface Place {
  host: string
  port: number
}

/** Everything in a response that one could be told to connect to. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  const places = Object.values(value).flatMap(placesIn)
  const { host, port } = value as Partial<Place>
  return host === undefined || host === '' || port === -1
    ? places
    : [...places, { host, port: port as number }]
}
