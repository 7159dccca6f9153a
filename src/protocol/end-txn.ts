import type { Api } from './api.js'

export interface EndTxnRequest {
  transactionalId: string
  producerId: bigint
  producerEpoch: number
  /** True commits, false aborts. */
  committed: boolean
}

export interface EndTxnResponse {
  throttleTimeMs: number
  errorCode: number
  /** Under which the next transaction goes. Default -1: as before. */
  producerId: bigint
  /** Default -1. */
  producerEpoch: number
}

const FLEXIBLE_FROM = 3
/** First version for clients of `transaction.version` 2: the epoch is bumped with every end (KIP-890). */
export const END_TXN_BUMPS_EPOCH_FROM = 5

/**
 *     request   transactionalId:string producerId:int64 producerEpoch:int16 committed:bool
 *     response  throttleTimeMs:int32 errorCode:int16 producerId:int64{5+} producerEpoch:int16{5+}
 */
export const EndTxn: Api<EndTxnRequest, EndTxnResponse> = {
  key: 26,
  name: 'EndTxn',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 1,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.string(body.transactionalId, flexible)
    w.int64(body.producerId)
    w.int16(body.producerEpoch)
    w.bool(body.committed)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      transactionalId: r.string(flexible),
      producerId: r.int64(),
      producerEpoch: r.int16(),
      committed: r.bool(),
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    w.int32(body.throttleTimeMs)
    w.int16(body.errorCode)
    if (version >= END_TXN_BUMPS_EPOCH_FROM) {
      w.int64(body.producerId)
      w.int16(body.producerEpoch)
    }
    w.noTags(version >= FLEXIBLE_FROM)
  },

  readResponse(r, version) {
    const told = version >= END_TXN_BUMPS_EPOCH_FROM
    const body = {
      throttleTimeMs: r.int32(),
      errorCode: r.int16(),
      producerId: told ? r.int64() : -1n,
      producerEpoch: told ? r.int16() : -1,
    }
    r.skipTags(version >= FLEXIBLE_FROM)
    return body
  },
}
