import type { PartitionBatch, PartitionTopic } from '../accumulator/partition/partition-state.js'
import type { OutgoingRequest } from '../cluster/outgoing-request.js'
import { type KafkaError, ProtocolError } from '../errors/index.js'
import {
  Produce,
  type ProducePartitionResponse,
  type ProduceResponse,
  type ProduceTopicResponse,
} from '../protocol/produce.js'
import { encodeProduceFrame, type ProducePartition, type ProduceTopic } from '../protocol/produce-frame.js'
import type { Reader } from '../protocol/reader.js'
import { isZeroUuid, sameUuid, uuidKey } from '../protocol/uuid.js'

/** First Produce version that names topics by id only. */
const TOPIC_IDS_FROM = 13

interface ProduceRequestOptions {
  nodeId: number
  version: number
  clientId: Uint8Array
  /** Null without transactions. */
  transactionalId: string | null
  acks: number
  timeoutMs: number
  batches: readonly PartitionBatch[]
  /** The socket no longer reads the batches. */
  onWritten: (request: ProduceRequest, error: Error | null) => void
  /** The answer, or null where there is none (see {@link ProduceRequest.failure}); never with acks 0. */
  onAnswer: (request: ProduceRequest, response: ProduceResponse | null) => void
}

/** One Produce request: at most one batch of each of a broker's partitions. */
export class ProduceRequest implements OutgoingRequest {
  readonly api = Produce
  readonly nodeId: number
  readonly version: number
  readonly batches: readonly PartitionBatch[]
  readonly expectsResponse: boolean
  /** Why there is no answer, or no write where none is expected. */
  failure: KafkaError | null = null
  private readonly options: ProduceRequestOptions
  private readonly topics: readonly SentTopic[]
  /** The place of each topic in `topics` by name or id; made when an answer has them in another order. */
  private topicPlaces: ReadonlyMap<string, number> | null = null

  constructor(options: ProduceRequestOptions) {
    this.options = options
    this.nodeId = options.nodeId
    this.batches = options.batches
    this.expectsResponse = options.acks !== 0
    this.version = hasEveryTopicId(options.batches)
      ? options.version
      : Math.min(options.version, TOPIC_IDS_FROM - 1)
    this.topics = group(options.batches)
  }

  encode(correlationId: number): Uint8Array[] {
    const { clientId, transactionalId, acks, timeoutMs } = this.options
    const { version, topics } = this
    return encodeProduceFrame(version, correlationId, clientId, transactionalId, acks, timeoutMs, topics)
  }

  onWritten(error: Error | null): void {
    this.options.onWritten(this, error)
  }

  onResponse(error: KafkaError | null, body: Reader | null): void {
    if (error !== null || body === null) {
      this.fail(error ?? new ProtocolError('A Produce response without a body.'))
      return
    }
    let response: ProduceResponse
    try {
      response = Produce.readResponse(body, this.version)
    } catch (cause) {
      // The connection ends with what is thrown here; the batches must not be lost with it.
      this.fail(new ProtocolError('A Produce response could not be read.', { cause }))
      throw cause
    }
    this.options.onAnswer(this, response)
  }

  /**
   * Matches an answer's entries to the batches sent. Entries are distrusted one by one: what was not asked
   * for or comes twice is passed over, and a batch without an entry is answered with null.
   */
  match(
    response: ProduceResponse,
    visit: (batch: PartitionBatch, partition: ProducePartitionResponse | null) => void,
    onStray: (topic: string, partition: number) => void,
  ): void {
    const { responses } = response
    for (let at = 0; at < responses.length; at++) {
      const answered = responses[at] as ProduceTopicResponse
      const sent = this.sentTopic(answered, at)
      const { partitionResponses } = answered
      for (let place = 0; place < partitionResponses.length; place++) {
        const partition = partitionResponses[place] as ProducePartitionResponse
        const batch = sent?.take(partition.index, place) ?? null
        if (batch === null) onStray(this.keyOf(answered.name, answered.topicId), partition.index)
        else visit(batch, partition)
      }
    }
    for (const { unanswered } of this.topics) {
      for (const batch of unanswered) if (batch !== null) visit(batch, null)
    }
  }

  /** The topic that an answer means, which brokers give at the place where it was sent. */
  private sentTopic(answered: ProduceTopicResponse, at: number): SentTopic | undefined {
    const expected = this.topics[at]
    if (expected !== undefined && this.isSame(expected, answered)) return expected
    this.topicPlaces ??= new Map(this.topics.map(({ name, id }, place) => [this.keyOf(name, id), place]))
    const place = this.topicPlaces.get(this.keyOf(answered.name, answered.topicId))
    return place === undefined ? undefined : this.topics[place]
  }

  private isSame({ name, id }: SentTopic, answered: ProduceTopicResponse): boolean {
    return this.version >= TOPIC_IDS_FROM ? sameUuid(id, answered.topicId) : name === answered.name
  }

  private keyOf(name: string, id: Uint8Array): string {
    return this.version >= TOPIC_IDS_FROM ? uuidKey(id) : name
  }

  private fail(error: KafkaError): void {
    this.failure = error
    this.options.onAnswer(this, null)
  }
}

/**
 * A topic's part of a request. From version 13 on answers carry ids only, and a topic may be recreated under
 * another id meanwhile, so name and id are those of the time of sending.
 */
class SentTopic implements ProduceTopic {
  readonly name: string
  readonly id: Uint8Array
  readonly partitions: ProducePartition[] = []
  /** In the order of `partitions`; null once answered. */
  readonly unanswered: (PartitionBatch | null)[] = []
  /** The place of each partition by index; made when an answer has them in another order. */
  private places: ReadonlyMap<number, number> | null = null

  constructor(topic: PartitionTopic) {
    this.name = topic.name
    this.id = topic.id
  }

  add(batch: PartitionBatch): void {
    const { memory, bytes } = batch
    // While another request's bytes may be on their way out of the same memory, it stays as it is.
    const isOwn = batch.readers === 1
    this.partitions.push({
      index: batch.partition.index,
      memory: memory.buffer,
      offset: memory.offset,
      bytes,
      roomBefore: isOwn ? memory.marginBytes : 0,
      roomAfter: isOwn ? Math.max(memory.bytes - bytes, 0) : 0,
    })
    this.unanswered.push(batch)
  }

  /** The batch of a partition, which brokers answer for at the place where it was sent; null after that. */
  take(index: number, at: number): PartitionBatch | null {
    let place: number | undefined = at
    if (this.partitions[at]?.index !== index) {
      this.places ??= new Map(this.partitions.map((partition, position) => [partition.index, position]))
      place = this.places.get(index)
    }
    if (place === undefined) return null
    const batch = this.unanswered[place] ?? null
    this.unanswered[place] = null
    return batch
  }
}

function group(batches: readonly PartitionBatch[]): SentTopic[] {
  const topics: SentTopic[] = []
  let last: PartitionTopic | null = null
  let sent: SentTopic | undefined
  // Most requests have one topic.
  let places: Map<PartitionTopic, SentTopic> | null = null
  for (const batch of batches) {
    const { topic } = batch.partition
    if (topic !== last) {
      if (last !== null && sent !== undefined) places = (places ?? new Map()).set(last, sent)
      last = topic
      sent = places?.get(topic)
      if (sent === undefined) {
        sent = new SentTopic(topic)
        topics.push(sent)
      }
    }
    sent?.add(batch)
  }
  return topics
}

function hasEveryTopicId(batches: readonly PartitionBatch[]): boolean {
  for (const { partition } of batches) {
    if (isZeroUuid(partition.topic.id)) return false
  }
  return true
}
