import type { Buffer } from 'node:buffer'
import { printable } from '../../common/foreign-text.js'
import { Secret, shownValue } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'
import { deriveBeside, deriveNow, TooLongError } from '../tls/derivation.js'
import { StoreFiles } from '../tls/store-files.js'
import { trustOf } from '../tls/stores.js'
import { type CredentialsSource, checkedProvider } from './credentials.js'
import { type JaasEntry, parseJaasConfig } from './jaas.js'
import type { SaslMechanism } from './mechanism.js'
import { type OauthTokenProvider, TokenCache } from './oauth-token.js'
import { oauthbearer } from './oauthbearer.js'
import { clientCredentialsProvider, type Trust } from './oidc.js'
import type { SaslOptions } from './options.js'
import { plain } from './plain.js'
import { scram } from './scram.js'
import { unsecuredTokenProvider } from './unsecured-token.js'

const BUILT_IN = 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER'
const HTTP_TIMEOUT_MS = 10_000
const EXTENSION_PREFIX = 'extension_'

/** The mechanism that the options ask for. */
export function configureSasl(options: SaslOptions): SaslMechanism {
  const { mechanism, mechanisms } = options
  const own = mechanisms.find(each => each.name === mechanism)
  if (own !== undefined) return own
  switch (mechanism) {
    case 'PLAIN':
      return plain(credentialsOf(options))
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return scram(mechanism, credentialsOf(options))
    case 'OAUTHBEARER':
      return oauthbearer(new TokenCache(tokensOf(options), options.oauth.refresh))
    default:
      throw new ConfigError(
        `sasl.mechanism = ${shownValue(mechanism)} is not built in; allowed: ${BUILT_IN}, or the name ` +
          'of one given in saslMechanisms',
        'sasl.mechanism',
        { code: 'FEATURE_NOT_AVAILABLE' },
      )
  }
}

function credentialsOf({ credentialsProvider, jaasConfig, mechanism }: SaslOptions): CredentialsSource {
  if (credentialsProvider !== null) {
    if (jaasConfig !== null) throw conflict('saslCredentialsProvider')
    return checkedProvider(credentialsProvider)
  }
  if (jaasConfig === null) throw nothing(mechanism, 'sasl.jaas.config or saslCredentialsProvider')
  const entry = parseJaasConfig(jaasConfig.reveal())
  checkModule(entry, mechanism, ['PlainLoginModule', 'ScramLoginModule'])
  const username = required(entry, 'username')
  const password = new Secret(required(entry, 'password'))
  const isDelegationToken = entry.options.get('tokenauth')?.toLowerCase() === 'true'
  return () => ({ username, password: password.reveal(), isDelegationToken })
}

function tokensOf(options: SaslOptions): OauthTokenProvider {
  const { tokenProvider, jaasConfig, oauth, mechanism } = options
  if (tokenProvider !== null) return tokenProvider
  const entry = jaasConfig === null ? null : parseJaasConfig(jaasConfig.reveal())
  if (entry !== null) checkModule(entry, mechanism, ['OAuthBearerLoginModule'])
  const url = oauth.tokenEndpointUrl
  if (url !== null) return clientCredentials(url, options, entry?.options ?? new Map())
  const unsecured = entry === null ? null : unsecuredTokenProvider(entry.options)
  if (unsecured !== null) return unsecured
  throw nothing(mechanism, 'saslOauthTokenProvider or sasl.oauthbearer.token.endpoint.url')
}

function clientCredentials(
  url: string,
  { oauth }: SaslOptions,
  jaas: ReadonlyMap<string, string>,
): OauthTokenProvider {
  const prefix = 'sasl.oauthbearer.client.credentials.client'
  const clientId = oauth.clientId ?? jaas.get('clientId')
  const clientSecret = oauth.clientSecret?.reveal() ?? jaas.get('clientSecret')
  if (clientId === undefined) throw new ConfigError(`${prefix}.id is required`, `${prefix}.id`)
  if (clientSecret === undefined) throw new ConfigError(`${prefix}.secret is required`, `${prefix}.secret`)
  const extensions = [...jaas].filter(([name]) => name.startsWith(EXTENSION_PREFIX))
  return clientCredentialsProvider({
    tokenEndpoint: endpointOf(url),
    clientId,
    clientSecret: new Secret(clientSecret),
    scope: oauth.scope ?? jaas.get('scope') ?? null,
    urlEncodesHeader: oauth.urlEncodesHeader,
    connectTimeoutMs: oauth.connectTimeoutMs ?? HTTP_TIMEOUT_MS,
    readTimeoutMs: oauth.readTimeoutMs ?? HTTP_TIMEOUT_MS,
    retryBackoffMs: oauth.retryBackoffMs,
    retryBackoffMaxMs: oauth.retryBackoffMaxMs,
    extensions: Object.fromEntries(
      extensions.map(([name, value]) => [name.slice(EXTENSION_PREFIX.length), value]),
    ),
    ca: endpointTrust(jaas),
  })
}

/** Java takes TLS options of the endpoint from the login module, not from those of the brokers. */
function endpointTrust(jaas: ReadonlyMap<string, string>): Trust {
  const password = jaas.get('ssl.truststore.password')
  const certificates = jaas.get('ssl.truststore.certificates')
  const truststore = {
    location: jaas.get('ssl.truststore.location') ?? null,
    type: jaas.get('ssl.truststore.type') ?? 'JKS',
    password: password === undefined ? null : new Secret(password),
    certificates: certificates === undefined ? null : new Secret(certificates),
  }
  const files = new StoreFiles(truststore.location === null ? [] : [truststore.location]).readNow()
  const work = () => trustOf({ truststore }, path => files.get(path) as Buffer)
  try {
    return deriveNow(work())
  } catch (error) {
    if (!(error instanceof TooLongError)) throw error
    const beside = deriveBeside(work())
    // Whoever asks for a token is told.
    beside.catch(() => {})
    return beside
  }
}

function endpointOf(url: string): URL {
  const option = 'sasl.oauthbearer.token.endpoint.url'
  let parsed: URL | null = null
  try {
    parsed = new URL(url)
  } catch {
    // What is no URL is refused below.
  }
  if (parsed?.protocol === 'https:' && parsed.username === '' && parsed.password === '') return parsed
  throw new ConfigError(
    `${option} is not valid; allowed: an https URL without user and password in it, because the client's ` +
      'secret is sent there',
    option,
  )
}

function checkModule({ module }: JaasEntry, mechanism: string, allowed: readonly string[]): void {
  if (allowed.includes(module)) return
  const hint =
    module === 'IAMLoginModule'
      ? '; for AWS use sasl.mechanism = OAUTHBEARER with saslOauthTokenProvider = awsMskIamTokenProvider(…)'
      : ''
  throw new ConfigError(
    `sasl.jaas.config names the login module ${shownValue(module)}, which does not go with sasl.mechanism ` +
      `= ${printable(mechanism)}; allowed: ${allowed.join(', ')}${hint}`,
    'sasl.jaas.config',
  )
}

function required({ options }: JaasEntry, name: string): string {
  const value = options.get(name)
  if (value !== undefined && value !== '') return value
  throw new ConfigError(`sasl.jaas.config has no ${name}`, 'sasl.jaas.config')
}

function conflict(option: string): ConfigError {
  return new ConfigError(`${option} and sasl.jaas.config are both given; allowed: one of them`, option)
}

function nothing(mechanism: string, sources: string): ConfigError {
  return new ConfigError(
    `sasl.mechanism = ${mechanism} needs credentials: set ${sources}`,
    'sasl.jaas.config',
  )
}
