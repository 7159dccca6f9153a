// Made from the option table by scripts/option-types.mjs. Change it there.
import type { NodeTlsOptions } from '../../security/index.js'

/** Options of the part `tls` of the table, in camelCase. */
export interface TlsCamelCaseOptions {
  /**
   * Whether connections use TLS, SASL authentication, both or neither. Default: PLAINTEXT. Takes one of
   * SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT (in any case). The same as `security.protocol`.
   */
  readonly securityProtocol?:
    | 'SASL_SSL'
    | 'sasl_ssl'
    | 'PLAINTEXT'
    | 'plaintext'
    | 'SSL'
    | 'ssl'
    | 'SASL_PLAINTEXT'
    | 'sasl_plaintext'
    | null
    | undefined
  /**
   * Java security providers to register. Only its default is accepted: it selects a part of the JVM, which
   * is not there. Default: none. The same as `security.providers`.
   */
  readonly securityProviders?: null | undefined
  /**
   * Cipher suites allowed; empty for the runtime's own choice. Default: none. Takes an array of strings, or
   * one string with commas. The same as `ssl.cipher.suites`.
   */
  readonly sslCipherSuites?: readonly string[] | string | null | undefined
  /**
   * TLS versions allowed. Default: TLSv1.2,TLSv1.3. Takes an array of strings, or one string with commas.
   * The same as `ssl.enabled.protocols`.
   */
  readonly sslEnabledProtocols?:
    | readonly ('TLSv1.2' | 'TLSv1.3')[]
    | 'TLSv1.2'
    | 'TLSv1.3'
    | 'TLSv1.2,TLSv1.3'
    | 'TLSv1.3,TLSv1.2'
    | null
    | undefined
  /**
   * https checks that a broker's certificate names its host; empty does not check. Default: https. Takes
   * one of https, an empty text (in any case). The same as `ssl.endpoint.identification.algorithm`.
   */
  readonly sslEndpointIdentificationAlgorithm?: 'https' | 'HTTPS' | '' | null | undefined
  /**
   * Function that returns Node's options of tls.connect for each connection. Default: none. Takes a
   * function () => options of tls.connect. The same as `ssl.engine.factory.class`.
   */
  readonly sslEngineFactoryClass?:
    | Extract<NodeTlsOptions, (...parameters: never[]) => unknown>
    | null
    | undefined
  /**
   * Passphrase of the client's private key. Default: none. Takes a string. The same as `ssl.key.password`.
   */
  readonly sslKeyPassword?: string | null | undefined
  /**
   * Java algorithm for managing keys. Only its default is accepted: it selects a part of the JVM, which is
   * not there. Default: SunX509. The same as `ssl.keymanager.algorithm`.
   */
  readonly sslKeymanagerAlgorithm?: 'SunX509' | null | undefined
  /**
   * The client's certificate chain, as PEM text. Default: none. Takes a string. The same as
   * `ssl.keystore.certificate.chain`.
   */
  readonly sslKeystoreCertificateChain?: string | null | undefined
  /**
   * The client's private key, as PEM text. Default: none. Takes a string. The same as `ssl.keystore.key`.
   */
  readonly sslKeystoreKey?: string | null | undefined
  /**
   * Key store: the file that holds the client's key and certificates, PEM or PKCS#12. Default: none. Takes
   * a string. The same as `ssl.keystore.location`.
   */
  readonly sslKeystoreLocation?: string | null | undefined
  /**
   * Password of the key store. Default: none. Takes a string. The same as `ssl.keystore.password`.
   */
  readonly sslKeystorePassword?: string | null | undefined
  /**
   * Format of the key store: PKCS12 or PEM. JKS, the default, accepts both. Default: JKS. Takes one of JKS,
   * PKCS12, PEM (in any case). The same as `ssl.keystore.type`.
   */
  readonly sslKeystoreType?: 'JKS' | 'jks' | 'PKCS12' | 'pkcs12' | 'PEM' | 'pem' | null | undefined
  /**
   * Highest TLS version that is asked for. Default: TLSv1.3. Takes one of TLSv1.3, TLSv1.2, TLS (in any
   * case). The same as `ssl.protocol`.
   */
  readonly sslProtocol?:
    | 'TLSv1.3'
    | 'tlsv1.3'
    | 'TLSV1.3'
    | 'TLSv1.2'
    | 'tlsv1.2'
    | 'TLSV1.2'
    | 'TLS'
    | 'tls'
    | null
    | undefined
  /**
   * Java security provider of TLS. Only its default is accepted: it selects a part of the JVM, which is not
   * there. Default: none. The same as `ssl.provider`.
   */
  readonly sslProvider?: null | undefined
  /**
   * Java source of random numbers for TLS. Only its default is accepted: it selects a part of the JVM,
   * which is not there. Default: none. The same as `ssl.secure.random.implementation`.
   */
  readonly sslSecureRandomImplementation?: null | undefined
  /**
   * Java algorithm for deciding on trust. Only its default is accepted: it selects a part of the JVM, which
   * is not there. Default: PKIX. The same as `ssl.trustmanager.algorithm`.
   */
  readonly sslTrustmanagerAlgorithm?: 'PKIX' | null | undefined
  /**
   * Certificates of trusted authorities, as PEM text. Default: none. Takes a string. The same as
   * `ssl.truststore.certificates`.
   */
  readonly sslTruststoreCertificates?: string | null | undefined
  /**
   * Trust store: the file that holds the certificates of trusted authorities. Default: none. Takes a
   * string. The same as `ssl.truststore.location`.
   */
  readonly sslTruststoreLocation?: string | null | undefined
  /**
   * Password of the trust store. Default: none. Takes a string. The same as `ssl.truststore.password`.
   */
  readonly sslTruststorePassword?: string | null | undefined
  /**
   * Format of the trust store: PKCS12 or PEM. JKS, the default, accepts both. Default: JKS. Takes one of
   * JKS, PKCS12, PEM (in any case). The same as `ssl.truststore.type`.
   */
  readonly sslTruststoreType?: 'JKS' | 'jks' | 'PKCS12' | 'pkcs12' | 'PEM' | 'pem' | null | undefined
}
