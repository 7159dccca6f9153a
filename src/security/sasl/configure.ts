import type { Buffer } from 'node:buffer'
import { fileURLToPath } from 'node:url'
import { reasonOf } from '../../common/foreign-text.js'
import type { Logger } from '../../common/logger.js'
import { Secret, shownValue } from '../../common/secret.js'
import { AuthenticationError, ConfigError, KafkaError } from '../../errors/index.js'
import { deriveBeside, deriveNow, TooLongError } from '../tls/derivation.js'
import { StoreFiles } from '../tls/store-files.js'
import { trustOf } from '../tls/stores.js'
import { assertionSource } from './assertion.js'
import { type CredentialsSource, checkedProvider } from './credentials.js'
import { checkModule, type JaasEntry, parseJaasConfig } from './jaas.js'
import { clientJwtValidator, type JwtValidator, jsonOf, partsOf } from './jwt.js'
import { configureKerberos } from './kerberos.js'
import type { SaslMechanism } from './mechanism.js'
import { checkedToken, type OauthTokenProvider, TokenCache } from './oauth-token.js'
import { oauthbearer } from './oauthbearer.js'
import {
  clientAssertionProvider,
  clientCredentialsProvider,
  jwtBearerProvider,
  type TokenEndpoint,
  type Trust,
} from './oidc.js'
import type { SaslLogin, SaslOptions } from './options.js'
import { plain } from './plain.js'
import { scram } from './scram.js'
import { unsecuredTokenProvider } from './unsecured-token.js'

const BUILT_IN = 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI'
const HTTP_TIMEOUT_MS = 10_000
const EXTENSION_PREFIX = 'extension_'

/** The mechanism that the options ask for. */
export function configureSasl(options: SaslOptions, logger: Logger): SaslMechanism {
  const mechanism = mechanismOf(options, logger)
  return options.login === null ? mechanism : afterLogin(mechanism, options.login)
}

/** The login is done once, whatever number of connections wait for it. */
function afterLogin(mechanism: SaslMechanism, login: SaslLogin): SaslMechanism {
  let done: Promise<void> | null = null
  const logIn = async () => {
    try {
      await login()
    } catch (cause) {
      done = null
      const message = `the login of sasl.login.class failed: ${reasonOf(cause)}`
      throw new AuthenticationError(message, { cause })
    }
  }
  return {
    name: mechanism.name,
    async begin(broker) {
      done ??= logIn()
      await done
      return mechanism.begin(broker)
    },
  }
}

function mechanismOf(options: SaslOptions, logger: Logger): SaslMechanism {
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
      return oauthbearer(new TokenCache(validatedTokensOf(options), options.oauth.refresh))
    case 'GSSAPI':
      return configureKerberos(options, logger)
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

function validatedTokensOf(options: SaslOptions): OauthTokenProvider {
  const tokens = tokensOf(options)
  const given = options.oauth.validator
  if (given === null) return tokens
  const validator =
    typeof given === 'function' ? given : clientJwtValidator(given.scopeClaim, given.subjectClaim)
  return async () => {
    const token = checkedToken(await tokens())
    await validate(validator, token.value)
    return token
  }
}

async function validate(validator: JwtValidator, token: string): Promise<void> {
  try {
    await validator(token)
  } catch (cause) {
    if (cause instanceof KafkaError) throw cause
    const message = `sasl.oauthbearer.jwt.validator.class refuses the token: ${reasonOf(cause)}`
    throw new AuthenticationError(message, { cause })
  }
}

function tokensOf(options: SaslOptions): OauthTokenProvider {
  const { tokenProvider, jaasConfig, oauth, mechanism } = options
  if (tokenProvider !== null) return tokenProvider
  const entry = jaasConfig === null ? null : parseJaasConfig(jaasConfig.reveal())
  if (entry !== null) checkModule(entry, mechanism, ['OAuthBearerLoginModule'])
  const url = oauth.tokenEndpointUrl
  const isFile = oauth.retriever === 'default' && url !== null && /^file:/i.test(url)
  if (isFile || oauth.retriever === 'file') return tokenFile(url)
  if (url !== null) return fetchedTokens(url, options, entry?.options ?? new Map())
  if (oauth.retriever === 'jwt-bearer') {
    const option = 'sasl.oauthbearer.token.endpoint.url'
    throw new ConfigError(`${option} is required with JwtBearerJwtRetriever`, option)
  }
  const unsecured = entry === null ? null : unsecuredTokenProvider(entry.options)
  if (unsecured !== null) return unsecured
  throw nothing(mechanism, 'saslOauthTokenProvider or sasl.oauthbearer.token.endpoint.url')
}

function fetchedTokens(
  url: string,
  { oauth }: SaslOptions,
  jaas: ReadonlyMap<string, string>,
): OauthTokenProvider {
  const { assertion } = oauth
  const endpoint = endpointOptions(url, oauth, jaas)
  const clientId = oauth.clientId ?? jaas.get('clientId')
  if (oauth.retriever === 'jwt-bearer') return jwtBearerProvider(endpoint, assertionSource(assertion))
  // As in Java: an assertion goes before a secret.
  if (assertion.file !== null || assertion.iss !== null) {
    return clientAssertionProvider(endpoint, clientId ?? null, assertionSource(assertion))
  }
  const prefix = 'sasl.oauthbearer.client.credentials.client'
  const clientSecret = oauth.clientSecret?.reveal() ?? jaas.get('clientSecret')
  if (clientId === undefined) throw new ConfigError(`${prefix}.id is required`, `${prefix}.id`)
  if (clientSecret === undefined) throw new ConfigError(`${prefix}.secret is required`, `${prefix}.secret`)
  const { urlEncodesHeader } = oauth
  return clientCredentialsProvider({
    ...endpoint,
    clientId,
    clientSecret: new Secret(clientSecret),
    urlEncodesHeader,
  })
}

function endpointOptions(
  url: string,
  oauth: SaslOptions['oauth'],
  jaas: ReadonlyMap<string, string>,
): TokenEndpoint {
  const extensions = [...jaas].filter(([name]) => name.startsWith(EXTENSION_PREFIX))
  return {
    tokenEndpoint: endpointOf(url),
    scope: oauth.scope ?? jaas.get('scope') ?? null,
    connectTimeoutMs: oauth.connectTimeoutMs ?? HTTP_TIMEOUT_MS,
    readTimeoutMs: oauth.readTimeoutMs ?? HTTP_TIMEOUT_MS,
    retryBackoffMs: oauth.retryBackoffMs,
    retryBackoffMaxMs: oauth.retryBackoffMaxMs,
    extensions: Object.fromEntries(
      extensions.map(([name, value]) => [name.slice(EXTENSION_PREFIX.length), value]),
    ),
    ca: endpointTrust(jaas),
  }
}

/** The token in a file, which is looked at again whenever one is needed (Java: `FileJwtRetriever`). */
function tokenFile(url: string | null): OauthTokenProvider {
  const option = 'sasl.oauthbearer.token.endpoint.url'
  let path: string
  try {
    path = fileURLToPath(url ?? '')
  } catch {
    throw new ConfigError(
      `${option} is not valid with FileJwtRetriever; allowed: a URL such as file:///run/token`,
      option,
    )
  }
  const files = new StoreFiles([path], 'the file')
  const tokenOf = (bytes: Buffer | undefined) => {
    const token = String(bytes).trim()
    if (
      partsOf(token)
        ?.slice(0, 2)
        .every(part => jsonOf(part) !== null)
    )
      return token
    throw new AuthenticationError(`the file that ${option} names holds no JWT`)
  }
  tokenOf(files.readNow().get(path))
  return async () => tokenOf((await files.read()).get(path))
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
