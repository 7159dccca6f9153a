// Made from the option table by scripts/option-types.mjs. Change it there.

/** Options of the part `sasl` of the table, under Java's keys. */
export interface SaslDottedOptions {
  /**
   * Java class that answers the questions of a SASL mechanism. Only its default is accepted: it names a
   * Java class, which cannot be loaded outside the JVM. Default: none. The same as
   * `saslClientCallbackHandlerClass`.
   */
  readonly 'sasl.client.callback.handler.class'?: null | undefined
  /**
   * Login module and its credentials, in the form of a JAAS entry. Default: none. Takes a string. The same
   * as `saslJaasConfig`.
   */
  readonly 'sasl.jaas.config'?: string | null | undefined
  /**
   * Path of the kinit command. Only its default is accepted: Kerberos (GSSAPI) is not built; a mechanism of
   * your own can be passed in saslMechanisms. Default: /usr/bin/kinit. The same as `saslKerberosKinitCmd`.
   */
  readonly 'sasl.kerberos.kinit.cmd'?: '/usr/bin/kinit' | null | undefined
  /**
   * Shortest time between two Kerberos logins. Only its default is accepted: Kerberos (GSSAPI) is not
   * built; a mechanism of your own can be passed in saslMechanisms. Default: 60000. The same as
   * `saslKerberosMinTimeBeforeRelogin`.
   */
  readonly 'sasl.kerberos.min.time.before.relogin'?: 60000 | null | undefined
  /**
   * Kerberos principal the brokers run as. Only its default is accepted: Kerberos (GSSAPI) is not built; a
   * mechanism of your own can be passed in saslMechanisms. Default: none. The same as
   * `saslKerberosServiceName`.
   */
  readonly 'sasl.kerberos.service.name'?: null | undefined
  /**
   * Random share added to the time of a ticket's renewal. Only its default is accepted: Kerberos (GSSAPI)
   * is not built; a mechanism of your own can be passed in saslMechanisms. Default: 0.05. The same as
   * `saslKerberosTicketRenewJitter`.
   */
  readonly 'sasl.kerberos.ticket.renew.jitter'?: 0.05 | null | undefined
  /**
   * Share of a ticket's life after which it is renewed. Only its default is accepted: Kerberos (GSSAPI) is
   * not built; a mechanism of your own can be passed in saslMechanisms. Default: 0.8. The same as
   * `saslKerberosTicketRenewWindowFactor`.
   */
  readonly 'sasl.kerberos.ticket.renew.window.factor'?: 0.8 | null | undefined
  /**
   * Java class that obtains the credentials. Only its default is accepted: it names a Java class, which
   * cannot be loaded outside the JVM. Default: none. The same as `saslLoginCallbackHandlerClass`.
   */
  readonly 'sasl.login.callback.handler.class'?: null | undefined
  /**
   * Java class that performs the login. Only its default is accepted: it names a Java class, which cannot
   * be loaded outside the JVM. Default: none. The same as `saslLoginClass`.
   */
  readonly 'sasl.login.class'?: null | undefined
  /**
   * Longest wait for a connection to the token provider; 10 seconds where none is given. Default: none.
   * Takes a whole number from -2147483648 to 2147483647. The same as `saslLoginConnectTimeoutMs`.
   */
  readonly 'sasl.login.connect.timeout.ms'?: number | null | undefined
  /**
   * Longest wait for an answer of the token provider; 10 seconds where none is given. Default: none. Takes
   * a whole number from -2147483648 to 2147483647. The same as `saslLoginReadTimeoutMs`.
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
   * How the client proves who it is, such as PLAIN, SCRAM-SHA-512 or OAUTHBEARER. Default: GSSAPI. Takes a
   * string. The same as `saslMechanism`.
   */
  readonly 'sasl.mechanism'?:
    | 'PLAIN'
    | 'SCRAM-SHA-256'
    | 'SCRAM-SHA-512'
    | 'OAUTHBEARER'
    | (string & {})
    | null
    | undefined
  /**
   * Signature algorithm of the assertion sent to the token provider. Only its default is accepted: only the
   * client-credentials grant is built; for others pass a saslOauthTokenProvider. Default: RS256. The same
   * as `saslOauthbearerAssertionAlgorithm`.
   */
  readonly 'sasl.oauthbearer.assertion.algorithm'?: 'rs256' | 'RS256' | null | undefined
  /**
   * Audience claim of the assertion. Only its default is accepted: only the client-credentials grant is
   * built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionClaimAud`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.aud'?: null | undefined
  /**
   * Seconds an assertion is valid for. Only its default is accepted: only the client-credentials grant is
   * built; for others pass a saslOauthTokenProvider. Default: 300. The same as
   * `saslOauthbearerAssertionClaimExpSeconds`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.exp.seconds'?: 300 | null | undefined
  /**
   * Issuer claim of the assertion. Only its default is accepted: only the client-credentials grant is
   * built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionClaimIss`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.iss'?: null | undefined
  /**
   * Whether each assertion carries an id of its own. Only its default is accepted: only the
   * client-credentials grant is built; for others pass a saslOauthTokenProvider. Default: false. The same
   * as `saslOauthbearerAssertionClaimJtiInclude`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.jti.include'?: false | null | undefined
  /**
   * Seconds before now from which an assertion is valid. Only its default is accepted: only the
   * client-credentials grant is built; for others pass a saslOauthTokenProvider. Default: 60. The same as
   * `saslOauthbearerAssertionClaimNbfSeconds`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.nbf.seconds'?: 60 | null | undefined
  /**
   * Subject claim of the assertion. Only its default is accepted: only the client-credentials grant is
   * built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionClaimSub`.
   */
  readonly 'sasl.oauthbearer.assertion.claim.sub'?: null | undefined
  /**
   * File that holds a ready-made assertion. Only its default is accepted: only the client-credentials grant
   * is built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionFile`.
   */
  readonly 'sasl.oauthbearer.assertion.file'?: null | undefined
  /**
   * PEM file of the key that signs assertions. Only its default is accepted: only the client-credentials
   * grant is built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionPrivateKeyFile`.
   */
  readonly 'sasl.oauthbearer.assertion.private.key.file'?: null | undefined
  /**
   * Passphrase of the key that signs assertions. Only its default is accepted: only the client-credentials
   * grant is built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionPrivateKeyPassphrase`.
   */
  readonly 'sasl.oauthbearer.assertion.private.key.passphrase'?: null | undefined
  /**
   * File with header fields and claims to start an assertion from. Only its default is accepted: only the
   * client-credentials grant is built; for others pass a saslOauthTokenProvider. Default: none. The same as
   * `saslOauthbearerAssertionTemplateFile`.
   */
  readonly 'sasl.oauthbearer.assertion.template.file'?: null | undefined
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
   * Seconds by which clocks may differ when a token is checked. Changes nothing: tokens are checked by
   * brokers, not by clients. Default: 30. Takes a whole number from -2147483648 to 2147483647. The same as
   * `saslOauthbearerClockSkewSeconds`.
   */
  readonly 'sasl.oauthbearer.clock.skew.seconds'?: number | null | undefined
  /**
   * Audiences a token must be meant for. Changes nothing: tokens are checked by brokers, not by clients.
   * Default: none. Takes an array of strings, or one string with commas. The same as
   * `saslOauthbearerExpectedAudience`.
   */
  readonly 'sasl.oauthbearer.expected.audience'?: readonly string[] | string | null | undefined
  /**
   * Issuer a token must come from. Changes nothing: tokens are checked by brokers, not by clients. Default:
   * none. Takes a string. The same as `saslOauthbearerExpectedIssuer`.
   */
  readonly 'sasl.oauthbearer.expected.issuer'?: string | null | undefined
  /**
   * Whether client id and secret are URL-encoded in the Authorization header. Default: false. The same as
   * `saslOauthbearerHeaderUrlencode`.
   */
  readonly 'sasl.oauthbearer.header.urlencode'?: boolean | null | undefined
  /**
   * How often the key set of the token provider is fetched. Changes nothing: tokens are checked by brokers,
   * not by clients. Default: 3600000. Takes a whole number from -9007199254740991 to 9007199254740991. The
   * same as `saslOauthbearerJwksEndpointRefreshMs`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.refresh.ms'?: number | null | undefined
  /**
   * Longest wait before the key set is fetched again after an error. Changes nothing: tokens are checked by
   * brokers, not by clients. Default: 10000. Takes a whole number from -9007199254740991 to
   * 9007199254740991. The same as `saslOauthbearerJwksEndpointRetryBackoffMaxMs`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms'?: number | null | undefined
  /**
   * First wait before the key set is fetched again after an error. Changes nothing: tokens are checked by
   * brokers, not by clients. Default: 100. Takes a whole number from -9007199254740991 to 9007199254740991.
   * The same as `saslOauthbearerJwksEndpointRetryBackoffMs`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms'?: number | null | undefined
  /**
   * Where the key set of the token provider is. Changes nothing: tokens are checked by brokers, not by
   * clients. Default: none. Takes a string. The same as `saslOauthbearerJwksEndpointUrl`.
   */
  readonly 'sasl.oauthbearer.jwks.endpoint.url'?: string | null | undefined
  /**
   * Java class that fetches tokens. Only its default is accepted: it names a Java class, which cannot be
   * loaded outside the JVM. Default: org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever. The
   * same as `saslOauthbearerJwtRetrieverClass`.
   */
  readonly 'sasl.oauthbearer.jwt.retriever.class'?:
    | 'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever'
    | null
    | undefined
  /**
   * Java class that checks tokens. Only its default is accepted: it names a Java class, which cannot be
   * loaded outside the JVM. Default: org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator. The
   * same as `saslOauthbearerJwtValidatorClass`.
   */
  readonly 'sasl.oauthbearer.jwt.validator.class'?:
    | 'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator'
    | null
    | undefined
  /**
   * Scope asked of the token provider. Default: none. Takes a string. The same as `saslOauthbearerScope`.
   */
  readonly 'sasl.oauthbearer.scope'?: string | null | undefined
  /**
   * Name of the claim that holds a token's scope. Changes nothing: tokens are checked by brokers, not by
   * clients. Default: scope. Takes a string. The same as `saslOauthbearerScopeClaimName`.
   */
  readonly 'sasl.oauthbearer.scope.claim.name'?: string | null | undefined
  /**
   * Name of the claim that holds a token's subject. Changes nothing: tokens are checked by brokers, not by
   * clients. Default: sub. Takes a string. The same as `saslOauthbearerSubClaimName`.
   */
  readonly 'sasl.oauthbearer.sub.claim.name'?: string | null | undefined
  /**
   * Where tokens are fetched from, by https only. Default: none. Takes a string. The same as
   * `saslOauthbearerTokenEndpointUrl`.
   */
  readonly 'sasl.oauthbearer.token.endpoint.url'?: string | null | undefined
}
