import { type Api, refuseField } from './api.js'
import type { Reader } from './reader.js'
import { ZERO_UUID } from './uuid.js'
import type { Writer } from './writer.js'

export interface MetadataRequestTopic {
  /** Default {@link ZERO_UUID}: asked by name. Brokers look ids up from version 12 on. */
  topicId: Uint8Array
  /** Null: asked by id. */
  name: string | null
}

export interface MetadataRequest {
  /** Null: all topics. Empty: none. */
  topics: readonly MetadataRequestTopic[] | null
  /** Default true. */
  allowAutoTopicCreation: boolean
  /** Default false. */
  includeClusterAuthorizedOperations: boolean
  /** Default false. */
  includeTopicAuthorizedOperations: boolean
}

export interface MetadataBroker {
  nodeId: number
  host: string
  port: number
  /** Default null. */
  rack: string | null
}

export interface MetadataPartition {
  errorCode: number
  partitionIndex: number
  /** -1: none. */
  leaderId: number
  /** Default -1: unknown. */
  leaderEpoch: number
  replicaNodes: readonly number[]
  isrNodes: readonly number[]
  offlineReplicas: readonly number[]
}

export interface MetadataTopic {
  errorCode: number
  /** Null where a topic was asked by an id that the broker does not know. */
  name: string | null
  /** Default {@link ZERO_UUID}. */
  topicId: Uint8Array
  /** Default false. */
  isInternal: boolean
  partitions: readonly MetadataPartition[]
  /** Bit set; default {@link OPERATIONS_UNKNOWN}. */
  topicAuthorizedOperations: number
}

export interface MetadataResponse {
  /** Default 0. */
  throttleTimeMs: number
  brokers: readonly MetadataBroker[]
  /** Default null. */
  clusterId: string | null
  /** Default -1: unknown. */
  controllerId: number
  topics: readonly MetadataTopic[]
  /** Bit set; default {@link OPERATIONS_UNKNOWN}. */
  clusterAuthorizedOperations: number
  /** Default 0. */
  errorCode: number
}

/** The bit set of authorized operations that was not asked for. */
export const OPERATIONS_UNKNOWN = -2147483648

/** A broker or topic takes about as long to read and to keep as that many partitions. */
const STRUCT_COST = 8
const FLEXIBLE_FROM = 9

function hasClusterOperations(version: number): boolean {
  return version >= 8 && version <= 10
}

function writeRequestTopic(w: Writer, version: number, topic: MetadataRequestTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  if (version >= 10) {
    w.uuid(topic.topicId)
    w.nullableString(topic.name, true)
  } else {
    if (topic.name === null) refuseField('Metadata', version, 'a topic without a name')
    w.string(topic.name, flexible)
  }
  w.noTags(flexible)
}

function readRequestTopic(r: Reader, version: number): MetadataRequestTopic {
  const flexible = version >= FLEXIBLE_FROM
  const topic =
    version >= 10
      ? { topicId: r.uuid(), name: r.nullableString(true) }
      : { topicId: ZERO_UUID, name: r.string(flexible) }
  r.skipTags(flexible)
  return topic
}

function writeBroker(w: Writer, version: number, broker: MetadataBroker): void {
  const flexible = version >= FLEXIBLE_FROM
  w.int32(broker.nodeId)
  w.string(broker.host, flexible)
  w.int32(broker.port)
  if (version >= 1) w.nullableString(broker.rack, flexible)
  w.noTags(flexible)
}

function readBroker(r: Reader, version: number): MetadataBroker {
  const flexible = version >= FLEXIBLE_FROM
  const broker = {
    nodeId: r.int32(),
    host: r.string(flexible),
    port: r.int32(),
    rack: version >= 1 ? r.nullableString(flexible) : null,
  }
  r.skipTags(flexible)
  return broker
}

function brokerBytesMin(version: number): number {
  if (version >= FLEXIBLE_FROM) return 11
  return version >= 1 ? 12 : 10
}

function writePartition(w: Writer, version: number, partition: MetadataPartition): void {
  const flexible = version >= FLEXIBLE_FROM
  w.int16(partition.errorCode)
  w.int32(partition.partitionIndex)
  w.int32(partition.leaderId)
  if (version >= 7) w.int32(partition.leaderEpoch)
  w.int32Array(partition.replicaNodes, flexible)
  w.int32Array(partition.isrNodes, flexible)
  if (version >= 5) w.int32Array(partition.offlineReplicas, flexible)
  w.noTags(flexible)
}

const NO_REPLICAS: readonly number[] = []

function readPartition(r: Reader, version: number): MetadataPartition {
  const flexible = version >= FLEXIBLE_FROM
  const partition = {
    errorCode: r.int16(),
    partitionIndex: r.int32(),
    leaderId: r.int32(),
    leaderEpoch: version >= 7 ? r.int32() : -1,
    replicaNodes: r.int32Array(flexible),
    isrNodes: r.int32Array(flexible),
    offlineReplicas: version >= 5 ? r.int32Array(flexible) : NO_REPLICAS,
  }
  r.skipTags(flexible)
  return partition
}

function partitionBytesMin(version: number): number {
  if (version >= FLEXIBLE_FROM) return 18
  return 18 + (version >= 5 ? 4 : 0) + (version >= 7 ? 4 : 0)
}

function writeTopic(w: Writer, version: number, topic: MetadataTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  w.int16(topic.errorCode)
  if (version >= 12) w.nullableString(topic.name, true)
  else if (topic.name === null) refuseField('Metadata', version, 'a topic without a name')
  else w.string(topic.name, flexible)
  if (version >= 10) w.uuid(topic.topicId)
  if (version >= 1) w.bool(topic.isInternal)
  w.array(topic.partitions, flexible, version, writePartition)
  if (version >= 8) w.int32(topic.topicAuthorizedOperations)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): MetadataTopic {
  const flexible = version >= FLEXIBLE_FROM
  const topic = {
    errorCode: r.int16(),
    name: version >= 12 ? r.nullableString(true) : r.string(flexible),
    topicId: version >= 10 ? r.uuid() : ZERO_UUID,
    isInternal: version >= 1 ? r.bool() : false,
    partitions: r.array(flexible, partitionBytesMin(version), version, readPartition),
    topicAuthorizedOperations: version >= 8 ? r.int32() : OPERATIONS_UNKNOWN,
  }
  r.skipTags(flexible)
  return topic
}

function topicBytesMin(version: number): number {
  if (version >= 10) return 26
  return version >= FLEXIBLE_FROM ? 10 : 8
}

/** Checks what versions below the one that introduced a field cannot say. */
function refuseUnsayable(version: number, body: MetadataRequest): void {
  if (version < 4 && !body.allowAutoTopicCreation) refuseField('Metadata', version, 'allowAutoTopicCreation')
  if (version < 8 && body.includeTopicAuthorizedOperations) {
    refuseField('Metadata', version, 'includeTopicAuthorizedOperations')
  }
  if (!hasClusterOperations(version) && body.includeClusterAuthorizedOperations) {
    refuseField('Metadata', version, 'includeClusterAuthorizedOperations')
  }
  if (version === 0 && body.topics?.length === 0) refuseField('Metadata', version, 'an empty list of topics')
}

/**
 *     request   topics:[ topicId:uuid{10+} name:string (string?{10+}) ] (]?{1+})
 *               allowAutoTopicCreation:bool{4+}
 *               includeClusterAuthorizedOperations:bool{8–10} includeTopicAuthorizedOperations:bool{8+}
 *     response  throttleTimeMs:int32{3+}
 *               brokers:[ nodeId:int32 host:string port:int32 rack:string?{1+} ]
 *               clusterId:string?{2+} controllerId:int32{1+}
 *               topics:[ errorCode:int16 name:string (string?{12+}) topicId:uuid{10+} isInternal:bool{1+}
 *                        partitions:[ errorCode:int16 partitionIndex:int32 leaderId:int32
 *                                     leaderEpoch:int32{7+} replicaNodes:[int32] isrNodes:[int32]
 *                                     offlineReplicas:[int32]{5+} ]
 *                        topicAuthorizedOperations:int32{8+} ]
 *               clusterAuthorizedOperations:int32{8–10} errorCode:int16{13+}
 *
 * All topics are null, except in version 0, where they are an empty array.
 */
export const Metadata: Api<MetadataRequest, MetadataResponse> = {
  key: 3,
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 13,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 6,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    refuseUnsayable(version, body)
    if (body.topics !== null) w.array(body.topics, flexible, version, writeRequestTopic)
    else w.arrayLength(version === 0 ? 0 : -1, flexible)
    if (version >= 4) w.bool(body.allowAutoTopicCreation)
    if (hasClusterOperations(version)) w.bool(body.includeClusterAuthorizedOperations)
    if (version >= 8) w.bool(body.includeTopicAuthorizedOperations)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const count = r.nullableArrayLength(flexible, version >= 10 ? 18 : 2)
    const topics: MetadataRequestTopic[] = []
    for (let i = 0; i < count; i++) topics.push(readRequestTopic(r, version))
    const body = {
      topics: count < 0 || (version === 0 && count === 0) ? null : topics,
      allowAutoTopicCreation: version >= 4 ? r.bool() : true,
      includeClusterAuthorizedOperations: hasClusterOperations(version) ? r.bool() : false,
      includeTopicAuthorizedOperations: version >= 8 ? r.bool() : false,
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    if (version >= 3) w.int32(body.throttleTimeMs)
    w.array(body.brokers, flexible, version, writeBroker)
    if (version >= 2) w.nullableString(body.clusterId, flexible)
    if (version >= 1) w.int32(body.controllerId)
    w.array(body.topics, flexible, version, writeTopic)
    if (hasClusterOperations(version)) w.int32(body.clusterAuthorizedOperations)
    if (version >= 13) w.int16(body.errorCode)
    w.noTags(flexible)
  },

  readResponse(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      throttleTimeMs: version >= 3 ? r.int32() : 0,
      brokers: r.array(flexible, brokerBytesMin(version), version, readBroker, STRUCT_COST),
      clusterId: version >= 2 ? r.nullableString(flexible) : null,
      controllerId: version >= 1 ? r.int32() : -1,
      topics: r.array(flexible, topicBytesMin(version), version, readTopic, STRUCT_COST),
      clusterAuthorizedOperations: hasClusterOperations(version) ? r.int32() : OPERATIONS_UNKNOWN,
      errorCode: version >= 13 ? r.int16() : 0,
    }
    r.skipTags(flexible)
    return body
  },
}
