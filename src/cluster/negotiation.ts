import { VERSION } from '../common/version.js'
import { KafkaError, ProtocolError, UnsupportedVersionError } from '../errors/index.js'
import { ApiVersions, type ApiVersionsRequest, type ApiVersionsResponse } from '../protocol/api-versions.js'
import { brokerError } from '../protocol/broker-error.js'
import { ErrorCodes } from '../protocol/error-codes.js'
import { encodeRequest } from '../protocol/header.js'
import { ApiVersionTable } from './api-version-table.js'
import type { Connection } from './connection.js'

/** Brokers list clients by this name and version (KIP-511). */
const CLIENT_SOFTWARE: ApiVersionsRequest = { clientSoftwareName: 'millrace', clientSoftwareVersion: VERSION }

interface NegotiationEvents {
  /** An answer of that version asks for quiet, in milliseconds; mostly 0. */
  onThrottled(version: number, ms: number): void
  /** Called once with the broker's versions, or with why there are none; the connection is then of no use. */
  onDone(error: KafkaError | null, versions: ApiVersionTable | null): void
}

/**
 * Asks a broker for its API versions: with the highest version of the question itself, then, if the broker
 * does not know that one, with what it says it knows, or 0.
 */
export function negotiate(connection: Connection, clientId: string, events: NegotiationEvents): void {
  ask(connection, clientId, ApiVersions.maxVersion, events)
}

function ask(connection: Connection, clientId: string, version: number, events: NegotiationEvents): void {
  connection.send({
    api: ApiVersions,
    version,
    expectsResponse: true,
    encode: id => [encodeRequest(ApiVersions, version, id, clientId, CLIENT_SOFTWARE)],
    onWritten: () => {},
    onResponse: (error, body) => {
      if (body === null) {
        events.onDone(error, null)
        return
      }
      let response: ApiVersionsResponse
      try {
        response = ApiVersions.readResponse(body, version)
      } catch (cause) {
        events.onDone(cause instanceof KafkaError ? cause : new ProtocolError(String(cause), { cause }), null)
        return
      }
      answered(connection, clientId, version, response, events)
    },
  })
}

function answered(
  connection: Connection,
  clientId: string,
  asked: number,
  response: ApiVersionsResponse,
  events: NegotiationEvents,
): void {
  const { broker } = connection
  const versions = new ApiVersionTable(response.apiKeys, response)
  if (response.errorCode === ErrorCodes.NONE) {
    events.onThrottled(asked, response.throttleTimeMs)
    events.onDone(null, versions)
    return
  }
  if (response.errorCode !== ErrorCodes.UNSUPPORTED_VERSION) {
    events.onDone(brokerError(response.errorCode, { broker }), null)
    return
  }
  const known = Math.max(0, versions.highest(ApiVersions))
  if (known < asked) {
    ask(connection, clientId, known, events)
    return
  }
  const reason = `Broker ${broker} refuses every version of ApiVersions it says it knows`
  events.onDone(new UnsupportedVersionError(reason, { broker }), null)
}
