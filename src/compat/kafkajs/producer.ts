import { connectTimeoutOf, type EngineSource, resolveBrokers } from './client-options.js'
import { Engines } from './engines.js'
import { KafkaJSError, KafkaJSNonRetriableError } from './errors.js'
import { ProducerInstrumentation } from './events.js'
import { millraceLogger } from './loggers.js'
import { toKafkaJSError } from './map-error.js'
import { AppendTimes } from './outcomes.js'
import { PartitionLists } from './partition-lists.js'
import { producerEvents } from './producer-events.js'
import { retryBudget } from './retry.js'
import { createSender } from './sending.js'
import { type TransactionDestination, Transactions } from './transaction.js'
import type { KafkaConfig, Logger, Producer, ProducerConfig } from './types.js'

type ClientConfig = EngineSource['kafka']

/** One connection of a producer, from `connect` to `disconnect`. */
interface Connected {
  readonly engines: Engines
  readonly transactions: Transactions
}

/**
 * A producer as KafkaJS makes it: a plain object whose methods do not use `this`.
 *
 * @throws KafkaJSNonRetriableError for an idempotent producer that is not to retry
 */
export function createProducer(kafka: ClientConfig, config: ProducerConfig, rootLogger: Logger): Producer {
  const { idempotent = false, transactionalId } = config
  const retry = { ...kafka.retry, ...config.retry }
  if (idempotent && (retry.retries as number) < 1) {
    throw new KafkaJSNonRetriableError(
      'Idempotent producer must allow retries to protect against transient errors',
    )
  }
  const logger = rootLogger.namespace('Producer')
  const budget = retryBudget(retry)
  const instrumentation = new ProducerInstrumentation(logger)
  const source: EngineSource = {
    kafka,
    producer: config,
    budget,
    logger,
    log: millraceLogger(logger),
    requestListener: report => instrumentation.request(report),
  }
  const connection = new ProducerConnection(source, instrumentation)
  const shared: TransactionDestination = {
    budget,
    partitioner: config.createPartitioner?.() ?? null,
    lists: new PartitionLists(),
    appendTimes: new AppendTimes(budget),
    checkOpen: () => connection.checkOpen(),
  }
  connection.transactionsOver = shared
  const { send, sendBatch } = createSender({
    ...shared,
    isIdempotent: idempotent,
    plainEngine: () => connection.open().engines.default,
    engineFor: options => connection.open().engines.of(options),
    goOnWithoutIdempotence: () => !idempotent && connection.open().engines.goOnWithoutIdempotence(),
  })
  return {
    connect: () => connection.connect(),
    disconnect: () => connection.disconnect(),
    isIdempotent: () => idempotent,
    events: producerEvents,
    on: (name: string, listener: (event: never) => void) =>
      instrumentation.on(name, listener as Parameters<ProducerInstrumentation['on']>[1]),
    send,
    sendBatch,
    transaction: async () => {
      if (!transactionalId) {
        throw new KafkaJSNonRetriableError('Must provide transactional id for transactional producer')
      }
      connection.checkOpen()
      return connection.open().transactions.begin()
    },
    logger: () => logger,
  }
}

/** Whether a producer is connected, and what it has then. */
class ProducerConnection {
  /** Set right after the constructor: sending and transactions need the connection and it needs them. */
  transactionsOver: TransactionDestination | null = null
  private readonly source: EngineSource
  private readonly instrumentation: ProducerInstrumentation
  private connected: Connected | null = null
  private connecting: Promise<Connected> | null = null
  private disconnecting: Promise<void> | null = null

  constructor(source: EngineSource, instrumentation: ProducerInstrumentation) {
    this.source = source
    this.instrumentation = instrumentation
  }

  /** Throws where nothing can be sent now. */
  checkOpen(): void {
    if (this.connected !== null) return
    if (this.disconnecting === null) throw new KafkaJSError('The producer is disconnected')
    throw new KafkaJSNonRetriableError(
      "The producer is disconnecting; therefore, it can't safely accept messages anymore",
    )
  }

  open(): Connected {
    if (this.connected === null) this.checkOpen()
    return this.connected as Connected
  }

  async connect(): Promise<void> {
    await this.disconnecting
    if (this.connected === null) {
      this.connecting ??= this.newConnection().finally(() => {
        this.connecting = null
      })
      await this.connecting
    }
    this.instrumentation.emit(producerEvents.CONNECT)
  }

  async disconnect(): Promise<void> {
    // Not even a promise is waited for where none is under way: sends are refused from now on.
    if (this.connecting !== null) await this.connecting.catch(() => null)
    const { connected } = this
    this.connected = null
    if (connected !== null) {
      const closing = Promise.all([connected.transactions.close(), connected.engines.close()])
      this.disconnecting = closing.then(() => {
        this.disconnecting = null
      })
    }
    await this.disconnecting
    this.instrumentation.emit(producerEvents.DISCONNECT)
  }

  private async newConnection(): Promise<Connected> {
    const { source } = this
    const brokers = await resolveBrokers(source.kafka.brokers as NonNullable<KafkaConfig['brokers']>)
    let engines: Engines
    try {
      engines = new Engines(source, brokers)
    } catch (error) {
      throw toKafkaJSError(error, source.budget)
    }
    try {
      await engines.default.connect({ timeoutMs: connectTimeoutOf(source), producerId: false })
    } catch (error) {
      await engines.default.close({ timeoutMs: 0 })
      throw toKafkaJSError(error, source.budget)
    }
    const transactions = new Transactions(source, brokers, this.transactionsOver as TransactionDestination)
    this.connected = { engines, transactions }
    return this.connected
  }
}
