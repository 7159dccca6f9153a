import type { OutgoingRequest } from '../../dist/cluster/outgoing-request.js'
import type { KafkaError } from '../../dist/errors/index.js'
import type { Api } from '../../dist/protocol/api.js'
import type { Reader } from '../../dist/protocol/reader.js'

/** An API of no broker: connections do not look into bodies. */
export const rawApi: Api<Uint8Array, Uint8Array> = {
  key: 999,
  name: 'Raw',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Infinity,
  clientThrottlesFrom: 0,
  writeRequest: () => {},
  readRequest: r => r.raw(r.remaining),
  writeResponse: () => {},
  readResponse: r => r.raw(r.remaining),
}

/** One outcome as it was reported. */
export interface Outcome {
  kind: 'written' | 'response'
  error: KafkaError | null
  body: string | null
}

/** A request of hand-made bytes that keeps every call it gets. */
export class RawRequest implements OutgoingRequest {
  readonly api = rawApi
  readonly version = 0
  readonly expectsResponse: boolean
  readonly outcomes: Outcome[] = []
  correlationId = -1
  onOutcome: (outcome: Outcome) => void = () => {}
  private readonly chunks: readonly Uint8Array[]

  constructor(chunks: readonly Uint8Array[] = [Buffer.from('body')], expectsResponse = true) {
    this.chunks = chunks
    this.expectsResponse = expectsResponse
  }

  /** `size:int32 correlationId:int32 body` */
  encode(correlationId: number): Uint8Array[] {
    this.correlationId = correlationId
    const head = Buffer.alloc(8)
    head.writeInt32BE(4 + this.chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    head.writeInt32BE(correlationId, 4)
    return [head, ...this.chunks]
  }

  onWritten(error: KafkaError | null): void {
    this.report({ kind: 'written', error, body: null })
  }

  onResponse(error: KafkaError | null, body: Reader | null): void {
    const text = body === null ? null : Buffer.from(body.raw(body.remaining)).toString()
    this.report({ kind: 'response', error, body: text })
  }

  written(): Outcome[] {
    return this.outcomes.filter(outcome => outcome.kind === 'written')
  }

  responses(): Outcome[] {
    return this.outcomes.filter(outcome => outcome.kind === 'response')
  }

  private report(outcome: Outcome): void {
    this.outcomes.push(outcome)
    this.onOutcome(outcome)
  }
}

/** `size:int32 correlationId:int32 body` */
export function rawResponse(correlationId: number, body = ''): Buffer {
  const bytes = Buffer.alloc(8 + body.length)
  bytes.writeInt32BE(4 + body.length)
  bytes.writeInt32BE(correlationId, 4)
  bytes.write(body, 8)
  return bytes
}
