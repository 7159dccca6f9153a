import { KafkaError } from '../errors/index.js'
import { FRAME_SIZE_BYTES } from './header.js'
import { PRODUCE_FLEXIBLE_FROM, PRODUCE_TOPIC_IDS_FROM, Produce } from './produce.js'

export interface ProducePartition {
  index: number
  /** A finished record batch; sent as it is, so not to be written to before the socket is done with it. */
  records: Uint8Array
}

export interface ProduceTopic {
  /** Written up to version 12. */
  name: string
  /** 16 bytes, written from version 13 on. */
  id: Uint8Array
  partitions: readonly ProducePartition[]
}

const FRAME_BYTES_MAX = 0x7fffffff
const VARINT_BYTES_MAX = 5
/** Size, key, version, correlation id, client id's length and tags; acks, time-out and the body's tags. */
const FIXED_BYTES_MAX = FRAME_SIZE_BYTES + 2 + 2 + 4 + 2 + 1 + 2 + 4 + 1
/** Index, length of the records and tags. */
const PARTITION_BYTES_MAX = 4 + VARINT_BYTES_MAX + 1
/** Lengths of name and array, tags. */
const TOPIC_BYTES_MAX = 2 * VARINT_BYTES_MAX + 1
const UUID_BYTES = 16
/** A UTF-16 code unit takes at most three bytes of UTF-8: an upper bound without looking at the text. */
const UTF8_BYTES_PER_UNIT_MAX = 3

/** Everything of a frame but its records, in one buffer that is cut where records go between. */
class Glue {
  readonly chunks: Uint8Array[] = []
  private readonly buffer: Buffer
  private readonly flexible: boolean
  private position = 0
  private cutAt = 0
  private recordBytes = 0

  constructor(capacityBytes: number, flexible: boolean) {
    this.buffer = Buffer.allocUnsafe(capacityBytes)
    this.flexible = flexible
    this.position = FRAME_SIZE_BYTES
  }

  int16(value: number): void {
    this.position = this.buffer.writeInt16BE(value, this.position)
  }

  int32(value: number): void {
    this.position = this.buffer.writeInt32BE(value, this.position)
  }

  raw(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.position)
    this.position += bytes.length
  }

  /** Length + 1 as an unsigned varint where flexible, an int32 where not. */
  length(value: number): void {
    if (!this.flexible) {
      this.int32(value)
      return
    }
    let rest = value + 1
    while (rest >= 0x80) {
      this.buffer[this.position++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.position++] = rest
  }

  string(value: string): void {
    const bytes = Buffer.byteLength(value)
    if (this.flexible) this.length(bytes)
    else this.int16(bytes)
    this.position += this.buffer.write(value, this.position, bytes, 'utf8')
  }

  nullableString(value: string | null): void {
    if (value !== null) this.string(value)
    else if (this.flexible) this.length(-1)
    else this.int16(-1)
  }

  noTags(): void {
    if (this.flexible) this.buffer[this.position++] = 0
  }

  records(records: Uint8Array): void {
    this.chunks.push(this.cut(), records)
    this.recordBytes += records.length
  }

  /** Ends the frame and writes its size in front. */
  finish(): Uint8Array[] {
    const bytes = this.position - FRAME_SIZE_BYTES + this.recordBytes
    if (bytes > FRAME_BYTES_MAX) {
      throw new KafkaError('INTERNAL', `A produce request of ${bytes} bytes does not fit a frame`)
    }
    this.buffer.writeInt32BE(bytes, 0)
    if (this.position > this.cutAt) this.chunks.push(this.cut())
    return this.chunks
  }

  private cut(): Uint8Array {
    const piece = this.buffer.subarray(this.cutAt, this.position)
    this.cutAt = this.position
    return piece
  }
}

function glueBytesMax(
  version: number,
  clientId: Uint8Array | null,
  transactionalId: string | null,
  topics: readonly ProduceTopic[],
): number {
  let bytes = FIXED_BYTES_MAX + (clientId?.length ?? 0) + 2 * VARINT_BYTES_MAX
  if (transactionalId !== null) bytes += transactionalId.length * UTF8_BYTES_PER_UNIT_MAX
  for (const topic of topics) {
    bytes += TOPIC_BYTES_MAX + topic.partitions.length * PARTITION_BYTES_MAX
    bytes += version >= PRODUCE_TOPIC_IDS_FROM ? UUID_BYTES : topic.name.length * UTF8_BYTES_PER_UNIT_MAX
  }
  return bytes
}

/**
 * A whole Produce request as chunks for one gathered write: records are handed on as they are, the bytes
 * between them are slices of one buffer. Joined, they are the frame that `encodeRequest(Produce, …)` makes.
 */
export function encodeProduceFrame(
  version: number,
  correlationId: number,
  clientId: Uint8Array | null,
  transactionalId: string | null,
  acks: number,
  timeoutMs: number,
  topics: readonly ProduceTopic[],
): Uint8Array[] {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  const glue = new Glue(glueBytesMax(version, clientId, transactionalId, topics), flexible)
  glue.int16(Produce.key)
  glue.int16(version)
  glue.int32(correlationId)
  glue.int16(clientId === null ? -1 : clientId.length)
  if (clientId !== null) glue.raw(clientId)
  glue.noTags()
  glue.nullableString(transactionalId)
  glue.int16(acks)
  glue.int32(timeoutMs)
  glue.length(topics.length)
  for (const topic of topics) {
    if (version >= PRODUCE_TOPIC_IDS_FROM) glue.raw(topic.id)
    else glue.string(topic.name)
    glue.length(topic.partitions.length)
    for (const partition of topic.partitions) {
      glue.int32(partition.index)
      glue.length(partition.records.length)
      glue.records(partition.records)
      glue.noTags()
    }
    glue.noTags()
  }
  glue.noTags()
  return glue.finish()
}
