import { UnsupportedVersionError } from '../errors/index.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

/**
 * One API of the protocol, both directions: the client writes requests and reads responses, the in-process
 * broker does the other two. Bodies are plain objects with the field names of Kafka's message definitions;
 * what a version does not carry is read as the field's default.
 *
 * The grammar above each codec lists the fields in wire order:
 *
 *     name:type        a field; types are those of the protocol, `string?` may be null
 *     name:type{4+}    only in versions 4 and above; `{4–7}` only in these
 *     name:[ … ]       an array of structs; `[int32]` of plain values; `]?` may be null
 *     #0 name:type     tagged field 0
 *
 * From `flexibleFrom` on, strings, bytes and arrays are compact and every struct ends with tagged fields.
 */
export interface Api<Request, Response> {
  readonly key: number
  readonly name: string
  /** Lowest and highest version implemented. */
  readonly minVersion: number
  readonly maxVersion: number
  /** First version with compact encodings and tagged fields; `Infinity` where there is none. */
  readonly flexibleFrom: number
  /**
   * First version whose brokers answer before the throttle time is over and leave it to the client to keep
   * quiet (KIP-219; Java: `AbstractResponse.shouldClientThrottle`). Below it the answer came late enough.
   */
  readonly clientThrottlesFrom: number
  writeRequest(w: Writer, version: number, body: Request): void
  readRequest(r: Reader, version: number): Request
  writeResponse(w: Writer, version: number, body: Response): void
  readResponse(r: Reader, version: number): Response
}

/** Refuses to drop silently what the chosen version of an API cannot say. */
export function refuseField(api: string, version: number, field: string): never {
  throw new UnsupportedVersionError(
    `${api} version ${version}, the highest the broker has in common with this client, cannot carry ${field}`,
  )
}
