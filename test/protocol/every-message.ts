import type { AnyApi } from '../../dist/protocol/apis.js'
import { apis } from '../../dist/protocol/apis.js'
import { Reader } from '../../dist/protocol/reader.js'
import { Writer } from '../../dist/protocol/writer.js'
import {
  type Body,
  encodeBySchema,
  lengthsBySchema,
  randomBody,
  smallestBodies,
  type Twists,
} from './schema-codec.js'

/** One message of one version of one API, in one direction. */
export class Message {
  readonly title: string
  readonly version: number
  readonly isRequest: boolean
  readonly flexible: boolean
  readonly api: AnyApi
  private readonly schema: string

  constructor(api: AnyApi, version: number, isRequest: boolean) {
    this.api = api
    this.version = version
    this.isRequest = isRequest
    this.flexible = version >= api.flexibleFrom
    this.schema = api.name + (isRequest ? 'Request' : 'Response')
    this.title = `${this.schema} v${version}`
  }

  /** A random body in the shape of the definition. */
  random(random: () => number): Body {
    const body = randomBody(random, this.schema, this.version)
    // In version 0 an empty list of topics means all of them; a test of its own looks at that.
    if (this.schema === 'MetadataRequest' && this.version === 0 && (body.topics as unknown[]).length === 0) {
      body.topics = [{ topicId: new Uint8Array(16), name: 'only' }]
    }
    // UNSUPPORTED_VERSION has a layout of its own; a test of its own looks at that.
    if (this.schema === 'ApiVersionsResponse' && body.errorCode === 35) body.errorCode = 0
    return body
  }

  /** For each array a body that has nothing but `count` elements of it, as small as they can be. */
  smallest(count: number): Body[] {
    return smallestBodies(this.schema, this.version, count)
  }

  bytes(body: Body, twists: Twists = {}): Buffer {
    return encodeBySchema(this.schema, this.version, this.flexible, body, twists)
  }

  lengths(body: Body): number {
    return lengthsBySchema(this.schema, this.version, this.flexible, body)
  }

  /** The body in the shape of the codec, where that differs from the definition. */
  codecBody(body: Body): Body {
    if (this.api.name === 'AddPartitionsToTxn') return this.addPartitionsBody(body)
    if (this.api.name !== 'FindCoordinator') return body
    const { key, keyType, coordinatorKeys, throttleTimeMs, coordinators, ...only } = body
    const isBatched = this.version >= 4
    if (this.isRequest) return { keyType, coordinatorKeys: isBatched ? coordinatorKeys : [key] }
    if (isBatched) return { throttleTimeMs, coordinators }
    const errorMessage = this.version === 0 ? null : only.errorMessage
    return { throttleTimeMs, coordinators: [{ key: '', ...only, errorMessage }] }
  }

  private addPartitionsBody(body: Body): Body {
    const isBatched = this.version >= 4
    if (this.isRequest) {
      if (isBatched) return { transactions: body.transactions }
      const only = {
        transactionalId: body.onlyTransactionalId,
        producerId: body.onlyProducerId,
        producerEpoch: body.onlyProducerEpoch,
        verifyOnly: false,
        topics: body.onlyTopics,
      }
      return { transactions: [only] }
    }
    const { throttleTimeMs, errorCode, resultsByTransaction, onlyTopicResults } = body
    if (isBatched) return { throttleTimeMs, errorCode, resultsByTransaction }
    const only = { transactionalId: '', topicResults: onlyTopicResults }
    return { throttleTimeMs, errorCode: 0, resultsByTransaction: [only] }
  }

  write(body: Body): Uint8Array {
    const w = new Writer(1)
    if (this.isRequest) this.api.writeRequest(w, this.version, body)
    else this.api.writeResponse(w, this.version, body)
    return w.finish()
  }

  /** Reads a body; the frame goes on before and after it, as it does in a socket's chunk. */
  read(bytes: Uint8Array): { body: unknown; remaining: number } {
    const frame = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(64, 0x01)])
    const r = new Reader(frame, 3, 3 + bytes.length)
    const body = this.isRequest
      ? this.api.readRequest(r, this.version)
      : this.api.readResponse(r, this.version)
    return { body, remaining: r.remaining }
  }
}

/** Every message of every version of every API. */
export const everyMessage: readonly Message[] = apis.flatMap(api =>
  Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => api.minVersion + i).flatMap(
    version => [new Message(api, version, true), new Message(api, version, false)],
  ),
)
