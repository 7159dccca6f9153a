import { Buffer } from 'node:buffer'
import { AuthenticationError } from '../../errors/index.js'
import type { CredentialsSource } from './credentials.js'
import type { SaslExchange, SaslMechanism } from './mechanism.js'

/**
 * PLAIN (RFC 4616): the password as it is, so only to be used over TLS.
 *
 *     message = authzid NUL username NUL password
 *
 * An empty authorization id stands for the user itself; the broker's answer is empty.
 */
export function plain(source: CredentialsSource): SaslMechanism {
  return { name: 'PLAIN', begin: () => beginPlain(source) }
}

async function beginPlain(source: CredentialsSource): Promise<SaslExchange> {
  const { username, password } = await source()
  for (const [name, value] of Object.entries({ username, password })) {
    if (value.includes('\0')) throw new AuthenticationError(`PLAIN cannot carry a NUL in the ${name}`)
  }
  return {
    secrets: [password],
    start: () => Buffer.from(`\0${username}\0${password}`),
    step(challenge) {
      if (challenge.length === 0) return null
      throw new AuthenticationError('the broker sent a challenge, which PLAIN does not have')
    },
  }
}
