import type { ConnectionOptions } from 'node:tls'
import type { TlsOptions } from './options.js'

const OLD_VERSIONS = ['TLSv1', 'TLSv1.1']
/** Suites that do not encrypt, or that ask for no certificate, and what lets OpenSSL take them. */
const OPEN_SUITES = /NULL|ADH|AECDH|_anon_|EXP|COMPLEMENTOFALL|SECLEVEL=0/i

/** What an application has switched off of TLS, in words for a warning. */
export function weaknessesOf(options: TlsOptions, given: ConnectionOptions): string[] {
  const found: string[] = []
  if (given.rejectUnauthorized === false) {
    found.push('tls.rejectUnauthorized is false: certificates of brokers are not checked')
  } else if (!options.verifiesName && given.checkServerIdentity === undefined) {
    found.push('ssl.endpoint.identification.algorithm is empty: names in certificates are not checked')
  }
  const { minVersion, maxVersion, secureProtocol } = given
  const old = [minVersion, maxVersion].find(version => OLD_VERSIONS.includes(String(version)))
  if (old !== undefined || /^(?:SSLv[23]|TLSv1|TLSv1_1)_/.test(String(secureProtocol ?? ''))) {
    found.push(`tls allows ${old ?? 'versions before TLSv1.2'}, which is broken`)
  }
  const suites = [...String(given.ciphers ?? '').split(/[:, ]+/), ...options.cipherSuites]
  if (suites.some(suite => !/^[!-]/.test(suite) && OPEN_SUITES.test(suite))) {
    found.push('the cipher suites given allow some without encryption, or without proof of who the broker is')
  }
  return found
}
