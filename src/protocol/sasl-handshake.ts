import type { Api } from './api.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

export interface SaslHandshakeRequest {
  /** Name of the mechanism the client is going to use. */
  mechanism: string
}

export interface SaslHandshakeResponse {
  errorCode: number
  /** What the listener offers, whether or not the client's choice is among it. */
  mechanisms: string[]
}

const STRING_BYTES_MIN = 2

/**
 *     request   mechanism:string
 *     response  errorCode:int16 mechanisms:[string]
 *
 * Version 0 is followed by tokens without any header of the protocol, version 1 by SaslAuthenticate.
 */
export const SaslHandshake: Api<SaslHandshakeRequest, SaslHandshakeResponse> = {
  key: 17,
  name: 'SaslHandshake',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: Number.POSITIVE_INFINITY,
  clientThrottlesFrom: Number.POSITIVE_INFINITY,

  writeRequest(w, _version, body) {
    w.string(body.mechanism)
  },

  readRequest(r) {
    return { mechanism: r.string() }
  },

  writeResponse(w, version, body) {
    w.int16(body.errorCode)
    w.array(body.mechanisms, false, version, writeMechanism)
  },

  readResponse(r, version) {
    return { errorCode: r.int16(), mechanisms: r.array(false, STRING_BYTES_MIN, version, readMechanism) }
  },
}

function writeMechanism(w: Writer, _version: number, mechanism: string): void {
  w.string(mechanism)
}

function readMechanism(r: Reader): string {
  return r.string()
}
