import type { Logger } from '../common/logger.js'
import { configureSasl } from './sasl/configure.js'
import type { SaslMechanism } from './sasl/mechanism.js'
import type { SaslOptions } from './sasl/options.js'
import type { TlsOptions } from './tls/options.js'
import { TlsConnector } from './tls/tls-connector.js'

export { type AwsMskIamOptions, awsMskIamTokenProvider } from './sasl/aws-msk-iam.js'
export type { AwsCredentials } from './sasl/aws-signature.js'
export type { SaslCredentials, SaslCredentialsProvider } from './sasl/credentials.js'
export type { JwtValidator } from './sasl/jwt.js'
export type { SaslBroker, SaslExchange, SaslMechanism } from './sasl/mechanism.js'
export type { OauthToken, OauthTokenProvider } from './sasl/oauth-token.js'
export type { RetrieverKind, SaslLogin, SaslOptions } from './sasl/options.js'
export type { NodeTlsOptions, StoreOptions, TlsOptions } from './tls/options.js'
export type { TlsConnector } from './tls/tls-connector.js'
export { tlsRefusal } from './tls/tls-refusal.js'

/** What `security.protocol` asks for: TLS, SASL, both or neither. */
export interface SecurityOptions {
  readonly tls: TlsOptions | null
  readonly sasl: SaslOptions | null
}

/** How connections are protected and authenticated. */
export interface Security {
  /** Null: connections are plain TCP. */
  readonly connector: TlsConnector | null
  /** Null: brokers are not told who the client is, beyond its certificate. */
  readonly mechanism: SaslMechanism | null
}

/** @throws ConfigError for what cannot work: files, keys, credentials that are missing or contradictory */
export function createSecurity({ tls, sasl }: SecurityOptions, logger: Logger): Security {
  return {
    connector: tls === null ? null : new TlsConnector(tls, logger),
    mechanism: sasl === null ? null : configureSasl(sasl, logger),
  }
}
