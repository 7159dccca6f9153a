import { Buffer } from 'node:buffer'
import { AuthenticationError } from '../../errors/index.js'
import type { SaslExchange, SaslMechanism } from './mechanism.js'
import type { OauthToken, TokenCache } from './oauth-token.js'

const SEPARATOR = '\x01'
/** The broker has said what is wrong with the token; this lets it end the exchange with an error. */
const ACKNOWLEDGE_ERROR = Buffer.from(SEPARATOR)

/**
 * OAUTHBEARER (RFC 7628), with Kafka's extensions (KIP-342).
 *
 *     message = "n,," SEP "auth=Bearer " token SEP *(name "=" value SEP) SEP      SEP is %x01
 *
 * The broker's answer is empty, or JSON that tells why the token is refused and is to be acknowledged.
 */
export function oauthbearer(tokens: TokenCache): SaslMechanism {
  return { name: 'OAUTHBEARER', begin: async () => exchangeOf(await tokens.get(), tokens) }
}

function exchangeOf(token: OauthToken, tokens: TokenCache): SaslExchange {
  let refusal: string | null = null
  return {
    secrets: [token.value],
    start() {
      const pairs = Object.entries(token.extensions ?? {}).map(([name, value]) => `${name}=${value}`)
      const parts = ['n,,', `auth=Bearer ${token.value}`, ...pairs, '', '']
      return Buffer.from(parts.join(SEPARATOR))
    },
    step(challenge) {
      if (refusal !== null) throw new AuthenticationError(`the broker refused the token: ${refusal}`)
      if (challenge.length === 0) return null
      tokens.forget(token)
      refusal = statusOf(challenge)
      return ACKNOWLEDGE_ERROR
    },
  }
}

/** The status a refusal names, such as `invalid_token`. */
function statusOf(challenge: Uint8Array): string {
  try {
    const { status } = JSON.parse(Buffer.from(challenge).toString()) as { status?: unknown }
    return typeof status === 'string' && /^[\w-]{1,64}$/.test(status) ? status : 'it gave no reason'
  } catch {
    return 'it gave no reason that could be read'
  }
}
