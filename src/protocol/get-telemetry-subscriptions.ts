import type { Api } from './api.js'

export interface GetTelemetrySubscriptionsRequest {
  /** The id that a broker has given, or zeros to be given one. */
  clientInstanceId: Uint8Array
}

export interface GetTelemetrySubscriptionsResponse {
  throttleTimeMs: number
  errorCode: number
  clientInstanceId: Uint8Array
  /** Names the subscription in pushes. */
  subscriptionId: number
  /** Numbers of codecs, those that the broker likes best first. */
  acceptedCompressionTypes: readonly number[]
  pushIntervalMs: number
  telemetryMaxBytes: number
  /** Whether counters are to be sent as what was added since the last push. */
  deltaTemporality: boolean
  /** Beginnings of names of metrics; one `*` means all, none that nothing is wanted. */
  requestedMetrics: readonly string[]
}

/**
 * Asks which metrics the cluster wants (KIP-714).
 *
 *     request   clientInstanceId:uuid
 *     response  throttleTimeMs:int32 errorCode:int16 clientInstanceId:uuid subscriptionId:int32
 *               acceptedCompressionTypes:[int8] pushIntervalMs:int32 telemetryMaxBytes:int32
 *               deltaTemporality:bool requestedMetrics:[string]
 */
export const GetTelemetrySubscriptions: Api<
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse
> = {
  key: 71,
  name: 'GetTelemetrySubscriptions',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  clientThrottlesFrom: 0,

  writeRequest(w, _version, body) {
    w.uuid(body.clientInstanceId)
    w.noTags()
  },

  readRequest(r) {
    const body = { clientInstanceId: r.uuid() }
    r.skipTags()
    return body
  },

  writeResponse(w, _version, body) {
    w.int32(body.throttleTimeMs)
    w.int16(body.errorCode)
    w.uuid(body.clientInstanceId)
    w.int32(body.subscriptionId)
    w.arrayLength(body.acceptedCompressionTypes.length, true)
    for (const type of body.acceptedCompressionTypes) w.int8(type)
    w.int32(body.pushIntervalMs)
    w.int32(body.telemetryMaxBytes)
    w.bool(body.deltaTemporality)
    w.arrayLength(body.requestedMetrics.length, true)
    for (const prefix of body.requestedMetrics) w.string(prefix, true)
    w.noTags()
  },

  readResponse(r) {
    const throttleTimeMs = r.int32()
    const errorCode = r.int16()
    const clientInstanceId = r.uuid()
    const subscriptionId = r.int32()
    const acceptedCompressionTypes = Array.from({ length: r.arrayLength(true, 1) }, () => r.int8())
    const body = {
      ...{ throttleTimeMs, errorCode, clientInstanceId, subscriptionId, acceptedCompressionTypes },
      pushIntervalMs: r.int32(),
      telemetryMaxBytes: r.int32(),
      deltaTemporality: r.bool(),
      requestedMetrics: Array.from({ length: r.arrayLength(true, 1) }, () => r.string(true)),
    }
    r.skipTags()
    return body
  },
}
