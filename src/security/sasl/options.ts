import type { Secret } from '../../common/secret.js'
import type { AssertionOptions } from './assertion.js'
import type { SaslCredentialsProvider } from './credentials.js'
import type { JwtValidator } from './jwt.js'
import type { TicketRules } from './kerberos-tickets.js'
import type { SaslMechanism } from './mechanism.js'
import type { OauthTokenProvider, RefreshRule } from './oauth-token.js'

/** Where tokens are fetched from, by the class of Java's that `jwt.retriever.class` names. */
export type RetrieverKind = 'default' | 'client-credentials' | 'jwt-bearer' | 'file'

/** Names of the claims that Java's client looks at. */
interface TokenClaims {
  readonly scopeClaim: string
  readonly subjectClaim: string
}

/**
 * Logs in, before the first authentication and again after it has failed (Java: `Login`). What it throws
 * fails the connection.
 */
export type SaslLogin = () => void | Promise<void>

/** How the client proves who it is. */
export interface SaslOptions {
  readonly mechanism: string
  readonly jaasConfig: Secret | null
  readonly credentialsProvider: SaslCredentialsProvider | null
  readonly tokenProvider: OauthTokenProvider | null
  /** Null: there is nothing to do first. */
  readonly login: SaslLogin | null
  /** The application's own, which go before built-in ones of the same name. */
  readonly mechanisms: readonly SaslMechanism[]
  /** Of GSSAPI; `serviceName` null: the JAAS entry has it. */
  readonly kerberos: TicketRules & { readonly serviceName: string | null }
  readonly oauth: {
    readonly retriever: RetrieverKind
    /** Null: tokens are taken as they come. */
    readonly validator: JwtValidator | TokenClaims | null
    readonly assertion: AssertionOptions
    readonly tokenEndpointUrl: string | null
    readonly clientId: string | null
    readonly clientSecret: Secret | null
    readonly scope: string | null
    readonly urlEncodesHeader: boolean
    /** Null: 10 seconds. */
    readonly connectTimeoutMs: number | null
    /** Null: 10 seconds. */
    readonly readTimeoutMs: number | null
    readonly retryBackoffMs: number
    readonly retryBackoffMaxMs: number
    readonly refresh: RefreshRule
  }
}
