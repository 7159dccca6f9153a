import type { Producer } from '../../dist/index.js'
import { END_TXN_BUMPS_EPOCH_FROM, EndTxn, type EndTxnRequest } from '../../dist/protocol/end-txn.js'
import { errorName } from '../../dist/protocol/error-codes.js'
import { RawClient } from '../../dist-test/testing/support.js'
import type { KafkaGround } from '../kafka-ground.js'
import { atLeast } from '../result.js'
import type { Generation } from '../transactions/generations.js'
import {
  Account,
  coordinatorOf,
  eachGeneration,
  identityOf,
  type RaceOptions,
  transactionalProducer,
} from '../transactions/races.js'
import { type TransactionResult, transactionResult } from '../transactions/result.js'
import { waitUntil } from '../wait.js'

const ROUNDS = 500
const ROUNDS_SMALL = 8
/** Answers are held back for longer. */
const REQUEST_TIMEOUT_MS = 250
const GIVE_UP_TIMEOUT_MS = 30_000
const PROGRESS_ROUNDS = 100

/**
 * The answer to EndTxn does not arrive within the request time-out, or the request itself does not. Once the next
 * transaction is open, a copy of it reaches the coordinator, as a request does that was on its way for too long:
 * it must not end that one.
 */
export function heldEnd(options: RaceOptions, shared?: KafkaGround): Promise<TransactionResult[]> {
  return eachGeneration(options, shared, (ground, generation) =>
    new HeldEnds(ground, options, generation).run(),
  )
}

class HeldEnds {
  private readonly ground: KafkaGround
  private readonly options: RaceOptions
  private readonly generation: Generation
  private readonly topic: string
  private readonly account = new Account()
  private readonly counts: Record<string, number> = { repliesHeld: 0, requestsLost: 0 }
  /** Times that the client gave up EndTxn. */
  private unanswered = 0

  constructor(ground: KafkaGround, options: RaceOptions, generation: Generation) {
    this.ground = ground
    this.options = options
    this.generation = generation
    this.topic = `held-${options.seed}-v${generation}${options.sabotage === undefined ? '' : '-sabotaged'}`
  }

  async run(): Promise<TransactionResult> {
    const startedAt = new Date()
    const { ground, topic, account, counts } = this
    const { seed, isSmall, say } = this.options
    const rounds = this.options.faults ?? (isSmall ? ROUNDS_SMALL : ROUNDS)
    await ground.createTopics({ topics: [topic], partitions: 1 })
    let producer = await this.newProducer()
    try {
      for (let round = 0; round < rounds; round++) {
        if (!(await this.round(producer, round))) {
          await producer.close({ timeoutMs: 0 })
          producer = await this.newProducer()
        }
        if ((round + 1) % PROGRESS_ROUNDS === 0) say(`${round + 1} of ${rounds} ends held`)
      }
    } finally {
      await producer.close({ timeoutMs: 5_000 })
    }
    const { classes, examples } = await account.judge(ground, topic)
    const held = (counts.repliesHeld as number) + (counts.requestsLost as number)
    return transactionResult({
      lane: 'held-end',
      isSmall,
      seed,
      transactionVersion: this.generation,
      partitions: 1,
      startedAt,
      versions: ground.versions,
      records: account.size,
      faults: counts,
      classes,
      criteria: [atLeast('ends held past the time-out', held, rounds)],
      examples,
    })
  }

  private async newProducer(): Promise<Producer> {
    // Other requests may be late, too, on a busy machine: only what the client says of this one counts.
    const debug = (line: string) => {
      if (line.startsWith('No answer to EndTxn')) this.unanswered++
    }
    const logger = { debug, info() {}, warn() {}, error() {} }
    const times = { 'request.timeout.ms': REQUEST_TIMEOUT_MS, 'retry.backoff.ms': 10, logger }
    const producer = transactionalProducer(this.ground, this.topic, times)
    this.options.sabotage?.(producer)
    await producer.initTransactions()
    return producer
  }

  /** Two transactions that end in different ways, so that the end of one would show in the other. */
  private async round(producer: Producer, round: number): Promise<boolean> {
    const { account, topic } = this
    const isCommit = round % 2 === 0
    const [held, next] = [`held ${round}`, `next ${round}`]
    account[isCommit ? 'visible' : 'hidden'](held)
    account[isCommit ? 'hidden' : 'visible'](next)
    try {
      producer.beginTransaction()
      await producer.send({ topic, value: held })
      const late = await this.hold(producer, isCommit, round % 4 >= 2)
      producer.beginTransaction()
      await producer.send({ topic, value: next })
      await this.deliverLate(producer, late)
      await (isCommit ? producer.abortTransaction() : producer.commitTransaction())
      return true
    } catch (error) {
      account.fail(`round ${round}: ${String(error)}`)
      return false
    }
  }

  /** Ends the transaction while the coordinator's node cannot be heard, or hears nothing. */
  private async hold(producer: Producer, committed: boolean, isRequestLost: boolean): Promise<EndTxnRequest> {
    const late = { ...identityOf(producer), committed }
    const proxy = this.ground.proxyOf(coordinatorOf(producer))
    const before = this.unanswered
    const hold = isRequestLost ? null : proxy.hold(['out'])
    if (isRequestLost) proxy.swallow(true, ['in'])
    const ended = committed ? producer.commitTransaction() : producer.abortTransaction()
    try {
      const isGivenUp = waitUntil(
        'the client gives up the request',
        GIVE_UP_TIMEOUT_MS,
        () => this.unanswered > before,
        5,
      )
      await Promise.race([isGivenUp, ended.then(() => Promise.reject(new Error('ended without an answer')))])
      const kind = isRequestLost ? 'requestsLost' : 'repliesHeld'
      this.counts[kind] = (this.counts[kind] as number) + 1
    } finally {
      hold?.release()
      proxy.swallow(false)
    }
    await ended
    return late
  }

  private async deliverLate(producer: Producer, late: EndTxnRequest): Promise<void> {
    const { port } = this.ground.node(coordinatorOf(producer))
    using raw = await RawClient.connect({ nodes: [{ host: '127.0.0.1', port }] })
    const version = this.generation === 2 ? END_TXN_BUMPS_EPOCH_FROM : END_TXN_BUMPS_EPOCH_FROM - 1
    const { errorCode } = await raw.request(EndTxn, version, late)
    const name = `late_${errorName(errorCode)}`
    this.counts[name] = (this.counts[name] ?? 0) + 1
  }
}
