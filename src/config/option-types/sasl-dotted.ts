// Made from the option table by scripts/option-types.mjs. Change it there.
import type {
  JwtValidator,
  OauthTokenProvider,
  SaslCredentialsProvider,
  SaslLogin,
} from '../../security/index.js'

/** Options of the part `sasl` of the table, under Java's keys. */
export interface SaslDottedOptions {
  /**
   * Function that gives user name and password, or a token, to the SASL mechanism. Default: none. Takes a
   * function () => { username, password } or () => token. The same as `saslClientCallbackHandlerClass`.
   */
  readonly 'sasl.client.callback.handler.class'?:
    | SaslCredentialsProvider
    | OauthTokenProvider
    | string
    | null
    | undefined
  /**
   * Login module and its credentials, in the form of a JAAS entry. Default: none. Takes a string. The same
   * as `saslJaasConfig`.
   */
  readonly 'sasl.jaas.config'?: string | null | undefined
  /**
   * Path of the kinit command, which obtains and renews tickets. Default: /usr/bin/kinit. Takes a string.
   * The same as `saslKerberosKinitCmd`.
   */
  readonly 'sasl.kerberos.kinit.cmd'?: string | null | undefined
  /**
   * Shortest time between two Kerberos logins. Default: 60000. Takes a whole number from -9007199254740991
   * to 9007199254740991. The same as `saslKerberosMinTimeBeforeRelogin`.
   */
  readonly 'sasl.kerberos.min.time.before.relogin'?: number | null | undefined
  /**
   * First part of the brokers' Kerberos principal, such as kafka in kafka/host@REALM. Default: none. Takes
   * a string. The same as `saslKerberosServiceName`.
   */
  readonly 'sasl.kerberos.service.name'?: string | null | undefined
  /**
   * Random share added to the time of a ticket's renewal. Default: 0.05. Takes a number. The same as
   * `saslKerberosTicketRenewJitter`.
   */
  readonly 'sasl.kerberos.ticket.renew.jitter'?: number | null | undefined
  /**
   * Share of a ticket's life after which it is renewed. Default: 0.8. Takes a number. The same as
   * `saslKerberosTicketRenewWindowFactor`.
   */
  readonly 'sasl.kerberos.ticket.renew.window.factor'?: number | null | undefined
  /**
   * Function that obtains the credentials: a token, or user name and password. Default: none. Takes a
   * function () => token or () => { username, password }. The same as `saslLoginCallbackHandlerClass`.
   */
  readonly 'sasl.login.callback.handler.class'?:
    | OauthTokenProvider
    | SaslCredentialsProvider
    | string
    | null
    | undefined
  /**
   * Function that logs in before the first authentication. Default: none. Takes a function () => promise.
   * The same as `saslLoginClass`.
   */
  readonly 'sasl.login.class'?: SaslLogin | string | null | undefined
  /**
   * Longest wait for a connection to the token provider; 10 seconds if none is given. Default: none. Takes
   * a whole number from -2147483648 to 2147483647. The same as `saslLoginConnectTimeoutMs`.
   */
  readonly 'sasl.login.connect.timeout.ms'?: number | null | undefined
  /**
   * Longest wait for an answer of the token provider; 10 seconds if none is given. Default: none. Takes a
   * whole number from -2147483648 to 2147483647. The same as `saslLoginReadTimeoutMs`.
   */
  readonly 'sasl.login.read.timeout.ms'?: number | null | undefined
  /**
   * Seconds before a token's end by which it should be renewed. Default: 300. Takes a whole number from 0
   * to 3600. The same as `saslLoginRefreshBufferSeconds`.
   */
  readonly 'sasl.login.refresh.buffer.seconds'?: number | null | undefined
  /**
   * Shortest time between two renewals of a token, in seconds. Default: 60. Takes a whole number from 0 to
   * 900. The same as `saslLoginRefreshMinPeriodSeconds`.
   */
  readonly 'sasl.login.refresh.min.period.seconds'?: number | null | undefined
  /**
   * Share of a token's life after which it is renewed. Default: 0.8. Takes a number from 0.5 to 1. The same
   * as `saslLoginRefreshWindowFactor`.
   */
  readonly 'sasl.login.refresh.window.factor'?: number | null | undefined
  /**
   * Random share added to the time of a token's renewal. Default: 0.05. Takes a number from 0 to 0.25. The
   * same as `saslLoginRefreshWindowJitter`.
   */
  readonly 'sasl.login.refresh.window.jitter'?: number | null | undefined
  /**
   * Longest wait before the token provider is asked again, and how long failures are retried. Default:
   * 10000. Takes a whole number from -9007199254740991 to 9007199254740991. The same as
   * `saslLoginRetryBackoffMaxMs`.
   */
  readonly 'sasl.login.retry.backoff.max.ms'?: number | null | undefined
  /**
   * First wait before the token provider is asked again. Default: 100. Takes a whole number from
   * -9007199254740991 to 9007199254740991. The same as `saslLoginRetryBackoffMs`.
   */
  readonly 'sasl.login.retry.backoff.ms'?: number | null | undefined
  /**
   * How the client proves who it is; GSSAPI, the default, is Kerberos. Default: GSSAPI. Takes a string. The
   * same as `saslMechanism`.
   */
  readonly 'sasl.mechanism'?:
    | 'PLAIN'
    | 'SCRAM-SHA-256'
    | 'SCRAM-SHA-512'
    | 'OAUTHBEARER'
    | 'GSSAPI'
    | (string & {})
    | null
    | undefined
  /**
   * Signature algorithm of the assertion sent to the token provider. Default: RS256. Takes one of ES256,
   * RS256 (in any case). The same as `saslOauthbearerAssertionAlgorithm`.
   */
  readonly 'sasl.oauthbearer.assertion.algorithm'?: 'ES256' | 'es256' | 'RS256' | 'rs256' | null | undefined
  /**
   * Audience claim of the assertion. Default: none. Takes a string. The same as
   * `saslOauthbearerAssertionClaimAud`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.aud'?: string | null | undefined
  /**
   * Seconds an assertion is valid for. Default: 300. Takes a whole number from 0 to 86400. The same as
   * `saslOauthbearerAssertionClaimExpSeconds`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.exp.seconds'?: number | null | undefined
  /**
   * Issuer claim of the assertion. Default: none. Takes a string. The same as
   * `saslOauthbearerAssertionClaimIss`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.iss'?: string | null | undefined
  /**
   * Whether each assertion has an id of its own. Default: false. The same as
   * `saslOauthbearerAssertionClaimJtiInclude`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.jti.include'?: boolean | null | undefined
  /**
   * Seconds before now from which an assertion is valid. Default: 60. Takes a whole number from 0 to 3600.
   * The same as `saslOauthbearerAssertionClaimNbfSeconds`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.nbf.seconds'?: number | null | undefined
  /**
   * Subject claim of the assertion. Default: none. Takes a string. The same as
   * `saslOauthbearerAssertionClaimSub`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.sub'?: string | null | undefined
  /**
   * File that holds a ready-made assertion. Default: none. Takes a string. The same as
   * `saslOauthbearerAssertionFile`.
   */
  readonly 'sasl.oauthbearer.assertion.file'?: string | null | undefined
  /**
   * PEM file of the key that signs assertions. Default: none. Takes a string. The same as
   * `saslOauthbearerAssertionPrivateKeyFile`.
   */
  readonly 'sasl.oauthbearer.assertion.private.key.file'?: string | null | undefined
  /**
   * Passphrase of the key that signs assertions. Default: none. Takes a string. The same as
   * `saslOauthbearerAssertionPrivateKeyPassphrase`.
   */
  readonly 'sasl.oauthbearer.assertion.private.key.passphrase'?: string | null | undefined
  /**
   * File with header fields and claims to start an assertion from. Default: none. Takes a string. The same
   * as `saslOauthbearerAssertionTemplateFile`.
   */
  readonly 'sasl.oauthbearer.assertion.template.file'?: string | null | undefined
  /**
   * Client id of the client-credentials grant. Default: none. Takes a string. The same as
   * `saslOauthbearerClientCredentialsClientId`.
   */
  readonly 'sasl.oauthbearer.client.credentials.client.id'?: string | null | undefined
  /**
   * Client secret of the client-credentials grant. Default: none. Takes a string. The same as
   * `saslOauthbearerClientCredentialsClientSecret`.
   */
  readonly 'sasl.oauthbearer.client.credentials.client.secret'?: string | null | undefined
  /**
   * Seconds by which clocks may differ when a token is checked. Changes nothing: brokers check a token's
   * signature, issuer and audience; Java's client does not, either. Default: 30. Takes a whole number from
   * -2147483648 to 2147483647. The same as `saslOauthbearerClockSkewSeconds`.
   */
  readonly 'sasl.oauthbearer.clock.skew.seconds'?: number | null | undefined
  /**
   * Audiences a token must be meant for. Changes nothing: brokers check a token's signature, issuer and
   * audience; Java's client does not, either. Default: none. Takes an array of strings, or one string with
   * commas. The same as `saslOauthbearerExpectedAudience`.
   */
  readonly 'sasl.oauthbearer.expected.audience'?: readonly string[] | string | null | undefined
  /**
   * Issuer a token must come from. Changes nothing: brokers check a token's signature, issuer and audience;
   * Java's client does not, either. Default: none. Takes a string. The same as
   * `saslOauthbearerExpectedIssuer`.
   */
  readonly 'sasl.oauthbearer.expected.issuer'?: string | null | undefined
  /**
   * Whether client id and secret are URL-encoded in the Authorization header. Default: false. The same as
   * `saslOauthbearerHeaderUrlencode`.
   */
  readonly 'sasl.oauthbearer.header.urlencode'?: boolean | null | undefined
  /**
   * How often the key set of the token provider is fetched. Changes nothing: brokers check a token's
   * signature, issuer and audience; Java's client does not, either. Default: 3600000. Takes a whole number
   * from -9007199254740991 to 9007199254740991. The same as `saslOauthbearerJwksEndpointRefreshMs`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.refresh.ms'?: number | null | undefined
  /**
   * Longest wait before the key set is fetched again after an error. Changes nothing: brokers check a
   * token's signature, issuer and audience; Java's client does not, either. Default: 10000. Takes a whole
   * number from -9007199254740991 to 9007199254740991. The same as
   * `saslOauthbearerJwksEndpointRetryBackoffMaxMs`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms'?: number | null | undefined
  /**
   * First wait before the key set is fetched again after an error. Changes nothing: brokers check a token's
   * signature, issuer and audience; Java's client does not, either. Default: 100. Takes a whole number from
   * -9007199254740991 to 9007199254740991. The same as `saslOauthbearerJwksEndpointRetryBackoffMs`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms'?: number | null | undefined
  /**
   * URL of the key set of the token provider. Changes nothing: brokers check a token's signature, issuer
   * and audience; Java's client does not, either. Default: none. Takes a string. The same as
   * `saslOauthbearerJwksEndpointUrl`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.url'?: string | null | undefined
  /**
   * Function that fetches tokens, or one of Kafka's own retrievers by its name. Default:
   * org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever. Takes a function () => token, or the
   * name of a retriever of Kafka. The same as `saslOauthbearerJwtRetrieverClass`.
   */
  readonly 'sasl.oauthbearer.jwt.retriever.class'?: OauthTokenProvider | string | null | undefined
  /**
   * Function that checks tokens before they are sent, or Kafka's own by its name. Default:
   * org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator. Takes a function token => promise, or
   * the name of a validator of Kafka. The same as `saslOauthbearerJwtValidatorClass`.
   */
  readonly 'sasl.oauthbearer.jwt.validator.class'?: JwtValidator | string | null | undefined
  /**
   * Scope asked of the token provider. Default: none. Takes a string. The same as `saslOauthbearerScope`.
   */
  readonly 'sasl.oauthbearer.scope'?: string | null | undefined
  /**
   * Name of the claim that holds a token's scope. Default: scope. Takes a string. The same as
   * `saslOauthbearerScopeClaimName`.
   */
  readonly 'sasl.oauthbearer.scope.claim.name'?: string | null | undefined
  /**
   * Name of the claim that holds a token's subject. Default: sub. Takes a string. The same as
   * `saslOauthbearerSubClaimName`.
   */
  readonly 'sasl.oauthbearer.sub.claim.name'?: string | null | undefined
  /**
   * URL that tokens are fetched from: https, or a file:// that holds one. Default: none. Takes a string.
   * The same as `saslOauthbearerTokenEndpointUrl`.
   */
  readonly 'sasl.oauthbearer.token.endpoint.url'?: string | null | undefined
}
