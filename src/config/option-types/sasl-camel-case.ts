// Made from the option table by scripts/option-types.mjs. Change it there.
import type {
  JwtValidator,
  OauthTokenProvider,
  SaslCredentialsProvider,
  SaslLogin,
} from '../../security/index.js'

/** Options of the part `sasl` of the table, in camelCase. */
export interface SaslCamelCaseOptions {
  /**
   * Function that gives user name and password, or a token, to the SASL mechanism. Default: none. Takes a
   * function () => { username, password } or () => token. The same as `sasl.client.callback.handler.class`.
   */
  readonly saslClientCallbackHandlerClass?:
    | SaslCredentialsProvider
    | OauthTokenProvider
    | string
    | null
    | undefined
  /**
   * Login module and its credentials, in the form of a JAAS entry. Default: none. Takes a string. The same
   * as `sasl.jaas.config`.
   */
  readonly saslJaasConfig?: string | null | undefined
  /**
   * Path of the kinit command, which obtains and renews tickets. Default: /usr/bin/kinit. Takes a string.
   * The same as `sasl.kerberos.kinit.cmd`.
   */
  readonly saslKerberosKinitCmd?: string | null | undefined
  /**
   * Shortest time between two Kerberos logins. Default: 60000. Takes a whole number from -9007199254740991
   * to 9007199254740991. The same as `sasl.kerberos.min.time.before.relogin`.
   */
  readonly saslKerberosMinTimeBeforeRelogin?: number | null | undefined
  /**
   * First part of the brokers' Kerberos principal, such as kafka in kafka/host@REALM. Default: none. Takes
   * a string. The same as `sasl.kerberos.service.name`.
   */
  readonly saslKerberosServiceName?: string | null | undefined
  /**
   * Random share added to the time of a ticket's renewal. Default: 0.05. Takes a number. The same as
   * `sasl.kerberos.ticket.renew.jitter`.
   */
  readonly saslKerberosTicketRenewJitter?: number | null | undefined
  /**
   * Share of a ticket's life after which it is renewed. Default: 0.8. Takes a number. The same as
   * `sasl.kerberos.ticket.renew.window.factor`.
   */
  readonly saslKerberosTicketRenewWindowFactor?: number | null | undefined
  /**
   * Function that obtains the credentials: a token, or user name and password. Default: none. Takes a
   * function () => token or () => { username, password }. The same as `sasl.login.callback.handler.class`.
   */
  readonly saslLoginCallbackHandlerClass?:
    | OauthTokenProvider
    | SaslCredentialsProvider
    | string
    | null
    | undefined
  /**
   * Function that logs in before the first authentication. Default: none. Takes a function () => promise.
   * The same as `sasl.login.class`.
   */
  readonly saslLoginClass?: SaslLogin | string | null | undefined
  /**
   * Longest wait for a connection to the token provider; 10 seconds if none is given. Default: none. Takes
   * a whole number from -2147483648 to 2147483647. The same as `sasl.login.connect.timeout.ms`.
   */
  readonly saslLoginConnectTimeoutMs?: number | null | undefined
  /**
   * Longest wait for an answer of the token provider; 10 seconds if none is given. Default: none. Takes a
   * whole number from -2147483648 to 2147483647. The same as `sasl.login.read.timeout.ms`.
   */
  readonly saslLoginReadTimeoutMs?: number | null | undefined
  /**
   * Seconds before a token's end by which it should be renewed. Default: 300. Takes a whole number from 0
   * to 3600. The same as `sasl.login.refresh.buffer.seconds`.
   */
  readonly saslLoginRefreshBufferSeconds?: number | null | undefined
  /**
   * Shortest time between two renewals of a token, in seconds. Default: 60. Takes a whole number from 0 to
   * 900. The same as `sasl.login.refresh.min.period.seconds`.
   */
  readonly saslLoginRefreshMinPeriodSeconds?: number | null | undefined
  /**
   * Share of a token's life after which it is renewed. Default: 0.8. Takes a number from 0.5 to 1. The same
   * as `sasl.login.refresh.window.factor`.
   */
  readonly saslLoginRefreshWindowFactor?: number | null | undefined
  /**
   * Random share added to the time of a token's renewal. Default: 0.05. Takes a number from 0 to 0.25. The
   * same as `sasl.login.refresh.window.jitter`.
   */
  readonly saslLoginRefreshWindowJitter?: number | null | undefined
  /**
   * Longest wait before the token provider is asked again, and how long failures are retried. Default:
   * 10000. Takes a whole number from -9007199254740991 to 9007199254740991. The same as
   * `sasl.login.retry.backoff.max.ms`.
   */
  readonly saslLoginRetryBackoffMaxMs?: number | null | undefined
  /**
   * First wait before the token provider is asked again. Default: 100. Takes a whole number from
   * -9007199254740991 to 9007199254740991. The same as `sasl.login.retry.backoff.ms`.
   */
  readonly saslLoginRetryBackoffMs?: number | null | undefined
  /**
   * How the client proves who it is; GSSAPI, the default, is Kerberos. Default: GSSAPI. Takes a string. The
   * same as `sasl.mechanism`.
   */
  readonly saslMechanism?:
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
   * RS256 (in any case). The same as `sasl.oauthbearer.assertion.algorithm`.
   */
  readonly saslOauthbearerAssertionAlgorithm?: 'ES256' | 'es256' | 'RS256' | 'rs256' | null | undefined
  /**
   * Audience claim of the assertion. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.assertion.claim.aud`.
   */
  readonly saslOauthbearerAssertionClaimAud?: string | null | undefined
  /**
   * Seconds an assertion is valid for. Default: 300. Takes a whole number from 0 to 86400. The same as
   * `sasl.oauthbearer.assertion.claim.exp.seconds`.
   */
  readonly saslOauthbearerAssertionClaimExpSeconds?: number | null | undefined
  /**
   * Issuer claim of the assertion. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.assertion.claim.iss`.
   */
  readonly saslOauthbearerAssertionClaimIss?: string | null | undefined
  /**
   * Whether each assertion has an id of its own. Default: false. The same as
   * `sasl.oauthbearer.assertion.claim.jti.include`.
   */
  readonly saslOauthbearerAssertionClaimJtiInclude?: boolean | null | undefined
  /**
   * Seconds before now from which an assertion is valid. Default: 60. Takes a whole number from 0 to 3600.
   * The same as `sasl.oauthbearer.assertion.claim.nbf.seconds`.
   */
  readonly saslOauthbearerAssertionClaimNbfSeconds?: number | null | undefined
  /**
   * Subject claim of the assertion. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.assertion.claim.sub`.
   */
  readonly saslOauthbearerAssertionClaimSub?: string | null | undefined
  /**
   * File that holds a ready-made assertion. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.assertion.file`.
   */
  readonly saslOauthbearerAssertionFile?: string | null | undefined
  /**
   * PEM file of the key that signs assertions. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.assertion.private.key.file`.
   */
  readonly saslOauthbearerAssertionPrivateKeyFile?: string | null | undefined
  /**
   * Passphrase of the key that signs assertions. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.assertion.private.key.passphrase`.
   */
  readonly saslOauthbearerAssertionPrivateKeyPassphrase?: string | null | undefined
  /**
   * File with header fields and claims to start an assertion from. Default: none. Takes a string. The same
   * as `sasl.oauthbearer.assertion.template.file`.
   */
  readonly saslOauthbearerAssertionTemplateFile?: string | null | undefined
  /**
   * Client id of the client-credentials grant. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.client.credentials.client.id`.
   */
  readonly saslOauthbearerClientCredentialsClientId?: string | null | undefined
  /**
   * Client secret of the client-credentials grant. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.client.credentials.client.secret`.
   */
  readonly saslOauthbearerClientCredentialsClientSecret?: string | null | undefined
  /**
   * Seconds by which clocks may differ when a token is checked. Changes nothing: brokers check a token's
   * signature, issuer and audience; Java's client does not, either. Default: 30. Takes a whole number from
   * -2147483648 to 2147483647. The same as `sasl.oauthbearer.clock.skew.seconds`.
   */
  readonly saslOauthbearerClockSkewSeconds?: number | null | undefined
  /**
   * Audiences a token must be meant for. Changes nothing: brokers check a token's signature, issuer and
   * audience; Java's client does not, either. Default: none. Takes an array of strings, or one string with
   * commas. The same as `sasl.oauthbearer.expected.audience`.
   */
  readonly saslOauthbearerExpectedAudience?: readonly string[] | string | null | undefined
  /**
   * Issuer a token must come from. Changes nothing: brokers check a token's signature, issuer and audience;
   * Java's client does not, either. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.expected.issuer`.
   */
  readonly saslOauthbearerExpectedIssuer?: string | null | undefined
  /**
   * Whether client id and secret are URL-encoded in the Authorization header. Default: false. The same as
   * `sasl.oauthbearer.header.urlencode`.
   */
  readonly saslOauthbearerHeaderUrlencode?: boolean | null | undefined
  /**
   * How often the key set of the token provider is fetched. Changes nothing: brokers check a token's
   * signature, issuer and audience; Java's client does not, either. Default: 3600000. Takes a whole number
   * from -9007199254740991 to 9007199254740991. The same as `sasl.oauthbearer.jwks.endpoint.refresh.ms`.
   */
  readonly saslOauthbearerJwksEndpointRefreshMs?: number | null | undefined
  /**
   * Longest wait before the key set is fetched again after an error. Changes nothing: brokers check a
   * token's signature, issuer and audience; Java's client does not, either. Default: 10000. Takes a whole
   * number from -9007199254740991 to 9007199254740991. The same as
   * `sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms`.
   */
  readonly saslOauthbearerJwksEndpointRetryBackoffMaxMs?: number | null | undefined
  /**
   * First wait before the key set is fetched again after an error. Changes nothing: brokers check a token's
   * signature, issuer and audience; Java's client does not, either. Default: 100. Takes a whole number from
   * -9007199254740991 to 9007199254740991. The same as `sasl.oauthbearer.jwks.endpoint.retry.backoff.ms`.
   */
  readonly saslOauthbearerJwksEndpointRetryBackoffMs?: number | null | undefined
  /**
   * URL of the key set of the token provider. Changes nothing: brokers check a token's signature, issuer
   * and audience; Java's client does not, either. Default: none. Takes a string. The same as
   * `sasl.oauthbearer.jwks.endpoint.url`.
   */
  readonly saslOauthbearerJwksEndpointUrl?: string | null | undefined
  /**
   * Function that fetches tokens, or one of Kafka's own retrievers by its name. Default:
   * org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever. Takes a function () => token, or the
   * name of a retriever of Kafka. The same as `sasl.oauthbearer.jwt.retriever.class`.
   */
  readonly saslOauthbearerJwtRetrieverClass?: OauthTokenProvider | string | null | undefined
  /**
   * Function that checks tokens before they are sent, or Kafka's own by its name. Default:
   * org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator. Takes a function token => promise, or
   * the name of a validator of Kafka. The same as `sasl.oauthbearer.jwt.validator.class`.
   */
  readonly saslOauthbearerJwtValidatorClass?: JwtValidator | string | null | undefined
  /**
   * Scope asked of the token provider. Default: none. Takes a string. The same as `sasl.oauthbearer.scope`.
   */
  readonly saslOauthbearerScope?: string | null | undefined
  /**
   * Name of the claim that holds a token's scope. Default: scope. Takes a string. The same as
   * `sasl.oauthbearer.scope.claim.name`.
   */
  readonly saslOauthbearerScopeClaimName?: string | null | undefined
  /**
   * Name of the claim that holds a token's subject. Default: sub. Takes a string. The same as
   * `sasl.oauthbearer.sub.claim.name`.
   */
  readonly saslOauthbearerSubClaimName?: string | null | undefined
  /**
   * URL that tokens are fetched from: https, or a file:// that holds one. Default: none. Takes a string.
   * The same as `sasl.oauthbearer.token.endpoint.url`.
   */
  readonly saslOauthbearerTokenEndpointUrl?: string | null | undefined
}
