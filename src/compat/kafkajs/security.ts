import type { ConnectionOptions } from 'node:tls'
import type { OauthToken, ProducerSettings, SocketFactory } from '../../index.js'
import { KafkaJSNotImplemented, KafkaJSSASLAuthenticationError } from './errors.js'
import { mechanismOf } from './sasl-provider.js'
import type { ISocketFactory, KafkaConfig, Logger, Mechanism } from './types.js'

type SecurityConfig = Pick<KafkaConfig, 'ssl' | 'sasl' | 'socketFactory'>

const PASSWORD_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** `ssl`, `sasl` and `socketFactory` as millrace's options. */
export function securityOptions(
  { ssl, sasl, socketFactory }: SecurityConfig,
  logger: Logger,
): ProducerSettings {
  // A factory of KafkaJS's kind makes the TLS connection itself.
  const isOpenedElsewhere = socketFactory !== undefined && socketFactory !== null
  const hasTls = Boolean(ssl) && !isOpenedElsewhere
  const protocol = `${sasl ? 'SASL_' : ''}${hasTls ? 'SSL' : 'PLAINTEXT'}` as const
  return {
    securityProtocol: (!sasl && hasTls ? 'SSL' : protocol) as
      | 'SASL_SSL'
      | 'SSL'
      | 'SASL_PLAINTEXT'
      | 'PLAINTEXT',
    ...(hasTls && typeof ssl === 'object' ? { tls: ssl } : {}),
    ...(isOpenedElsewhere ? { socketFactory: factoryWith(socketFactory, ssl) } : {}),
    ...(sasl ? saslOptions(sasl as AnySasl, logger) : {}),
  }
}

function factoryWith(factory: ISocketFactory, ssl: ConnectionOptions | boolean | undefined): SocketFactory {
  return ({ host, port, onConnect }) =>
    factory({ host, port, ssl: (ssl ?? null) as ConnectionOptions, onConnect })
}

/** All that any of KafkaJS's mechanisms may carry. */
interface AnySasl {
  mechanism: string
  username?: string
  password?: string
  oauthBearerProvider?: () => Promise<OauthToken>
  authenticationProvider?: Mechanism['authenticationProvider']
}

function saslOptions(sasl: AnySasl, logger: Logger): ProducerSettings {
  const mechanism = String(sasl.mechanism).toUpperCase()
  if (typeof sasl.authenticationProvider === 'function') {
    return { saslMechanism: mechanism, saslMechanisms: [mechanismOf(sasl as Mechanism, logger)] }
  }
  if (PASSWORD_MECHANISMS.includes(mechanism)) {
    const { username, password } = sasl
    if (username == null || password == null) {
      const shown =
        mechanism === 'PLAIN' ? 'Plain' : mechanism.replace(/-/g, ' ').replace('SCRAM SHA ', 'SCRAM-SHA-')
      throw new KafkaJSSASLAuthenticationError(`SASL ${shown}: Invalid username or password`)
    }
    // Looked at for every connection: applications replace them in place.
    const credentials = () => ({ username: sasl.username as string, password: sasl.password as string })
    return { saslMechanism: mechanism, saslCredentialsProvider: credentials }
  }
  if (mechanism === 'OAUTHBEARER') {
    const { oauthBearerProvider } = sasl
    if (oauthBearerProvider == null) {
      throw new KafkaJSSASLAuthenticationError('SASL OAUTHBEARER: Missing OAuth bearer token provider')
    }
    return { saslMechanism: mechanism, saslOauthTokenProvider: () => oauthBearerProvider() }
  }
  if (mechanism === 'AWS') {
    throw new KafkaJSNotImplemented(
      "SASL AWS is no mechanism of Kafka's and is not supported. For Amazon MSK with IAM use " +
        "{ mechanism: 'oauthbearer', oauthBearerProvider } with awsMskIamTokenProvider of millrace, " +
        'or an authenticationProvider',
    )
  }
  throw new KafkaJSSASLAuthenticationError(`SASL ${mechanism} mechanism is not supported by the client`)
}
