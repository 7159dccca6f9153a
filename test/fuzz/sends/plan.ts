import type { ProducerOptions } from '../../../dist/index.js'
import { Random } from '../../hostile/random.js'

/** Bytes of keys, values and headers that one world sends at most; beyond them its records are small. */
const WORLD_BYTES = 24 << 20
/** Small batches are more frequent: more of them are opened, closed and chosen anew. */
const BATCH_BYTES = [
  1024, 1024, 1500, 2048, 2048, 4096, 4096, 8192, 16_384, 16_384, 16_384, 32_768, 65_536, 131_072, 524_288,
  1_048_576,
]
/** No record may time out because the machine is busy. */
const PATIENCE_MS = 600_000
const REQUEST_PATIENCE_MS = 300_000
const LINGERS_MS = [0, 0, 1, 2, 5, 20, 50]
const CODECS = ['none', 'none', 'none', 'none', 'none', 'none', 'lz4', 'snappy', 'zstd', 'gzip'] as const

/** Partitions that a topic gets under way at most. */
export const PARTITIONS_GROWN_MAX = 4

export interface TopicPlan {
  readonly name: string
  readonly partitions: number
  /** Gets more partitions under way. */
  readonly grows: boolean
  /** Batches above it are refused, and split by the producer; null: the broker's default. */
  readonly maxMessageBytes: number | null
  readonly isStampedByBroker: boolean
}

/** What may go wrong on the way. */
export interface FaultPlan {
  /** Errors that are retried, given before anything is stored. */
  readonly isRefusing: boolean
  /** Errors given although the batch is stored, lost answers, cut connections, nodes that stop. */
  readonly isAmbiguous: boolean
  /** Errors that fail a batch for good; batches called too large where every answer arrives. */
  readonly isFailing: boolean
  /** Leaders move, and nodes stop and start. */
  readonly isMoving: boolean
  /** One fault in so many bursts of records. */
  readonly onceIn: number
}

/** A plug-in of the producer, which sends records itself while it is asked. */
export type PlugIn = 'none' | 'interceptor' | 'serializer' | 'prepared serializer' | 'partitioner'

const PLUG_INS: readonly PlugIn[] = [
  ...(['none', 'none', 'none', 'none', 'none'] as const),
  ...(['interceptor', 'serializer', 'prepared serializer', 'partitioner'] as const),
]

/** All that a seed decides before the first record. */
export interface Plan {
  readonly seed: number
  readonly records: number
  readonly bytes: number
  readonly topics: readonly TopicPlan[]
  readonly nodes: number
  readonly options: Partial<ProducerOptions>
  readonly batchBytes: number
  readonly idempotent: boolean
  readonly acks: 'all' | '1' | '0'
  /** Null: the producer has no transactions. */
  readonly transactionVersion: 1 | 2 | null
  readonly faults: FaultPlan
  readonly plugIn: PlugIn
  /** `max.block.ms` is short and memory scarce: records may be refused for want of memory. */
  readonly isExhausting: boolean
  /** Records that may be unsettled before the next burst waits. */
  readonly unsettledMax: number
  readonly end: 'flush' | 'close' | 'close at once'
}

/** What is left out on a real Kafka, where faults and topics cannot be had by a call. */
export interface PlanLimits {
  readonly isRealKafka: boolean
}

const NO_FAULTS: FaultPlan = {
  isRefusing: false,
  isAmbiguous: false,
  isFailing: false,
  isMoving: false,
  onceIn: Number.POSITIVE_INFINITY,
}

export function planOf(seed: number, records: number, limits: PlanLimits = { isRealKafka: false }): Plan {
  const random = new Random(seed)
  const batchBytes = random.pick(BATCH_BYTES) + (random.once(3) ? random.below(500) : 0)
  const isTransactional = random.once(5)
  const idempotent = isTransactional || !random.once(6)
  const maxInFlight = idempotent ? 1 + random.below(5) : random.once(2) ? 1 : 1 + random.below(8)
  const faults = limits.isRealKafka ? NO_FAULTS : faultsOf(random, idempotent, maxInFlight)
  // Nobody knows when a real broker has taken what was only written to it.
  const weakAcks: readonly Plan['acks'][] = limits.isRealKafka ? ['1', '1', 'all'] : ['0', '1', 'all']
  const acks = idempotent || faults !== NO_FAULTS ? 'all' : random.pick(weakAcks)
  // One more batch than the largest needs, or everything is refused for its size.
  const isScarce = random.once(3)
  const isExhausting = isScarce && random.once(2)
  const maxRequestBytes = Math.max(random.once(4) ? 2 * batchBytes : 1_048_576, 4096)
  const bufferBytes = isScarce
    ? (2 + random.below(6)) * Math.max(batchBytes, maxRequestBytes >> 3)
    : 33_554_432
  return {
    seed,
    records,
    bytes: WORLD_BYTES,
    // A batch is split by a retry, which reorders and loses what is not protected from that.
    topics: topicsOf(random, seed, limits, acks !== '0' && (idempotent || maxInFlight === 1)),
    nodes: faults.isMoving ? 3 : 1 + random.below(2),
    options: {
      batchSize: batchBytes,
      lingerMs: random.pick(LINGERS_MS),
      compressionType: random.pick(CODECS),
      maxInFlightRequestsPerConnection: maxInFlight,
      enableIdempotence: idempotent,
      acks,
      partitionerAdaptivePartitioningEnable: random.once(2),
      partitionerIgnoreKeys: random.once(8),
      bufferMemory: bufferBytes,
      maxRequestSize: maxRequestBytes,
      maxBlockMs: isExhausting ? 5 + random.below(60) : PATIENCE_MS,
      // What waits counts more than its bytes: where nothing may be refused, all of a world has room.
      ...(!isExhausting && { maxBlockBytes: 256 * 1024 * 1024 }),
      deliveryTimeoutMs: PATIENCE_MS,
      retryBackoffMs: 1 + random.below(4),
      retryBackoffMaxMs: 20,
      reconnectBackoffMs: 1 + random.below(4),
      reconnectBackoffMaxMs: 20,
      metadataMaxAgeMs: random.once(3) ? 20 + random.below(200) : 300_000,
      // Without idempotence a request that is repeated may double its records, as in every client.
      requestTimeoutMs: idempotent ? 2_000 + random.below(3_000) : REQUEST_PATIENCE_MS,
      ...(isTransactional && { transactionalId: `sends-${seed}`, transactionTimeoutMs: 60_000 }),
    },
    batchBytes,
    idempotent,
    acks,
    transactionVersion: isTransactional ? (random.once(2) ? 1 : 2) : null,
    faults,
    plugIn: random.pick(PLUG_INS),
    isExhausting,
    unsettledMax: random.pick([50, 500, 2_000, 2_000, 6_000, 6_000, 10_000]),
    end: random.pick(['flush', 'flush', 'close', 'close at once']),
  }
}

function topicsOf(random: Random, seed: number, { isRealKafka }: PlanLimits, maySplit: boolean): TopicPlan[] {
  return Array.from({ length: 1 + random.below(3) }, (_, index) => ({
    name: `sends-${seed}-${index}`,
    partitions: random.pick([1, 2, 3, 6, 6, 6, 12, 64]),
    grows: !isRealKafka && random.once(5),
    maxMessageBytes: random.once(8) && maySplit ? 600 + random.below(3_000) : null,
    isStampedByBroker: random.once(6),
  }))
}

/**
 * Without idempotence a retry may double and reorder, as in every client: then only what is refused before it
 * is stored is allowed, and with one request in flight.
 */
function faultsOf(random: Random, idempotent: boolean, maxInFlight: number): FaultPlan {
  if (random.once(2) || (!idempotent && maxInFlight > 1)) return NO_FAULTS
  const isMoving = idempotent && random.once(3)
  return {
    isRefusing: random.once(2),
    isAmbiguous: isMoving || (idempotent && random.once(2)),
    isFailing: random.once(3),
    isMoving,
    onceIn: random.pick([3, 10, 40]),
  }
}
