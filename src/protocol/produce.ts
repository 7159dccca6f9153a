import type { Api } from './api.js'
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

export interface ProducePartitionData {
  index: number
  /** One record batch, as a view of the frame where it was read. */
  records: Uint8Array | null
}

interface ProduceTopicData {
  /** Up to version 12; default ''. */
  name: string
  /** From version 13 on; default {@link ZERO_UUID}. */
  topicId: Uint8Array
  partitionData: readonly ProducePartitionData[]
}

export interface ProduceRequest {
  transactionalId: string | null
  /** 0, 1 or -1 for all. */
  acks: number
  timeoutMs: number
  topicData: readonly ProduceTopicData[]
}

export interface ProduceRecordError {
  /** Index in the batch of the record that was refused. */
  batchIndex: number
  batchIndexErrorMessage: string | null
}

export interface ProducePartitionResponse {
  index: number
  errorCode: number
  baseOffset: bigint
  /** Milliseconds since the epoch where the topic stamps records itself; default -1. */
  logAppendTimeMs: bigint
  /** Default -1. */
  logStartOffset: bigint
  /** Default empty. */
  recordErrors: readonly ProduceRecordError[]
  /** Default null. */
  errorMessage: string | null
  /** Default {@link NO_LEADER}. */
  currentLeader: LeaderIdAndEpoch
}

export interface ProduceTopicResponse {
  /** Up to version 12; default ''. */
  name: string
  /** From version 13 on; default {@link ZERO_UUID}. */
  topicId: Uint8Array
  partitionResponses: readonly ProducePartitionResponse[]
}

export interface ProduceResponse {
  responses: readonly ProduceTopicResponse[]
  throttleTimeMs: number
  /** Default empty. */
  nodeEndpoints: readonly NodeEndpoint[]
}

/** First version with compact encodings. */
export const PRODUCE_FLEXIBLE_FROM = 9
/** First version that names topics by id. */
export const PRODUCE_TOPIC_IDS_FROM = 13

const NO_RECORD_ERRORS: readonly ProduceRecordError[] = Object.freeze([])
const NO_ENDPOINTS: readonly NodeEndpoint[] = Object.freeze([])

function writePartitionData(w: Writer, version: number, partition: ProducePartitionData): void {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  w.int32(partition.index)
  w.nullableBytes(partition.records, flexible)
  w.noTags(flexible)
}

function readPartitionData(r: Reader, version: number): ProducePartitionData {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  const partition = { index: r.int32(), records: r.nullableBytes(flexible) }
  r.skipTags(flexible)
  return partition
}

function writeTopicName(w: Writer, version: number, topic: { name: string; topicId: Uint8Array }): void {
  if (version >= PRODUCE_TOPIC_IDS_FROM) w.uuid(topic.topicId)
  else w.string(topic.name, version >= PRODUCE_FLEXIBLE_FROM)
}

function writeTopicData(w: Writer, version: number, topic: ProduceTopicData): void {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  writeTopicName(w, version, topic)
  w.array(topic.partitionData, flexible, version, writePartitionData)
  w.noTags(flexible)
}

/** Least bytes of a topic, in requests and responses alike: name or id, empty array, tags. */
function topicBytesMin(version: number): number {
  if (version >= PRODUCE_TOPIC_IDS_FROM) return 18
  return version >= PRODUCE_FLEXIBLE_FROM ? 3 : 6
}

function readTopicData(r: Reader, version: number): ProduceTopicData {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  const byId = version >= PRODUCE_TOPIC_IDS_FROM
  const topic = {
    name: byId ? '' : r.string(flexible),
    topicId: byId ? r.uuid() : ZERO_UUID,
    partitionData: r.array(flexible, flexible ? 6 : 8, version, readPartitionData),
  }
  r.skipTags(flexible)
  return topic
}

function writeRecordError(w: Writer, version: number, error: ProduceRecordError): void {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  w.int32(error.batchIndex)
  w.nullableString(error.batchIndexErrorMessage, flexible)
  w.noTags(flexible)
}

function readRecordError(r: Reader, version: number): ProduceRecordError {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  const error = { batchIndex: r.int32(), batchIndexErrorMessage: r.message(flexible) }
  r.skipTags(flexible)
  return error
}

function writePartitionTags(w: Writer, version: number, partition: ProducePartitionResponse): void {
  const fields: TaggedField[] = []
  if (version >= 10 && !isNoLeader(partition.currentLeader)) {
    fields.push({ tag: 0, write: inner => writeLeader(inner, partition.currentLeader) })
  }
  w.tags(fields)
}

function writePartitionResponse(w: Writer, version: number, partition: ProducePartitionResponse): void {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  w.int32(partition.index)
  w.int16(partition.errorCode)
  w.int64(partition.baseOffset)
  w.int64(partition.logAppendTimeMs)
  if (version >= 5) w.int64(partition.logStartOffset)
  if (version >= 8) {
    w.array(partition.recordErrors, flexible, version, writeRecordError)
    w.nullableString(partition.errorMessage, flexible)
  }
  if (flexible) writePartitionTags(w, version, partition)
}

function readPartitionTag(
  partition: ProducePartitionResponse,
  tag: number,
  r: Reader,
  version: number,
): boolean {
  if (tag !== 0 || version < 10) return false
  partition.currentLeader = readLeader(r)
  return true
}

function partitionResponseBytesMin(version: number): number {
  if (version >= PRODUCE_FLEXIBLE_FROM) return 33
  return 22 + (version >= 5 ? 8 : 0) + (version >= 8 ? 6 : 0)
}

/** Read once per batch sent: what is nearly always absent costs neither an object nor a call. */
function readPartitionResponse(r: Reader, version: number): ProducePartitionResponse {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  const partition: ProducePartitionResponse = {
    index: r.int32(),
    errorCode: r.int16(),
    baseOffset: r.int64(),
    logAppendTimeMs: r.int64(),
    logStartOffset: version >= 5 ? r.int64() : -1n,
    recordErrors: NO_RECORD_ERRORS,
    errorMessage: null,
    currentLeader: NO_LEADER,
  }
  if (version >= 8) {
    const count = r.arrayLength(flexible, 6)
    if (count > 0) partition.recordErrors = readRecordErrors(r, version, count)
    partition.errorMessage = r.message(flexible)
  }
  if (flexible) r.tags(partition, version, readPartitionTag)
  return partition
}

function readRecordErrors(r: Reader, version: number, count: number): ProduceRecordError[] {
  const errors: ProduceRecordError[] = []
  for (let i = 0; i < count; i++) errors.push(readRecordError(r, version))
  return errors
}

function writeTopicResponse(w: Writer, version: number, topic: ProduceTopicResponse): void {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  writeTopicName(w, version, topic)
  w.array(topic.partitionResponses, flexible, version, writePartitionResponse)
  w.noTags(flexible)
}

function readTopicResponse(r: Reader, version: number): ProduceTopicResponse {
  const flexible = version >= PRODUCE_FLEXIBLE_FROM
  const byId = version >= PRODUCE_TOPIC_IDS_FROM
  const topic = {
    name: byId ? '' : r.string(flexible),
    topicId: byId ? r.uuid() : ZERO_UUID,
    partitionResponses: r.array(flexible, partitionResponseBytesMin(version), version, readPartitionResponse),
  }
  r.skipTags(flexible)
  return topic
}

function readResponseTag(body: ProduceResponse, tag: number, r: Reader, version: number): boolean {
  if (tag !== 0 || version < 10) return false
  body.nodeEndpoints = r.array(true, NODE_ENDPOINT_BYTES_MIN, version, readNodeEndpoint)
  return true
}

/**
 *     request   transactionalId:string? acks:int16 timeoutMs:int32
 *               topicData:[ name:string{3–12} topicId:uuid{13+}
 *                           partitionData:[ index:int32 records:bytes? ] ]
 *     response  responses:[ name:string{3–12} topicId:uuid{13+}
 *                           partitionResponses:[ index:int32 errorCode:int16 baseOffset:int64
 *                             logAppendTimeMs:int64 logStartOffset:int64{5+}
 *                             recordErrors:[ batchIndex:int32 batchIndexErrorMessage:string? ]{8+}
 *                             errorMessage:string?{8+}
 *                             #0 currentLeader:( leaderId:int32 leaderEpoch:int32 ){10+} ] ]
 *               throttleTimeMs:int32
 *               #0 nodeEndpoints:[ nodeId:int32 host:string port:int32 rack:string? ]{10+}
 *
 * With acks 0 there is no response. Brokers announce versions 0–2 too, and refuse them.
 * Requests are sent by `encodeProduceFrame`, which does not copy the records.
 */
export const Produce: Api<ProduceRequest, ProduceResponse> = {
  key: 0,
  name: 'Produce',
  minVersion: 3,
  maxVersion: 13,
  flexibleFrom: PRODUCE_FLEXIBLE_FROM,
  clientThrottlesFrom: 6,

  writeRequest(w, version, body) {
    const flexible = version >= PRODUCE_FLEXIBLE_FROM
    w.nullableString(body.transactionalId, flexible)
    w.int16(body.acks)
    w.int32(body.timeoutMs)
    w.array(body.topicData, flexible, version, writeTopicData)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= PRODUCE_FLEXIBLE_FROM
    const body = {
      transactionalId: r.nullableString(flexible),
      acks: r.int16(),
      timeoutMs: r.int32(),
      topicData: r.array(flexible, topicBytesMin(version), version, readTopicData),
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    const flexible = version >= PRODUCE_FLEXIBLE_FROM
    w.array(body.responses, flexible, version, writeTopicResponse)
    w.int32(body.throttleTimeMs)
    if (!flexible) return
    const fields: TaggedField[] = []
    if (version >= 10 && body.nodeEndpoints.length > 0) {
      fields.push({
        tag: 0,
        write: inner => inner.array(body.nodeEndpoints, true, version, writeNodeEndpoint),
      })
    }
    w.tags(fields)
  },

  readResponse(r, version) {
    const flexible = version >= PRODUCE_FLEXIBLE_FROM
    const body: ProduceResponse = {
      responses: r.array(flexible, topicBytesMin(version), version, readTopicResponse),
      throttleTimeMs: r.int32(),
      nodeEndpoints: NO_ENDPOINTS,
    }
    if (flexible) r.tags(body, version, readResponseTag)
    return body
  },
}
