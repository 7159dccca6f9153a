import type { Api } from './api.js'

export interface AddOffsetsToTxnRequest {
  transactionalId: string
  producerId: bigint
  producerEpoch: number
  groupId: string
}

export interface AddOffsetsToTxnResponse {
  throttleTimeMs: number
  errorCode: number
}

const FLEXIBLE_FROM = 3

/**
 *     request   transactionalId:string producerId:int64 producerEpoch:int16 groupId:string
 *     response  throttleTimeMs:int32 errorCode:int16
 *
 * Makes the partition of `__consumer_offsets` that holds the group's offsets part of the transaction.
 * Version 4 changes only which errors the broker may answer (TRANSACTION_ABORTABLE).
 */
export const AddOffsetsToTxn: Api<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> = {
  key: 25,
  name: 'AddOffsetsToTxn',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 1,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.string(body.transactionalId, flexible)
    w.int64(body.producerId)
    w.int16(body.producerEpoch)
    w.string(body.groupId, flexible)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      transactionalId: r.string(flexible),
      producerId: r.int64(),
      producerEpoch: r.int16(),
      groupId: r.string(flexible),
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    w.int32(body.throttleTimeMs)
    w.int16(body.errorCode)
    w.noTags(version >= FLEXIBLE_FROM)
  },

  readResponse(r, version) {
    const body = { throttleTimeMs: r.int32(), errorCode: r.int16() }
    r.skipTags(version >= FLEXIBLE_FROM)
    return body
  },
}
