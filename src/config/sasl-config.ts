import type { Logger } from '../common/logger.js'
import { Secret } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'
import type {
  JwtValidator,
  OauthTokenProvider,
  RetrieverKind,
  SaslCredentialsProvider,
  SaslLogin,
  SaslMechanism,
  SaslOptions,
} from '../security/index.js'
import { definitionOf, type OptionKey } from './definitions.js'
import { readFunction } from './extras.js'
import { hasMethod } from './has-method.js'
import { pluginOf, simpleNameOf } from './java-classes.js'
import type { ExtraName } from './names.js'
import { invalidValue, type ParsedValues } from './values.js'

/** What the options of security are made of. */
export interface SecurityContext {
  readonly values: ParsedValues
  readonly explicit: ReadonlySet<OptionKey>
  readonly logger: Logger
  readonly extras: ReadonlyMap<ExtraName, unknown>
}

const RETRIEVERS: Readonly<Record<string, RetrieverKind>> = {
  ClientCredentialsJwtRetriever: 'client-credentials',
  JwtBearerJwtRetriever: 'jwt-bearer',
  FileJwtRetriever: 'file',
}

/** What SASL needs, out of `sasl.*` and the options of our own. */
export function resolveSasl(context: SecurityContext): SaslOptions {
  const { values, extras } = context
  const mechanism = values['sasl.mechanism']
  if (mechanism === '') throw invalidValue('sasl.mechanism', '')
  tellOfBrokersOptions(context)
  return {
    mechanism,
    jaasConfig: secretOf(values['sasl.jaas.config']),
    ...resolveSources(values, extras),
    login: pluginOf(values, 'sasl.login.class') as SaslLogin | null,
    mechanisms: readMechanisms(extras),
    kerberos: {
      serviceName: values['sasl.kerberos.service.name'] || null,
      kinitCommand: values['sasl.kerberos.kinit.cmd'],
      minMsBeforeRelogin: values['sasl.kerberos.min.time.before.relogin'],
      renewWindowFactor: values['sasl.kerberos.ticket.renew.window.factor'],
      renewJitter: values['sasl.kerberos.ticket.renew.jitter'],
    },
    oauth: resolveOauth(context),
  }
}

/**
 * Where credentials and tokens come from. Java's callback handlers serve every mechanism, so what one answers
 * depends on the mechanism.
 */
function resolveSources(
  values: ParsedValues,
  extras: ReadonlyMap<ExtraName, unknown>,
): Pick<SaslOptions, 'credentialsProvider' | 'tokenProvider'> {
  const handlers = (['sasl.client.callback.handler.class', 'sasl.login.callback.handler.class'] as const)
    .map(key => [key, pluginOf(values, key)] as const)
    .filter(([, handler]) => handler !== null)
  const mechanism = values['sasl.mechanism']
  const isOauth = mechanism === 'OAUTHBEARER'
  if (handlers.length > 0 && !isOauth && mechanism !== 'PLAIN' && !mechanism.startsWith('SCRAM-')) {
    const [key] = handlers[0] as (typeof handlers)[number]
    throw new ConfigError(`${key} has no meaning with sasl.mechanism = ${mechanism}`, key)
  }
  const retriever = pluginOf(values, 'sasl.oauthbearer.jwt.retriever.class')
  return {
    credentialsProvider: only<SaslCredentialsProvider>([
      ['saslCredentialsProvider', readFunction(extras, 'saslCredentialsProvider')],
      ...(isOauth ? [] : handlers),
    ]),
    tokenProvider: only<OauthTokenProvider>([
      ['saslOauthTokenProvider', readFunction(extras, 'saslOauthTokenProvider')],
      ['sasl.oauthbearer.jwt.retriever.class', retriever],
      ...(isOauth ? handlers : []),
    ]),
  }
}

/** The one that is given; null for none. */
function only<T>(sources: readonly (readonly [name: string, source: unknown])[]): T | null {
  const [first, second] = sources.filter(([, source]) => source !== null)
  if (first === undefined) return null
  if (second === undefined) return first[1] as T
  throw new ConfigError(`${first[0]} and ${second[0]} are both given; allowed: one of them`, second[0])
}

function resolveOauth({ values, explicit }: SecurityContext): SaslOptions['oauth'] {
  const prefix = 'sasl.oauthbearer'
  const assertion = 'sasl.oauthbearer.assertion'
  return {
    retriever: RETRIEVERS[simpleNameOf(values[`${prefix}.jwt.retriever.class`]) ?? ''] ?? 'default',
    validator: resolveValidator(values, explicit),
    assertion: {
      file: values[`${assertion}.file`],
      algorithm: values[`${assertion}.algorithm`],
      aud: values[`${assertion}.claim.aud`],
      iss: values[`${assertion}.claim.iss`],
      sub: values[`${assertion}.claim.sub`],
      expSeconds: values[`${assertion}.claim.exp.seconds`],
      nbfSeconds: values[`${assertion}.claim.nbf.seconds`],
      includesJti: values[`${assertion}.claim.jti.include`],
      privateKeyFile: values[`${assertion}.private.key.file`],
      passphrase: secretOf(values[`${assertion}.private.key.passphrase`]),
      templateFile: values[`${assertion}.template.file`],
    },
    tokenEndpointUrl: values[`${prefix}.token.endpoint.url`],
    clientId: values[`${prefix}.client.credentials.client.id`],
    clientSecret: secretOf(values[`${prefix}.client.credentials.client.secret`]),
    scope: values[`${prefix}.scope`],
    urlEncodesHeader: values[`${prefix}.header.urlencode`],
    connectTimeoutMs: values['sasl.login.connect.timeout.ms'],
    readTimeoutMs: values['sasl.login.read.timeout.ms'],
    retryBackoffMs: values['sasl.login.retry.backoff.ms'],
    retryBackoffMaxMs: values['sasl.login.retry.backoff.max.ms'],
    refresh: {
      windowFactor: values['sasl.login.refresh.window.factor'],
      windowJitter: values['sasl.login.refresh.window.jitter'],
      minPeriodSeconds: values['sasl.login.refresh.min.period.seconds'],
      bufferSeconds: values['sasl.login.refresh.buffer.seconds'],
    },
  }
}

/** Many brokers take tokens that are no JWTs: Java's checks are made where an option asks for them. */
function resolveValidator(
  values: ParsedValues,
  explicit: ReadonlySet<OptionKey>,
): SaslOptions['oauth']['validator'] {
  const key = 'sasl.oauthbearer.jwt.validator.class'
  const validator = pluginOf(values, key)
  if (validator !== null) return validator as JwtValidator
  const names = ['sasl.oauthbearer.scope.claim.name', 'sasl.oauthbearer.sub.claim.name'] as const
  const asksForIt = [key, ...names].some(each => explicit.has(each as OptionKey))
  if (!asksForIt) return null
  for (const name of names) if (values[name] === '') throw invalidValue(name, '')
  return { scopeClaim: values[names[0]], subjectClaim: values[names[1]] }
}

/** Options of Java's producer that only brokers act on: accepted, and said once. */
function tellOfBrokersOptions({ values, explicit, logger }: SecurityContext): void {
  const idle = [...explicit].filter(
    key =>
      key.startsWith('sasl.oauthbearer.') &&
      definitionOf(key).support === 'inert' &&
      String(values[key]) !== String(definitionOf(key).default),
  )
  if (idle.length === 0) return
  logger.info(`brokers check OAuth tokens, so these options have no effect in a producer: ${idle.join(', ')}`)
}

export function secretOf(value: string | null): Secret | null {
  return value === null ? null : new Secret(value)
}

function readMechanisms(extras: ReadonlyMap<ExtraName, unknown>): readonly SaslMechanism[] {
  const given = extras.get('saslMechanisms') ?? []
  const isMechanism = (each: unknown): each is SaslMechanism =>
    hasMethod(each, 'begin') && typeof Reflect.get(each, 'name') === 'string'
  if (Array.isArray(given) && given.every(isMechanism)) return [...given]
  throw new ConfigError(
    'saslMechanisms is not valid; allowed: an array of objects with a name and a begin method',
    'saslMechanisms',
  )
}
