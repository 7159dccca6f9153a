import { printable } from '../../common/foreign-text.js'
import { TlsPolicyError } from './tls-session.js'

/** Why a broker's certificate is not accepted, by the code of the runtime's error. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate has been revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed and not among the trusted ones (ssl.truststore.*)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted (ssl.truststore.*)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate comes from an authority that is not trusted (ssl.truststore.*)',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that is not trusted (ssl.truststore.*)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate comes from an authority that is not trusted (ssl.truststore.*)',
  INVALID_PURPOSE: 'its certificate is not meant for servers',
  INVALID_CA: 'its certificate comes from one that may not issue any',
}

/** What alerts and failures of a handshake mean, by a part of the runtime's code. */
const HANDSHAKE: readonly (readonly [part: string, reason: string])[] = [
  ['CERTIFICATE_REQUIRED', 'it asks for a client certificate and got none (ssl.keystore.*)'],
  ['ALERT_UNKNOWN_CA', "it does not trust the authority of the client's certificate"],
  ['ALERT_BAD_CERTIFICATE', "it refuses the client's certificate"],
  ['ALERT_CERTIFICATE_EXPIRED', "the client's certificate has expired"],
  ['ALERT_CERTIFICATE_REVOKED', "the client's certificate has been revoked"],
  ['ALERT_CERTIFICATE_UNKNOWN', "it refuses the client's certificate"],
  ['ALERT_PROTOCOL_VERSION', 'it takes none of the TLS versions offered (ssl.enabled.protocols)'],
  ['UNSUPPORTED_PROTOCOL', 'it takes none of the TLS versions offered (ssl.enabled.protocols)'],
  ['ALERT_HANDSHAKE_FAILURE', 'it found no common cipher suite, or asks for a client certificate (ssl.*)'],
  ['WRONG_VERSION_NUMBER', 'what it speaks on this port is not TLS (security.protocol)'],
]

/** Errors of the system are about the network: the same attempt may succeed later. */
const SYSTEM_CODE = /^E(?!PROTO$)[A-Z0-9]+$/

/**
 * Why TLS ended a connection for a reason that will stand, in words that follow "because"; null for a failure
 * of the network, which may pass. The line is Java's: `SslAuthenticationException` or a lost connection.
 */
export function tlsRefusal(cause: Error & { code?: unknown; reason?: unknown }): string | null {
  if (cause instanceof TlsPolicyError) return cause.message
  const code = typeof cause.code === 'string' ? cause.code : ''
  if (SYSTEM_CODE.test(code)) return null
  const known = CERTIFICATE[code]
  if (known !== undefined) return known
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = typeof cause.reason === 'string' ? cause.reason : cause.message
    return `its certificate is for another name: ${printable(names, 300)}`
  }
  const upper = code.toUpperCase()
  const found = HANDSHAKE.find(([part]) => upper.includes(part))
  return found?.[1] ?? `of TLS: ${printable(cause.message, 300)}${code === '' ? '' : ` (${code})`}`
}
