import type { Api } from './api.js'
import { ApiVersions } from './api-versions.js'
import { apisByKey } from './apis.js'
import { Reader } from './reader.js'
import { Writer } from './writer.js'

/** What both headers need to know of an API. */
interface ApiShape {
  readonly key: number
  readonly flexibleFrom: number
}

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  /** Chosen by the client; the response repeats it. */
  correlationId: number
  clientId: string | null
}

/** Bytes of the size before every frame, which does not count itself. */
export const FRAME_SIZE_BYTES = 4

/** 2 where the API's version is flexible, else 1. */
export function requestHeaderVersion(api: ApiShape, version: number): 1 | 2 {
  return version >= api.flexibleFrom ? 2 : 1
}

/** 1 where the API's version is flexible, else 0; 0 for ApiVersions, read before versions are known. */
export function responseHeaderVersion(api: ApiShape, version: number): 0 | 1 {
  return version >= api.flexibleFrom && api.key !== ApiVersions.key ? 1 : 0
}

/**
 * `apiKey:int16 apiVersion:int16 correlationId:int32 clientId:string?`, then tagged fields in version 2.
 * The client id is never compact.
 */
function writeRequestHeader(
  w: Writer,
  api: ApiShape,
  version: number,
  correlationId: number,
  clientId: string | null,
): void {
  w.int16(api.key)
  w.int16(version)
  w.int32(correlationId)
  w.nullableString(clientId)
  w.noTags(requestHeaderVersion(api, version) === 2)
}

/**
 * Reads a request's header and leaves the reader at its body. Of an API that is not in the table only the
 * fixed part is read: where its body begins is not known.
 */
export function readRequestHeader(r: Reader): RequestHeader {
  const header = {
    apiKey: r.int16(),
    apiVersion: r.int16(),
    correlationId: r.int32(),
    clientId: r.nullableString(),
  }
  const api = apisByKey.get(header.apiKey)
  r.skipTags(api !== undefined && requestHeaderVersion(api, header.apiVersion) === 2)
  return header
}

/** A whole request frame, its size first. */
export function encodeRequest<Request>(
  api: ApiShape & Pick<Api<Request, unknown>, 'writeRequest'>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Request,
): Uint8Array {
  const w = new Writer()
  const size = w.reserveInt32()
  writeRequestHeader(w, api, version, correlationId, clientId)
  api.writeRequest(w, version, body)
  w.patchInt32(size, w.offset - FRAME_SIZE_BYTES)
  return w.finish()
}

/** A whole response frame, its size first. */
export function encodeResponse<Response>(
  api: ApiShape & Pick<Api<unknown, Response>, 'writeResponse'>,
  version: number,
  correlationId: number,
  body: Response,
): Uint8Array {
  const w = new Writer()
  const size = w.reserveInt32()
  w.int32(correlationId)
  w.noTags(responseHeaderVersion(api, version) === 1)
  api.writeResponse(w, version, body)
  w.patchInt32(size, w.offset - FRAME_SIZE_BYTES)
  return w.finish()
}

/** The correlation id of a response frame (without its size): tells which request it answers. */
export function responseCorrelationId(frame: Uint8Array): number {
  return new Reader(frame).int32()
}

/**
 * The body of a response frame (without its size). Bytes after the body are let be, as Kafka's own clients
 * do.
 */
export function decodeResponse<Response>(
  api: ApiShape & Pick<Api<unknown, Response>, 'readResponse'>,
  version: number,
  frame: Uint8Array,
): Response {
  const r = new Reader(frame)
  r.int32()
  r.skipTags(responseHeaderVersion(api, version) === 1)
  return api.readResponse(r, version)
}
