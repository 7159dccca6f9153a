import { ErrorCodes } from '../../protocol/error-codes.js'
import type { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/sasl-authenticate.js'
import type { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/sasl-handshake.js'
import type { RequestContext } from './context.js'

/** Agrees on a mechanism, for the first time or to authenticate again. */
export function handleSaslHandshake(
  { sasl, failures }: RequestContext,
  request: SaslHandshakeRequest,
): SaslHandshakeResponse {
  const failure = failures.match()?.errorCode
  if (failure !== undefined) return { errorCode: failure, mechanisms: [] }
  if (sasl === null) return { errorCode: ErrorCodes.ILLEGAL_SASL_STATE, mechanisms: [] }
  return sasl.handshake(request.mechanism)
}

/** Takes one message of the mechanism. */
export function handleSaslAuthenticate(
  { sasl, failures }: RequestContext,
  request: SaslAuthenticateRequest,
): SaslAuthenticateResponse {
  const failure = failures.match()?.errorCode
  const errorCode = failure ?? (sasl === null ? ErrorCodes.ILLEGAL_SASL_STATE : ErrorCodes.NONE)
  if (sasl !== null && errorCode === ErrorCodes.NONE) return sasl.authenticate(request.authBytes)
  return { errorCode, errorMessage: null, authBytes: new Uint8Array(), sessionLifetimeMs: 0n }
}
