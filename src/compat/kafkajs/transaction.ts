import assert from 'node:assert'
import { Producer } from '../../index.js'
import { type EngineSource, engineOptions, requestTimeoutOf } from './client-options.js'
import { codecName } from './engines.js'
import { KafkaJSNonRetriableError } from './errors.js'
import { toKafkaJSError } from './map-error.js'
import { createSender, type Destination } from './sending.js'
import type { Offsets, SendOptions, Transaction } from './types.js'

const BUFFER_BYTES = 32 * 1024 * 1024

/** What a transaction has in common with its producer. */
export type TransactionDestination = Omit<Destination, 'isIdempotent' | 'plainEngine' | 'engineFor'>

/** The millrace producer with the `transactionalId`, and the transaction that it has open. */
export class Transactions {
  private readonly source: EngineSource
  private readonly brokers: readonly string[]
  private readonly to: TransactionDestination
  private engine: Producer | null = null
  /** The codec of {@link engine}. */
  private compression: ReturnType<typeof codecName> = 'none'
  /** While the engine is being exchanged for one with another codec. */
  private exchange: Promise<Producer> | null = null
  /** Something of the open transaction has been sent: its engine has to stay. */
  private isUsed = false
  private hasWarned = false
  private state: 'none' | 'opening' | 'open' | 'ending' | 'broken' = 'none'

  constructor(source: EngineSource, brokers: readonly string[], to: TransactionDestination) {
    this.source = source
    this.brokers = brokers
    this.to = to
  }

  async begin(): Promise<Transaction> {
    if (this.state !== 'none' && this.state !== 'broken') {
      throw new KafkaJSNonRetriableError(
        'There is already an ongoing transaction for this producer. ' +
          'Please end the transaction before beginning another.',
      )
    }
    const wasBroken = this.state === 'broken'
    this.state = 'opening'
    try {
      this.engine ??= await this.newEngine()
      // Its commit has failed, and nobody has aborted it.
      if (wasBroken) await this.engine.abortTransaction()
      this.engine.beginTransaction()
    } catch (error) {
      this.state = 'none'
      throw toKafkaJSError(error, this.to.budget)
    }
    this.isUsed = false
    this.state = 'open'
    return this.newTransaction()
  }

  /** Aborts what is open. */
  async close(): Promise<void> {
    await (await this.exchange?.catch(() => null))?.close()
    await this.engine?.close()
    this.state = 'none'
  }

  private async newEngine(): Promise<Producer> {
    const { transactionalId, transactionTimeout } = this.source.producer
    const combination = {
      acks: -1,
      compression: this.compression,
      requestTimeoutMs: requestTimeoutOf(this.source.kafka),
    } as const
    const engine = new Producer({
      ...engineOptions(this.source, this.brokers, combination, BUFFER_BYTES),
      transactionalId: transactionalId as string,
      transactionTimeoutMs: transactionTimeout ?? 60_000,
    })
    try {
      await engine.initTransactions()
    } catch (error) {
      await engine.close({ timeoutMs: 0 })
      throw error
    }
    return engine
  }

  /** An engine has one codec; it can be exchanged while its transaction is empty. */
  private engineFor({ compression }: SendOptions): Producer | Promise<Producer> {
    const wanted = codecName(compression)
    if (this.exchange !== null) return this.exchange
    if (wanted !== this.compression && !this.isUsed) return this.exchangeEngine(wanted)
    if (wanted !== this.compression && !this.hasWarned) {
      this.hasWarned = true
      const message = `A transaction has one compression: it is ${this.compression}, not ${wanted}`
      this.source.logger.warn(message)
    }
    this.isUsed = true
    return this.engine as Producer
  }

  private exchangeEngine(wanted: ReturnType<typeof codecName>): Promise<Producer> {
    this.isUsed = true
    this.compression = wanted
    const old = this.engine as Producer
    const exchange = async () => {
      await old.close()
      this.engine = await this.newEngine()
      this.engine.beginTransaction()
      this.exchange = null
      return this.engine
    }
    this.exchange = exchange()
    return this.exchange
  }

  private newTransaction(): Transaction {
    let hasEnded = false
    const isActive = () => this.state === 'open' && !hasEnded
    const { budget } = this.to
    const guarded =
      <Arguments extends unknown[], T>(isAllowed: () => boolean, call: (...given: Arguments) => Promise<T>) =>
      (...given: Arguments): Promise<T> => {
        if (isAllowed()) return call(...given)
        return Promise.reject(new KafkaJSNonRetriableError('Cannot continue to use transaction once ended'))
      }
    const end = async (how: 'commitTransaction' | 'abortTransaction') => {
      this.state = 'ending'
      try {
        await this.exchange
        await (this.engine as Producer)[how]()
      } catch (error) {
        this.state = 'broken'
        throw toKafkaJSError(error, budget)
      }
      hasEnded = true
      this.state = 'none'
    }
    const { send, sendBatch } = createSender({
      ...this.to,
      isIdempotent: true,
      plainEngine: () => null,
      engineFor: options => this.engineFor(options),
    })
    return {
      sendBatch: guarded(isActive, sendBatch),
      send: guarded(isActive, send),
      // After a commit that has failed, too: KafkaJS leaves no way out there.
      abort: guarded(
        () => isActive() || (this.state === 'broken' && !hasEnded),
        () => end('abortTransaction'),
      ),
      commit: guarded(isActive, () => end('commitTransaction')),
      sendOffsets: guarded(isActive, offsets => this.sendOffsets(offsets)),
      isActive,
    }
  }

  private async sendOffsets({
    consumerGroupId,
    topics,
  }: Offsets & { consumerGroupId: string }): Promise<void> {
    assert(consumerGroupId, 'Missing consumerGroupId')
    assert(topics, 'Missing offset topics')
    const offsets = topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition: Number(partition), offset })),
    )
    this.isUsed = true
    try {
      const engine = (await this.exchange) ?? (this.engine as Producer)
      await engine.sendOffsetsToTransaction(offsets, { groupId: consumerGroupId })
    } catch (error) {
      throw toKafkaJSError(error, this.to.budget)
    }
  }
}
