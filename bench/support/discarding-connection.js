// One connection of the discarding broker: reads requests from the socket's chunks as they come.
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { apisByKey } from '../../dist/protocol/apis.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { encodeResponse, readRequestHeader } from '../../dist/protocol/header.js'
import { PRODUCE_FLEXIBLE_FROM, PRODUCE_TOPIC_IDS_FROM, Produce } from '../../dist/protocol/produce.js'
import { Reader } from '../../dist/protocol/reader.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'

const BATCH_HEADER_BYTES = 61
/** The CRC32C of a batch stands here, and covers all that follows it. */
const CRC_AT = 17
const CRC_FROM = 21
const RECORD_COUNT_AT = 57
/** Size, API key, API version, correlation id. */
const FRAME_HEAD_BYTES = 12
const CONTROL_FRAME_BYTES_MAX = 1 << 20
const NO_RECORD_ERRORS = []
const NO_LEADER = { leaderId: -1, leaderEpoch: -1 }

/**
 * The parser is a generator that is resumed for each chunk. Bytes it wants to look at are claimed: they lie
 * in `bytes` from the position that `claim` gives, until the next claim; that is the chunk itself, or a small
 * buffer where they straddle two chunks.
 */
export class DiscardingConnection {
  #socket
  #cluster
  #parser
  #chunk = Buffer.alloc(0)
  #at = 0
  #straddling = Buffer.alloc(256)
  /** Bytes of the frame not read yet. */
  #left = 0
  bytes = this.#chunk

  constructor(socket, cluster) {
    this.#socket = socket
    this.#cluster = cluster
    cluster.connections++
    this.#parser = this.#requests()
    this.#parser.next()
    socket.on('error', () => socket.destroy())
  }

  /** The chunk may be overwritten once this has returned. */
  take(chunk) {
    this.#cluster.wireBytes += chunk.length
    this.#chunk = chunk
    this.#at = 0
    try {
      this.#parser.next()
    } catch (error) {
      this.#cluster.fail(`connection closed: ${error.message}`)
      this.#socket.destroy()
    }
  }

  *#requests() {
    for (;;) {
      this.#left = FRAME_HEAD_BYTES
      const at = yield* this.#claim(FRAME_HEAD_BYTES)
      this.#left = this.bytes.readInt32BE(at) - (FRAME_HEAD_BYTES - 4)
      const key = this.bytes.readInt16BE(at + 4)
      const version = this.bytes.readInt16BE(at + 6)
      const correlationId = this.bytes.readInt32BE(at + 8)
      if (key === Produce.key) yield* this.#produce(version, correlationId)
      else yield* this.#control(key, version, correlationId)
      if (this.#left !== 0) throw new Error(`API ${key}: ${this.#left} bytes are left of the frame`)
    }
  }

  /** A request other than Produce: small, so it is put together and decoded whole. */
  *#control(key, version, correlationId) {
    const api = apisByKey.get(key)
    if (api === undefined || this.#left > CONTROL_FRAME_BYTES_MAX) throw new Error(`API ${key} is not served`)
    const frame = Buffer.alloc(8 + this.#left)
    frame.writeInt16BE(key, 0)
    frame.writeInt16BE(version, 2)
    frame.writeInt32BE(correlationId, 4)
    for (let end = 8; end < frame.length; ) {
      const piece = Math.min(frame.length - end, this.#straddling.length)
      const at = yield* this.#claim(piece)
      this.bytes.copy(frame, end, at, at + piece)
      end += piece
    }
    if (api === ApiVersions && version > api.maxVersion) {
      this.#socket.write(encodeResponse(api, 0, correlationId, this.#cluster.unsupportedApiVersions()))
      return
    }
    const reader = new Reader(frame)
    readRequestHeader(reader)
    const body = this.#cluster.answer(api, api.readRequest(reader, version))
    if (body === undefined) throw new Error(`${api.name} is not served`)
    this.#socket.write(encodeResponse(api, version, correlationId, body))
  }

  *#produce(version, correlationId) {
    const flexible = version >= PRODUCE_FLEXIBLE_FROM
    yield* this.#skip(yield* this.#length16())
    if (flexible) yield* this.#skipTags()
    yield* this.#skip(flexible ? yield* this.#length(true) : yield* this.#length16())
    const at = yield* this.#claim(6)
    const acks = this.bytes.readInt16BE(at)
    const responses = []
    for (let count = yield* this.#length(flexible); count > 0; count--) {
      responses.push(yield* this.#topicData(version, flexible))
    }
    if (flexible) yield* this.#skipTags()
    this.#cluster.requests++
    if (acks === 0) return
    const body = { responses, throttleTimeMs: 0, nodeEndpoints: [] }
    this.#socket.write(encodeResponse(Produce, version, correlationId, body))
  }

  *#topicData(version, flexible) {
    let topic
    if (version >= PRODUCE_TOPIC_IDS_FROM) {
      const at = yield* this.#claim(16)
      topic = this.#cluster.topicById(this.bytes, at)
    } else {
      const nameBytes = flexible ? yield* this.#length(true) : yield* this.#length16()
      const at = yield* this.#claim(nameBytes)
      topic = this.#cluster.topicByName(this.bytes.toString('utf8', at, at + nameBytes))
    }
    if (topic === undefined) throw new Error('a batch for a topic that is not known')
    const partitionResponses = []
    for (let count = yield* this.#length(flexible); count > 0; count--) {
      partitionResponses.push(yield* this.#partitionData(topic, flexible))
    }
    if (flexible) yield* this.#skipTags()
    const byId = version >= PRODUCE_TOPIC_IDS_FROM
    return { name: byId ? '' : topic.name, topicId: byId ? topic.id : ZERO_UUID, partitionResponses }
  }

  *#partitionData(topic, flexible) {
    const indexAt = yield* this.#claim(4)
    const partition = this.bytes.readInt32BE(indexAt)
    const batchBytes = yield* this.#length(flexible)
    const offset = topic.nextOffsets[partition]
    if (offset === undefined || batchBytes < BATCH_HEADER_BYTES) {
      throw new Error(`${batchBytes} bytes of records for ${topic.name}-${partition}`)
    }
    const at = yield* this.#claim(BATCH_HEADER_BYTES)
    this.#cluster.takeBatch(topic, partition, this.bytes, at, batchBytes)
    if (this.#cluster.crc32c === null) yield* this.#skip(batchBytes - BATCH_HEADER_BYTES)
    else yield* this.#verify(at, batchBytes - BATCH_HEADER_BYTES, `${topic.name}-${partition}`)
    if (flexible) yield* this.#skipTags()
    return {
      index: partition,
      errorCode: ErrorCodes.NONE,
      baseOffset: BigInt(offset),
      logAppendTimeMs: -1n,
      logStartOffset: 0n,
      recordErrors: NO_RECORD_ERRORS,
      errorMessage: null,
      currentLeader: NO_LEADER,
    }
  }

  /** The CRC over the header at `at` and the records, chunk by chunk; what is inside those, if asked for. */
  *#verify(at, recordBytes, where) {
    const { crc32c } = this.#cluster
    const recordCount = this.bytes.readInt32BE(at + RECORD_COUNT_AT)
    const inside = this.#cluster.looksInto(this.bytes, at) ? Buffer.alloc(recordBytes) : null
    const expected = this.bytes.readUInt32BE(at + CRC_AT)
    let crc = crc32c(this.bytes.subarray(at + CRC_FROM, at + BATCH_HEADER_BYTES))
    for (let left = recordBytes; left > 0; ) {
      if (this.#at === this.#chunk.length) yield
      const end = Math.min(this.#chunk.length, this.#at + left)
      crc = crc32c(this.#chunk.subarray(this.#at, end), crc)
      if (inside !== null) this.#chunk.copy(inside, recordBytes - left, this.#at, end)
      left -= end - this.#at
      this.#left -= end - this.#at
      this.#at = end
    }
    if (crc !== expected) this.#cluster.fail(`${where}: CRC32C ${crc} where the header says ${expected}`)
    if (inside !== null) this.#cluster.takeRecords(inside, recordCount, where)
  }

  /** Where the next `count` bytes begin in `bytes`. */
  *#claim(count) {
    if (count > this.#left) throw new Error(`a frame ends within a field of ${count} bytes`)
    this.#left -= count
    const at = this.#at
    if (count <= this.#chunk.length - at) {
      this.bytes = this.#chunk
      this.#at = at + count
      return at
    }
    if (count > this.#straddling.length) this.#straddling = Buffer.alloc(count)
    for (let filled = 0; ; ) {
      const copied = this.#chunk.copy(this.#straddling, filled, this.#at, this.#at + count - filled)
      filled += copied
      this.#at += copied
      if (filled === count) break
      yield
    }
    this.bytes = this.#straddling
    return 0
  }

  *#skip(count) {
    if (count > this.#left) throw new Error(`a frame ends within a field of ${count} bytes`)
    if (count <= 0) return
    this.#left -= count
    let rest = count
    while (rest > this.#chunk.length - this.#at) {
      rest -= this.#chunk.length - this.#at
      yield
    }
    this.#at += rest
  }

  /** Length of a string where not compact; -1 for null. */
  *#length16() {
    const at = yield* this.#claim(2)
    return this.bytes.readInt16BE(at)
  }

  /** Length of bytes or of an array; -1 for null. */
  *#length(flexible) {
    if (flexible) return (yield* this.#uvarint()) - 1
    const at = yield* this.#claim(4)
    return this.bytes.readInt32BE(at)
  }

  *#uvarint() {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const at = yield* this.#claim(1)
      const byte = this.bytes[at]
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new Error('a varint is longer than 32 bits')
  }

  *#skipTags() {
    for (let count = yield* this.#uvarint(); count > 0; count--) {
      yield* this.#uvarint()
      yield* this.#skip(yield* this.#uvarint())
    }
  }
}
