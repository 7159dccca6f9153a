import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { types } from 'node:util'
import { reasonOf } from '../../common/foreign-text.js'
import { ConfigError } from '../../errors/index.js'
import { TlsPolicyError } from './tls-session.js'

/**
 * Functions of the application that TLS calls. Runtimes call some of them where whatever goes wrong ends the
 * process, and a peer decides when. So none is handed on as it is.
 */

/**
 * Node's options, as given or as the function given answers. Throws a {@link ConfigError} for anything else.
 */
export function askForOptions(given: unknown): ConnectionOptions {
  let options: unknown = given
  if (typeof given === 'function') {
    try {
      options = given()
    } catch (cause) {
      throw new ConfigError(`the function given as tls threw: ${reasonOf(cause)}`, 'tls', { cause })
    }
    if (swallowed(options)) {
      throw new ConfigError('the function given as tls returned a promise; allowed: an object', 'tls')
    }
  }
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError('the function given as tls did not return an object', 'tls')
  }
  const { checkServerIdentity } = options as ConnectionOptions
  if (checkServerIdentity !== undefined && typeof checkServerIdentity !== 'function') {
    throw new ConfigError('tls.checkServerIdentity is not valid; allowed: a function', 'tls')
  }
  return options as ConnectionOptions
}

const WHAT_TO_RETURN = 'it must return undefined, for a certificate that will do, or an Error, at once'

/**
 * What `tls.checkServerIdentity` of the application says of a broker; null where it has nothing against it.
 */
export function identityFault(
  check: NonNullable<ConnectionOptions['checkServerIdentity']>,
  host: string,
  socket: Pick<TLSSocket, 'getPeerCertificate'>,
): TlsPolicyError | null {
  let answer: unknown
  try {
    answer = check(host, socket.getPeerCertificate(true))
  } catch (thrown) {
    return refusal(`threw: ${reasonOf(thrown)}`)
  }
  if (answer === undefined) return null
  if (swallowed(answer)) return refusal(`returned a promise; ${WHAT_TO_RETURN}`)
  if (types.isNativeError(answer) || isError(answer)) return refusal(`refused it: ${reasonOf(answer)}`)
  return refusal(
    `returned ${answer === null ? 'null' : `a value of type ${typeof answer}`}; ${WHAT_TO_RETURN}`,
  )
}

function refusal(what: string): TlsPolicyError {
  return new TlsPolicyError(`the function given as tls.checkServerIdentity ${what}`)
}

function isError(answer: unknown): boolean {
  try {
    return answer instanceof Error
  } catch {
    return false
  }
}

/** Whether it is a promise, or looks like one; its rejection, if any, is nobody's business any more. */
function swallowed(value: unknown): boolean {
  try {
    const { then } = Object(value) as { then?: unknown }
    if (typeof then !== 'function') return false
    Promise.resolve(value).catch(() => {})
    return true
  } catch {
    return false
  }
}

/** Options that are functions, made harmless: a handshake without a key of its own fails by itself. */
export function guardedOptions(given: ConnectionOptions): ConnectionOptions {
  const { pskCallback } = given
  if (typeof pskCallback !== 'function') return given
  return {
    ...given,
    pskCallback: hint => {
      try {
        return pskCallback(hint)
      } catch {
        return null
      }
    },
  }
}
