import { type Api, refuseField } from './api.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

/** What a coordinator is looked up for. */
export const CoordinatorType = { GROUP: 0, TRANSACTION: 1, SHARE: 2 } as const

export interface FindCoordinatorRequest {
  /** One of {@link CoordinatorType}; default GROUP. */
  keyType: number
  /** Group or transactional ids; exactly one below version 4, whose field `key` it is. */
  coordinatorKeys: readonly string[]
}

export interface Coordinator {
  /** Which of the ids asked for; '' below version 4, which answers for the only one. */
  key: string
  nodeId: number
  host: string
  port: number
  errorCode: number
  /** Default null. */
  errorMessage: string | null
}

export interface FindCoordinatorResponse {
  /** Default 0. */
  throttleTimeMs: number
  /** One below version 4. */
  coordinators: readonly Coordinator[]
}

const FLEXIBLE_FROM = 3
const BATCHED_FROM = 4
const COORDINATOR_BYTES_MIN = 14

function readCoordinator(r: Reader): Coordinator {
  const coordinator = {
    key: r.string(true),
    nodeId: r.int32(),
    host: r.string(true),
    port: r.int32(),
    errorCode: r.int16(),
    errorMessage: r.message(true),
  }
  r.skipTags()
  return coordinator
}

function writeCoordinator(w: Writer, _version: number, coordinator: Coordinator): void {
  w.string(coordinator.key, true)
  w.int32(coordinator.nodeId)
  w.string(coordinator.host, true)
  w.int32(coordinator.port)
  w.int16(coordinator.errorCode)
  w.nullableString(coordinator.errorMessage, true)
  w.noTags()
}

function readOnlyCoordinator(r: Reader, version: number): Coordinator {
  const flexible = version >= FLEXIBLE_FROM
  const errorCode = r.int16()
  const errorMessage = version >= 1 ? r.message(flexible) : null
  return {
    key: '',
    nodeId: r.int32(),
    host: r.string(flexible),
    port: r.int32(),
    errorCode,
    errorMessage,
  }
}

function writeOnlyCoordinator(w: Writer, version: number, body: FindCoordinatorResponse): void {
  const flexible = version >= FLEXIBLE_FROM
  const coordinator = body.coordinators[0]
  if (coordinator === undefined || body.coordinators.length > 1) {
    refuseField('FindCoordinator', version, `${body.coordinators.length} coordinators`)
  }
  w.int16(coordinator.errorCode)
  if (version >= 1) w.nullableString(coordinator.errorMessage, flexible)
  w.int32(coordinator.nodeId)
  w.string(coordinator.host, flexible)
  w.int32(coordinator.port)
}

/**
 *     request   key:string{0–3} keyType:int8{1+} coordinatorKeys:[string]{4+}
 *     response  throttleTimeMs:int32{1+}
 *               {0–3}: errorCode:int16 errorMessage:string?{1–3} nodeId:int32 host:string port:int32
 *               {4+}:  coordinators:[ key:string nodeId:int32 host:string port:int32
 *                                     errorCode:int16 errorMessage:string? ]
 *
 * Bodies have the shape of version 4 whatever the version.
 */
export const FindCoordinator: Api<FindCoordinatorRequest, FindCoordinatorResponse> = {
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 2,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    const key = body.coordinatorKeys[0]
    if (version < BATCHED_FROM) {
      if (key === undefined || body.coordinatorKeys.length > 1) {
        refuseField('FindCoordinator', version, `${body.coordinatorKeys.length} keys`)
      }
      w.string(key, flexible)
    }
    if (version >= 1) w.int8(body.keyType)
    else if (body.keyType !== CoordinatorType.GROUP) refuseField('FindCoordinator', version, 'keyType')
    if (version >= BATCHED_FROM) {
      w.arrayLength(body.coordinatorKeys.length, true)
      for (const each of body.coordinatorKeys) w.string(each, true)
    }
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const keys = version < BATCHED_FROM ? [r.string(flexible)] : []
    const keyType = version >= 1 ? r.int8() : CoordinatorType.GROUP
    if (version >= BATCHED_FROM) {
      const count = r.arrayLength(true, 1)
      for (let i = 0; i < count; i++) keys.push(r.string(true))
    }
    r.skipTags(flexible)
    return { keyType, coordinatorKeys: keys }
  },

  writeResponse(w, version, body) {
    if (version >= 1) w.int32(body.throttleTimeMs)
    if (version >= BATCHED_FROM) w.array(body.coordinators, true, version, writeCoordinator)
    else writeOnlyCoordinator(w, version, body)
    w.noTags(version >= FLEXIBLE_FROM)
  },

  readResponse(r, version) {
    const body = {
      throttleTimeMs: version >= 1 ? r.int32() : 0,
      coordinators:
        version >= BATCHED_FROM
          ? r.array(true, COORDINATOR_BYTES_MIN, version, readCoordinator)
          : [readOnlyCoordinator(r, version)],
    }
    r.skipTags(version >= FLEXIBLE_FROM)
    return body
  },
}
