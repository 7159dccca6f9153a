import { type Api, refuseField } from './api.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

interface TxnOffsetCommitPartition {
  partitionIndex: number
  committedOffset: bigint
  /** Of the last record read; default -1: unknown. */
  committedLeaderEpoch: number
  committedMetadata: string | null
}

interface TxnOffsetCommitTopic {
  name: string
  partitions: readonly TxnOffsetCommitPartition[]
}

export interface TxnOffsetCommitRequest {
  transactionalId: string
  groupId: string
  producerId: bigint
  producerEpoch: number
  /** Default -1. */
  generationId: number
  /** Default ''. */
  memberId: string
  /** Default null. */
  groupInstanceId: string | null
  topics: readonly TxnOffsetCommitTopic[]
}

interface TxnOffsetCommitPartitionResponse {
  partitionIndex: number
  errorCode: number
}

interface TxnOffsetCommitTopicResponse {
  name: string
  partitions: readonly TxnOffsetCommitPartitionResponse[]
}

export interface TxnOffsetCommitResponse {
  throttleTimeMs: number
  topics: readonly TxnOffsetCommitTopicResponse[]
}

const FLEXIBLE_FROM = 3
const LEADER_EPOCH_FROM = 2
const MEMBER_FROM = 3
/** First version for clients of `transaction.version` 2: it adds the group's partition itself (KIP-890). */
export const TXN_OFFSET_COMMIT_ADDS_FROM = 5

const TOPIC_BYTES_MIN = 3
const PARTITION_BYTES_MIN = 14
const PARTITION_RESPONSE_BYTES = 6

function writePartition(w: Writer, version: number, body: TxnOffsetCommitPartition): void {
  const flexible = version >= FLEXIBLE_FROM
  w.int32(body.partitionIndex)
  w.int64(body.committedOffset)
  if (version >= LEADER_EPOCH_FROM) w.int32(body.committedLeaderEpoch)
  w.nullableString(body.committedMetadata, flexible)
  w.noTags(flexible)
}

function readPartition(r: Reader, version: number): TxnOffsetCommitPartition {
  const flexible = version >= FLEXIBLE_FROM
  const body = {
    partitionIndex: r.int32(),
    committedOffset: r.int64(),
    committedLeaderEpoch: version >= LEADER_EPOCH_FROM ? r.int32() : -1,
    committedMetadata: r.nullableString(flexible),
  }
  r.skipTags(flexible)
  return body
}

function writeTopic(w: Writer, version: number, body: TxnOffsetCommitTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(body.name, flexible)
  w.array(body.partitions, flexible, version, writePartition)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): TxnOffsetCommitTopic {
  const flexible = version >= FLEXIBLE_FROM
  const body = {
    name: r.string(flexible),
    partitions: r.array(flexible, PARTITION_BYTES_MIN, version, readPartition),
  }
  r.skipTags(flexible)
  return body
}

function writePartitionResponse(w: Writer, version: number, body: TxnOffsetCommitPartitionResponse): void {
  w.int32(body.partitionIndex)
  w.int16(body.errorCode)
  w.noTags(version >= FLEXIBLE_FROM)
}

function readPartitionResponse(r: Reader, version: number): TxnOffsetCommitPartitionResponse {
  const body = { partitionIndex: r.int32(), errorCode: r.int16() }
  r.skipTags(version >= FLEXIBLE_FROM)
  return body
}

function writeTopicResponse(w: Writer, version: number, body: TxnOffsetCommitTopicResponse): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(body.name, flexible)
  w.array(body.partitions, flexible, version, writePartitionResponse)
  w.noTags(flexible)
}

function readTopicResponse(r: Reader, version: number): TxnOffsetCommitTopicResponse {
  const flexible = version >= FLEXIBLE_FROM
  const body = {
    name: r.string(flexible),
    partitions: r.array(flexible, PARTITION_RESPONSE_BYTES, version, readPartitionResponse),
  }
  r.skipTags(flexible)
  return body
}

/**
 *     request   transactionalId:string groupId:string producerId:int64 producerEpoch:int16
 *               generationId:int32{3+} memberId:string{3+} groupInstanceId:string?{3+}
 *               topics:[ name:string
 *                        partitions:[ partitionIndex:int32 committedOffset:int64
 *                                     committedLeaderEpoch:int32{2+} committedMetadata:string? ] ]
 *     response  throttleTimeMs:int32
 *               topics:[ name:string partitions:[ partitionIndex:int32 errorCode:int16 ] ]
 *
 * Version 4 changes only which errors the broker may answer (TRANSACTION_ABORTABLE).
 */
export const TxnOffsetCommit: Api<TxnOffsetCommitRequest, TxnOffsetCommitResponse> = {
  key: 28,
  name: 'TxnOffsetCommit',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 1,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.string(body.transactionalId, flexible)
    w.string(body.groupId, flexible)
    w.int64(body.producerId)
    w.int16(body.producerEpoch)
    if (version >= MEMBER_FROM) {
      w.int32(body.generationId)
      w.string(body.memberId, true)
      w.nullableString(body.groupInstanceId, true)
    } else if (body.generationId !== -1 || body.memberId !== '' || body.groupInstanceId !== null) {
      // Without them the broker could not refuse the offsets of a member that the group has lost.
      refuseField('TxnOffsetCommit', version, 'generationId, memberId and groupInstanceId')
    }
    w.array(body.topics, flexible, version, writeTopic)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const hasMember = version >= MEMBER_FROM
    const body = {
      transactionalId: r.string(flexible),
      groupId: r.string(flexible),
      producerId: r.int64(),
      producerEpoch: r.int16(),
      generationId: hasMember ? r.int32() : -1,
      memberId: hasMember ? r.string(true) : '',
      groupInstanceId: hasMember ? r.nullableString(true) : null,
      topics: r.array(flexible, TOPIC_BYTES_MIN, version, readTopic),
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.int32(body.throttleTimeMs)
    w.array(body.topics, flexible, version, writeTopicResponse)
    w.noTags(flexible)
  },

  readResponse(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      throttleTimeMs: r.int32(),
      topics: r.array(flexible, TOPIC_BYTES_MIN, version, readTopicResponse),
    }
    r.skipTags(flexible)
    return body
  },
}
