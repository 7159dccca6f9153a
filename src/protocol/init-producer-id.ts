import { type Api, refuseField } from './api.js'

export interface InitProducerIdRequest {
  /** Null for an idempotent producer without transactions. */
  transactionalId: string | null
  transactionTimeoutMs: number
  /** The present id, to have its epoch bumped; default -1: a new one. */
  producerId: bigint
  /** Default -1. */
  producerEpoch: number
}

export interface InitProducerIdResponse {
  throttleTimeMs: number
  errorCode: number
  producerId: bigint
  producerEpoch: number
}

const FLEXIBLE_FROM = 2

/**
 *     request   transactionalId:string? transactionTimeoutMs:int32
 *               producerId:int64{3+} producerEpoch:int16{3+}
 *     response  throttleTimeMs:int32 errorCode:int16 producerId:int64 producerEpoch:int16
 *
 * Versions 4 and 5 change only which errors the broker may answer (PRODUCER_FENCED, TRANSACTION_ABORTABLE).
 */
export const InitProducerId: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 1,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.nullableString(body.transactionalId, flexible)
    w.int32(body.transactionTimeoutMs)
    if (version >= 3) {
      w.int64(body.producerId)
      w.int16(body.producerEpoch)
    } else if (body.producerId !== -1n || body.producerEpoch !== -1) {
      refuseField('InitProducerId', version, 'producerId and producerEpoch')
    }
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      transactionalId: r.nullableString(flexible),
      transactionTimeoutMs: r.int32(),
      producerId: version >= 3 ? r.int64() : -1n,
      producerEpoch: version >= 3 ? r.int16() : -1,
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    w.int32(body.throttleTimeMs)
    w.int16(body.errorCode)
    w.int64(body.producerId)
    w.int16(body.producerEpoch)
    w.noTags(version >= FLEXIBLE_FROM)
  },

  readResponse(r, version) {
    const body = {
      throttleTimeMs: r.int32(),
      errorCode: r.int16(),
      producerId: r.int64(),
      producerEpoch: r.int16(),
    }
    r.skipTags(version >= FLEXIBLE_FROM)
    return body
  },
}
