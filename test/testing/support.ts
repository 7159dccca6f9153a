import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Api } from '../../dist/protocol/api.js'
import { decodeResponse, encodeRequest } from '../../dist/protocol/header.js'
import { Produce, type ProducePartitionResponse } from '../../dist/protocol/produce.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import { Writer } from '../../dist/protocol/writer.js'
import { crc32c } from '../../dist/testing/crc32c.js'
import { type BrokerOptions, startBroker, type TestBroker } from '../../dist/testing/index.js'

/** A broker that says nothing, for the time of a test. */
export function quietBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  return startBroker({ quiet: true, ...options })
}

/** How long a client waits for the broker's next move before the test fails. */
const PATIENCE_MS = 20_000

/** Waits for something to become true in this process. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${condition}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Of the nodes of a cluster. */
interface Addresses {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
}

/** A client that does nothing but frames: requests go out, whole response frames come in. */
export class RawClient implements Disposable {
  readonly socket: Socket
  /** Frames without their length, in the order they came. */
  readonly frames: Buffer[] = []
  closed = false
  private buffered: Buffer = Buffer.alloc(0)
  private lastCorrelationId = 0
  private waiters: (() => void)[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.wake()
    })
  }

  static async connect(broker: Addresses, node = 1): Promise<RawClient> {
    const { host, port } = broker.nodes[node - 1] as Addresses['nodes'][number]
    const socket = connect(port, host)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Bytes of an incomplete frame that have come. */
  get leftOver(): number {
    return this.buffered.length
  }

  private receive(chunk: Buffer): void {
    this.buffered = Buffer.concat([this.buffered, chunk])
    while (this.buffered.length >= 4) {
      const end = 4 + this.buffered.readInt32BE(0)
      if (this.buffered.length < end) break
      this.frames.push(this.buffered.subarray(4, end))
      this.buffered = this.buffered.subarray(end)
    }
    this.wake()
  }

  private wake(): void {
    for (const waiter of this.waiters.splice(0)) waiter()
  }

  /** Resolves when a frame has come or the connection has ended. */
  private news(): Promise<void> {
    return new Promise((resolve, reject) => {
      const impatience = setTimeout(() => reject(new Error('the broker kept silent')), PATIENCE_MS)
      this.waiters.push(() => {
        clearTimeout(impatience)
        resolve()
      })
    })
  }

  /** Sends a request and answers its correlation id. */
  send<Q, S>(api: Api<Q, S>, version: number, body: Q): number {
    const id = ++this.lastCorrelationId
    this.socket.write(encodeRequest(api as Api<Q, unknown>, version, id, 'raw', body))
    return id
  }

  /** The next frame; null if the connection ends before. */
  async nextFrame(): Promise<Buffer | null> {
    while (this.frames.length === 0) {
      if (this.closed) return null
      await this.news()
    }
    return this.frames.shift() ?? null
  }

  /** Resolves when the broker has ended the connection. */
  async end(): Promise<void> {
    while (!this.closed) await this.news()
  }

  async receiveResponse<Q, S>(api: Api<Q, S>, version: number): Promise<{ id: number; body: S }> {
    const frame = await this.nextFrame()
    if (frame === null) throw new Error(`the connection ended instead of an answer to ${api.name}`)
    const anyRequest = api as unknown as Api<never, S>
    return { id: frame.readInt32BE(0), body: decodeResponse(anyRequest, version, frame) }
  }

  async request<Q, S>(api: Api<Q, S>, version: number, body: Q): Promise<S> {
    const sent = this.send(api, version, body)
    const { id, body: response } = await this.receiveResponse(api, version)
    if (id !== sent) throw new Error(`correlation id ${id} instead of ${sent}`)
    return response
  }

  /** Produces one batch and answers the partition's outcome. */
  async produce(
    topic: string,
    partition: number,
    records: Uint8Array,
    version = 9,
  ): Promise<ProducePartitionResponse> {
    const response = await this.request(Produce, version, produceRequest(topic, partition, records))
    return response.responses[0]?.partitionResponses[0] as ProducePartitionResponse
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

/** The body of a Produce request with one batch. */
export function produceRequest(
  name: string,
  index: number,
  records: Uint8Array | null,
  acks = -1,
  topicId = ZERO_UUID,
) {
  return {
    transactionalId: null,
    acks,
    timeoutMs: 1000,
    topicData: [{ name, topicId, partitionData: [{ index, records }] }],
  }
}

/** What a record of {@link encodeBatch} is made of. */
export interface PlainRecord {
  timestampDelta?: number
  offsetDelta?: number
  key?: string | Uint8Array | null
  value?: string | Uint8Array | null
  headers?: readonly [string, string | null][]
}

/** Header fields of {@link encodeBatch}; those left out are as a producer without idempotence writes them. */
export interface BatchFields {
  magic?: number
  attributes?: number
  lastOffsetDelta?: number
  baseTimestamp?: bigint
  maxTimestamp?: bigint
  producerId?: bigint
  producerEpoch?: number
  baseSequence?: number
  recordCount?: number
}

export const BASE_TIMESTAMP = 1_700_000_000_000n

/** A batch of plain records, with what the test wants in its header and a CRC that fits. */
export function encodeBatch(records: readonly PlainRecord[], fields: BatchFields = {}): Buffer {
  const encoded = new Writer()
  for (const [index, record] of records.entries()) encodeRecord(encoded, record, index)
  return assembleBatch(encoded.finish(), records, fields)
}

/** A batch around a records region that is there already. */
export function assembleBatch(
  region: Uint8Array,
  records: readonly PlainRecord[],
  fields: BatchFields,
): Buffer {
  const base = fields.baseTimestamp ?? BASE_TIMESTAMP
  const maxDelta = Math.max(...records.map(record => record.timestampDelta ?? 0))
  const w = new Writer()
  w.int64(0n)
  w.int32(49 + region.length)
  w.int32(-1)
  w.int8(fields.magic ?? 2)
  w.uint32(0)
  w.int16(fields.attributes ?? 0)
  w.int32(fields.lastOffsetDelta ?? records.length - 1)
  w.int64(base)
  w.int64(fields.maxTimestamp ?? base + BigInt(maxDelta))
  w.int64(fields.producerId ?? -1n)
  w.int16(fields.producerEpoch ?? -1)
  w.int32(fields.baseSequence ?? -1)
  w.int32(fields.recordCount ?? records.length)
  w.raw(region)
  const batch = Buffer.from(w.finish())
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

function encodeRecord(w: Writer, record: PlainRecord, index: number): void {
  const body = new Writer()
  body.int8(0)
  body.varlong(BigInt(record.timestampDelta ?? 0))
  body.varint(record.offsetDelta ?? index)
  varintBytes(body, record.key ?? null)
  varintBytes(body, record.value ?? null)
  const headers = record.headers ?? []
  body.varint(headers.length)
  for (const [name, value] of headers) {
    varintBytes(body, name)
    varintBytes(body, value)
  }
  const bytes = body.finish()
  w.varint(bytes.length)
  w.raw(bytes)
}

function varintBytes(w: Writer, value: string | Uint8Array | null): void {
  if (value === null) {
    w.varint(-1)
    return
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  w.varint(bytes.length)
  w.raw(bytes)
}

/** `count` records with the values `first`, `first + 1` … */
export function numbered(count: number, first = 0): PlainRecord[] {
  return Array.from({ length: count }, (_, i) => ({ value: String(first + i) }))
}

/** The values of a topic's records as text. */
export function valuesOf(broker: TestBroker, topic: string, partition?: number): string[] {
  return Array.from(broker.records(topic, partition), record => Buffer.from(record.value ?? []).toString())
}
