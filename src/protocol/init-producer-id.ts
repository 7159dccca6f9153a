import { type Api, refuseField } from './api.js'

export interface InitProducerIdRequest {
  /** Null for an idempotent producer without transactions. */
  transactionalId: string | null
  transactionTimeoutMs: number
  /** The present id, to have its epoch bumped; default -1: a new one. */
  producerId: bigint
  /** Default -1. */
  producerEpoch: number
  /** The end of transactions is decided elsewhere; default false. Left out below version 6. */
  enable2Pc?: boolean
  /** An open transaction is kept, not aborted; default false. Left out below version 6. */
  keepPreparedTxn?: boolean
}

export interface InitProducerIdResponse {
  throttleTimeMs: number
  errorCode: number
  producerId: bigint
  producerEpoch: number
  /** Of the transaction that has been kept; default none, -1. */
  ongoingTxnProducerId?: bigint
  ongoingTxnProducerEpoch?: number
}

/** The highest version without two-phase commit. Brokers of Kafka 4.3 show the next one only on demand. */
export const INIT_PRODUCER_ID_ONE_PHASE_MAX = 5

const FLEXIBLE_FROM = 2

/**
 *     request   transactionalId:string? transactionTimeoutMs:int32
 *               producerId:int64{3+} producerEpoch:int16{3+}
 *               enable2Pc:boolean{6+} keepPreparedTxn:boolean{6+}
 *     response  throttleTimeMs:int32 errorCode:int16 producerId:int64 producerEpoch:int16
 *               ongoingTxnProducerId:int64{6+} ongoingTxnProducerEpoch:int16{6+}
 *
 * Versions 4 and 5 change only which errors the broker may answer (PRODUCER_FENCED, TRANSACTION_ABORTABLE);
 * version 6 is KIP-939.
 */
export const InitProducerId: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 6,
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
    if (version >= 6) {
      w.bool(body.enable2Pc ?? false)
      w.bool(body.keepPreparedTxn ?? false)
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
      enable2Pc: version >= 6 && r.bool(),
      keepPreparedTxn: version >= 6 && r.bool(),
    }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    w.int32(body.throttleTimeMs)
    w.int16(body.errorCode)
    w.int64(body.producerId)
    w.int16(body.producerEpoch)
    if (version >= 6) {
      w.int64(body.ongoingTxnProducerId ?? -1n)
      w.int16(body.ongoingTxnProducerEpoch ?? -1)
    }
    w.noTags(version >= FLEXIBLE_FROM)
  },

  readResponse(r, version) {
    const body = {
      throttleTimeMs: r.int32(),
      errorCode: r.int16(),
      producerId: r.int64(),
      producerEpoch: r.int16(),
      ongoingTxnProducerId: version >= 6 ? r.int64() : -1n,
      ongoingTxnProducerEpoch: version >= 6 ? r.int16() : -1,
    }
    r.skipTags(version >= FLEXIBLE_FROM)
    return body
  },
}
