import { InternalError } from '../errors/index.js'
import { FRAME_SIZE_BYTES } from './header.js'
import { PRODUCE_FLEXIBLE_FROM, PRODUCE_TOPIC_IDS_FROM, Produce } from './produce.js'

/** A finished record batch. Its memory is sent as it is: nobody writes to it before the socket is done. */
export interface ProducePartition {
  index: number
  memory: ArrayBuffer
  /** Where the batch begins in its memory. */
  offset: number
  bytes: number
  /** Bytes of the memory, right in front of the batch and right behind it, that the frame may write to. */
  roomBefore: number
  roomAfter: number
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

/**
 * Everything of a frame but its records: written into one buffer, then moved to the records that it precedes
 * where those have room for it, so that both are one piece. Sockets that cannot gather have fewer writes, or
 * less to copy.
 */
class Glue {
  private readonly pieces: Uint8Array[] = []
  private readonly buffer: Buffer
  private readonly flexible: boolean
  private position = FRAME_SIZE_BYTES
  /** Where the glue begins that belongs to no piece yet. */
  private cutAt = 0
  /** Records that are in no piece yet; the glue from `pendingGlueAt` to `cutAt` goes in front of them. */
  private pending: ProducePartition | null = null
  private pendingGlueAt = 0
  private recordBytes = 0

  constructor(capacityBytes: number, flexible: boolean) {
    this.buffer = Buffer.allocUnsafe(capacityBytes)
    this.flexible = flexible
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

  records(partition: ProducePartition): void {
    this.endPiece(0)
    if (this.position - this.cutAt > partition.roomBefore) {
      this.pieces.push(this.buffer.subarray(this.cutAt, this.position))
      this.cutAt = this.position
    }
    this.pending = partition
    this.pendingGlueAt = this.cutAt
    this.cutAt = this.position
    this.recordBytes += partition.bytes
  }

  /** Ends the frame and writes its size in front. */
  finish(): Uint8Array[] {
    const bytes = this.position - FRAME_SIZE_BYTES + this.recordBytes
    if (bytes > FRAME_BYTES_MAX) {
      throw new InternalError(`A produce request of ${bytes} bytes does not fit a frame`)
    }
    const left = this.position - this.cutAt
    if (this.pending !== null && left <= this.pending.roomAfter) this.endPiece(left)
    else {
      this.endPiece(0)
      this.pieces.push(this.buffer.subarray(this.cutAt, this.position))
    }
    const first = this.pieces[0] as Uint8Array
    for (let at = 0; at < FRAME_SIZE_BYTES; at++) first[at] = bytes >>> (8 * (FRAME_SIZE_BYTES - 1 - at))
    return this.pieces
  }

  /** The pending records become a piece, with so many bytes of glue behind them. */
  private endPiece(bytesAfter: number): void {
    if (this.pending === null) return
    const { memory, offset, bytes } = this.pending
    const bytesBefore = this.cutAt - this.pendingGlueAt
    const piece = new Uint8Array(memory, offset - bytesBefore, bytesBefore + bytes + bytesAfter)
    this.copyGlue(this.pendingGlueAt, bytesBefore, piece, 0)
    this.copyGlue(this.cutAt, bytesAfter, piece, bytesBefore + bytes)
    this.pieces.push(piece)
    this.pending = null
  }

  /** A loop: what is copied is so short that a call would cost more. */
  private copyGlue(from: number, count: number, to: Uint8Array, at: number): void {
    const { buffer } = this
    for (let i = 0; i < count; i++) to[at + i] = buffer[from + i] as number
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
      glue.length(partition.bytes)
      glue.records(partition)
      glue.noTags()
    }
    glue.noTags()
  }
  glue.noTags()
  return glue.finish()
}
