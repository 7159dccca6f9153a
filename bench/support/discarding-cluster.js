// What the nodes of the discarding broker share: topics, answers, counts and the checks of batches.
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { apis } from '../../dist/protocol/apis.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { GetTelemetrySubscriptions } from '../../dist/protocol/get-telemetry-subscriptions.js'
import { InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { Metadata, OPERATIONS_UNKNOWN } from '../../dist/protocol/metadata.js'
import { PushTelemetry } from '../../dist/protocol/push-telemetry.js'
import { RecordSums } from './record-sums.js'

/** Offsets in a record batch. Its length counts from the end of its own field, 12 bytes into the batch. */
const Batch = {
  LENGTH: 8,
  MAGIC: 16,
  ATTRIBUTES: 21,
  LAST_OFFSET_DELTA: 23,
  PRODUCER_ID: 43,
  PRODUCER_EPOCH: 51,
  BASE_SEQUENCE: 53,
  RECORD_COUNT: 57,
}
const LENGTH_END = 12
const MAGIC = 2
const CODEC_BITS = 7
const SEQUENCES = 2 ** 31
const FIRST_PRODUCER_ID = 1000

const TELEMETRY = [GetTelemetrySubscriptions, PushTelemetry]
const isAnnounced = api => !TELEMETRY.includes(api)

class Topic {
  constructor(name, serial, partitionCount) {
    this.name = name
    this.id = Buffer.alloc(16)
    this.id.writeUInt32BE(0xd15ca2d, 0)
    this.id.writeUInt32BE(serial, 12)
    this.nextOffsets = new Array(partitionCount).fill(0)
    /** Per partition, the next sequence by producer id and epoch. */
    this.sequences = this.nextOffsets.map(() => new Map())
  }
}

export class DiscardingCluster {
  nodes = []
  #topics = []
  #byName = new Map()
  #partitionCount
  #takesAny
  #lastProducerId = FIRST_PRODUCER_ID

  /**
   * `topicNames` null: any name is a topic. `crc32c` null: batches are not verified; else `looksInside` says
   * whether the records of batches without a codec are read, too.
   */
  constructor({ partitionCount, topicNames, crc32c, looksInside = false }) {
    this.#partitionCount = partitionCount
    this.#takesAny = topicNames === null
    this.crc32c = crc32c
    this.looksInside = looksInside
    /** Protocol and cipher of the last connection with TLS. */
    this.cipher = null
    for (const name of topicNames ?? []) this.#addTopic(name)
    this.reset()
  }

  reset() {
    this.cpuAtReset = process.cpuUsage()
    this.connections = 0
    this.requests = 0
    this.batches = 0
    this.batchesWithoutProducer = 0
    this.records = 0
    this.batchBytes = 0
    this.wireBytes = 0
    this.errors = 0
    this.firstError = null
    this.sums = new RecordSums()
  }

  counts() {
    const { user, system } = process.cpuUsage(this.cpuAtReset)
    const { connections, requests, batches, records, batchBytes, wireBytes, errors, firstError } = this
    const { batchesWithoutProducer, cipher, sums } = this
    const isVerified = this.crc32c !== null
    return {
      ...{ records, batches, requests, batchBytes, wireBytes, connections, errors, firstError },
      ...{ isVerified, batchesWithoutProducer, cpuMicros: user + system, cipher, sums },
    }
  }

  fail(message) {
    this.errors++
    this.firstError ??= message
  }

  topicByName(name) {
    return this.#byName.get(name) ?? (this.#takesAny ? this.#addTopic(name) : undefined)
  }

  /** Of the 16 bytes at `at`. */
  topicById(bytes, at) {
    const topic = this.#topics[bytes.readUInt32BE(at + 12)]
    return topic !== undefined && bytes.compare(topic.id, 0, 16, at, at + 16) === 0 ? topic : undefined
  }

  #addTopic(name) {
    const topic = new Topic(name, this.#topics.length, this.#partitionCount)
    this.#topics.push(topic)
    this.#byName.set(name, topic)
    return topic
  }

  /** Counts the batch whose header lies at `at`, and with --verify checks what the header says. */
  takeBatch(topic, partition, bytes, at, batchBytes) {
    const recordCount = bytes.readInt32BE(at + Batch.RECORD_COUNT)
    this.batches++
    this.records += recordCount
    this.batchBytes += batchBytes
    topic.nextOffsets[partition] += recordCount
    const length = bytes.readInt32BE(at + Batch.LENGTH) + LENGTH_END
    if (length !== batchBytes || bytes[at + Batch.MAGIC] !== MAGIC) {
      this.fail(`${topic.name}-${partition}: ${batchBytes} bytes are not one batch of version ${MAGIC}`)
    }
    if (this.crc32c !== null) this.#verifyHeader(topic, partition, bytes, at, recordCount)
  }

  /** Whether the records of the batch whose header lies at `at` are to be given to `takeRecords`. */
  looksInto(bytes, at) {
    return this.looksInside && (bytes.readInt16BE(at + Batch.ATTRIBUTES) & CODEC_BITS) === 0
  }

  takeRecords(bytes, count, where) {
    try {
      this.sums.take(bytes, count)
    } catch (error) {
      this.fail(`${where}: ${error.message}`)
    }
  }

  #verifyHeader(topic, partition, bytes, at, recordCount) {
    const where = `${topic.name}-${partition}`
    const lastDelta = bytes.readInt32BE(at + Batch.LAST_OFFSET_DELTA)
    if (lastDelta !== recordCount - 1) {
      this.fail(`${where}: last offset delta ${lastDelta} of ${recordCount} records`)
    }
    const producerId = bytes.readBigInt64BE(at + Batch.PRODUCER_ID)
    if (producerId < 0n) {
      this.batchesWithoutProducer++
      return
    }
    const producer = `${producerId}/${bytes.readInt16BE(at + Batch.PRODUCER_EPOCH)}`
    const sequence = bytes.readInt32BE(at + Batch.BASE_SEQUENCE)
    const sequences = topic.sequences[partition]
    const expected = sequences.get(producer) ?? 0
    if (sequence !== expected) {
      this.fail(`${where}: producer ${producer} sent sequence ${sequence} instead of ${expected}`)
    }
    sequences.set(producer, (sequence + recordCount) % SEQUENCES)
  }

  /** The body of the answer to any request but Produce; undefined where the API is not served. */
  answer(api, request) {
    if (api === ApiVersions) return this.#apiVersions()
    if (api === Metadata) return this.#metadata(request)
    if (api === InitProducerId) {
      const producerId = BigInt(this.#lastProducerId++)
      return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, producerId, producerEpoch: 0 }
    }
    return undefined
  }

  /**
   * Clients infer features from APIs that they never call, so all that have a codec are announced. Not so
   * those of telemetry, which clients call where they are: a broker without a receiver leaves them out, too.
   */
  #apiVersions() {
    return {
      errorCode: ErrorCodes.NONE,
      apiKeys: apis
        .filter(isAnnounced)
        .map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion })),
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1n,
      finalizedFeatures: [],
      zkMigrationReady: false,
    }
  }

  /** To a client that is ahead of this broker: in version 0, which says what to ask with (KIP-511). */
  unsupportedApiVersions() {
    return { ...this.#apiVersions(), errorCode: ErrorCodes.UNSUPPORTED_VERSION }
  }

  #metadata({ topics }) {
    const asked = topics?.map(({ name, topicId }) => ({ name, topicId })) ?? this.#topics
    return {
      throttleTimeMs: 0,
      brokers: this.nodes.map(({ host, port }, nodeId) => ({ nodeId, host, port, rack: null })),
      clusterId: 'discarding-broker',
      controllerId: 0,
      topics: asked.map(each => this.#topicMetadata(each)),
      clusterAuthorizedOperations: OPERATIONS_UNKNOWN,
      errorCode: ErrorCodes.NONE,
    }
  }

  #topicMetadata({ name, topicId }) {
    const known = name === null ? this.topicById(Buffer.from(topicId), 0) : this.topicByName(name)
    const unknownCode = name === null ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION
    return {
      errorCode: known === undefined ? unknownCode : ErrorCodes.NONE,
      name: known?.name ?? name,
      topicId: known?.id ?? topicId,
      isInternal: false,
      partitions: known?.nextOffsets.map((_, partition) => this.#partitionMetadata(partition)) ?? [],
      topicAuthorizedOperations: OPERATIONS_UNKNOWN,
    }
  }

  #partitionMetadata(partitionIndex) {
    const leaderId = partitionIndex % this.nodes.length
    return {
      errorCode: ErrorCodes.NONE,
      partitionIndex,
      leaderId,
      leaderEpoch: 0,
      replicaNodes: [leaderId],
      isrNodes: [leaderId],
      offlineReplicas: [],
    }
  }
}
