import type { Batch } from '../accumulator/batch.js'
import type { OutgoingRequest } from '../cluster/outgoing-request.js'
import { type KafkaError, ProtocolError } from '../errors/index.js'
import { Produce, type ProducePartitionResponse, type ProduceResponse } from '../protocol/produce.js'
import { encodeProduceFrame, type ProduceTopic } from '../protocol/produce-frame.js'
import type { Reader } from '../protocol/reader.js'
import { uuidKey, ZERO_UUID } from '../protocol/uuid.js'

/** First Produce version that names topics by id only. */
const TOPIC_IDS_FROM = 13

export interface ProduceRequestOptions {
  nodeId: number
  version: number
  clientId: Uint8Array
  /** Null without transactions. */
  transactionalId: string | null
  acks: number
  timeoutMs: number
  batches: readonly Batch[]
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
  readonly batches: readonly Batch[]
  readonly expectsResponse: boolean
  /** Why there is no answer, or no write where none is expected. */
  failure: KafkaError | null = null
  private readonly options: ProduceRequestOptions
  /**
   * Batches by topic, as sent. From version 13 on answers carry ids only, and a topic may be recreated under
   * another id meanwhile, so the names are those of the time of sending.
   */
  private readonly byTopic = new Map<string, Map<number, Batch>>()
  private readonly topics: ProduceTopic[]

  constructor(options: ProduceRequestOptions) {
    this.options = options
    this.nodeId = options.nodeId
    this.batches = options.batches
    this.expectsResponse = options.acks !== 0
    this.version = hasEveryTopicId(options.batches)
      ? options.version
      : Math.min(options.version, TOPIC_IDS_FROM - 1)
    this.topics = this.group()
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
    visit: (batch: Batch, partition: ProducePartitionResponse | null) => void,
    onStray: (topic: string, partition: number) => void,
  ): void {
    for (const topic of response.responses) {
      const key = this.version >= TOPIC_IDS_FROM ? uuidKey(topic.topicId) : topic.name
      const batches = this.byTopic.get(key)
      for (const partition of topic.partitionResponses) {
        const batch = batches?.get(partition.index)
        if (batch === undefined) onStray(key, partition.index)
        else {
          batches?.delete(partition.index)
          visit(batch, partition)
        }
      }
    }
    for (const batches of this.byTopic.values()) for (const batch of batches.values()) visit(batch, null)
  }

  private fail(error: KafkaError): void {
    this.failure = error
    this.options.onAnswer(this, null)
  }

  private group(): ProduceTopic[] {
    const topics = new Map<string, ProduceTopic & { partitions: { index: number; records: Uint8Array }[] }>()
    for (const batch of this.batches) {
      const { topic, index } = batch.partition
      const id = topic.metadata?.id ?? ZERO_UUID
      const key = this.version >= TOPIC_IDS_FROM ? uuidKey(id) : topic.name
      let entry = topics.get(key)
      if (entry === undefined) {
        entry = { name: topic.name, id, partitions: [] }
        topics.set(key, entry)
        this.byTopic.set(key, new Map())
      }
      entry.partitions.push({ index, records: batch.view() })
      this.byTopic.get(key)?.set(index, batch)
    }
    return [...topics.values()]
  }
}

function hasEveryTopicId(batches: readonly Batch[]): boolean {
  return batches.every(batch => batch.partition.topic.metadata?.id.some(byte => byte !== 0) ?? false)
}
