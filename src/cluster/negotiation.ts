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

/** Called once with the broker's versions, or with why there are none; the connection is then of no use. */
type NegotiationOutcome = (error: KafkaError | null, versions: ApiVersionTable | null) => void

/**
 * Asks a broker for its API versions: with the highest version of the question itself, then, if the broker
 * does not know that one, with what it says it knows, or 0.
 */
export function negotiate(connection: Connection, clientId: string, done: NegotiationOutcome): void {
  ask(connection, clientId, ApiVersions.maxVersion, done)
}

function ask(connection: Connection, clientId: string, version: number, done: NegotiationOutcome): void {
  connection.send({
    api: ApiVersions,
    version,
    expectsResponse: true,
    encode: id => [encodeRequest(ApiVersions, version, id, clientId, CLIENT_SOFTWARE)],
    onWritten: () => {},
    onResponse: (error, body) => {
      if (body === null) {
        done(error, null)
        return
      }
      let response: ApiVersionsResponse
      try {
        response = ApiVersions.readResponse(body, version)
      } catch (cause) {
        done(cause instanceof KafkaError ? cause : new ProtocolError(String(cause), { cause }), null)
        return
      }
      answered(connection, clientId, version, response, done)
    },
  })
}

function answered(
  connection: Connection,
  clientId: string,
  asked: number,
  response: ApiVersionsResponse,
  done: NegotiationOutcome,
): void {
  const { broker } = connection
  const versions = new ApiVersionTable(response.apiKeys, response)
  if (response.errorCode === ErrorCodes.NONE) {
    done(null, versions)
    return
  }
  if (response.errorCode !== ErrorCodes.UNSUPPORTED_VERSION) {
    done(brokerError(response.errorCode, { broker }), null)
    return
  }
  const known = Math.max(0, versions.highest(ApiVersions))
  if (known < asked) {
    ask(connection, clientId, known, done)
    return
  }
  const reason = `Broker ${broker} refuses every version of ApiVersions it says it knows`
  done(new UnsupportedVersionError(reason, { broker }), null)
}
