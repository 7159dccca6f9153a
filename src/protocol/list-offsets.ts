import { type Api, refuseField } from './api.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

/** Values of {@link ListOffsetsPartition.timestamp} that are no time. */
export const OffsetSpec = {
  LATEST: -1n,
  EARLIEST: -2n,
  /** Version 7+. */
  MAX_TIMESTAMP: -3n,
} as const

export interface ListOffsetsPartition {
  partitionIndex: number
  /** Default -1: not checked. */
  currentLeaderEpoch: number
  /** Milliseconds since the epoch, or one of {@link OffsetSpec}. */
  timestamp: bigint
}

interface ListOffsetsTopic {
  name: string
  partitions: readonly ListOffsetsPartition[]
}

export interface ListOffsetsRequest {
  /** -1 for clients. */
  replicaId: number
  /** 0 read uncommitted, 1 read committed; default 0. */
  isolationLevel: number
  topics: readonly ListOffsetsTopic[]
  /** Default 0. */
  timeoutMs: number
}

export interface ListOffsetsPartitionResponse {
  partitionIndex: number
  errorCode: number
  /** -1: none. */
  timestamp: bigint
  /** -1: none. */
  offset: bigint
  /** Default -1. */
  leaderEpoch: number
}

interface ListOffsetsTopicResponse {
  name: string
  partitions: readonly ListOffsetsPartitionResponse[]
}

export interface ListOffsetsResponse {
  /** Default 0. */
  throttleTimeMs: number
  topics: readonly ListOffsetsTopicResponse[]
}

const FLEXIBLE_FROM = 6

function writePartition(w: Writer, version: number, partition: ListOffsetsPartition): void {
  w.int32(partition.partitionIndex)
  if (version >= 4) w.int32(partition.currentLeaderEpoch)
  w.int64(partition.timestamp)
  w.noTags(version >= FLEXIBLE_FROM)
}

function readPartition(r: Reader, version: number): ListOffsetsPartition {
  const partition = {
    partitionIndex: r.int32(),
    currentLeaderEpoch: version >= 4 ? r.int32() : -1,
    timestamp: r.int64(),
  }
  r.skipTags(version >= FLEXIBLE_FROM)
  return partition
}

function writeTopic(w: Writer, version: number, topic: ListOffsetsTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(topic.name, flexible)
  w.array(topic.partitions, flexible, version, writePartition)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): ListOffsetsTopic {
  const flexible = version >= FLEXIBLE_FROM
  const topic = { name: r.string(flexible), partitions: r.array(flexible, 12, version, readPartition) }
  r.skipTags(flexible)
  return topic
}

function writePartitionResponse(w: Writer, version: number, partition: ListOffsetsPartitionResponse): void {
  w.int32(partition.partitionIndex)
  w.int16(partition.errorCode)
  w.int64(partition.timestamp)
  w.int64(partition.offset)
  if (version >= 4) w.int32(partition.leaderEpoch)
  w.noTags(version >= FLEXIBLE_FROM)
}

function readPartitionResponse(r: Reader, version: number): ListOffsetsPartitionResponse {
  const partition = {
    partitionIndex: r.int32(),
    errorCode: r.int16(),
    timestamp: r.int64(),
    offset: r.int64(),
    leaderEpoch: version >= 4 ? r.int32() : -1,
  }
  r.skipTags(version >= FLEXIBLE_FROM)
  return partition
}

function writeTopicResponse(w: Writer, version: number, topic: ListOffsetsTopicResponse): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(topic.name, flexible)
  w.array(topic.partitions, flexible, version, writePartitionResponse)
  w.noTags(flexible)
}

function readTopicResponse(r: Reader, version: number): ListOffsetsTopicResponse {
  const flexible = version >= FLEXIBLE_FROM
  const topic = {
    name: r.string(flexible),
    partitions: r.array(flexible, version >= 4 ? 26 : 22, version, readPartitionResponse),
  }
  r.skipTags(flexible)
  return topic
}

/** Least bytes of a topic: name, empty array and tags. */
function topicBytesMin(version: number): number {
  return version >= FLEXIBLE_FROM ? 3 : 6
}

/**
 *     request   replicaId:int32 isolationLevel:int8{2+}
 *               topics:[ name:string
 *                        partitions:[ partitionIndex:int32 currentLeaderEpoch:int32{4+} timestamp:int64 ] ]
 *               timeoutMs:int32{10+}
 *     response  throttleTimeMs:int32{2+}
 *               topics:[ name:string
 *                        partitions:[ partitionIndex:int32 errorCode:int16 timestamp:int64 offset:int64
 *                                     leaderEpoch:int32{4+} ] ]
 */
export const ListOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  key: 2,
  name: 'ListOffsets',
  minVersion: 1,
  maxVersion: 11,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 3,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.int32(body.replicaId)
    if (version >= 2) w.int8(body.isolationLevel)
    else if (body.isolationLevel !== 0) refuseField('ListOffsets', version, 'isolationLevel')
    w.array(body.topics, flexible, version, writeTopic)
    if (version >= 10) w.int32(body.timeoutMs)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      replicaId: r.int32(),
      isolationLevel: version >= 2 ? r.int8() : 0,
      topics: r.array(flexible, topicBytesMin(version), version, readTopic),
      timeoutMs: version >= 10 ? r.int32() : 0,
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    if (version >= 2) w.int32(body.throttleTimeMs)
    w.array(body.topics, flexible, version, writeTopicResponse)
    w.noTags(flexible)
  },

  readResponse(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      throttleTimeMs: version >= 2 ? r.int32() : 0,
      topics: r.array(flexible, topicBytesMin(version), version, readTopicResponse),
    }
    r.skipTags(flexible)
    return body
  },
}
