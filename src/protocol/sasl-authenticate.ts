import type { Api } from './api.js'

export interface SaslAuthenticateRequest {
  /** A message of the mechanism. */
  authBytes: Uint8Array
}

export interface SaslAuthenticateResponse {
  errorCode: number
  errorMessage: string | null
  /** A message of the mechanism; a view of the frame. */
  authBytes: Uint8Array
  /** How long the session lasts from the end of the exchange; 0: for as long as the connection. */
  sessionLifetimeMs: bigint
}

const FLEXIBLE_FROM = 2

/**
 *     request   authBytes:bytes
 *     response  errorCode:int16 errorMessage:string? authBytes:bytes sessionLifetimeMs:int64{1+}
 */
export const SaslAuthenticate: Api<SaslAuthenticateRequest, SaslAuthenticateResponse> = {
  key: 36,
  name: 'SaslAuthenticate',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: Number.POSITIVE_INFINITY,

  writeRequest(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.bytes(body.authBytes, flexible)
    w.noTags(flexible)
  },

  readRequest(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = { authBytes: r.bytes(flexible) }
    r.skipTags(flexible)
    return body
  },

  writeResponse(w, version, body) {
    const flexible = version >= FLEXIBLE_FROM
    w.int16(body.errorCode)
    w.nullableString(body.errorMessage, flexible)
    w.bytes(body.authBytes, flexible)
    if (version >= 1) w.int64(body.sessionLifetimeMs)
    w.noTags(flexible)
  },

  readResponse(r, version) {
    const flexible = version >= FLEXIBLE_FROM
    const body = {
      errorCode: r.int16(),
      errorMessage: r.message(flexible),
      authBytes: r.bytes(flexible),
      sessionLifetimeMs: version >= 1 ? r.int64() : 0n,
    }
    r.skipTags(flexible)
    return body
  },
}
