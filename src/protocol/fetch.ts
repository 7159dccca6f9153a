import { type Api, refuseField } from './api.js'
import {
  FETCH_FLEXIBLE_FROM,
  FETCH_TOPIC_IDS_FROM,
  type FetchRequest,
  fetchTopicBytesMin,
  readFetchRequest,
  writeFetchRequest,
} from './fetch-request.js'
import {
  isNoLeader,
  type LeaderIdAndEpoch,
  NO_LEADER,
  NODE_ENDPOINT_BYTES_MIN,
  type NodeEndpoint,
  readLeader,
  readNodeEndpoint,
  writeLeader,
  writeNodeEndpoint,
} from './node-endpoint.js'
import type { Reader } from './reader.js'
import { ZERO_UUID } from './uuid.js'
import type { TaggedField, Writer } from './writer.js'

/** An offset and the leader epoch it belongs to; -1 = not said. */
interface EpochAndOffset {
  epoch: number
  endOffset: bigint
}

interface AbortedTransaction {
  producerId: bigint
  firstOffset: bigint
}

export interface FetchPartitionResponse {
  partitionIndex: number
  errorCode: number
  highWatermark: bigint
  /** Default -1. */
  lastStableOffset: bigint
  /** Default -1. */
  logStartOffset: bigint
  /** Where the log of the one who asks diverges; default {@link NO_EPOCH_AND_OFFSET}. */
  divergingEpoch: EpochAndOffset
  /** Default `NO_LEADER`. */
  currentLeader: LeaderIdAndEpoch
  /** Default {@link NO_EPOCH_AND_OFFSET}. */
  snapshotId: EpochAndOffset
  abortedTransactions: readonly AbortedTransaction[] | null
  /** Default -1. */
  preferredReadReplica: number
  /** Record batches, the last maybe cut short; a view of the frame where it was read. */
  records: Uint8Array | null
}

interface FetchTopicResponse {
  /** Up to version 12; default ''. */
  topic: string
  /** From version 13 on; default {@link ZERO_UUID}. */
  topicId: Uint8Array
  partitions: readonly FetchPartitionResponse[]
}

export interface FetchResponse {
  throttleTimeMs: number
  /** Default 0. */
  errorCode: number
  /** Default 0. */
  sessionId: number
  responses: readonly FetchTopicResponse[]
  /** Default empty. */
  nodeEndpoints: readonly NodeEndpoint[]
}

/** Default of the fields it may stand in. */
export const NO_EPOCH_AND_OFFSET: EpochAndOffset = Object.freeze({ epoch: -1, endOffset: -1n })

function isSaid(value: EpochAndOffset): boolean {
  return value.epoch !== -1 || value.endOffset !== -1n
}

function writeAborted(w: Writer, version: number, transaction: AbortedTransaction): void {
  w.int64(transaction.producerId)
  w.int64(transaction.firstOffset)
  w.noTags(version >= FETCH_FLEXIBLE_FROM)
}

function readAborted(r: Reader, version: number): AbortedTransaction[] | null {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  const count = r.nullableArrayLength(flexible, 16)
  if (count < 0) return null
  const transactions: AbortedTransaction[] = []
  for (let i = 0; i < count; i++) {
    transactions.push({ producerId: r.int64(), firstOffset: r.int64() })
    r.skipTags(flexible)
  }
  return transactions
}

function writeDivergingEpoch(w: Writer, value: EpochAndOffset): void {
  w.int32(value.epoch)
  w.int64(value.endOffset)
  w.noTags()
}

function writeSnapshotId(w: Writer, value: EpochAndOffset): void {
  w.int64(value.endOffset)
  w.int32(value.epoch)
  w.noTags()
}

function writePartitionTags(w: Writer, partition: FetchPartitionResponse): void {
  const { divergingEpoch, currentLeader, snapshotId } = partition
  const fields: TaggedField[] = []
  if (isSaid(divergingEpoch)) {
    fields.push({ tag: 0, write: inner => writeDivergingEpoch(inner, divergingEpoch) })
  }
  if (!isNoLeader(currentLeader)) fields.push({ tag: 1, write: inner => writeLeader(inner, currentLeader) })
  if (isSaid(snapshotId)) fields.push({ tag: 2, write: inner => writeSnapshotId(inner, snapshotId) })
  w.tags(fields)
}

function writePartition(w: Writer, version: number, partition: FetchPartitionResponse): void {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  w.int32(partition.partitionIndex)
  w.int16(partition.errorCode)
  w.int64(partition.highWatermark)
  w.int64(partition.lastStableOffset)
  if (version >= 5) w.int64(partition.logStartOffset)
  if (partition.abortedTransactions === null) w.arrayLength(-1, flexible)
  else w.array(partition.abortedTransactions, flexible, version, writeAborted)
  if (version >= 11) w.int32(partition.preferredReadReplica)
  w.nullableBytes(partition.records, flexible)
  if (flexible) writePartitionTags(w, partition)
}

function readPartitionTag(partition: FetchPartitionResponse, tag: number, r: Reader): boolean {
  if (tag === 1) {
    partition.currentLeader = readLeader(r)
    return true
  }
  if (tag === 0) partition.divergingEpoch = { epoch: r.int32(), endOffset: r.int64() }
  else if (tag === 2) {
    const endOffset = r.int64()
    partition.snapshotId = { epoch: r.int32(), endOffset }
  } else return false
  r.skipTags()
  return true
}

function partitionBytesMin(version: number): number {
  if (version >= FETCH_FLEXIBLE_FROM) return 37
  return 30 + (version >= 5 ? 8 : 0) + (version >= 11 ? 4 : 0)
}

function readPartition(r: Reader, version: number): FetchPartitionResponse {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  const partition: FetchPartitionResponse = {
    partitionIndex: r.int32(),
    errorCode: r.int16(),
    highWatermark: r.int64(),
    lastStableOffset: r.int64(),
    logStartOffset: version >= 5 ? r.int64() : -1n,
    divergingEpoch: NO_EPOCH_AND_OFFSET,
    currentLeader: NO_LEADER,
    snapshotId: NO_EPOCH_AND_OFFSET,
    abortedTransactions: readAborted(r, version),
    preferredReadReplica: version >= 11 ? r.int32() : -1,
    records: r.nullableBytes(flexible),
  }
  if (flexible) r.tags(partition, version, readPartitionTag)
  return partition
}

function writeTopic(w: Writer, version: number, topic: FetchTopicResponse): void {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  if (version >= FETCH_TOPIC_IDS_FROM) w.uuid(topic.topicId)
  else w.string(topic.topic, flexible)
  w.array(topic.partitions, flexible, version, writePartition)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): FetchTopicResponse {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  const byId = version >= FETCH_TOPIC_IDS_FROM
  const topic = {
    topic: byId ? '' : r.string(flexible),
    topicId: byId ? r.uuid() : ZERO_UUID,
    partitions: r.array(flexible, partitionBytesMin(version), version, readPartition),
  }
  r.skipTags(flexible)
  return topic
}

function readTag(body: FetchResponse, tag: number, r: Reader, version: number): boolean {
  if (tag !== 0 || version < 16) return false
  body.nodeEndpoints = r.array(true, NODE_ENDPOINT_BYTES_MIN, version, readNodeEndpoint)
  return true
}

/**
 *     request   replicaId:int32{4–14} maxWaitMs:int32 minBytes:int32 maxBytes:int32 isolationLevel:int8
 *               sessionId:int32{7+} sessionEpoch:int32{7+}
 *               topics:[ topic:string{4–12} topicId:uuid{13+}
 *                        partitions:[ partition:int32 currentLeaderEpoch:int32{9+} fetchOffset:int64
 *                                     lastFetchedEpoch:int32{12+} logStartOffset:int64{5+}
 *                                     partitionMaxBytes:int32
 *                                     #0 replicaDirectoryId:uuid{17+} #1 highWatermark:int64{18+} ] ]
 *               forgottenTopicsData:[ topic:string{7–12} topicId:uuid{13+} partitions:[int32] ]{7+}
 *               rackId:string{11+}
 *               #0 clusterId:string?{12+} #1 replicaState:( replicaId:int32 replicaEpoch:int64 ){15+}
 *     response  throttleTimeMs:int32 errorCode:int16{7+} sessionId:int32{7+}
 *               responses:[ topic:string{4–12} topicId:uuid{13+}
 *                           partitions:[ partitionIndex:int32 errorCode:int16 highWatermark:int64
 *                             lastStableOffset:int64 logStartOffset:int64{5+}
 *                             abortedTransactions:[ producerId:int64 firstOffset:int64 ]?
 *                             preferredReadReplica:int32{11+} records:bytes?
 *                             #0 divergingEpoch:( epoch:int32 endOffset:int64 ){12+}
 *                             #1 currentLeader:( leaderId:int32 leaderEpoch:int32 ){12+}
 *                             #2 snapshotId:( endOffset:int64 epoch:int32 ){12+} ] ]
 *               #0 nodeEndpoints:[ nodeId:int32 host:string port:int32 rack:string? ]{16+}
 */
export const Fetch: Api<FetchRequest, FetchResponse> = {
  key: 1,
  name: 'Fetch',
  minVersion: 4,
  maxVersion: 18,
  flexibleFrom: FETCH_FLEXIBLE_FROM,
  clientThrottlesFrom: 8,
  writeRequest: writeFetchRequest,
  readRequest: readFetchRequest,

  writeResponse(w, version, body) {
    const flexible = version >= FETCH_FLEXIBLE_FROM
    w.int32(body.throttleTimeMs)
    if (version >= 7) {
      w.int16(body.errorCode)
      w.int32(body.sessionId)
    } else if (body.sessionId !== 0) refuseField('Fetch', version, 'sessionId')
    w.array(body.responses, flexible, version, writeTopic)
    if (!flexible) return
    const fields: TaggedField[] = []
    if (version >= 16 && body.nodeEndpoints.length > 0) {
      fields.push({
        tag: 0,
        write: inner => inner.array(body.nodeEndpoints, true, version, writeNodeEndpoint),
      })
    }
    w.tags(fields)
  },

  readResponse(r, version) {
    const flexible = version >= FETCH_FLEXIBLE_FROM
    const body: FetchResponse = {
      throttleTimeMs: r.int32(),
      errorCode: version >= 7 ? r.int16() : 0,
      sessionId: version >= 7 ? r.int32() : 0,
      responses: r.array(flexible, fetchTopicBytesMin(version), version, readTopic),
      nodeEndpoints: [],
    }
    if (flexible) r.tags(body, version, readTag)
    return body
  },
}
