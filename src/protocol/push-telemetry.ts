import type { Api } from './api.js'

export interface PushTelemetryRequest {
  clientInstanceId: Uint8Array
  subscriptionId: number
  /** The client is being closed: this is its last push. */
  terminating: boolean
  /** Number of the codec that `metrics` are compressed with; 0: none. */
  compressionType: number
  /** OpenTelemetry's `MetricsData` as protobuf. */
  metrics: Uint8Array
}

export interface PushTelemetryResponse {
  throttleTimeMs: number
  errorCode: number
}

/**
 * Hands metrics to the cluster (KIP-714).
 *
 *     request   clientInstanceId:uuid subscriptionId:int32 terminating:bool compressionType:int8
 *               metrics:bytes
 *     response  throttleTimeMs:int32 errorCode:int16
 */
export const PushTelemetry: Api<PushTelemetryRequest, PushTelemetryResponse> = {
  key: 72,
  name: 'PushTelemetry',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  clientThrottlesFrom: 0,

  writeRequest(w, _version, body) {
    w.uuid(body.clientInstanceId)
    w.int32(body.subscriptionId)
    w.bool(body.terminating)
    w.int8(body.compressionType)
    w.bytes(body.metrics, true)
    w.noTags()
  },

  readRequest(r) {
    const body = {
      clientInstanceId: r.uuid(),
      subscriptionId: r.int32(),
      terminating: r.bool(),
      compressionType: r.int8(),
      metrics: r.bytes(true),
    }
    r.skipTags()
    return body
  },

  writeResponse(w, _version, body) {
    w.int32(body.throttleTimeMs)
    w.int16(body.errorCode)
    w.noTags()
  },

  readResponse(r) {
    const body = { throttleTimeMs: r.int32(), errorCode: r.int16() }
    r.skipTags()
    return body
  },
}
