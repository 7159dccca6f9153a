import { RecordAccumulator } from '../accumulator/accumulator.js'
import type { WaitingBudget } from '../accumulator/append/waiting-budget.js'
import { ClusterClient } from '../cluster/cluster-client.js'
import type { Clock } from '../common/clock.js'
import { environmentVariable } from '../common/environment.js'
import type { Observer } from '../common/observer.js'
import { createCodec, defaultCompressionLevels } from '../compression/index.js'
import type { ProducerConfig } from '../config/index.js'
import { InternalError } from '../errors/index.js'
import { loadAddon } from '../native/load.js'
import { createSecurity } from '../security/index.js'
import { Sender } from '../sender/sender.js'
import type { TransactionHost } from '../transactions/transaction-host.js'
import { TransactionManager } from '../transactions/transaction-manager.js'
import { Topics } from './record/topics.js'

/** The parts of a producer, joined as its configuration says. */
interface ProducerParts {
  readonly client: ClusterClient
  readonly accumulator: RecordAccumulator
  readonly sender: Sender
  /** Null without `transactional.id`. */
  readonly transactions: TransactionManager | null
  readonly topics: Topics
}

/** What the parts need of the producer. */
type RecordOwner = Pick<TransactionHost, 'flush' | 'abortUnsent' | 'undelivered'>

/** Makes and joins the parts of a producer. Nothing connects yet. */
export function assemble(
  config: ProducerConfig,
  clock: Clock,
  observer: Observer,
  waitingBudget: WaitingBudget,
  owner: RecordOwner,
): ProducerParts {
  const client = createClient(config, clock, observer)
  // The accumulator wakes the sender, which is made after it, and so do transactions.
  const parts: { accumulator?: RecordAccumulator; sender?: Sender } = {}
  const sender = () => parts.sender as Sender
  const accumulator = () => parts.accumulator as RecordAccumulator
  const transactions = createTransactions(config, clock, observer, client, {
    ...owner,
    failForGood: error => sender().failForGood(error),
    undelivered: () => owner.undelivered() ?? sender().undelivered(),
    setIdentity: (producerId, producerEpoch) => sender().identity.set(producerId, producerEpoch),
    resume: () => accumulator().refreshAll(),
    wakeup: () => sender().wakeup(),
  })
  parts.accumulator = createAccumulator(config, clock, observer, waitingBudget, sender, transactions)
  client.isNeeded = () => accumulator().hasIncomplete || accumulator().appender.hasWaiting
  const topics = new Topics(parts.accumulator, client.metadata)
  parts.sender = createSender(config, clock, observer, client, parts.accumulator, transactions, topics)
  return { client, accumulator: parts.accumulator, sender: parts.sender, transactions, topics }
}

function createTransactions(
  config: ProducerConfig,
  clock: Clock,
  observer: Observer,
  client: ClusterClient,
  host: TransactionHost,
): TransactionManager | null {
  const { transactionalId } = config
  if (transactionalId === null) return null
  return new TransactionManager({
    transactionalId,
    transactionTimeoutMs: config.transactionTimeoutMs,
    isTwoPhase: config.transactionTwoPhaseCommit,
    maxBlockMs: config.maxBlockMs,
    requestTimeoutMs: config.requestTimeoutMs,
    retryBackoffMs: config.retryBackoffMs,
    client,
    clock,
    logger: config.logger,
    observer,
    host,
  })
}

function createClient(config: ProducerConfig, clock: Clock, observer: Observer): ClusterClient {
  return new ClusterClient({
    bootstrapServers: config.bootstrapServers,
    canonicalBootstrapNames: config.clientDnsLookup !== 'use_all_dns_ips',
    clientId: config.clientId,
    requestTimeoutMs: config.requestTimeoutMs,
    maxInFlight: config.maxInFlightRequestsPerConnection,
    reconnectBackoffMs: config.reconnectBackoffMs,
    reconnectBackoffMaxMs: config.reconnectBackoffMaxMs,
    retryBackoffMs: config.retryBackoffMs,
    retryBackoffMaxMs: config.retryBackoffMaxMs,
    connectionSetupTimeoutMs: config.socketConnectionSetupTimeoutMs,
    connectionSetupTimeoutMaxMs: config.socketConnectionSetupTimeoutMaxMs,
    connectionsMaxIdleMs: config.connectionsMaxIdleMs,
    metadataMaxAgeMs: config.metadataMaxAgeMs,
    metadataMaxIdleMs: config.metadataMaxIdleMs,
    recoveryStrategy: config.metadataRecoveryStrategy,
    rebootstrapTriggerMs: config.metadataRecoveryRebootstrapTriggerMs,
    ...(config.allowsBrokerHost === null ? {} : { allowsHost: config.allowsBrokerHost }),
    security: createSecurity(config.security, config.logger),
    socketFactory: config.socketFactory,
    requestListener: config.requestListener,
    allowAutoTopicCreation: config.allowAutoTopicCreation,
    clock,
    logger: config.logger,
    observer,
  })
}

function createAccumulator(
  config: ProducerConfig,
  clock: Clock,
  observer: Observer,
  waitingBudget: WaitingBudget,
  sender: () => Sender,
  transactions: TransactionManager | null,
): RecordAccumulator {
  const { compressionType, compressionLevel } = config
  return new RecordAccumulator({
    addon: loadAddon(config.bootstrapServers.map(({ host, port }) => `${host}:${port}`)),
    bufferBytes: config.bufferMemory,
    batchBytes: config.batchSize,
    maxRequestBytes: config.maxRequestSize,
    lingerMs: config.lingerMs,
    maxBlockMs: config.maxBlockMs,
    deliveryTimeoutMs: config.deliveryTimeoutMs,
    codec: createCodec(compressionType, {
      gzip: compressionLevel ?? defaultCompressionLevels.gzip,
      lz4: compressionLevel ?? defaultCompressionLevels.lz4,
      zstd: compressionLevel ?? defaultCompressionLevels.zstd,
    }),
    adaptivePartitioning: config.partitionerAdaptivePartitioningEnable,
    clock,
    logger: config.logger,
    observer,
    waitingBudget,
    random: Math.random,
    fillFreed: environmentVariable('MILLRACE_FILL_FREED') === '1',
    host: {
      wakeup: () => sender().wakeup(),
      isDrainable: leaderId => sender().latency.isDrainable(leaderId),
      opened: partition => transactions?.use(partition),
      lastCause: batch => sender().lastCause(batch),
      refused: error => {
        if (error instanceof InternalError) sender().failForGoodSoon(error)
        else transactions?.onLateRefusal(error)
      },
    },
  })
}

function createSender(
  config: ProducerConfig,
  clock: Clock,
  observer: Observer,
  client: ClusterClient,
  accumulator: RecordAccumulator,
  transactions: TransactionManager | null,
  topics: Topics,
): Sender {
  return new Sender({
    accumulator,
    client,
    clock,
    logger: config.logger,
    observer,
    clientId: config.clientId,
    acks: config.acks,
    idempotent: config.enableIdempotence,
    maxInFlight: config.maxInFlightRequestsPerConnection,
    retries: config.retries,
    requestTimeoutMs: config.requestTimeoutMs,
    retryBackoffMs: config.retryBackoffMs,
    retryBackoffMaxMs: config.retryBackoffMaxMs,
    availabilityTimeoutMs: config.partitionerAvailabilityTimeoutMs,
    compressionName: config.compressionType,
    transactions,
    onLeaderHint: topic => topics.followLeaders(topic),
  })
}
