import { builtins } from '../../common/builtins.js'
import { shownValue } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'

const NAME_CHARACTERS_MAX = 100
const OPTION = 'ssl.cipher.suites'

/**
 * OpenSSL's names, which Node takes, of suites named as in the standards, as Java has it, or as in OpenSSL.
 */
export function ciphersOf(suites: readonly string[]): readonly string[] {
  const known = new Set(builtins.tls.getCiphers().map(name => name.toUpperCase()))
  return suites.map(suite => {
    const name = suite.length > NAME_CHARACTERS_MAX ? '' : openSslName(suite)
    if (known.has(name.toUpperCase())) return name
    throw new ConfigError(
      `${OPTION} names ${shownValue(suite)}, which this runtime does not have; allowed: suites such as ` +
        'TLS_AES_256_GCM_SHA384 or TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      OPTION,
    )
  })
}

/**
 * `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256` to OpenSSL. Suites of TLS 1.3 have
 * one name, and whatever is not spelt like the first is taken for OpenSSL's.
 */
function openSslName(suite: string): string {
  const [, exchange = '', cipher = ''] = /^(?:TLS|SSL)_(\w+?)_WITH_(\w+)$/.exec(suite) ?? []
  if (cipher === '') return suite
  const mode = cipher
    .replace(/^AES_(128|256)/, 'AES$1')
    .replace('_CBC_', '_')
    .replace(/(POLY1305)_SHA256$/, '$1')
    .replace(/_CCM$|_CCM_SHA256$/, '_CCM')
  const prefix = exchange === 'RSA' ? '' : `${exchange}-`
  return `${prefix}${mode}`.replaceAll('_', '-')
}
