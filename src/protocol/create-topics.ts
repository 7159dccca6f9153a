import type { Api } from './api.js'
import type { Reader } from './reader.js'
import { ZERO_UUID } from './uuid.js'
import type { TaggedField, Writer } from './writer.js'

interface ReplicaAssignment {
  partitionIndex: number
  brokerIds: readonly number[]
}

interface TopicConfig {
  name: string
  value: string | null
}

export interface CreatableTopic {
  name: string
  /** -1: the broker's default (version 4+), or as `assignments` say. */
  numPartitions: number
  /** -1: the broker's default (version 4+), or as `assignments` say. */
  replicationFactor: number
  /** Empty: the broker assigns. */
  assignments: readonly ReplicaAssignment[]
  configs: readonly TopicConfig[]
}

export interface CreateTopicsRequest {
  topics: readonly CreatableTopic[]
  /** Default 60000. */
  timeoutMs: number
  /** Default false. */
  validateOnly: boolean
}

interface CreatedTopicConfig {
  name: string
  value: string | null
  readOnly: boolean
  /** Default -1. */
  configSource: number
  isSensitive: boolean
}

export interface CreatedTopic {
  name: string
  /** Default {@link ZERO_UUID}. */
  topicId: Uint8Array
  errorCode: number
  errorMessage: string | null
  /** Why `configs` is null; default 0. */
  topicConfigErrorCode: number
  /** Default -1. */
  numPartitions: number
  /** Default -1. */
  replicationFactor: number
  /** Default empty; null where the client may not see them. */
  configs: readonly CreatedTopicConfig[] | null
}

export interface CreateTopicsResponse {
  throttleTimeMs: number
  topics: readonly CreatedTopic[]
}

const FLEXIBLE_FROM = 5

function writeAssignment(w: Writer, version: number, assignment: ReplicaAssignment): void {
  const flexible = version >= FLEXIBLE_FROM
  w.int32(assignment.partitionIndex)
  w.int32Array(assignment.brokerIds, flexible)
  w.noTags(flexible)
}

function readAssignment(r: Reader, version: number): ReplicaAssignment {
  const flexible = version >= FLEXIBLE_FROM
  const assignment = { partitionIndex: r.int32(), brokerIds: r.int32Array(flexible) }
  r.skipTags(flexible)
  return assignment
}

function writeConfig(w: Writer, version: number, config: TopicConfig): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(config.name, flexible)
  w.nullableString(config.value, flexible)
  w.noTags(flexible)
}

function readConfig(r: Reader, version: number): TopicConfig {
  const flexible = version >= FLEXIBLE_FROM
  const config = { name: r.string(flexible), value: r.nullableString(flexible) }
  r.skipTags(flexible)
  return config
}

function writeTopic(w: Writer, version: number, topic: CreatableTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(topic.name, flexible)
  w.int32(topic.numPartitions)
  w.int16(topic.replicationFactor)
  w.array(topic.assignments, flexible, version, writeAssignment)
  w.array(topic.configs, flexible, version, writeConfig)
  w.noTags(flexible)
}

function readTopic(r: Reader, version: number): CreatableTopic {
  const flexible = version >= FLEXIBLE_FROM
  const topic = {
    name: r.string(flexible),
    numPartitions: r.int32(),
    replicationFactor: r.int16(),
    assignments: r.array(flexible, flexible ? 6 : 8, version, readAssignment),
    configs: r.array(flexible, flexible ? 3 : 4, version, readConfig),
  }
  r.skipTags(flexible)
  return topic
}

function writeCreatedConfig(w: Writer, _version: number, config: CreatedTopicConfig): void {
  w.string(config.name, true)
  w.nullableString(config.value, true)
  w.bool(config.readOnly)
  w.int8(config.configSource)
  w.bool(config.isSensitive)
  w.noTags()
}

function readCreatedConfig(r: Reader): CreatedTopicConfig {
  const config = {
    name: r.string(true),
    value: r.nullableString(true),
    readOnly: r.bool(),
    configSource: r.int8(),
    isSensitive: r.bool(),
  }
  r.skipTags()
  return config
}

function writeCreatedTags(w: Writer, topic: CreatedTopic): void {
  const fields: TaggedField[] = []
  if (topic.topicConfigErrorCode !== 0) {
    fields.push({ tag: 0, write: inner => inner.int16(topic.topicConfigErrorCode) })
  }
  w.tags(fields)
}

function writeCreated(w: Writer, version: number, topic: CreatedTopic): void {
  const flexible = version >= FLEXIBLE_FROM
  w.string(topic.name, flexible)
  if (version >= 7) w.uuid(topic.topicId)
  w.int16(topic.errorCode)
  w.nullableString(topic.errorMessage, flexible)
  if (!flexible) return
  w.int32(topic.numPartitions)
  w.int16(topic.replicationFactor)
  if (topic.configs === null) w.arrayLength(-1, true)
  else w.array(topic.configs, true, version, writeCreatedConfig)
  writeCreatedTags(w, topic)
}

function readCreatedTag(topic: CreatedTopic, tag: number, r: Reader): boolean {
  if (tag !== 0) return false
  topic.topicConfigErrorCode = r.int16()
  return true
}

function readCreatedConfigs(r: Reader): CreatedTopicConfig[] | null {
  const count = r.nullableArrayLength(true, 6)
  if (count < 0) return null
  const configs: CreatedTopicConfig[] = []
  for (let i = 0; i < count; i++) configs.push(readCreatedConfig(r))
  return configs
}

function createdBytesMin(version: number): number {
  if (version >= 7) return 28
  return version >= FLEXIBLE_FROM ? 12 : 6
}

function readCreated(r: Reader, version: number): CreatedTopic {
  const flexible = version >= FLEXIBLE_FROM
  const topic: CreatedTopic = {
    name: r.string(flexible),
    topicId: version >= 7 ? r.uuid() : ZERO_UUID,
    errorCode: r.int16(),
    errorMessage: r.message(flexible),
    topicConfigErrorCode: 0,
    numPartitions: flexible ? r.int32() : -1,
    replicationFactor: flexible ? r.int16() : -1,
    configs: flexible ? readCreatedConfigs(r) : [],
  }
  if (flexible) r.tags(topic, version, readCreatedTag)
  return topic
}

/**
 *     request   topics:[ name:string numPartitions:int32 replicationFactor:int16
 *                        assignments:[ partitionIndex:int32 brokerIds:[int32] ]
 *                        configs:[ name:string value:string? ] ]
 *               timeoutMs:int32 validateOnly:bool
 *     response  throttleTimeMs:int32
 *               topics:[ name:string topicId:uuid{7+} errorCode:int16 errorMessage:string?
 *                        numPartitions:int32{5+} replicationFactor:int16{5+}
 *                        configs:[ name:string value:string? readOnly:bool configSource:int8
 *                                  isSensitive:bool ]?{5+}
 *                        #0 topicConfigErrorCode:int16{5+} ]
 */
export const CreateTopics: Api<CreateTopicsRequest, CreateTopicsResponse> = {
  key: 19,
  name: 'CreateTopics',
  minVersion: 2,
  maxVersion: 7,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 3,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.array(body.topics, flexible, version, writeTopic)
    w.int32(body.timeoutMs)
    w.bool(body.validateOnly)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      topics: r.array(flexible, flexible ? 10 : 16, version, readTopic),
      timeoutMs: r.int32(),
      validateOnly: r.bool(),
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.int32(body.throttleTimeMs)
    w.array(body.topics, flexible, version, writeCreated)
    w.noTags(flexible)
  },

  readResponse(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      throttleTimeMs: r.int32(),
      topics: r.array(flexible, createdBytesMin(version), version, readCreated),
    }
    r.skipTags(flexible)
    return body
  },
}
