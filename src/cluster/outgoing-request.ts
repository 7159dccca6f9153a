import type { KafkaError } from '../errors/index.js'
import type { Api } from '../protocol/api.js'
import type { Reader } from '../protocol/reader.js'

/** A request as a connection sees it. Bodies are encoded by whoever sends and decoded by whoever asked. */
export interface OutgoingRequest {
  // biome-ignore lint/suspicious/noExplicitAny: a connection carries every API and looks into no body
  readonly api: Api<any, any>
  readonly version: number
  /** False for Produce with acks=0: `onResponse` is never called. */
  readonly expectsResponse: boolean
  /** The whole frame, size and header included, as chunks to be gathered by the socket. Called once. */
  encode(correlationId: number): Uint8Array[]
  /**
   * Called exactly once, when the socket can no longer read the chunks: all are written (null), or the socket
   * is closed (an error, if they were not all written). Until then their memory must not change.
   * May come after {@link onResponse}.
   */
  onWritten(error: KafkaError | null): void
  /**
   * Called exactly once if a response is expected: the body, positioned after the response header; or
   * `TimeoutError` when this request ran out of time, `NetworkError` when its connection ended for another
   * reason, `ProducerClosedError` when the client was closed. With an error it comes after {@link onWritten},
   * except for a `ProtocolError`: the response was there but its header could not be read.
   *
   * Throw what decoding throws: it ends the connection.
   */
  onResponse(error: KafkaError | null, body: Reader | null): void
}
