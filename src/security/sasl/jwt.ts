import { Buffer } from 'node:buffer'
import { AuthenticationError } from '../../errors/index.js'

/**
 * Checks a token before it is sent to a broker (Java: `JwtValidator`). What it throws refuses the token, and
 * with it the connection.
 */
export type JwtValidator = (token: string) => void | Promise<void>

/** Header, payload and signature of a JWT as they stand in it; null where it is none. */
export function partsOf(token: string): readonly [string, string, string] | null {
  const parts = token.split('.')
  if (parts.length !== 3 || parts[0] === '' || parts[1] === '') return null
  return parts as [string, string, string]
}

/** The fields of a part of a JWT; null where it is no JSON object. */
export function jsonOf(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const fields: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof fields === 'object' && !Array.isArray(fields) ? (fields as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/**
 * What Java's client checks of a token, without its signature (`ClientJwtValidator`): an end, a subject that
 * is not blank, scopes that are neither blank nor given twice, and a time of issue that is a number.
 */
export function clientJwtValidator(scopeClaim: string, subjectClaim: string): JwtValidator {
  return token => {
    const [, payload = ''] = partsOf(token) ?? []
    const claims = jsonOf(payload)
    if (claims === null) throw refused('it is no JWT')
    const { exp, iat } = claims
    if (typeof exp !== 'number' || exp < 0) throw refused('its claim exp is not a time')
    if (iat !== undefined && iat !== null && (typeof iat !== 'number' || iat < 0)) {
      throw refused('its claim iat is not a time')
    }
    const subject = claims[subjectClaim]
    if (typeof subject !== 'string' || subject.trim() === '') {
      throw refused(`its claim ${subjectClaim}, the subject, is not a text`)
    }
    const given = claims[scopeClaim] ?? []
    const scopes: unknown[] = Array.isArray(given) ? given : [given]
    if (scopes.some(scope => typeof scope !== 'string' || scope.trim() === '')) {
      throw refused(`its claim ${scopeClaim} has a scope that is not a text`)
    }
    if (new Set(scopes.map(scope => String(scope).trim())).size < scopes.length) {
      throw refused(`its claim ${scopeClaim} has a scope twice`)
    }
  }
}

function refused(reason: string): AuthenticationError {
  return new AuthenticationError(`the OAuth token was not sent: ${reason}`)
}
