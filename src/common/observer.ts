import type { KafkaError } from '../errors/index.js'

/** What an observer may read of a record batch. Only during the call: the batch goes on to change. */
export interface ObservedBatch {
  readonly partition: {
    readonly index: number
    /** Broker id of the leader; -1: none is known. */
    readonly leaderId: number
    readonly topic: { readonly name: string }
  }
  /** Clock time of its first record, in ms. Retries and splits keep it. */
  readonly createdMs: number
  readonly recordCount: number
  /** Size on the wire, header included, compressed where a codec is set; 0 before its first drain. */
  readonly bytes: number
  /** Size on the wire, header included, as it would be without a codec; 0 before its first drain. */
  readonly uncompressedBytes: number
  /**
   * Upper bound for the largest record, as Java estimates it: 82 bytes, key, value, headers, and the lengths
   * of these as varints (`AbstractRecords.estimateSizeInBytesUpperBound`). 0 before the first drain.
   */
  readonly largestRecordBytes: number
  /** Failed attempts so far. */
  readonly attempts: number
}

/** What an observer may read of a request; the same object from its writing to its outcome. */
export interface ObservedRequest {
  readonly api: { readonly key: number; readonly name: string }
  readonly version: number
  /** False: Produce with acks 0, which is never answered. */
  readonly expectsResponse: boolean
}

/** A broker as the metadata has it. Bootstrap servers have the ids -1, -2 and so on. */
export interface ObservedNode {
  readonly id: number
  readonly host: string
  readonly port: number
}

/** The calls of a transactional producer, by the names of their methods. */
export type ObservedTransactionCall =
  | 'initTransactions'
  | 'beginTransaction'
  | 'sendOffsetsToTransaction'
  | 'commitTransaction'
  | 'abortTransaction'

/** The public calls that take records. */
export type ObservedSend = 'send' | 'sendMany'

/**
 * What happens in a producer, for metrics, traces and logs. Injected like the clock; {@link noObserver} does
 * nothing.
 *
 * The producer calls each method where the event takes place, once per batch, request, connection, call or
 * turn, never once per record; only `sendBegan` and what follows it concern single calls of `send`, and only
 * while {@link watchesSends} is true. Arguments are numbers and objects that exist anyway. A method must not
 * throw, must not wait and must not call the producer: it runs in the midst of its work. Durations are in
 * milliseconds of the clock, fractions included.
 */
export interface Observer {
  // ---- calls that send ----

  /** Whether somebody wants to see each call of `send` and `sendMany`. Read before every call. */
  readonly watchesSends: boolean
  /** A call begins. `input` is the caller's record or records, untouched. Answers a context for the rest. */
  sendBegan(call: ObservedSend, input: unknown): unknown
  /** The call has returned, or has thrown; its outcome may be known already or not. */
  sendReturned(context: unknown): void
  /** The outcome of the call, before the caller gets it: the metadata or the report, or the error. */
  sendEnded(context: unknown, error: Error | null, result: unknown): void

  // ---- records that are in no batch ----

  /**
   * Records have failed before they were in a batch: serialization, size, memory or metadata that did not
   * come in `max.block.ms`. Records that fail together, for one reason and of one topic, are one call.
   */
  recordsRefused(topic: string, count: number, error: KafkaError): void
  /** `buffer.memory` is used up: a record waits, and none did before. */
  memoryWaitBegan(): void
  /**
   * At least one record has waited for memory for that long since `memoryWaitBegan` or the last call of this
   * method. Called when memory comes back, and with `isOver` when no record waits any more.
   */
  memoryWaited(durationMs: number, isOver: boolean): void
  /** The metadata of a topic have come, for records or a `partitionsFor` that have waited for them. */
  metadataWaited(topic: string, durationMs: number): void

  // ---- batches ----

  /** The first record of a new batch is written. */
  batchOpened(batch: ObservedBatch): void
  /** Batches become one Produce request to a node, for the first time or again. Their sizes are final. */
  batchesSent(batches: readonly ObservedBatch[], nodeId: number): void
  /** The batch is stored: the answer says so, or with acks 0 it is written. */
  batchAcknowledged(batch: ObservedBatch, nodeId: number): void
  /** The attempt has failed with that error; the batch is sent again, after `delayMs` at the earliest. */
  batchRetried(batch: ObservedBatch, nodeId: number, error: KafkaError, delayMs: number): void
  /** The node finds the batch too large; smaller ones take its place. */
  batchSplit(batch: ObservedBatch, nodeId: number, parts: number): void
  /** A node's answer, or the last attempt that was left, fails the batch and its records. */
  batchFailed(batch: ObservedBatch, error: KafkaError): void
  /** `delivery.timeout.ms` is over for the batch. */
  batchExpired(batch: ObservedBatch, error: KafkaError): void
  /** The batch is given up with others: close, abort of a transaction, an error that ends the producer. */
  batchAborted(batch: ObservedBatch, error: KafkaError): void

  // ---- connections ----

  /** A connection is being made: the socket exists. */
  connectBegan(node: ObservedNode): void
  /**
   * The attempt is over before requests could be sent; without `connectBegan` if there was no socket, as the
   * name does not resolve or a certificate cannot be read.
   */
  connectFailed(node: ObservedNode, error: KafkaError): void
  /** TCP is up, and TLS where there is TLS. */
  connectionOpened(node: ObservedNode): void
  /**
   * The broker has accepted the client, by TLS, by SASL or both; with `isRenewal` once more on the same
   * connection (KIP-368). Not called for plain connections. `durationMs` is the exchange's, 0 without SASL.
   */
  authenticated(node: ObservedNode, durationMs: number, isRenewal: boolean): void
  authenticationFailed(node: ObservedNode, error: KafkaError, isRenewal: boolean): void
  /** Requests may be sent. */
  connectionReady(node: ObservedNode): void
  /** A connection, or the attempt at one, is over; null: it was closed because it was idle or spent. */
  connectionClosed(node: ObservedNode, error: KafkaError | null): void
  /** Bytes came, as the protocol's and not TLS's. `nowMs` is the clock's time. */
  bytesReceived(node: ObservedNode, bytes: number, nowMs: number): void

  // ---- requests ----

  /** A request of any API is handed to the socket; `bytes` with its length field. */
  requestSent(node: ObservedNode, request: ObservedRequest, bytes: number, nowMs: number): void
  /** Its answer is there, or (an error) will never be. `latencyMs` counts from `requestSent`. */
  requestAnswered(
    node: ObservedNode,
    request: ObservedRequest,
    latencyMs: number,
    error: KafkaError | null,
  ): void
  /** How long a broker asks, in a response, to be left alone; mostly 0. */
  throttled(nodeId: number, throttleMs: number): void

  // ---- the cluster ----

  /** Metadata came. `isFull`: of all topics in use, not only of those that were missing. */
  metadataUpdated(topicCount: number, nodeCount: number, isFull: boolean): void
  metadataFailed(error: KafkaError): void

  // ---- calls ----

  /** A `flush` is over. */
  flushed(durationMs: number): void
  transactionCallBegan(call: ObservedTransactionCall): void
  /** What the caller got: null for success. A call that timed out goes on, and is made again as a new one. */
  transactionCallEnded(call: ObservedTransactionCall, durationMs: number, error: KafkaError | null): void

  // ---- the event loop ----

  /** The sender looks what there is to do; at most once in a turn of the event loop. */
  loopTurn(nowMs: number): void
}

const nothing = () => {}

/** Observes nothing. */
export const noObserver: Observer = {
  watchesSends: false,
  sendBegan: nothing,
  sendReturned: nothing,
  sendEnded: nothing,
  recordsRefused: nothing,
  memoryWaitBegan: nothing,
  memoryWaited: nothing,
  metadataWaited: nothing,
  batchOpened: nothing,
  batchesSent: nothing,
  batchAcknowledged: nothing,
  batchRetried: nothing,
  batchSplit: nothing,
  batchFailed: nothing,
  batchExpired: nothing,
  batchAborted: nothing,
  connectBegan: nothing,
  connectFailed: nothing,
  connectionOpened: nothing,
  authenticated: nothing,
  authenticationFailed: nothing,
  connectionReady: nothing,
  connectionClosed: nothing,
  bytesReceived: nothing,
  requestSent: nothing,
  requestAnswered: nothing,
  throttled: nothing,
  metadataUpdated: nothing,
  metadataFailed: nothing,
  flushed: nothing,
  transactionCallBegan: nothing,
  transactionCallEnded: nothing,
  loopTurn: nothing,
}
