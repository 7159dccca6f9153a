import { ConfigError } from '../errors/index.js'
import type { OptionKey } from './definitions.js'
import { invalidValue, type ParsedValues, showValue } from './values.js'

const OAUTH = 'org.apache.kafka.common.security.oauthbearer.'
const AUTHENTICATOR = 'org.apache.kafka.common.security.authenticator.'

/** Options that name a Java class there and take a function here. */
type FunctionKey =
  | 'sasl.client.callback.handler.class'
  | 'sasl.login.callback.handler.class'
  | 'sasl.login.class'
  | 'sasl.oauthbearer.jwt.retriever.class'
  | 'sasl.oauthbearer.jwt.validator.class'
  | 'ssl.engine.factory.class'

/** Classes of Kafka's own that do what is done here without them: configurations of Java may name them. */
const BUILT_IN: Readonly<Record<FunctionKey, readonly string[]>> = {
  'sasl.client.callback.handler.class': [
    `${AUTHENTICATOR}SaslClientCallbackHandler`,
    `${OAUTH}internals.OAuthBearerSaslClientCallbackHandler`,
  ],
  'sasl.login.callback.handler.class': [
    `${AUTHENTICATOR}AbstractLogin$DefaultLoginCallbackHandler`,
    `${OAUTH}OAuthBearerLoginCallbackHandler`,
    `${OAUTH}secured.OAuthBearerLoginCallbackHandler`,
    `${OAUTH}internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler`,
  ],
  'sasl.login.class': [
    `${AUTHENTICATOR}DefaultLogin`,
    'org.apache.kafka.common.security.kerberos.KerberosLogin',
    `${OAUTH}internals.OAuthBearerRefreshingLogin`,
  ],
  'sasl.oauthbearer.jwt.retriever.class': [
    `${OAUTH}DefaultJwtRetriever`,
    `${OAUTH}ClientCredentialsJwtRetriever`,
    `${OAUTH}JwtBearerJwtRetriever`,
    `${OAUTH}FileJwtRetriever`,
  ],
  'sasl.oauthbearer.jwt.validator.class': [`${OAUTH}DefaultJwtValidator`, `${OAUTH}ClientJwtValidator`],
  'ssl.engine.factory.class': ['org.apache.kafka.common.security.ssl.DefaultSslEngineFactory'],
}

/** What users of other libraries look for. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/msk\.auth\.iam/, '; for AWS use OAUTHBEARER with saslOauthTokenProvider = awsMskIamTokenProvider(…)'],
]

type Plugin = (...parameters: never[]) => unknown

/**
 * The function under such an option; null where there is none, or one of Kafka's own classes is named.
 *
 * @throws ConfigError for another class, or anything else
 */
export function pluginOf(values: ParsedValues, key: FunctionKey): Plugin | null {
  const given = values[key]
  if (given === null || given === undefined) return null
  if (typeof given === 'function') return given as Plugin
  if (typeof given !== 'string') throw invalidValue(key, given)
  if (isBuiltIn(key, given)) return null
  const [, hint = ''] = HINTS.find(([pattern]) => pattern.test(given)) ?? []
  return refuseClassName(key, given, `a function${hint}`)
}

/** Refuses classes that are not built in, also where what they are for is not in use. */
export function checkPlugins(values: ParsedValues): void {
  for (const key of Object.keys(BUILT_IN) as FunctionKey[]) pluginOf(values, key)
}

function isBuiltIn(key: FunctionKey, className: string): boolean {
  return BUILT_IN[key].includes(className.trim())
}

/** Refuses the name of a Java class where only JavaScript can help. */
export function refuseClassName(key: OptionKey, className: string, instead: string): never {
  throw new ConfigError(
    `${key} = ${showValue(key, className)} names a Java class, which cannot be loaded; pass ${instead}`,
    key,
  )
}

/** The last part of a class's name; null for a function. */
export function simpleNameOf(given: unknown): string | null {
  return typeof given === 'string' ? given.slice(given.lastIndexOf('.') + 1).trim() : null
}
