import { type Api, refuseField } from './api.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

interface AddPartitionsToTxnTopic {
  name: string
  partitions: readonly number[]
}

export interface AddPartitionsToTxnTransaction {
  transactionalId: string
  producerId: bigint
  producerEpoch: number
  /** Only check that the partitions are part of the transaction: brokers among themselves. Default false. */
  verifyOnly: boolean
  topics: readonly AddPartitionsToTxnTopic[]
}

export interface AddPartitionsToTxnRequest {
  /** Exactly one below version 4. */
  transactions: readonly AddPartitionsToTxnTransaction[]
}

interface AddPartitionsToTxnPartitionResult {
  partitionIndex: number
  partitionErrorCode: number
}

interface AddPartitionsToTxnTopicResult {
  name: string
  resultsByPartition: readonly AddPartitionsToTxnPartitionResult[]
}

export interface AddPartitionsToTxnResult {
  /** '' below version 4, which answers for the only one. */
  transactionalId: string
  topicResults: readonly AddPartitionsToTxnTopicResult[]
}

export interface AddPartitionsToTxnResponse {
  throttleTimeMs: number
  /** Default NONE. */
  errorCode: number
  /** One below version 4. */
  resultsByTransaction: readonly AddPartitionsToTxnResult[]
}

const FLEXIBLE_FROM = 3
const BATCHED_FROM = 4
/** The highest version for clients: later ones are for brokers among themselves (KIP-890). */
export const ADD_PARTITIONS_CLIENT_VERSION_MAX = 3

const TRANSACTION_BYTES_MIN = 14
const TOPIC_BYTES_MIN = 3
const PARTITION_RESULT_BYTES = 6

function writeTopic(w: Writer, version: number, topic: AddPartitionsToTxnTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(topic.name, flexible)
  w.int32Array(topic.partitions, flexible)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): AddPartitionsToTxnTopic {
  const flexible = version >= FLEXIBLE_FROM
  const topic = { name: r.string(flexible), partitions: r.int32Array(flexible) }
  r.skipTags(flexible)
  return topic
}

function writeTransaction(w: Writer, version: number, body: AddPartitionsToTxnTransaction): void {
  w.string(body.transactionalId, true)
  w.int64(body.producerId)
  w.int16(body.producerEpoch)
  w.bool(body.verifyOnly)
  w.array(body.topics, true, version, writeTopic)
  w.noTags()
}

function readTransaction(r: Reader, version: number): AddPartitionsToTxnTransaction {
  const body = {
    transactionalId: r.string(true),
    producerId: r.int64(),
    producerEpoch: r.int16(),
    verifyOnly: r.bool(),
    topics: r.array(true, TOPIC_BYTES_MIN, version, readTopic),
  }
  r.skipTags()
  return body
}

function writeOnlyTransaction(w: Writer, version: number, body: AddPartitionsToTxnRequest): void {
  const flexible = version >= FLEXIBLE_FROM
  const only = body.transactions[0]
  if (only === undefined || body.transactions.length > 1) {
    refuseField('AddPartitionsToTxn', version, `${body.transactions.length} transactions`)
  }
  if (only.verifyOnly) refuseField('AddPartitionsToTxn', version, 'verifyOnly')
  w.string(only.transactionalId, flexible)
  w.int64(only.producerId)
  w.int16(only.producerEpoch)
  w.array(only.topics, flexible, version, writeTopic)
}

function readOnlyTransaction(r: Reader, version: number): AddPartitionsToTxnTransaction {
  const flexible = version >= FLEXIBLE_FROM
  return {
    transactionalId: r.string(flexible),
    producerId: r.int64(),
    producerEpoch: r.int16(),
    verifyOnly: false,
    topics: r.array(flexible, TOPIC_BYTES_MIN, version, readTopic),
  }
}

function writePartitionResult(w: Writer, version: number, result: AddPartitionsToTxnPartitionResult): void {
  w.int32(result.partitionIndex)
  w.int16(result.partitionErrorCode)
  w.noTags(version >= FLEXIBLE_FROM)
}

function readPartitionResult(r: Reader, version: number): AddPartitionsToTxnPartitionResult {
  const result = { partitionIndex: r.int32(), partitionErrorCode: r.int16() }
  r.skipTags(version >= FLEXIBLE_FROM)
  return result
}

function writeTopicResult(w: Writer, version: number, result: AddPartitionsToTxnTopicResult): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(result.name, flexible)
  w.array(result.resultsByPartition, flexible, version, writePartitionResult)
  w.noTags(flexible)
}

function readTopicResult(r: Reader, version: number): AddPartitionsToTxnTopicResult {
  const flexible = version >= FLEXIBLE_FROM
  const result = {
    name: r.string(flexible),
    resultsByPartition: r.array(flexible, PARTITION_RESULT_BYTES, version, readPartitionResult),
  }
  r.skipTags(flexible)
  return result
}

function writeResult(w: Writer, version: number, result: AddPartitionsToTxnResult): void {
  w.string(result.transactionalId, true)
  w.array(result.topicResults, true, version, writeTopicResult)
  w.noTags()
}

function readResult(r: Reader, version: number): AddPartitionsToTxnResult {
  const result = {
    transactionalId: r.string(true),
    topicResults: r.array(true, TOPIC_BYTES_MIN, version, readTopicResult),
  }
  r.skipTags()
  return result
}

/**
 *     request   {0–3}: transactionalId:string producerId:int64 producerEpoch:int16
 *                      topics:[ name:string partitions:[int32] ]
 *               {4+}:  transactions:[ transactionalId:string producerId:int64 producerEpoch:int16
 *                                     verifyOnly:bool topics:[ name:string partitions:[int32] ] ]
 *     response  throttleTimeMs:int32 errorCode:int16{4+}
 *               {0–3}: topicResults:[ name:string
 *                                     resultsByPartition:[ partitionIndex:int32 partitionErrorCode:int16 ] ]
 *               {4+}:  resultsByTransaction:[ transactionalId:string topicResults:[ … as above ] ]
 *
 * Bodies have the shape of version 4 whatever the version.
 */
export const AddPartitionsToTxn: Api<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> = {
  key: 24,
  name: 'AddPartitionsToTxn',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 1,

  writeRequest(w, version, body) {
    if (version >= BATCHED_FROM) w.array(body.transactions, true, version, writeTransaction)
    else writeOnlyTransaction(w, version, body)
    w.noTags(version >= FLEXIBLE_FROM)
  },

  readRequest(r, version) {
    const transactions =
      version >= BATCHED_FROM
        ? r.array(true, TRANSACTION_BYTES_MIN, version, readTransaction)
        : [readOnlyTransaction(r, version)]
    r.skipTags(version >= FLEXIBLE_FROM)
    return { transactions }
  },

  writeResponse(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.int32(body.throttleTimeMs)
    if (version >= BATCHED_FROM) {
      w.int16(body.errorCode)
      w.array(body.resultsByTransaction, true, version, writeResult)
    } else {
      const only = body.resultsByTransaction[0]
      if (only === undefined || body.resultsByTransaction.length > 1) {
        refuseField('AddPartitionsToTxn', version, `${body.resultsByTransaction.length} results`)
      }
      w.array(only.topicResults, flexible, version, writeTopicResult)
    }
    w.noTags(flexible)
  },

  readResponse(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const throttleTimeMs = r.int32()
    const errorCode = version >= BATCHED_FROM ? r.int16() : 0
    const resultsByTransaction =
      version >= BATCHED_FROM
        ? r.array(true, TOPIC_BYTES_MIN, version, readResult)
        : [
            {
              transactionalId: '',
              topicResults: r.array(flexible, TOPIC_BYTES_MIN, version, readTopicResult),
            },
          ]
    r.skipTags(flexible)
    return { throttleTimeMs, errorCode, resultsByTransaction }
  },
}
