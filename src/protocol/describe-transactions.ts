import type { Api } from './api.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

export interface DescribeTransactionsRequest {
  transactionalIds: readonly string[]
}

export interface TransactionTopic {
  topic: string
  partitions: readonly number[]
}

export interface TransactionDescription {
  errorCode: number
  transactionalId: string
  /** Kafka's name for where it stands, such as `Ongoing`, `PrepareCommit` or `CompleteCommit`. */
  transactionState: string
  transactionTimeoutMs: number
  /** Milliseconds since 1970; -1 where no transaction is open. */
  transactionStartTimeMs: bigint
  producerId: bigint
  producerEpoch: number
  topics: readonly TransactionTopic[]
}

export interface DescribeTransactionsResponse {
  throttleTimeMs: number
  transactionStates: readonly TransactionDescription[]
}

/** Two lengths and the tags. */
const TOPIC_BYTES_MIN = 3
/** errorCode, three lengths, timeout, start, producerId, epoch, tags. */
const STATE_BYTES_MIN = 28

function writeId(w: Writer, _version: number, transactionalId: string): void {
  w.string(transactionalId, true)
}

function readId(r: Reader): string {
  return r.string(true)
}

function writeTopic(w: Writer, _version: number, { topic, partitions }: TransactionTopic): void {
  w.string(topic, true)
  w.int32Array(partitions, true)
  w.noTags()
}

function readTopic(r: Reader): TransactionTopic {
  const body = { topic: r.string(true), partitions: r.int32Array(true) }
  r.skipTags()
  return body
}

function writeState(w: Writer, version: number, body: TransactionDescription): void {
  w.int16(body.errorCode)
  w.string(body.transactionalId, true)
  w.string(body.transactionState, true)
  w.int32(body.transactionTimeoutMs)
  w.int64(body.transactionStartTimeMs)
  w.int64(body.producerId)
  w.int16(body.producerEpoch)
  w.array(body.topics, true, version, writeTopic)
  w.noTags()
}

function readState(r: Reader, version: number): TransactionDescription {
  const body = {
    errorCode: r.int16(),
    transactionalId: r.string(true),
    transactionState: r.string(true),
    transactionTimeoutMs: r.int32(),
    transactionStartTimeMs: r.int64(),
    producerId: r.int64(),
    producerEpoch: r.int16(),
    topics: r.array(true, TOPIC_BYTES_MIN, version, readTopic),
  }
  r.skipTags()
  return body
}

/**
 *     request   transactionalIds:[string]
 *     response  throttleTimeMs:int32
 *               transactionStates:[ errorCode:int16 transactionalId:string transactionState:string
 *                                   transactionTimeoutMs:int32 transactionStartTimeMs:int64
 *                                   producerId:int64 producerEpoch:int16
 *                                   topics:[ topic:string partitions:[int32] ] ]
 */
export const DescribeTransactions: Api<DescribeTransactionsRequest, DescribeTransactionsResponse> = {
  key: 65,
  name: 'DescribeTransactions',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  clientThrottlesFrom: 0,

  writeRequest(w, version, body) {
    w.array(body.transactionalIds, true, version, writeId)
    w.noTags()
  },

  readRequest(r, version) {
    const body = { transactionalIds: r.array(true, 1, version, readId) }
    r.skipTags()
    return body
  },

  writeResponse(w, version, body) {
    w.int32(body.throttleTimeMs)
    w.array(body.transactionStates, true, version, writeState)
    w.noTags()
  },

  readResponse(r, version) {
    const body = {
      throttleTimeMs: r.int32(),
      transactionStates: r.array(true, STATE_BYTES_MIN, version, readState),
    }
    r.skipTags()
    return body
  },
}
