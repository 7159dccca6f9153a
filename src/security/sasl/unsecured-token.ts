import { Buffer } from 'node:buffer'
import { ConfigError } from '../../errors/index.js'
import type { OauthTokenProvider } from './oauth-token.js'

const PREFIX = 'unsecuredLogin'
const LIFETIME_SECONDS = 3600

/**
 * Tokens without a signature, made of options of the login module as Java's does it
 * (`OAuthBearerUnsecuredLoginCallbackHandler`): for brokers in development. Null where no option asks for it.
 */
export function unsecuredTokenProvider(options: ReadonlyMap<string, string>): OauthTokenProvider | null {
  if (![...options.keys()].some(name => name.startsWith(PREFIX))) return null
  const claims = claimsOf(options)
  const principal = options.get(`${PREFIX}PrincipalClaimName`) ?? 'sub'
  if (typeof claims[principal] !== 'string') {
    throw new ConfigError(
      `sasl.jaas.config needs ${PREFIX}StringClaim_${principal}, the name to log in with`,
      'sasl.jaas.config',
    )
  }
  const lifetime = Number(options.get(`${PREFIX}LifetimeSeconds`) ?? LIFETIME_SECONDS)
  const extensions = withPrefix(options, 'Extension_')
  return () => {
    const issuedAt = Date.now() / 1000
    const payload = { ...claims, iat: issuedAt, exp: issuedAt + lifetime }
    return { value: `${encode({ alg: 'none' })}.${encode(payload)}.`, extensions }
  }
}

function claimsOf(options: ReadonlyMap<string, string>): { [name: string]: unknown } {
  const claims: { [name: string]: unknown } = { ...withPrefix(options, 'StringClaim_') }
  for (const [name, text] of Object.entries(withPrefix(options, 'NumberClaim_'))) claims[name] = Number(text)
  for (const [name, text] of Object.entries(withPrefix(options, 'ListClaim_'))) {
    // The first character tells what separates the elements.
    claims[name] = text === '' ? [] : text.slice(1).split(text.charAt(0))
  }
  return claims
}

function withPrefix(options: ReadonlyMap<string, string>, kind: string): Record<string, string> {
  const prefix = PREFIX + kind
  const found = [...options].filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]))
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
