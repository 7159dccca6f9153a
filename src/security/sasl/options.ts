import type { Secret } from '../../common/secret.js'
import type { SaslCredentialsProvider } from './credentials.js'
import type { SaslMechanism } from './mechanism.js'
import type { OauthTokenProvider, RefreshRule } from './oauth-token.js'

/** How the client proves who it is. */
export interface SaslOptions {
  readonly mechanism: string
  readonly jaasConfig: Secret | null
  readonly credentialsProvider: SaslCredentialsProvider | null
  readonly tokenProvider: OauthTokenProvider | null
  /** The application's own, which go before built-in ones of the same name. */
  readonly mechanisms: readonly SaslMechanism[]
  readonly oauth: {
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
