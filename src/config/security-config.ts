import { Secret } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'
import type { NodeTlsOptions, SecurityOptions, TlsOptions } from '../security/index.js'
import { definitionOf, type OptionKey } from './definitions.js'
import { checkPlugins, pluginOf } from './java-classes.js'
import type { ExtraName } from './names.js'
import { resolveSasl, type SecurityContext, secretOf } from './sasl-config.js'
import { invalidValue, type ParsedValues, showValue } from './values.js'

const TLS_VERSIONS: readonly unknown[] = definitionOf('ssl.enabled.protocols').knownValues ?? []

/** What Java leaves to its security providers and is a closed set here. */
type ClosedSet =
  | 'ssl.endpoint.identification.algorithm'
  | 'ssl.keystore.type'
  | 'ssl.protocol'
  | 'ssl.truststore.type'

/** What the mechanisms that prove nothing by themselves send, to whoever listens. */
const SENT_AS_IT_IS: ReadonlyMap<string, string> = new Map([
  ['PLAIN', 'password'],
  ['OAUTHBEARER', 'token'],
])

/** What `security.protocol` and the options behind it amount to. */
export function resolveSecurity(context: SecurityContext): SecurityOptions {
  const { values, extras, logger } = context
  checkPlugins(values)
  const protocol = values['security.protocol']
  const hasTls = protocol.endsWith('SSL')
  const hasSasl = protocol.startsWith('SASL')
  if (!hasTls) refuseIdle(context, 'ssl.', ['tls'], 'SSL or SASL_SSL')
  if (!hasSasl) {
    const extraNames = ['saslCredentialsProvider', 'saslMechanisms', 'saslOauthTokenProvider'] as const
    refuseIdle(context, 'sasl.', extraNames, 'SASL_SSL or SASL_PLAINTEXT')
  }
  const openly = SENT_AS_IT_IS.get(values['sasl.mechanism'])
  if (hasSasl && !hasTls && openly !== undefined) {
    const mechanism = values['sasl.mechanism']
    logger.warn(
      `security.protocol = SASL_PLAINTEXT with sasl.mechanism = ${mechanism} sends the ${openly} as it is`,
    )
  }
  return {
    tls: hasTls ? resolveTls(values, readTls(values, extras)) : null,
    sasl: hasSasl ? resolveSasl(context) : null,
  }
}

/**
 * Options without effect: Java passes over them, so a warning has to do. Functions and objects that Java does
 * not know are refused, before somebody believes to be protected.
 */
function refuseIdle(
  { values, explicit, extras, logger }: SecurityContext,
  prefix: string,
  extraNames: readonly ExtraName[],
  needed: string,
): void {
  const protocol = values['security.protocol']
  const extra = extraNames.find(name => extras.has(name))
  if (extra !== undefined) {
    throw new ConfigError(
      `${extra} is given, but security.protocol is ${protocol}; allowed with it: ${needed}`,
      extra,
    )
  }
  const isSet = (key: OptionKey) => String(values[key]) !== String(definitionOf(key).default)
  const idle = [...explicit].filter(key => key.startsWith(prefix) && isSet(key))
  if (idle.length === 0) return
  logger.warn(`security.protocol is ${protocol}, so these options do nothing: ${idle.join(', ')}`)
}

function resolveTls(values: ParsedValues, nodeOptions: NodeTlsOptions | null): TlsOptions {
  const protocols = values['ssl.enabled.protocols']
  const isKnown = protocols.every(version => TLS_VERSIONS.includes(version))
  if (!isKnown) {
    throw new ConfigError(
      `ssl.enabled.protocols = ${showValue('ssl.enabled.protocols', protocols)} is not valid; ` +
        `allowed: ${TLS_VERSIONS.join(', ')}`,
      'ssl.enabled.protocols',
    )
  }
  return {
    enabledProtocols: protocols as readonly string[],
    protocol: oneOf(values, 'ssl.protocol'),
    cipherSuites: values['ssl.cipher.suites'] as readonly string[],
    verifiesName: oneOf(values, 'ssl.endpoint.identification.algorithm') !== '',
    truststore: {
      location: values['ssl.truststore.location'],
      type: oneOf(values, 'ssl.truststore.type'),
      password: secretOf(values['ssl.truststore.password']),
      certificates: secretOf(values['ssl.truststore.certificates']),
    },
    keystore: {
      location: values['ssl.keystore.location'],
      type: oneOf(values, 'ssl.keystore.type'),
      password: secretOf(values['ssl.keystore.password']),
      key: secretOf(values['ssl.keystore.key']),
      chain: secretOf(values['ssl.keystore.certificate.chain']),
    },
    keyPassword: secretOf(values['ssl.key.password']),
    nodeOptions: nodeOptions === null ? null : new Secret(nodeOptions),
  }
}

function oneOf(values: ParsedValues, key: ClosedSet): string {
  const allowed = definitionOf(key).knownValues ?? []
  const given = values[key]
  const found = allowed.find(each => each.toLowerCase() === given.toLowerCase())
  if (found !== undefined) return found
  throw invalidValue(key, given)
}

function readTls(values: ParsedValues, extras: ReadonlyMap<ExtraName, unknown>): NodeTlsOptions | null {
  const given = extras.get('tls')
  const factory = pluginOf(values, 'ssl.engine.factory.class')
  if (given !== undefined && factory !== null) {
    throw new ConfigError('tls and ssl.engine.factory.class are both given; allowed: one of them', 'tls')
  }
  if (factory !== null) return factory as NodeTlsOptions
  if (given === undefined) return null
  if (typeof given === 'function' || (typeof given === 'object' && !Array.isArray(given))) {
    return given as NodeTlsOptions
  }
  throw new ConfigError("tls is not valid; allowed: an object of Node's tls.connect, or a function", 'tls')
}
