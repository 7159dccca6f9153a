import { refuseField } from './api.js'
import type { Reader } from './reader.js'
import { isZeroUuid, ZERO_UUID } from './uuid.js'
import type { TaggedField, Writer } from './writer.js'

export interface FetchPartition {
  partition: number
  /** Default -1: not checked. */
  currentLeaderEpoch: number
  fetchOffset: bigint
  /** Default -1. */
  lastFetchedEpoch: number
  /** Of followers only; default -1. */
  logStartOffset: bigint
  partitionMaxBytes: number
  /** Of followers only; default {@link ZERO_UUID}. */
  replicaDirectoryId: Uint8Array
  /** Of followers only; default {@link HIGH_WATERMARK_UNKNOWN}. */
  highWatermark: bigint
}

export interface FetchTopic {
  /** Up to version 12; default ''. */
  topic: string
  /** From version 13 on; default {@link ZERO_UUID}. */
  topicId: Uint8Array
  partitions: readonly FetchPartition[]
}

interface ForgottenTopic {
  /** Up to version 12; default ''. */
  topic: string
  /** From version 13 on; default {@link ZERO_UUID}. */
  topicId: Uint8Array
  partitions: readonly number[]
}

export interface FetchRequest {
  /** Of followers only; default null. */
  clusterId: string | null
  /** Up to version 14; default -1, a consumer. */
  replicaId: number
  /** From version 15 on; default -1 and -1n, a consumer. */
  replicaState: ReplicaState
  maxWaitMs: number
  minBytes: number
  /** Default 0x7fffffff. */
  maxBytes: number
  /** 0 read uncommitted, 1 read committed; default 0. */
  isolationLevel: number
  /** Default 0. */
  sessionId: number
  /** Default -1: without a session. */
  sessionEpoch: number
  topics: readonly FetchTopic[]
  /** Default empty. */
  forgottenTopicsData: readonly ForgottenTopic[]
  /** Default ''. */
  rackId: string
}

interface ReplicaState {
  replicaId: number
  replicaEpoch: bigint
}

/** {@link FetchPartition.highWatermark} of those that do not say it. */
export const HIGH_WATERMARK_UNKNOWN = 0x7fffffffffffffffn

/** First version with compact encodings. */
export const FETCH_FLEXIBLE_FROM = 12
/** First version that names topics by id. */
export const FETCH_TOPIC_IDS_FROM = 13

function writePartitionTags(w: Writer, version: number, partition: FetchPartition): void {
  const fields: TaggedField[] = []
  if (version >= 17 && !isZeroUuid(partition.replicaDirectoryId)) {
    fields.push({ tag: 0, write: inner => inner.uuid(partition.replicaDirectoryId) })
  }
  if (version >= 18 && partition.highWatermark !== HIGH_WATERMARK_UNKNOWN) {
    fields.push({ tag: 1, write: inner => inner.int64(partition.highWatermark) })
  }
  w.tags(fields)
}

function writePartition(w: Writer, version: number, partition: FetchPartition): void {
  w.int32(partition.partition)
  if (version >= 9) w.int32(partition.currentLeaderEpoch)
  w.int64(partition.fetchOffset)
  if (version >= 12) w.int32(partition.lastFetchedEpoch)
  else if (partition.lastFetchedEpoch !== -1) refuseField('Fetch', version, 'lastFetchedEpoch')
  if (version >= 5) w.int64(partition.logStartOffset)
  w.int32(partition.partitionMaxBytes)
  if (version >= FETCH_FLEXIBLE_FROM) writePartitionTags(w, version, partition)
}

function readPartitionTag(partition: FetchPartition, tag: number, r: Reader, version: number): boolean {
  if (tag === 0 && version >= 17) partition.replicaDirectoryId = r.uuid()
  else if (tag === 1 && version >= 18) partition.highWatermark = r.int64()
  else return false
  return true
}

function readPartition(r: Reader, version: number): FetchPartition {
  const partition: FetchPartition = {
    partition: r.int32(),
    currentLeaderEpoch: version >= 9 ? r.int32() : -1,
    fetchOffset: r.int64(),
    lastFetchedEpoch: version >= 12 ? r.int32() : -1,
    logStartOffset: version >= 5 ? r.int64() : -1n,
    partitionMaxBytes: r.int32(),
    replicaDirectoryId: ZERO_UUID,
    highWatermark: HIGH_WATERMARK_UNKNOWN,
  }
  if (version >= FETCH_FLEXIBLE_FROM) r.tags(partition, version, readPartitionTag)
  return partition
}

function writeTopicName(w: Writer, version: number, topic: { topic: string; topicId: Uint8Array }): void {
  if (version >= FETCH_TOPIC_IDS_FROM) w.uuid(topic.topicId)
  else w.string(topic.topic, version >= FETCH_FLEXIBLE_FROM)
}

function writeTopic(w: Writer, version: number, topic: FetchTopic): void {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  writeTopicName(w, version, topic)
  w.array(topic.partitions, flexible, version, writePartition)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): FetchTopic {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  const byId = version >= FETCH_TOPIC_IDS_FROM
  const topic = {
    topic: byId ? '' : r.string(flexible),
    topicId: byId ? r.uuid() : ZERO_UUID,
    partitions: r.array(flexible, 16, version, readPartition),
  }
  r.skipTags(flexible)
  return topic
}

function writeForgotten(w: Writer, version: number, topic: ForgottenTopic): void {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  writeTopicName(w, version, topic)
  w.int32Array(topic.partitions, flexible)
  w.noTags(flexible)
}

function readForgotten(r: Reader, version: number): ForgottenTopic {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  const byId = version >= FETCH_TOPIC_IDS_FROM
  const topic = {
    topic: byId ? '' : r.string(flexible),
    topicId: byId ? r.uuid() : ZERO_UUID,
    partitions: r.int32Array(flexible),
  }
  r.skipTags(flexible)
  return topic
}

/** Least bytes of a topic, in requests and responses alike: name or id, empty array, tags. */
export function fetchTopicBytesMin(version: number): number {
  if (version >= FETCH_TOPIC_IDS_FROM) return 18
  return version >= FETCH_FLEXIBLE_FROM ? 3 : 6
}

function writeReplicaState(w: Writer, state: ReplicaState): void {
  w.int32(state.replicaId)
  w.int64(state.replicaEpoch)
  w.noTags()
}

function writeTags(w: Writer, version: number, body: FetchRequest): void {
  const fields: TaggedField[] = []
  const { clusterId, replicaState } = body
  if (clusterId !== null) fields.push({ tag: 0, write: inner => inner.nullableString(clusterId, true) })
  if (version >= 15 && (replicaState.replicaId !== -1 || replicaState.replicaEpoch !== -1n)) {
    fields.push({ tag: 1, write: inner => writeReplicaState(inner, replicaState) })
  }
  w.tags(fields)
}

function readTag(body: FetchRequest, tag: number, r: Reader, version: number): boolean {
  if (tag === 0) body.clusterId = r.nullableString(true)
  else if (tag === 1 && version >= 15) {
    body.replicaState = { replicaId: r.int32(), replicaEpoch: r.int64() }
    r.skipTags()
  } else return false
  return true
}

function refuseUnsayable(version: number, body: FetchRequest): void {
  if (version >= 15 && body.replicaId !== -1) refuseField('Fetch', version, 'replicaId')
  if (version < 15 && (body.replicaState.replicaId !== -1 || body.replicaState.replicaEpoch !== -1n)) {
    refuseField('Fetch', version, 'replicaState')
  }
  if (version < 7 && body.forgottenTopicsData.length > 0) refuseField('Fetch', version, 'forgottenTopicsData')
}

export function writeFetchRequest(w: Writer, version: number, body: FetchRequest): void {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  refuseUnsayable(version, body)
  if (version <= 14) w.int32(body.replicaId)
  w.int32(body.maxWaitMs)
  w.int32(body.minBytes)
  w.int32(body.maxBytes)
  w.int8(body.isolationLevel)
  if (version >= 7) {
    w.int32(body.sessionId)
    w.int32(body.sessionEpoch)
  }
  w.array(body.topics, flexible, version, writeTopic)
  if (version >= 7) w.array(body.forgottenTopicsData, flexible, version, writeForgotten)
  if (version >= 11) w.string(body.rackId, flexible)
  if (flexible) writeTags(w, version, body)
}

export function readFetchRequest(r: Reader, version: number): FetchRequest {
  const flexible = version >= FETCH_FLEXIBLE_FROM
  const body: FetchRequest = {
    clusterId: null,
    replicaId: version <= 14 ? r.int32() : -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: r.int32(),
    minBytes: r.int32(),
    maxBytes: r.int32(),
    isolationLevel: r.int8(),
    sessionId: version >= 7 ? r.int32() : 0,
    sessionEpoch: version >= 7 ? r.int32() : -1,
    topics: r.array(flexible, fetchTopicBytesMin(version), version, readTopic),
    forgottenTopicsData:
      version >= 7 ? r.array(flexible, fetchTopicBytesMin(version), version, readForgotten) : [],
    rackId: version >= 11 ? r.string(flexible) : '',
  }
  if (flexible) r.tags(body, version, readTag)
  return body
}
