import type { TLSSocket } from 'node:tls'
import { builtins } from '../../common/builtins.js'
import { printable } from '../../common/foreign-text.js'

/** What a session must be like, whatever the runtime has made of its options. */
export interface TlsPolicy {
  /** The name or address in the certificate; null where names are not checked, or by somebody else. */
  readonly host: string | null
  /** False where the application has switched off that certificates are checked. */
  readonly verifies: boolean
  /** TLS versions allowed; empty: any. */
  readonly versions: readonly string[]
  /** Cipher suites allowed, under any of their names; empty: any. */
  readonly suites: readonly string[]
}

/** A session that its runtime was content with and that is not what was asked for. */
export class TlsPolicyError extends Error {}

type Session = Pick<TLSSocket, 'authorized' | 'getCipher' | 'getPeerCertificate' | 'getProtocol'>

/**
 * Checks once more what the runtime should have checked during the handshake, before a byte is sent: some
 * ignore options they do not have, as Deno does with cipher suites. Null when all is well.
 */
export function sessionFault(session: Session, policy: TlsPolicy): TlsPolicyError | null {
  const { host, verifies, versions, suites } = policy
  if (verifies && !session.authorized) return new TlsPolicyError('its certificate was not verified')
  const misnamed =
    host === null ? undefined : builtins.tls.checkServerIdentity(host, session.getPeerCertificate())
  if (misnamed !== undefined) {
    return new TlsPolicyError(`its certificate is for another name: ${printable(misnamed.message, 300)}`)
  }
  const version = session.getProtocol() ?? 'none'
  if (versions.length > 0 && !versions.includes(version)) {
    return new TlsPolicyError(`it takes none of the TLS versions offered: ${version} was agreed on`)
  }
  const { name, standardName } = session.getCipher()
  if (suites.length > 0 && !suites.includes(name) && !suites.includes(standardName)) {
    return new TlsPolicyError(`the cipher suite agreed on, ${standardName}, is not among ssl.cipher.suites`)
  }
  return null
}
